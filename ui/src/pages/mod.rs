//! The pages.

pub mod audit;
pub mod costs;
pub mod join;
pub mod login;
pub mod new_session;
pub mod not_found;
pub mod past;
pub mod people;
pub mod reset;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod share;
