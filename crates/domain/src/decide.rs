//! All rules: what a person or a runner may do, given a session's state.
//!
//! One command yields one event, or none if what it asks for already holds.

use crate::{
    Again, CallId, Command, Delivery, EndReason, Event, MessageId, Mode, RestoreStage, Role,
    Session, Size, State, TerminalId, TerminalState, TurnId, UserId, Verdict, is_rule,
};
use uuid::Uuid;

/// The longest message, in bytes.
const LONGEST_MESSAGE: usize = 256 * 1024;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// How many messages may wait for the agent.
const LONGEST_QUEUE: usize = 32;
/// How many rules a session may have.
const MOST_RULES: usize = 200;
/// How many terminals of a session may run at once.
const MOST_TERMINALS: usize = 8;
/// The longest name of a terminal, in characters.
const LONGEST_NAME: usize = 40;

/// The domain says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// To a stranger a session does not exist.
    #[error("there is no such session")]
    NotAMember,
    /// The role is too small.
    #[error("your role in this session does not allow this; ask its owner")]
    RoleTooSmall,
    /// The session is over.
    #[error("this session has ended; reopen it first")]
    Over,
    /// Only an ended session can be reopened.
    #[error("this session is open already")]
    NotOver,
    /// A message without words.
    #[error("the message is empty")]
    Empty,
    /// A message over the limit.
    #[error("the message is longer than 256 KiB; put long material in a file of the workspace")]
    TooLong,
    /// A title that is empty, too long, or holds control characters.
    #[error("a title has 1 to 200 characters and no control characters")]
    BadTitle,
    /// A model id that is empty or too long.
    #[error("there is no such model")]
    BadModel,
    /// Too many messages wait.
    #[error("32 messages already wait for the agent; withdraw one or wait")]
    QueueFull,
    /// The message is not in the queue any more.
    #[error("the agent has taken up this message already, or it was withdrawn")]
    NotQueued,
    /// Somebody else's message.
    #[error("only its author can change a message")]
    NotYours,
    /// The session would have no owner.
    #[error("a session needs an owner; make somebody else one first")]
    LastOwner,
    /// There is no such terminal, or it has exited.
    #[error("this terminal is not running")]
    NoTerminal,
    /// Too many terminals run.
    #[error("8 terminals of this session are running; close one first")]
    TooManyTerminals,
    /// A name that is too long or holds control characters.
    #[error("a terminal's name has at most 40 characters and no control characters")]
    BadName,
    /// The other one may not type.
    #[error("only somebody who may type in this session can have the keyboard")]
    CannotType,
    /// Nobody asks for this answer, or somebody gave it.
    #[error(
        "this call does not wait for an answer any more; somebody was quicker, or its turn is over"
    )]
    NotPending,
    /// A rule cannot stand for several people.
    #[error("calls like this need several people's word each time; allow this one")]
    NeedsOthers,
    /// A rule that cannot be read.
    #[error("a rule is a tool's name, or a name and a pattern in brackets such as bash(git *)")]
    BadRule,
    /// Too many rules.
    #[error("a session has at most 200 rules; remove one first")]
    TooManyRules,
    /// The session has cost what it may.
    #[error("the session's budget is used up; raise it to go on")]
    Spent,
    /// The agent works.
    #[error("the agent works; wait until it is done, or interrupt it")]
    Busy,
    /// There is nothing to do again.
    #[error("there is nothing to try again or to go on with")]
    NothingAgain,
    /// There is no such checkpoint.
    #[error("there is no such checkpoint, or it is too old to be restored from here")]
    NoCheckpoint,
    /// The restore was not shown, or the files were others.
    #[error("look at what the restore changes first")]
    NotPrepared,
    /// Others changed the same files.
    #[error("others changed the same files since; commit or undo their changes first")]
    Conflicts,
    /// Somebody else has the keyboard.
    #[error("somebody else has the keyboard; take it first")]
    NotDriving,
}

impl Refusal {
    /// A word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAMember => "not_found",
            Self::RoleTooSmall => "role_too_small",
            Self::Over => "session_ended",
            Self::NotOver => "session_open",
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::BadTitle => "bad_title",
            Self::BadModel => "bad_model",
            Self::QueueFull => "queue_full",
            Self::NotQueued => "not_queued",
            Self::NotYours => "not_yours",
            Self::LastOwner => "last_owner",
            Self::NoTerminal => "no_terminal",
            Self::TooManyTerminals => "too_many_terminals",
            Self::BadName => "bad_name",
            Self::CannotType => "cannot_type",
            Self::NotPending => "not_pending",
            Self::NeedsOthers => "needs_others",
            Self::BadRule => "bad_rule",
            Self::TooManyRules => "too_many_rules",
            Self::Spent => "budget",
            Self::Busy => "busy",
            Self::NothingAgain => "nothing_again",
            Self::NoCheckpoint => "no_checkpoint",
            Self::NotPrepared => "not_prepared",
            Self::Conflicts => "conflicts",
            Self::NotDriving => "not_driving",
        }
    }
}

/// What a person's command becomes. `id` is the command's own id: it names what the command makes.
///
/// # Errors
/// A refusal, worded for the person who asked.
pub fn decide(
    session: &Session,
    by: UserId,
    id: Uuid,
    command: Command,
) -> Result<Option<Event>, Refusal> {
    let role = session.role_of(by).ok_or(Refusal::NotAMember)?;
    if role < least_role(&command, by) {
        return Err(Refusal::RoleTooSmall);
    }
    if session.state == State::Ended {
        return decide_ended(session, command);
    }
    match command {
        Command::PostMessage { text, delivery } => post(session, MessageId(id), text, delivery),
        Command::EditMessage { message, text } => edit(session, by, message, text),
        Command::WithdrawMessage { message } => withdraw(session, by, message),
        Command::ChooseDelivery { message, delivery } => redeliver(session, by, message, delivery),
        Command::MoveMessage { message, before } => move_message(session, by, message, before),
        Command::Again { again } => run_again(session, again),
        Command::Compact => compact(session),
        Command::Decide { call, verdict } => answer(session, by, call, verdict),
        Command::ChooseMode { mode } => Ok(choose_mode(session, mode)),
        Command::AddRule { rule } => add_rule(session, rule),
        Command::RemoveRule { rule } => {
            let known = session.rules.contains(&rule);
            Ok(known.then_some(Event::RuleRemoved { rule }))
        }
        Command::SetBudget { pico } => {
            let holds = session.budget.map(|budget| budget.pico) == pico;
            Ok((!holds).then_some(Event::BudgetSet { pico }))
        }
        Command::Restore { checkpoint, tree } => restore(session, checkpoint, tree),
        Command::CancelRestore => Ok(session
            .restore
            .is_some()
            .then_some(Event::RestoreCancelled {})),
        Command::Commit { message } => commit(session, message),
        Command::Interrupt { turn } => Ok(interrupt(session, turn)),
        Command::Rename { title } => rename(session, &title),
        Command::ChooseModel { model } => choose_model(session, model),
        Command::SetMember { user, name, role } => set_member(session, user, name, role),
        Command::RemoveMember { user } => remove_member(session, user),
        Command::TakeControl if session.driver == Some(by) => Ok(None),
        Command::TakeControl => Ok(Some(Event::ControlTaken {})),
        Command::GiveControl { to } => give_control(session, by, to),
        Command::AskControl => Ok(ask_control(session, by)),
        Command::DeclineControl { user } => decline_control(session, by, user),
        Command::OpenTerminal { size } => open_terminal(session, TerminalId(id), size),
        Command::Type { terminal, .. } => {
            may_type(session, by, terminal)?;
            Ok(None)
        }
        Command::Resize { terminal, size } => resize(session, by, terminal, size.clamped()),
        Command::RenameTerminal { terminal, name } => rename_terminal(session, terminal, &name),
        Command::SetPrivateInput { terminal, on } => set_private(session, by, terminal, on),
        Command::CloseTerminal { terminal } => close_terminal(session, terminal),
        Command::ForgetKeys => Ok(forget_keys(session)),
        Command::End => Ok(Some(Event::Ended {})),
        Command::Reopen => Err(Refusal::NotOver),
    }
}

/// What a command becomes in a session that is over, of somebody who may give it.
fn decide_ended(session: &Session, command: Command) -> Result<Option<Event>, Refusal> {
    match command {
        Command::Reopen => Ok(Some(Event::Reopened {})),
        Command::End => Ok(None),
        Command::ForgetKeys => Ok(forget_keys(session)),
        Command::SetMember { user, name, role } => set_member(session, user, name, role),
        Command::RemoveMember { user } => remove_member(session, user),
        _ => Err(Refusal::Over),
    }
}

/// The smallest role that may give a command at all.
fn least_role(command: &Command, by: UserId) -> Role {
    match command {
        Command::RemoveMember { user } if *user == by => Role::Viewer,
        Command::PostMessage {
            delivery: Delivery::Queue,
            ..
        }
        | Command::EditMessage { .. }
        | Command::MoveMessage { .. }
        | Command::WithdrawMessage { .. } => Role::Commenter,
        Command::PostMessage {
            delivery: Delivery::Steer,
            ..
        }
        | Command::ChooseDelivery { .. }
        | Command::Again { .. }
        | Command::Compact
        | Command::Decide { .. }
        | Command::ChooseMode { .. }
        | Command::AddRule { .. }
        | Command::RemoveRule { .. }
        | Command::Restore { .. }
        | Command::CancelRestore
        | Command::Commit { .. }
        | Command::Interrupt { .. }
        | Command::Rename { .. }
        | Command::ChooseModel { .. }
        | Command::TakeControl
        | Command::GiveControl { .. }
        | Command::AskControl
        | Command::DeclineControl { .. }
        | Command::OpenTerminal { .. }
        | Command::Type { .. }
        | Command::Resize { .. }
        | Command::RenameTerminal { .. }
        | Command::SetPrivateInput { .. }
        | Command::CloseTerminal { .. } => Role::Driver,
        Command::SetBudget { .. }
        | Command::SetMember { .. }
        | Command::RemoveMember { .. }
        | Command::ForgetKeys
        | Command::End
        | Command::Reopen => Role::Owner,
    }
}

fn readable(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::Empty);
    }
    if text.len() > LONGEST_MESSAGE {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

fn post(
    session: &Session,
    message: MessageId,
    text: String,
    delivery: Delivery,
) -> Result<Option<Event>, Refusal> {
    readable(&text)?;
    if session.posted.contains(&message) {
        return Ok(None);
    }
    if session.queue.len() >= LONGEST_QUEUE {
        return Err(Refusal::QueueFull);
    }
    if session.is_spent() {
        return Err(Refusal::Spent);
    }
    // There is no turn to slip it into: it starts the next.
    let delivery = match session.turn {
        Some(_) => delivery,
        None => Delivery::Queue,
    };
    Ok(Some(Event::MessagePosted {
        message,
        text,
        delivery,
    }))
}

fn edit(
    session: &Session,
    by: UserId,
    message: MessageId,
    text: String,
) -> Result<Option<Event>, Refusal> {
    readable(&text)?;
    let queued = session.queue.iter().find(|queued| queued.id == message);
    let queued = queued.ok_or(Refusal::NotQueued)?;
    if queued.by != by {
        return Err(Refusal::NotYours);
    }
    let changed = queued.text != text;
    Ok(changed.then_some(Event::MessageEdited { message, text }))
}

fn withdraw(session: &Session, by: UserId, message: MessageId) -> Result<Option<Event>, Refusal> {
    let queued = session.queue.iter().find(|queued| queued.id == message);
    let queued = queued.ok_or(Refusal::NotQueued)?;
    if queued.by != by && session.role_of(by) < Some(Role::Driver) {
        return Err(Refusal::NotYours);
    }
    Ok(Some(Event::MessageWithdrawn { message }))
}

fn queued_of(session: &Session, by: UserId, message: MessageId) -> Result<&crate::Queued, Refusal> {
    let queued = session.queue.iter().find(|queued| queued.id == message);
    let queued = queued.ok_or(Refusal::NotQueued)?;
    if queued.by != by {
        return Err(Refusal::NotYours);
    }
    Ok(queued)
}

fn redeliver(
    session: &Session,
    by: UserId,
    message: MessageId,
    delivery: Delivery,
) -> Result<Option<Event>, Refusal> {
    let queued = queued_of(session, by, message)?;
    if delivery == Delivery::Steer && session.turn.is_none() {
        return Ok(None);
    }
    let changed = queued.delivery != delivery;
    Ok(changed.then_some(Event::DeliveryChosen { message, delivery }))
}

fn move_message(
    session: &Session,
    by: UserId,
    message: MessageId,
    before: Option<MessageId>,
) -> Result<Option<Event>, Refusal> {
    queued_of(session, by, message)?;
    let place = |id| session.queue.iter().position(|queued| queued.id == id);
    if before.is_some_and(|before| place(before).is_none()) {
        return Err(Refusal::NotQueued);
    }
    let behind = place(message).map(|at| at + 1);
    let target = before.map_or(Some(session.queue.len()), place);
    let holds = before == Some(message) || behind == target;
    Ok((!holds).then_some(Event::MessageMoved { message, before }))
}

/// After a turn that came to no good end.
fn run_again(session: &Session, again: Again) -> Result<Option<Event>, Refusal> {
    if session.turn.is_some() {
        return Err(Refusal::Busy);
    }
    if session.is_spent() {
        return Err(Refusal::Spent);
    }
    match session.ended_with {
        None | Some(EndReason::Complete) => Err(Refusal::NothingAgain),
        Some(_) => {
            let holds = session.again == Some(again);
            Ok((!holds).then_some(Event::AgainRequested { again }))
        }
    }
}

fn compact(session: &Session) -> Result<Option<Event>, Refusal> {
    if session.turns == 0 {
        return Err(Refusal::NothingAgain);
    }
    if session.is_spent() {
        return Err(Refusal::Spent);
    }
    Ok((!session.compacting).then_some(Event::CompactionRequested {}))
}

/// The first answer counts. Where several people have to allow a call, each of them counts once, and any may deny it.
fn answer(
    session: &Session,
    by: UserId,
    call: CallId,
    verdict: Verdict,
) -> Result<Option<Event>, Refusal> {
    let pending = session.approvals.get(&call).ok_or(Refusal::NotPending)?;
    let several = pending.people > 1;
    match &verdict {
        Verdict::AllowAlways { .. } if several => return Err(Refusal::NeedsOthers),
        Verdict::Allow if pending.allowed_by.contains(&by) => return Ok(None),
        Verdict::Allow if pending.allowed_by.len() + 1 < usize::from(pending.people) => {
            return Ok(Some(Event::ApprovalGiven { call }));
        }
        Verdict::AllowAlways { rule } => fit_to_add(session, rule)?,
        Verdict::Deny { reason } if reason.len() > 4096 => return Err(Refusal::TooLong),
        Verdict::Deny { .. } | Verdict::Allow => {}
    }
    Ok(Some(Event::ApprovalDecided { call, verdict }))
}

fn choose_mode(session: &Session, mode: Mode) -> Option<Event> {
    (session.mode != mode).then_some(Event::ModeChosen { mode })
}

fn fit_to_add(session: &Session, rule: &str) -> Result<(), Refusal> {
    if !is_rule(rule) {
        return Err(Refusal::BadRule);
    }
    if session.rules.len() >= MOST_RULES {
        return Err(Refusal::TooManyRules);
    }
    Ok(())
}

fn add_rule(session: &Session, rule: String) -> Result<Option<Event>, Refusal> {
    fit_to_add(session, &rule)?;
    let holds = session.rules.contains(&rule);
    Ok((!holds).then_some(Event::RuleAdded { rule }))
}

/// Asked twice: once to see what would change, once to have it.
fn restore(
    session: &Session,
    checkpoint: u32,
    tree: Option<String>,
) -> Result<Option<Event>, Refusal> {
    if session.turn.is_some() {
        return Err(Refusal::Busy);
    }
    if !session
        .checkpoints
        .iter()
        .any(|known| known.number == checkpoint)
    {
        return Err(Refusal::NoCheckpoint);
    }
    let stage = session
        .restore
        .as_ref()
        .map(|restore| (restore.checkpoint, &restore.stage));
    match (&tree, stage) {
        (_, Some((_, RestoreStage::Confirmed { .. }))) => Err(Refusal::Busy),
        (None, _) => Ok(Some(Event::RestoreRequested { checkpoint, tree })),
        (
            Some(seen),
            Some((
                shown,
                RestoreStage::Prepared {
                    tree: now,
                    conflicts,
                    ..
                },
            )),
        ) if seen == now && shown == checkpoint => {
            if conflicts.is_empty() {
                return Ok(Some(Event::RestoreRequested { checkpoint, tree }));
            }
            Err(Refusal::Conflicts)
        }
        (Some(_), _) => Err(Refusal::NotPrepared),
    }
}

fn commit(session: &Session, message: String) -> Result<Option<Event>, Refusal> {
    if message.trim().is_empty() {
        return Err(Refusal::Empty);
    }
    if message.len() > 16 * 1024 {
        return Err(Refusal::TooLong);
    }
    if session.turn.is_some() || session.committing.is_some() {
        return Err(Refusal::Busy);
    }
    Ok(Some(Event::CommitRequested { message }))
}

/// Nothing to stop, another turn, or asked already: it holds.
fn interrupt(session: &Session, turn: Option<TurnId>) -> Option<Event> {
    let running = session.turn.as_ref()?;
    let meant = turn.is_none_or(|turn| turn == running.id);
    (meant && running.interrupted_by.is_none()).then_some(Event::InterruptRequested {})
}

fn rename(session: &Session, title: &str) -> Result<Option<Event>, Refusal> {
    let title = checked_title(title)?;
    Ok((title != session.title).then_some(Event::Renamed { title }))
}

/// A title fit to be shown on one line.
fn checked_title(title: &str) -> Result<String, Refusal> {
    let title = title.trim();
    let length = title.chars().count();
    if length == 0 || length > LONGEST_TITLE || title.chars().any(char::is_control) {
        return Err(Refusal::BadTitle);
    }
    Ok(title.to_owned())
}

fn choose_model(session: &Session, model: String) -> Result<Option<Event>, Refusal> {
    if model.is_empty() || model.len() > 200 || model.chars().any(char::is_control) {
        return Err(Refusal::BadModel);
    }
    Ok((model != session.model).then_some(Event::ModelChosen { model }))
}

fn set_member(
    session: &Session,
    user: UserId,
    name: String,
    role: Role,
) -> Result<Option<Event>, Refusal> {
    if role < Role::Owner {
        keeps_an_owner(session, user)?;
    }
    let holds = session.role_of(user) == Some(role);
    Ok((!holds).then_some(Event::MemberSet { user, name, role }))
}

fn remove_member(session: &Session, user: UserId) -> Result<Option<Event>, Refusal> {
    keeps_an_owner(session, user)?;
    let present = session.members.contains_key(&user);
    Ok(present.then_some(Event::MemberRemoved { user }))
}

fn keeps_an_owner(session: &Session, without: UserId) -> Result<(), Refusal> {
    let mut members = session.members.iter();
    if members.any(|(user, member)| *user != without && member.role == Role::Owner) {
        return Ok(());
    }
    Err(Refusal::LastOwner)
}

fn open_terminal(
    session: &Session,
    terminal: TerminalId,
    size: Size,
) -> Result<Option<Event>, Refusal> {
    if session.terminals.contains_key(&terminal) {
        return Ok(None);
    }
    let states = session.terminals.values().map(|terminal| terminal.state);
    if states
        .filter(|state| *state == TerminalState::Running)
        .count()
        >= MOST_TERMINALS
    {
        return Err(Refusal::TooManyTerminals);
    }
    let size = size.clamped();
    Ok(Some(Event::TerminalOpened { terminal, size }))
}

/// Only who has the keyboard can give it away; one that nobody has can be given to anybody.
fn give_control(
    session: &Session,
    by: UserId,
    to: Option<UserId>,
) -> Result<Option<Event>, Refusal> {
    if session.driver.is_some_and(|driver| driver != by) {
        return Err(Refusal::NotDriving);
    }
    if to.is_some_and(|to| session.role_of(to) < Some(Role::Driver)) {
        return Err(Refusal::CannotType);
    }
    Ok((session.driver != to).then_some(Event::ControlGiven { to }))
}

/// A keyboard that nobody has, or that is one's own, need not be asked for.
fn ask_control(session: &Session, by: UserId) -> Option<Event> {
    let taken = session.driver.is_some_and(|driver| driver != by);
    let asked = session.wants_to_drive.contains(&by);
    (taken && !asked).then_some(Event::ControlAsked {})
}

fn decline_control(session: &Session, by: UserId, user: UserId) -> Result<Option<Event>, Refusal> {
    if by != user && session.driver != Some(by) {
        return Err(Refusal::NotDriving);
    }
    let asked = session.wants_to_drive.contains(&user);
    Ok(asked.then_some(Event::ControlDeclined { user }))
}

fn rename_terminal(
    session: &Session,
    terminal: TerminalId,
    name: &str,
) -> Result<Option<Event>, Refusal> {
    let known = session.terminals.get(&terminal);
    let known = known.ok_or(Refusal::NoTerminal)?;
    let name = name.trim().to_owned();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::BadName);
    }
    Ok((known.name != name).then_some(Event::TerminalRenamed { terminal, name }))
}

/// Whoever may type may say that what they type is private.
fn set_private(
    session: &Session,
    by: UserId,
    terminal: TerminalId,
    on: bool,
) -> Result<Option<Event>, Refusal> {
    may_type(session, by, terminal)?;
    let holds = running(session, terminal)?.private == on;
    Ok((!holds).then_some(Event::PrivateInputSet { terminal, on }))
}

/// Whether a person may type into a terminal. The runner asks this before every key.
///
/// # Errors
/// A refusal, worded for the person who types.
pub fn may_type(session: &Session, by: UserId, terminal: TerminalId) -> Result<(), Refusal> {
    let role = session.role_of(by).ok_or(Refusal::NotAMember)?;
    if role < Role::Driver {
        return Err(Refusal::RoleTooSmall);
    }
    if session.state == State::Ended {
        return Err(Refusal::Over);
    }
    running(session, terminal)?;
    // A keyboard that nobody holds is everybody's who may type.
    if session.driver.is_some_and(|driver| driver != by) {
        return Err(Refusal::NotDriving);
    }
    Ok(())
}

fn running(session: &Session, terminal: TerminalId) -> Result<&crate::Terminal, Refusal> {
    let terminal = session.terminals.get(&terminal);
    terminal
        .filter(|terminal| terminal.state == TerminalState::Running)
        .ok_or(Refusal::NoTerminal)
}

/// A size is one person's to give: who has the keyboard; while nobody has it, who opened the terminal. Were it anybody's,
/// two people with windows of different sizes would pull it back and forth.
///
/// # Errors
/// A refusal, worded for the person who asks.
pub fn may_resize(session: &Session, by: UserId, terminal: TerminalId) -> Result<(), Refusal> {
    may_type(session, by, terminal)?;
    let opener = running(session, terminal)?.by;
    if session.driver.is_none() && opener.is_some_and(|opener| opener != by) {
        return Err(Refusal::NotDriving);
    }
    Ok(())
}

fn resize(
    session: &Session,
    by: UserId,
    terminal: TerminalId,
    size: Size,
) -> Result<Option<Event>, Refusal> {
    may_resize(session, by, terminal)?;
    let changed = running(session, terminal)?.size != size;
    Ok(changed.then_some(Event::TerminalResized { terminal, size }))
}

fn forget_keys(session: &Session) -> Option<Event> {
    (!session.keys_forgotten).then_some(Event::KeysForgotten {})
}

fn close_terminal(session: &Session, terminal: TerminalId) -> Result<Option<Event>, Refusal> {
    let closing = running(session, terminal)?.closing;
    Ok((!closing).then_some(Event::TerminalClosed { terminal }))
}

/// What a runner that holds a session may do.
pub mod work {
    pub use super::{may_resize, may_type};
    use crate::{Delivery, EndReason, Event, MessageId, Problem, RestoreStage, RunnerId, Session};
    use crate::{State, TerminalEnd, TerminalId, TerminalState};

    /// Whether a session asks for a runner: a message waits, a turn is open, or a terminal is meant to run.
    #[must_use]
    pub fn is_needed(session: &Session) -> bool {
        let mut terminals = session.terminals.values();
        let terminal = terminals.any(|terminal| terminal.state == TerminalState::Running);
        let asked = !session.queue.is_empty() || session.again.is_some() || session.compacting;
        let turn = session.turn.is_some() || (asked && !session.is_spent());
        let files = is_restoring(session) || session.committing.is_some();
        terminal || (session.state == State::Active && (turn || files)) || session.turn.is_some()
    }

    /// Whether the runner has to do something for a restore.
    #[must_use]
    pub fn is_restoring(session: &Session) -> bool {
        let stage = session.restore.as_ref().map(|restore| &restore.stage);
        matches!(
            stage,
            Some(RestoreStage::Preparing | RestoreStage::Confirmed { .. })
        )
    }

    /// Takes charge of a session, with the next epoch. Whether the former holder is gone is the caller's to know.
    #[must_use]
    pub fn claim(session: &Session, runner: RunnerId, sandbox: &str) -> Option<Event> {
        let sandbox = sandbox.to_owned();
        (session.state != State::Unopened).then_some(Event::Claimed { runner, sandbox })
    }

    /// Gives a session back, if nothing of it runs.
    #[must_use]
    pub fn release(session: &Session, runner: RunnerId) -> Option<Event> {
        (session.runner == Some(runner) && !is_needed(session)).then_some(Event::Released {})
    }

    /// Starts a turn for the oldest message that waits, if none runs.
    #[must_use]
    pub fn start_turn(session: &Session) -> Option<Event> {
        let busy = session.turn.is_some() || is_restoring(session) || session.committing.is_some();
        if busy || session.state != State::Active || session.is_spent() {
            return None;
        }
        let again = session.again;
        let next = session.queue.first().filter(|_| again.is_none());
        let messages: Vec<MessageId> = next.iter().map(|queued| queued.id).collect();
        if messages.is_empty() && again.is_none() && !session.compacting {
            return None;
        }
        let model = session.model.clone();
        Some(Event::TurnStarted {
            messages,
            model,
            again,
        })
    }

    /// Takes the messages that are meant for the running turn in, if there are any.
    #[must_use]
    pub fn take_messages(session: &Session) -> Option<Event> {
        session.turn.as_ref()?;
        let steering = session.queue.iter();
        let steering = steering.filter(|queued| queued.delivery == Delivery::Steer);
        let messages: Vec<MessageId> = steering.map(|queued| queued.id).collect();
        (!messages.is_empty()).then_some(Event::MessagesTaken { messages })
    }

    /// Ends the turn that runs. A person's wish to stop, or the session's end, goes before any other reason.
    #[must_use]
    pub fn end_turn(
        session: &Session,
        reason: EndReason,
        problem: Option<Problem>,
    ) -> Option<Event> {
        let turn = session.turn.as_ref()?;
        let stopped = turn.interrupted_by.is_some() && reason != EndReason::RunnerLost;
        let (reason, problem) = match (session.state, stopped) {
            (State::Ended, _) => (EndReason::Ended, None),
            (State::Active | State::Unopened, true) => (EndReason::Interrupted, None),
            (State::Active | State::Unopened, false) => (reason, problem),
        };
        Some(Event::TurnEnded { reason, problem })
    }

    /// Notes that a terminal's program ended.
    #[must_use]
    pub fn terminal_exited(
        session: &Session,
        terminal: TerminalId,
        end: TerminalEnd,
    ) -> Option<Event> {
        let state = session.terminals.get(&terminal)?.state;
        (state == TerminalState::Running).then_some(Event::TerminalExited { terminal, end })
    }
}

/// A title for a new session; an empty one is fine, since the first message then names the session.
///
/// # Errors
/// [`Refusal::BadTitle`].
pub fn title_for_opening(title: &str) -> Result<String, Refusal> {
    match title.trim() {
        "" => Ok(String::new()),
        title => checked_title(title),
    }
}
