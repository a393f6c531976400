//! What a turn tells the session's holder, and asks of it.

use duplex_domain::{CallId, EndReason, Preview, Problem, ToolKind, TurnId, Usage, Verdict};
use tokio::sync::oneshot;

/// What a turn tells the session's holder.
#[derive(Debug)]
pub enum Report {
    /// A model call was paid for.
    Used(Box<Used>),
    /// May this call run? The answer comes when somebody gave it.
    Ask(Box<Question>, oneshot::Sender<Answer>),
    /// Between two model calls: is there something new?
    Boundary(oneshot::Sender<News>),
    /// The turn is over, and all it wrote is in the log.
    Over {
        /// Which turn.
        turn: TurnId,
        /// Why.
        reason: EndReason,
        /// What went wrong.
        problem: Option<Problem>,
    },
}

/// A model call that was paid for.
#[derive(Debug)]
pub struct Used {
    /// The model.
    pub model: String,
    /// Tokens.
    pub usage: Usage,
    /// Picodollars; none if the model has no price.
    pub pico: Option<u64>,
    /// The price table that was applied.
    pub prices: Option<String>,
    /// What the provider said, as it said it.
    pub raw: Option<serde_json::Value>,
    /// Whether the call reached its end.
    pub finished: bool,
}

/// A call that may need somebody's word.
#[derive(Clone, Debug)]
pub struct Question {
    /// The call.
    pub call: CallId,
    /// The tool.
    pub name: String,
    /// What the tool does to the world.
    pub tool: ToolKind,
    /// Whether it would act outside the session's sandbox.
    pub outside: bool,
    /// What rules are held against: a command line, a path, an address.
    pub subject: String,
    /// What would happen.
    pub preview: Preview,
}

/// Whether a call may run.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It may: the mode or a rule says so.
    Free,
    /// It may not in this mode.
    AnotherMode,
    /// Somebody decided.
    Decided(Verdict),
}

/// What is new between two model calls.
#[derive(Debug, Default)]
pub struct News {
    /// Messages that were slipped in.
    pub texts: Vec<String>,
    /// Whether the session has cost what it may.
    pub spent: bool,
    /// Whether its team has.
    pub team_spent: bool,
}
