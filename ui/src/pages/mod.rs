//! The pages.

pub mod costs;
pub mod login;
pub mod new_session;
pub mod not_found;
pub mod session;
pub mod sessions;
pub mod setup;
