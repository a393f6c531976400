//! The terminals' tabs: chosen, renamed and closed by pointer and by keys.

use super::{end, ended};
use crate::components::confirm::Confirm;
use crate::components::icon::icon;
use crate::interop::dom;
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, SessionId, Terminal, TerminalEnd, TerminalId};

/// What a tab shall do; the terminals' menu asks for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Take a new name.
    Rename(TerminalId),
    /// Go away.
    Close(TerminalId),
}

/// A row of tabs. The arrow keys move along it, F2 renames, Delete closes.
#[component]
pub fn Tabs(
    id: SessionId,
    tabs: Vec<TerminalId>,
    active: TerminalId,
    chosen: Signal<Option<TerminalId>>,
    may: bool,
) -> Element {
    let shared = shared();
    let feed = feed();
    let mut chosen = chosen;
    let mut wish = use_context::<Signal<Option<Wish>>>();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let row = tabs.clone();
    let keys = move |event: KeyboardEvent| {
        let here = row.iter().position(|tab| *tab == active).unwrap_or(0);
        let there = match event.key() {
            Key::ArrowRight => (here + 1) % row.len(),
            Key::ArrowLeft => (here + row.len() - 1) % row.len(),
            Key::Home => 0,
            Key::End => row.len() - 1,
            Key::F2 if may => return wish.set(Some(Wish::Rename(active))),
            Key::Delete if may => return wish.set(Some(Wish::Close(active))),
            _ => return,
        };
        event.prevent_default();
        let Some(tab) = row.get(there) else { return };
        chosen.set(Some(*tab));
        dom::focus_on(&format!("#tab-{tab}"));
    };
    rsx! {
        div { class: "tabs", role: "tablist", aria_label: "Terminals", onkeydown: keys,
            for tab in tabs.iter().copied() {
                if wish() == Some(Wish::Rename(tab)) {
                    Rename { key: "{tab}", id, terminal: tab, name: session.terminal_name(tab), wish }
                } else {
                    button {
                        key: "{tab}",
                        r#type: "button",
                        role: "tab",
                        id: "tab-{tab}",
                        aria_controls: "panel-{tab}",
                        aria_selected: active == tab,
                        tabindex: if active == tab { "0" } else { "-1" },
                        title: session.terminals.get(&tab).map(told),
                        onclick: move |_| {
                            chosen.set(Some(tab));
                            feed.send(Msg::Focus(tab));
                        },
                        ondoubleclick: move |_| {
                            if may {
                                wish.set(Some(Wish::Rename(tab)));
                            }
                        },
                        {session.terminals.get(&tab).map(mark)}
                        span { class: "name", "{session.terminal_name(tab)}" }
                    }
                }
            }
        }
        if let Some(Wish::Close(tab)) = wish() {
            Closing { id, terminal: tab, wish, chosen }
        }
    }
}

/// What a terminal does, in a sentence.
fn told(terminal: &Terminal) -> String {
    match end(terminal.state) {
        Some(end) => format!("It {}", ended(end)),
        None if terminal.private => "Private input: nothing that is typed is kept".to_owned(),
        None if terminal.hidden => {
            "The program hides what is typed; only how much it was is kept".to_owned()
        }
        None => "It runs; double-click or F2 to rename, Delete to close".to_owned(),
    }
}

/// The same in a sign.
fn mark(terminal: &Terminal) -> Element {
    if (terminal.private || terminal.hidden) && end(terminal.state).is_none() {
        return rsx! {
            span { class: "private", role: "img", aria_label: "typed unseen", {icon("lock")} }
        };
    }
    let state = match end(terminal.state) {
        None => "running",
        Some(TerminalEnd::Code(0)) => "done",
        Some(_) => "failed",
    };
    rsx! {
        span { class: "light", role: "img", aria_label: state, "data-state": state }
    }
}

/// A tab whose name is being written.
#[component]
fn Rename(
    id: SessionId,
    terminal: TerminalId,
    name: String,
    wish: Signal<Option<Wish>>,
) -> Element {
    let shared = shared();
    let mut wish = wish;
    let mut draft = use_signal(|| name);
    let mut leave = move || {
        wish.set(None);
        dom::after(0, move || dom::focus_on(&format!("#tab-{terminal}")));
    };
    rsx! {
        form {
            class: "tab-name",
            onsubmit: move |event| {
                event.prevent_default();
                let name = draft();
                shared.please(id, Command::RenameTerminal { terminal, name });
                leave();
            },
            input {
                id: "rename-terminal",
                aria_label: "The terminal's name",
                maxlength: 40,
                value: "{draft}",
                onmounted: |_| dom::focus_on("#rename-terminal"),
                oninput: move |event| draft.set(event.value()),
                onblur: move |_| wish.set(None),
                onkeydown: move |event| {
                    event.stop_propagation();
                    if event.key() == Key::Escape {
                        leave();
                    }
                },
            }
        }
    }
}

/// Asks before a program is ended; one that has ended just goes away.
#[component]
fn Closing(
    id: SessionId,
    terminal: TerminalId,
    wish: Signal<Option<Wish>>,
    chosen: Signal<Option<TerminalId>>,
) -> Element {
    let shared = shared();
    let (mut wish, mut chosen) = (wish, chosen);
    let session = shared.session.read().clone();
    let known = session.map(|session| {
        let known = session.0.terminals.get(&terminal);
        let runs = known.is_some_and(|known| end(known.state).is_none());
        (session.0.terminal_name(terminal), runs)
    });
    let (name, runs) = known.unwrap_or_default();
    use_effect(use_reactive!(|runs| {
        if !runs {
            chosen.set(None);
            wish.set(None);
        }
    }));
    let close = move |()| {
        shared.please(id, Command::CloseTerminal { terminal });
        chosen.set(None);
        wish.set(None);
    };
    if !runs {
        return rsx! {};
    }
    rsx! {
        Confirm {
            title: "Close “{name}”?",
            text: "Its shell and everything started in it are ended, for everybody. What it put out stays in the log.",
            action: "Close terminal",
            busy: false,
            on_yes: close,
            on_no: move |()| wish.set(None),
        }
    }
}
