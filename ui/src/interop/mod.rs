//! What the page asks of the browser: the only place with foreign functions.

pub mod dom;
pub mod list;
pub mod terminal;
