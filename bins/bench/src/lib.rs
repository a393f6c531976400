//! Benchmarks of a whole server, each figure beside its yardstick from the same run.

pub mod echo;
pub mod interrupt;
mod line;
mod percentiles;
mod process;
pub mod relay;
mod shell;
mod socket;
mod table;
pub mod terminal;
mod viewer;

pub use percentiles::{Percentiles, Spread};
pub use table::{Report, Row};
