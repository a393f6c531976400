//! The pane with a session's terminals.

mod earlier;
mod full;
mod keyboard;
mod opening;
mod tabs;
mod tools;
mod view;

use super::icon::icon;
use crate::net::link::Link;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{Role, Session, SessionId, Terminal, TerminalEnd, TerminalId, TerminalState};
use duplex_wire::Pane;
use full::Full;
use keyboard::{Asked, Keyboard};
use opening::{Opening, use_opening};
use tabs::{Tabs, Wish};
use tools::Tools;
use view::TerminalView;

/// Tabs, and the terminal of the chosen one.
#[component]
pub fn Terminals(id: SessionId) -> Element {
    let shared = shared();
    let mut chosen = use_signal(|| None::<TerminalId>);
    let opening = use_opening(id, chosen);
    use_context_provider(|| Signal::new(None::<Wish>));
    // What is looked at stays, also when it ends.
    use_effect(move || {
        let session = shared.session.read().clone();
        let running = session.and_then(|session| shown(&session.0, None).last().copied());
        let none = chosen.peek().is_none();
        if none && running.is_some() {
            chosen.set(running);
        }
    });
    // Who is followed leads from terminal to terminal.
    use_effect(move || {
        let company = shared.company;
        let leader = company.following.read().and_then(|user| {
            let present = company.present.read();
            present.iter().find(|present| present.user == user).copied()
        });
        if let Some(Pane::Terminal { terminal }) = leader.map(|leader| leader.here.pane) {
            chosen.set(Some(terminal));
        }
    });
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let may = shared.role(&session.0) >= Some(Role::Driver);
    let tabs = shown(&session.0, chosen());
    let active = chosen()
        .filter(|id| tabs.contains(id))
        .or(tabs.last().copied());
    let Some(active) = active else {
        return rsx! {
            Empty { may, opening, chosen }
        };
    };
    rsx! {
        div { class: "pane-head",
            Tabs { id, tabs: tabs.clone(), active, chosen, may }
            button {
                r#type: "button",
                class: "icon-button",
                aria_label: "Open another terminal",
                title: "Open another terminal",
                disabled: !may || opening.busy(),
                onclick: move |_| opening.another(active),
                {icon("plus")}
            }
            span { class: "grow" }
            Keyboard { id, active }
            Tools { id, active, chosen }
        }
        Asked { id }
        for tab in tabs {
            div {
                key: "{tab}",
                class: "terminal-slot",
                role: "tabpanel",
                id: "panel-{tab}",
                aria_labelledby: "tab-{tab}",
                hidden: active != tab,
                onfocusin: move |_| shared.company.uses(Pane::Terminal { terminal: tab }),
                onpointerdown: move |_| shared.company.uses(Pane::Terminal { terminal: tab }),
                TerminalView { session: id, terminal: tab }
                Ended { terminal: tab, may, opening }
            }
        }
        if *shared.link.read() != Link::Live {
            div { class: "terminal-veil", role: "status",
                p { "Not connected. The shell goes on; what you type is not sent." }
            }
        }
        Full { opening }
    }
}

/// No terminal runs: how to get one.
#[component]
fn Empty(may: bool, opening: Opening, chosen: Signal<Option<TerminalId>>) -> Element {
    let shared = shared();
    let mut chosen = chosen;
    let session = shared.session.read().clone();
    let last = session.and_then(|session| {
        let (id, last) = session.0.terminals.last_key_value()?;
        Some((*id, end(last.state)?))
    });
    rsx! {
        div { class: "terminal-empty",
            {icon("terminal")}
            match last {
                Some((_, end)) => rsx! {
                    p { class: "muted", "The last terminal {ended(end)}." }
                },
                None => rsx! {
                    p { class: "muted", "A shell in this session's folder, shared by everybody here." }
                },
            }
            button {
                r#type: "button",
                id: "open-terminal",
                class: "button",
                disabled: !may || opening.busy(),
                onclick: move |_| opening.first(),
                if opening.busy() { "Opening…" } else { "Open terminal" }
            }
            if let Some((id, _)) = last {
                button {
                    r#type: "button",
                    class: "button quiet small",
                    onclick: move |_| chosen.set(Some(id)),
                    "Look at the last one"
                }
            }
        }
        Full { opening }
    }
}

/// What became of a terminal's program, and how to start it again.
#[component]
fn Ended(terminal: TerminalId, may: bool, opening: Opening) -> Element {
    let shared = shared();
    let session = shared.session.read().clone();
    let state = session.and_then(|session| Some(session.0.terminals.get(&terminal)?.state));
    let Some(end) = state.and_then(end) else {
        return rsx! {};
    };
    let failed = end != TerminalEnd::Code(0);
    rsx! {
        div { class: "terminal-note", role: "status", "data-failed": failed,
            span { "This terminal {ended(end)}." }
            button {
                r#type: "button",
                class: "button small",
                disabled: !may || opening.busy(),
                onclick: move |_| opening.again(terminal),
                {icon("again")}
                "Start again"
            }
        }
    }
}

/// The terminals with a tab: those that run and are not being closed, and the one looked at.
fn shown(session: &Session, chosen: Option<TerminalId>) -> Vec<TerminalId> {
    let runs = |terminal: &Terminal| end(terminal.state).is_none() && !terminal.closing;
    let terminals = session.terminals.iter();
    let shown = terminals.filter(|(id, terminal)| runs(terminal) || Some(**id) == chosen);
    shown.map(|(id, _)| *id).collect()
}

fn end(state: TerminalState) -> Option<TerminalEnd> {
    match state {
        TerminalState::Running => None,
        TerminalState::Exited(end) => Some(end),
    }
}

fn ended(end: TerminalEnd) -> String {
    match end {
        TerminalEnd::Code(code) => format!("exited with code {code}"),
        TerminalEnd::Signal(signal) => format!("was ended by signal {signal}"),
        TerminalEnd::Lost => "was lost with its runner".to_owned(),
    }
}
