//! The command people type: the whole of Duplex on one machine.

mod audit;
pub mod config;
mod data;
pub mod doctor;
mod left_over;
mod named;
mod plan;
pub mod prepare;
mod program;
mod run_file;
mod start;
mod supervise;
pub mod up;
pub mod verify;

use std::fmt::Display;
use std::io::{Write, stdout};

/// Prints a line for the person who typed the command. Nobody reading any more is no reason to stop.
fn say(line: impl Display) {
    let _unread = writeln!(stdout(), "{line}");
}
