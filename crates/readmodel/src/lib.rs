//! What people read of the sessions, and who they are: the part of Duplex that lives in Postgres.
//!
//! The views are folded from the log by a [`Projection`] and can be wiped at any time. The [`Accounts`] are no
//! projection: they are the truth.

mod account;
mod change;
mod checkpoint;
mod costs;
mod database;
mod list;
mod load;
mod pictures;
mod projection;
mod row;
mod spent;
mod terminals;
mod verify;
mod view;
mod write;

pub use account::{AccountError, Accounts, TeamRole, Token, User};
pub use change::can_wait;
pub use checkpoint::{Checkpoint, VERSION};
pub use costs::{CostsWanted, MOST_COST_ROWS, MonthsCost};
pub use database::{Database, DatabaseError};
pub use list::{Filter, LONGEST_PAGE};
pub use projection::{ProjectError, Projection};
pub use spent::Spent;
pub use verify::{Refold, Rows};
pub use view::{Stored, StoredScreen};
