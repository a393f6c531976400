//! What else can be done with a terminal: private input, and a menu.

use super::earlier::Earlier;
use super::tabs::Wish;
use super::{end, ended};
use crate::components::confirm::Confirm;
use crate::components::icon::icon;
use crate::components::menu::{Choice, Menu};
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId, TerminalId, work};

/// How many ended terminals the menu leads back to.
const LOOK_BACK: usize = 5;

/// The private switch and the menu of the terminal in front.
#[component]
pub fn Tools(id: SessionId, active: TerminalId, chosen: Signal<Option<TerminalId>>) -> Element {
    let shared = shared();
    let feed = feed();
    let mut chosen = chosen;
    let mut wish = use_context::<Signal<Option<Wish>>>();
    let mut forgetting = use_signal(|| false);
    let mut reading = use_signal(|| false);
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let role = shared.role(&session);
    let choices = choices(&session, role, id, active);
    let act = move |word: String| match word.as_str() {
        "rename" => wish.set(Some(Wish::Rename(active))),
        "close" => wish.set(Some(Wish::Close(active))),
        "forget" => forgetting.set(true),
        "output" => reading.set(true),
        word => match DRAWN.iter().find(|known| **known == word) {
            Some(known) => feed.send(Msg::Do(active, known)),
            None => chosen.set(word.parse().ok()),
        },
    };
    rsx! {
        Elided { bytes: session.terminals.get(&active).map_or(0, |known| known.elided) }
        Private { id, active }
        Menu {
            id: "terminal-menu",
            label: "More for this terminal",
            class: "icon-button",
            choices,
            on_choose: act,
            {icon("more")}
        }
        if reading() {
            Earlier { id, terminal: active, on_close: move |()| reading.set(false) }
        }
        if forgetting() {
            Forget { id, on_done: move |()| forgetting.set(false) }
        }
    }
}

/// What the drawn terminal does itself.
const DRAWN: [&str; 6] = ["find", "paste", "all", "larger", "smaller", "last"];

fn choices(
    session: &Session,
    role: Option<Role>,
    id: SessionId,
    active: TerminalId,
) -> Vec<Choice> {
    let path = format!("/api/sessions/{id}/terminals/{active}");
    let may = role >= Some(Role::Driver);
    let mut choices = vec![
        Choice::of("find", "Find…", "Ctrl Shift F"),
        Choice::of("paste", "Paste", "Ctrl Shift V"),
        Choice::of("all", "Select all", ""),
        Choice::of("output", "All output…", ""),
        Choice::of("last", "Send the last command to the chat", ""),
        Choice::Line,
        Choice::of("larger", "Larger letters", "Ctrl +"),
        Choice::of("smaller", "Smaller letters", "Ctrl −"),
        Choice::Line,
        Choice::Save("Save as a recording (asciicast)", format!("{path}/cast")),
        Choice::Save("Save as text", format!("{path}/text")),
    ];
    let ended = session.terminals.iter().rev().filter_map(|(id, known)| {
        let end = end(known.state).filter(|_| *id != active)?;
        let name = format!("Look at {} ({})", session.terminal_name(*id), ended(end));
        Some(Choice::of(&id.to_string(), name, ""))
    });
    let ended: Vec<Choice> = ended.take(LOOK_BACK).collect();
    if !ended.is_empty() {
        choices.push(Choice::Line);
        choices.extend(ended);
    }
    if may {
        choices.push(Choice::Line);
        choices.push(Choice::of("rename", "Rename", "F2"));
        choices.push(Choice::of("close", "Close", "Delete"));
    }
    if role == Some(Role::Owner) && !session.keys_forgotten {
        choices.push(Choice::Line);
        choices.push(Choice::of("forget", "Forget what was typed…", ""));
    }
    choices
}

/// How much of the terminal's output came too fast to be kept.
#[component]
fn Elided(bytes: u64) -> Element {
    if bytes == 0 {
        return rsx! {};
    }
    let mib = bytes.div_ceil(1024 * 1024);
    rsx! {
        span {
            class: "muted small elided",
            title: "It put out more than is kept: {bytes} bytes are not in the log. Every screen that people were shown is.",
            "{mib} MiB not kept"
        }
    }
}

/// Whether what is typed is kept.
#[component]
fn Private(id: SessionId, active: TerminalId) -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let me = shared.me.read().as_ref().map(|me| me.id);
    let known = session.0.terminals.get(&active);
    let on = known.is_some_and(|known| known.private);
    let may = me.is_some_and(|me| work::may_type(&session.0, me, active).is_ok());
    if session.0.keys_forgotten || !(may || on) {
        return rsx! {};
    }
    let title = if on {
        "Private input is on: nothing that is typed here is kept. Press to keep it again"
    } else {
        "Private input: keep nothing of what is typed here"
    };
    rsx! {
        button {
            r#type: "button",
            id: "private",
            class: "icon-button private-switch",
            aria_label: "Private input",
            aria_pressed: on,
            title,
            disabled: !may,
            onclick: move |_| {
                let terminal = active;
                shared.please(id, Command::SetPrivateInput { terminal, on: !on });
            },
            {icon("lock")}
            if on {
                span { class: "words", "Private" }
            }
        }
    }
}

/// Asks before what was typed becomes unreadable.
#[component]
fn Forget(id: SessionId, on_done: EventHandler<()>) -> Element {
    let shared = shared();
    let mut busy = use_signal(|| false);
    let forget = move |()| async move {
        busy.set(true);
        if shared.ask(id, Command::ForgetKeys).await {
            shared.toast("what was typed in this session can no longer be read");
        }
        on_done.call(());
    };
    rsx! {
        Confirm {
            title: "Forget what was typed?",
            text: "The key to everything typed into this session's terminals is destroyed, and nothing more is kept. What the programs put out stays. This cannot be undone.",
            action: "Forget it",
            busy: busy(),
            on_yes: forget,
            on_no: move |()| on_done.call(()),
        }
    }
}
