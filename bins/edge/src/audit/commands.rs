//! What people ask of sessions: what changes who may do what, and whatever is refused.

use super::noted::who;
use super::{Noted, now};
use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use duplex_domain::audit::{Deed, From, On, Outcome, Who};
use duplex_domain::{Command, SessionId, TeamId, UserId, Verdict};
use std::collections::BTreeMap;

/// Who asks something of sessions, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub user: UserId,
    team: TeamId,
    who: Who,
    from: From,
    trace: String,
}

impl Caller {
    pub fn new(person: &SignedIn, noted: &Noted) -> Self {
        Self {
            user: person.user.id,
            team: person.user.team,
            who: who(person),
            from: noted.from.clone(),
            trace: noted.trace.clone(),
        }
    }

    /// Writes down that this person's socket was refused a place.
    pub fn refused_socket(&self, app: &App, code: &str) {
        app.audit.sum_up(
            Some(self.team),
            self.deed("feed.open", None, Outcome::Refused, code.to_owned()),
        );
    }

    fn deed(&self, what: &str, on: Option<On>, outcome: Outcome, code: String) -> Deed {
        Deed {
            at: now(),
            who: self.who.clone(),
            what: what.to_owned(),
            on,
            from: self.from.clone(),
            outcome,
            code,
            count: 1,
            detail: BTreeMap::new(),
            trace: self.trace.clone(),
        }
    }
}

/// Writes a command down, once it is known what it came to.
pub(crate) fn command(
    app: &App,
    caller: &Caller,
    session: SessionId,
    command: &Command,
    failure: Option<&Failure>,
) {
    let (word, weighty) = word(command);
    if failure.is_none() && !weighty {
        return;
    }
    let on = On {
        kind: "session".into(),
        id: session.to_string(),
    };
    let outcome = match failure {
        None => Outcome::Ok,
        Some(failure) if failure.status.is_server_error() => Outcome::Failed,
        Some(_) => Outcome::Refused,
    };
    let code = failure.map_or_else(String::new, |failure| failure.detail.code.clone());
    let mut deed = caller.deed(word, Some(on), outcome, code);
    let detail = detail(command).into_iter();
    let detail = detail.map(|(name, value)| (name.to_owned(), super::short(&value, 200)));
    deed.detail = detail.collect();
    match outcome {
        Outcome::Ok => app.audit.note(Some(caller.team), deed),
        Outcome::Refused | Outcome::Failed => app.audit.sum_up(Some(caller.team), deed),
    }
}

/// A command's word, and whether it changes who may do what; others are in the session's own log alone.
fn word(command: &Command) -> (&'static str, bool) {
    match command {
        Command::SetMember { .. } => ("session.set_member", true),
        Command::RemoveMember { .. } => ("session.remove_member", true),
        Command::TakeControl => ("session.take_control", true),
        Command::GiveControl { .. } => ("session.give_control", true),
        Command::DeclineControl { .. } => ("session.decline_control", true),
        Command::AskControl => ("session.ask_control", false),
        Command::Decide { .. } => ("session.decide", true),
        Command::ChooseMode { .. } => ("session.choose_mode", true),
        Command::AddRule { .. } => ("session.add_rule", true),
        Command::RemoveRule { .. } => ("session.remove_rule", true),
        Command::SetBudget { .. } => ("session.set_budget", true),
        Command::SetPrivateInput { .. } => ("session.set_private_input", true),
        Command::ForgetKeys => ("session.forget_keys", true),
        Command::End => ("session.end", true),
        Command::Reopen => ("session.reopen", true),
        Command::PostMessage { .. } => ("session.post_message", false),
        Command::EditMessage { .. } => ("session.edit_message", false),
        Command::WithdrawMessage { .. } => ("session.withdraw_message", false),
        Command::ChooseDelivery { .. } => ("session.choose_delivery", false),
        Command::MoveMessage { .. } => ("session.move_message", false),
        Command::Again { .. } => ("session.again", false),
        Command::Compact => ("session.compact", false),
        Command::Restore { .. } => ("session.restore", false),
        Command::CancelRestore => ("session.cancel_restore", false),
        Command::Commit { .. } => ("session.commit", false),
        Command::Interrupt { .. } => ("session.interrupt", false),
        Command::Rename { .. } => ("session.rename", false),
        Command::ChooseModel { .. } => ("session.choose_model", false),
        Command::OpenTerminal { .. } => ("session.open_terminal", false),
        Command::Type { .. } => ("session.type", false),
        Command::Resize { .. } => ("session.resize", false),
        Command::RenameTerminal { .. } => ("session.rename_terminal", false),
        Command::CloseTerminal { .. } => ("session.close_terminal", false),
    }
}

/// What of a command says whom and how much; never what somebody wrote or typed.
fn detail(command: &Command) -> Vec<(&'static str, String)> {
    match command {
        Command::SetMember { user, name, role } => {
            let role = format!("{role:?}").to_lowercase();
            vec![
                ("person", user.to_string()),
                ("name", name.clone()),
                ("role", role),
            ]
        }
        Command::RemoveMember { user } | Command::DeclineControl { user } => {
            vec![("person", user.to_string())]
        }
        Command::GiveControl { to } => {
            let to = to.map_or_else(|| "nobody".to_owned(), |to| to.to_string());
            vec![("to", to)]
        }
        Command::Decide { call, verdict } => {
            let verdict = match verdict {
                Verdict::Allow => "allow",
                Verdict::AllowAlways { .. } => "allow_always",
                Verdict::Deny { .. } => "deny",
            };
            vec![("call", call.to_string()), ("verdict", verdict.to_owned())]
        }
        Command::ChooseMode { mode } => vec![("mode", format!("{mode:?}").to_lowercase())],
        Command::AddRule { rule } | Command::RemoveRule { rule } => vec![("rule", rule.clone())],
        Command::SetBudget { pico } => {
            let pico = pico.map_or_else(|| "none".to_owned(), |pico| pico.to_string());
            vec![("pico", pico)]
        }
        Command::SetPrivateInput { terminal, on } => {
            vec![
                ("terminal", terminal.to_string()),
                ("private", on.to_string()),
            ]
        }
        _ => Vec::new(),
    }
}
