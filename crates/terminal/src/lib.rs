//! A terminal as the server holds it: the program, its screen, and what of the keys may be kept.
//!
//! Output runs `pty` → [`Gate`] → [`Answers`] (which feeds the [`Screen`]) → whoever appends it.
//! Keys run the other way, past a [`Keeper`], and are [sealed](SealKey) before they are stored.

mod answers;
mod budget;
mod cast;
mod emulator;
mod gate;
mod keeper;
mod lines;
mod marks;
mod modes;
mod plain;
#[cfg(feature = "pty")]
mod pty;
mod scan;
mod screen;
mod scrub;
mod seal;
mod size;
mod text;

pub use answers::Answers;
pub use budget::{Allowance, Budget, Elided, Verdict};
pub use cast::Cast;
pub use gate::Gate;
pub use keeper::{Echo, Keeper, Kept};
pub use marks::{Command, Commands, bash};
pub use plain::{Plain, plain};
#[cfg(feature = "pty")]
pub use pty::{Closed, Exit, Exited, Input, Launch, NotTaken, Process, Pty, SpawnError, spawn};
pub use screen::{Cursor, Screen};
pub use scrub::Scrubber;
pub use seal::{OpenError, SealKey};
pub use size::Size;
