//! What people read of the sessions, and who they are: the part of Duplex that lives in Postgres.
//!
//! The views are folded from the log by a [`Projection`] and can be wiped at any time. The [`Accounts`] are no
//! projection: they are the truth.

mod account;
mod audit;
mod change;
mod checkpoint;
mod costs;
mod database;
mod list;
mod load;
mod pictures;
mod projection;
mod read_position;
mod row;
mod spent;
mod terminals;
mod verify;
mod view;
mod write;

pub use account::{
    AccountChange, AccountError, Accounts, Browser, Grant, Invited, KnownLink, Reset, Stray,
    TeamRole, Token, Try, User, Visit,
};
pub use audit::{AuditFilter, LONGEST_AUDIT_PAGE};
pub use change::can_wait;
pub use checkpoint::{Checkpoint, VERSION};
pub use costs::{CostsWanted, MOST_COST_ROWS, MonthsCost};
pub use database::{Database, DatabaseError, Worker};
pub use list::{Filter, LONGEST_PAGE};
pub use projection::{ProjectError, Projection};
pub use read_position::ReadPosition;
pub use spent::Spent;
pub use verify::{Refold, Rows};
pub use view::{Stored, StoredScreen};
