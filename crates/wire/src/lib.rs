//! What browser and edge say to each other.
//!
//! Everything but terminal output is JSON text; terminal output comes in binary frames ([`Screenful`]).

use duplex_domain::{
    Command, Envelope, Item, Lane, Picture, Recorded, Seq, Session, SessionId, Size, TerminalId,
    WorkspaceId,
};
use serde::{Deserialize, Serialize};

mod audit;
mod binary;
mod close;
mod costs;
pub mod mirror;
mod people;
mod presence;
mod rest;
#[cfg(feature = "openapi")]
mod schema;
mod share;

pub use audit::{AuditChain, AuditPage, AuditPerson, AuditWords};
pub use binary::{Screenful, ScreenfulError, ScreenfulKind, size_bytes, size_of};
pub use close::Close;
pub use costs::{CostRow, Costs, CostsBy, SetTeamBudget, Spending, TeamBudget};
pub use people::{
    ApiToken, ChangePassword, CreateToken, Invitation, Invite, InvitedTo, Join, LookAtLink, Me,
    NewToken, ResetFor, ResetPassword, Scope, SecretLink, SetDisabled, SetName, SetTeamRole,
    SignedInBrowser, TeamPerson, TeamRole, TransferTeam,
};
pub use presence::{Here, Pane, Present};
pub use rest::{
    Accepted, CatchUp, CreateSession, CreateWorkspace, Created, ErrorBody, ErrorDetail, ItemPage,
    Login, Model, ModelPrice, OwnTerminal, PostCommand, SessionPage, SessionRow, SessionView,
    Setup, TerminalView, Working, Workspace, WorkspaceState,
};
pub use share::{LinkOffer, LinkTaken, MadeLink, MakeLink, ShareLink, SharedPast, Span, TakeLink};

/// What the page sends over its socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Up {
    /// Show me this session from here on.
    Watch {
        /// Which session.
        session: SessionId,
        /// The newest frame the page has; without it, a snapshot comes first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
    },
    /// I do not look at this session any more.
    Unwatch {
        /// Which session.
        session: SessionId,
    },
    /// Please do this.
    Command {
        /// The command's id, made by the page: the same id twice is one command.
        id: String,
        /// Which session.
        session: SessionId,
        /// What to do.
        command: Command,
    },
    /// So many bytes of terminal output of a session are drawn. Once a page said so, it is sent no more output than it
    /// draws: what it cannot keep up with is left out, and a snapshot follows.
    Drawn {
        /// Which session.
        session: SessionId,
        /// The bytes since it was last watched: of output, screens and sizes, headers not counted.
        bytes: u64,
    },
    /// Where the person at this page is; others at the session are told.
    Presence {
        /// Which session.
        session: SessionId,
        /// Where.
        #[serde(flatten)]
        here: Here,
    },
    /// The person has seen a session up to here.
    Read {
        /// Which session.
        session: SessionId,
        /// The newest frame on the screen.
        seq: Seq,
    },
    /// Are you there?
    Ping {},
}

/// What the edge sends over a page's socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Down {
    /// The socket is open and known to be this person's.
    Welcome {
        /// The build of the edge; another build than the page's own means: reload.
        build: String,
        /// Who is signed in.
        user: Me,
    },
    /// A session as it stands. Screens of its terminals follow in binary frames.
    Snapshot {
        /// Which session.
        session: SessionId,
        /// The newest frame in it.
        seq: Seq,
        /// The session and its newest items.
        picture: Box<Picture>,
    },
    /// What happened, in order.
    Events {
        /// Which session.
        session: SessionId,
        /// The frames.
        events: Vec<Frame>,
    },
    /// Everything up to here has been sent; from now on it is live.
    Synced {
        /// Which session.
        session: SessionId,
        /// The newest frame sent.
        seq: Seq,
    },
    /// Who is at a session's page now, the reader included; said anew when that changes.
    Presence {
        /// Which session.
        session: SessionId,
        /// Everybody who has it on a page, at any edge.
        people: Vec<Present>,
    },
    /// A command is in the log.
    Accepted {
        /// The command.
        id: String,
        /// Where.
        seq: Seq,
    },
    /// A command, or a watch, was refused.
    Refused {
        /// The command; empty where the message that was refused had none.
        id: String,
        /// A word for programs.
        code: String,
        /// A sentence for people.
        message: String,
        /// Which session, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
    },
    /// I am here; these are the newest frames sent of what you watch.
    Beat {
        /// For each session watched, the newest frame.
        seqs: Vec<(SessionId, Seq)>,
    },
    /// Yes.
    Pong {},
}

/// One frame of the log on its way to a reader: a sequence and what happened under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Its place in the session's stream.
    pub seq: Seq,
    /// Its lane.
    pub lane: Lane,
    /// What happened, oldest first.
    pub events: Vec<Envelope>,
}

impl Frame {
    /// The frame as the fold takes it.
    #[must_use]
    pub fn recorded(self, session: SessionId) -> Recorded {
        let Self { seq, lane, events } = self;
        Recorded {
            session,
            seq,
            lane,
            events,
        }
    }
}

impl From<Recorded> for Frame {
    fn from(recorded: Recorded) -> Self {
        let Recorded {
            seq, lane, events, ..
        } = recorded;
        Self { seq, lane, events }
    }
}
