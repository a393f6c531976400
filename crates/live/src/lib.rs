//! One task for each session that somebody watches or commands: it folds the log, decides, and gives late joiners a
//! snapshot.
//!
//! ```text
//! log ──follow──▶ task: picture, screens, ring ──▶ watchers (a snapshot or the missing frames, then each frame)
//!                  ▲ decide                          │
//!                  └── submit ──guarded append──▶ log ┘
//! ```
//! What a watcher sees changes only when the log says so; who falls behind starts over from a snapshot.

mod clock;
mod error;
mod live;
mod open;
mod ring;
mod screens;
mod shown;
mod stage;
mod submit;
mod task;
mod views;
mod watch;

pub use error::{SubmitError, WatchError};
pub use live::Live;
pub use open::Opening;
pub use screens::cells;
pub use shown::{Shown, Snapshot};
pub use stage::Glimpse;
pub use views::{Loaded, StoredScreen, Views, ViewsError};
pub use watch::{Start, Update, Watch};
