//! How the page talks with the server.

pub mod api;
pub mod feed;
pub mod link;
pub mod people;
pub mod seen;
