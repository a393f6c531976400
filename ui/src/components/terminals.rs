//! The pane with a session's terminals.

use super::icon::icon;
use super::terminal::TerminalView;
use crate::interop::dom;
use crate::net::feed::Msg;
use crate::net::link::Link;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::{
    Command, Role, Session, SessionId, Size, TerminalEnd, TerminalId, TerminalState,
};

/// A new terminal's size until its pane says which one fits.
const FIRST: Size = Size { cols: 80, rows: 24 };

/// Tabs, and the terminal of the chosen one.
#[component]
pub fn Terminals(id: SessionId) -> Element {
    let shared = shared();
    let feed = feed();
    let mut chosen = use_signal(|| None::<TerminalId>);
    let mut opening = use_signal(|| false);
    // What is looked at stays, also when it ends.
    use_effect(move || {
        let session = shared.session.read().clone();
        let running = session.and_then(|session| tabs(&session.0, None).last().copied());
        let none = chosen.peek().is_none();
        if none && running.is_some() {
            chosen.set(running);
        }
    });
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let may = shared.role(&session) >= Some(Role::Driver);
    let tabs = tabs(&session, chosen());
    let active = chosen()
        .filter(|id| tabs.contains(id))
        .or(tabs.last().copied());
    let open = move || {
        spawn(async move {
            opening.set(true);
            let name = dom::new_id();
            if shared
                .ask_as(name.clone(), id, Command::OpenTerminal { size: FIRST })
                .await
            {
                chosen.set(name.parse().ok());
            }
            opening.set(false);
        });
    };
    if tabs.is_empty() {
        let last = session.terminals.values().next_back();
        return rsx! {
            div { class: "terminal-empty",
                {icon("terminal")}
                if let Some(TerminalState::Exited(end)) = last.map(|terminal| terminal.state) {
                    p { class: "muted", "The last terminal {ended(end)}." }
                } else {
                    p { class: "muted", "A shell in this session's folder, shared by everybody here." }
                }
                button {
                    r#type: "button",
                    id: "open-terminal",
                    class: "button",
                    disabled: !may || opening(),
                    onclick: move |_| open(),
                    if opening() { "Opening…" } else { "Open terminal" }
                }
            }
        };
    }
    rsx! {
        div { class: "pane-head",
            div { class: "tabs", role: "tablist", aria_label: "Terminals",
                for (number , tab) in tabs.iter().copied().enumerate() {
                    button {
                        key: "{tab}",
                        r#type: "button",
                        role: "tab",
                        aria_selected: active == Some(tab),
                        onclick: move |_| {
                            chosen.set(Some(tab));
                            feed.send(Msg::Focus(tab));
                        },
                        "Terminal {number + 1}"
                    }
                }
            }
            button {
                r#type: "button",
                class: "icon-button",
                aria_label: "Open another terminal",
                title: "Open another terminal",
                disabled: !may || opening(),
                onclick: move |_| open(),
                {icon("plus")}
            }
            span { class: "grow" }
            Keyboard { id }
            if let Some(active) = active.filter(|active| may && running(&session, *active)) {
                button {
                    r#type: "button",
                    class: "icon-button",
                    aria_label: "Close this terminal",
                    title: "Close this terminal",
                    onclick: move |_| {
                        shared.please(id, Command::CloseTerminal { terminal: active });
                    },
                    {icon("x")}
                }
            }
        }
        for tab in tabs.iter().copied() {
            div {
                key: "{tab}",
                class: "terminal-slot",
                hidden: active != Some(tab),
                TerminalView { session: id, terminal: tab, size: size(&session, tab) }
                if let Some(TerminalState::Exited(end)) = session.terminals.get(&tab).map(|terminal| terminal.state) {
                    div { class: "terminal-note", role: "status",
                        span { "This terminal {ended(end)}." }
                        button {
                            r#type: "button",
                            class: "button",
                            disabled: !may || opening(),
                            onclick: move |_| open(),
                            "Open a new one"
                        }
                    }
                }
            }
        }
        if *shared.link.read() != Link::Live {
            div { class: "terminal-veil", role: "status",
                p { "Not connected. The shell goes on; what you type is not sent." }
            }
        }
    }
}

/// Who has the keyboard, if it is somebody else, and how to take it.
#[component]
fn Keyboard(id: SessionId) -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let me = shared.me.read().as_ref().map(|me| me.id);
    let Some(driver) = session.driver.filter(|driver| Some(*driver) != me) else {
        return rsx! {};
    };
    let name = session
        .members
        .get(&driver)
        .map_or("Somebody", |member| &member.name)
        .to_owned();
    let may = shared.role(&session) >= Some(Role::Driver);
    rsx! {
        span { class: "muted small", "{name} has the keyboard" }
        if may {
            button {
                r#type: "button",
                class: "button small",
                onclick: move |_| {
                    shared.please(id, Command::TakeControl);
                },
                {icon("keyboard")}
                "Take the keyboard"
            }
        }
    }
}

/// The terminals with a tab: those that run, and the one looked at.
fn tabs(session: &Session, chosen: Option<TerminalId>) -> Vec<TerminalId> {
    let terminals = session.terminals.iter();
    let shown = terminals
        .filter(|(id, terminal)| terminal.state == TerminalState::Running || Some(**id) == chosen);
    shown.map(|(id, _)| *id).collect()
}

fn running(session: &Session, terminal: TerminalId) -> bool {
    let terminal = session.terminals.get(&terminal);
    terminal.is_some_and(|terminal| terminal.state == TerminalState::Running)
}

fn size(session: &Session, terminal: TerminalId) -> Size {
    session
        .terminals
        .get(&terminal)
        .map_or(FIRST, |terminal| terminal.size)
}

fn ended(end: TerminalEnd) -> String {
    match end {
        TerminalEnd::Code(code) => format!("exited with code {code}"),
        TerminalEnd::Signal(signal) => format!("was ended by signal {signal}"),
        TerminalEnd::Lost => "was lost with its runner".to_owned(),
    }
}
