//! What the page computes without a browser.

pub mod ago;
pub mod argv;
pub mod diff;
pub mod keys;
pub mod markdown;
pub mod money;
pub mod outbox;
pub mod retry;
pub mod rows;
pub mod screen;
pub mod split;
pub mod tool;
