//! What the page computes without a browser.

pub mod ago;
pub mod argv;
pub mod diff;
pub mod drawing;
pub mod gauge;
pub mod grip;
pub mod keys;
pub mod markdown;
pub mod models;
pub mod money;
pub mod outbox;
pub mod pages;
pub mod people;
pub mod retry;
pub mod rows;
pub mod sandbox;
pub mod split;
pub mod tab;
pub mod tool;
