//! The page of one session: chat on the left, terminal on the right.

use super::sessions::{ThemeButton, short_id};
use crate::components::asking::Asking;
use crate::components::changes::ChangesButton;
use crate::components::composer::{Composer, LinkState};
use crate::components::confirm::Confirm;
use crate::components::icon::icon;
use crate::components::mode::ModeChoice;
use crate::components::money::{MoneyButton, MoneyPanel, Spent};
use crate::components::people::{Following, Meanwhile, PeopleButton, Telling, Typing};
use crate::components::plan::Plan;
use crate::components::rules::RulesButton;
use crate::components::split::{Divider, SplitPane};
use crate::components::state_dot::state_dot;
use crate::components::terminals::Terminals;
use crate::components::transcript::Transcript;
use crate::interop::dom;
use crate::model::split::Side;
use crate::model::tab::Tab;
use crate::model::{models, sandbox};
use crate::net::api;
use crate::net::feed::Msg;
use crate::route::Route;
use crate::state::{Shown, feed, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId, State, TerminalState};
use duplex_wire::{Model, Pane, SessionRow, Working};
use std::rc::Rc;

/// One session. A changed address is a new session: nothing of the old one stays.
#[component]
pub fn SessionAt(id: String) -> Element {
    rsx! {
        for id in [id] {
            One { key: "{id}", id }
        }
    }
}

#[component]
fn One(id: String) -> Element {
    match id.parse::<SessionId>() {
        Ok(id) => rsx! { Watched { id } },
        Err(_) => rsx! { Gone { text: "There is no such session." } },
    }
}

#[component]
fn Gone(text: String) -> Element {
    use_effect(|| dom::set_title("Not found — Duplex"));
    rsx! {
        main { class: "centred", id: "content",
            h1 { "This session cannot be shown" }
            p { class: "muted", "{text}" }
            Link { class: "button primary", to: Route::Sessions {}, "All sessions" }
        }
    }
}

#[component]
fn Watched(id: SessionId) -> Element {
    let shared = shared();
    let feed = feed();
    use_hook(move || feed.send(Msg::Watch(id)));
    use_drop(move || feed.send(Msg::Unwatch(id)));
    let missing = shared
        .missing
        .read()
        .clone()
        .filter(|missing| missing.session == id);
    if let Some(missing) = missing {
        return rsx! { Gone { text: missing.message } };
    }
    let session = shared
        .session
        .read()
        .clone()
        .filter(|session| session.0.id == id);
    match session {
        Some(_) => rsx! { Open { id } },
        None => rsx! { Loading { id } },
    }
}

#[component]
fn Loading(id: SessionId) -> Element {
    let mut patience = use_signal(|| true);
    use_future(move || async move {
        dom::sleep(300).await;
        patience.set(false);
    });
    rsx! {
        header { class: "topbar",
            BackLink {}
            span { class: "mono muted", {short_id(&id.to_string())} }
            span { class: "grow" }
            LinkState {}
        }
        main { class: "loading", id: "content", aria_busy: true, aria_label: "Loading the session",
            if !patience() {
                span { class: "bone w60" }
                span { class: "bone w40" }
                span { class: "bone w60" }
            }
        }
    }
}

#[component]
fn BackLink() -> Element {
    // There is nothing else for who came by a link.
    if shared()
        .me
        .read()
        .as_ref()
        .is_some_and(duplex_wire::Me::is_visitor)
    {
        return rsx! {};
    }
    rsx! {
        Link { class: "icon-button", to: Route::Sessions {}, aria_label: "All sessions", title: "All sessions",
            {icon("back")}
        }
    }
}

#[component]
fn Open(id: SessionId) -> Element {
    let shared = shared();
    let feed = feed();
    let divider = use_hook(|| Divider::restored(format!("duplex.split.{id}")));
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let ended = session.state == State::Ended;
    let tab = Tab::of(&session);
    let title = tab.title(&session.title, &short_id(&id.to_string()));
    let mark = tab.mark();
    use_effect(use_reactive!(|(title, mark)| dom::set_tab(&title, mark)));
    use_context_provider(|| MoneyPanel(Signal::new(false)));
    let keys = move |event: KeyboardEvent| {
        if event.modifiers().ctrl() && event.key() == Key::Character("`".into()) {
            event.prevent_default();
            toggle_focus(feed);
        }
    };
    rsx! {
        div { class: "session", onkeydown: keys, onwheel: move |_| shared.company.goes_own_way(),
            Header { id, divider: divider.clone() }
            Spoken { id }
            Telling { id }
            Following {}
            if ended {
                EndedBanner { id }
                main { class: "pane alone", id: "content", Chat { id, ended } }
            } else {
                SplitPane {
                    divider,
                    left: rsx! {
                        main { class: "pane-body", id: "content", Chat { id, ended } }
                    },
                    right: rsx! {
                        section { class: "pane-body terminals", aria_label: "Terminals", Terminals { id } }
                    },
                }
            }
        }
    }
}

/// From the terminal to the composer, and back.
fn toggle_focus(feed: crate::state::Line) {
    let document = web_sys::window().and_then(|window| window.document());
    let focused = document.and_then(|document| document.active_element());
    let in_terminal =
        focused.is_some_and(|element| matches!(element.closest(".terminal-view"), Ok(Some(_))));
    if in_terminal {
        return dom::focus_on("#composer");
    }
    let shown = shared().session.peek().clone();
    let running = shown.and_then(|session| {
        let mut terminals = session.0.terminals.iter().rev();
        terminals
            .find(|(_, terminal)| terminal.state == TerminalState::Running)
            .map(|(id, _)| *id)
    });
    if let Some(terminal) = running {
        feed.send(Msg::Focus(terminal));
    }
}

#[component]
fn Chat(id: SessionId, ended: bool) -> Element {
    let feed = feed();
    let shared = shared();
    let escape = move |event: KeyboardEvent| {
        let busy = shared
            .session
            .peek()
            .as_ref()
            .is_some_and(|session| session.0.turn.is_some());
        if event.key() == Key::Escape && busy {
            feed.send(Msg::Interrupt(id));
        }
    };
    rsx! {
        div {
            class: "chat",
            onkeydown: escape,
            onfocusin: move |_| shared.company.uses(Pane::Chat),
            onpointerdown: move |_| shared.company.uses(Pane::Chat),
            Meanwhile { id }
            Transcript { id }
            if !ended {
                Typing {}
                Plan {}
                Spent {}
                Asking {}
                Composer { id }
            }
        }
    }
}

/// Says, to who listens to the page, what the agent does; its words are not read as they stream.
#[component]
fn Spoken(id: SessionId) -> Element {
    let shared = shared();
    let words = use_memo(move || {
        let session = shared
            .session
            .read()
            .clone()
            .filter(|session| session.0.id == id);
        match session.map(|session| working(&session.0)) {
            Some(Working::Working) => "The agent works.",
            Some(Working::Waiting) => "A message waits for the agent.",
            Some(Working::Asking) => "The agent waits for an answer.",
            Some(Working::Idle) => "The agent is done.",
            Some(Working::Ended) => "The session has ended.",
            None => "",
        }
    });
    rsx! {
        div { class: "unseen", role: "status", aria_live: "polite", "{words}" }
    }
}

fn working(session: &Session) -> Working {
    SessionRow::of(session).working
}

#[component]
fn EndedBanner(id: SessionId) -> Element {
    let shared = shared();
    let mut busy = use_signal(|| false);
    let me = shared.me.read().as_ref().map(|me| me.id);
    let owner = shared
        .session
        .read()
        .as_ref()
        .is_some_and(|session| me.is_some_and(|me| session.0.role_of(me) == Some(Role::Owner)));
    rsx! {
        div { class: "notice ended-banner", role: "status",
            {icon("clock")}
            span { "This session has ended. You see its history." }
            if owner {
                button {
                    r#type: "button",
                    class: "button small",
                    disabled: busy(),
                    onclick: move |_| {
                        spawn(async move {
                            busy.set(true);
                            shared.ask(id, Command::Reopen).await;
                            busy.set(false);
                        });
                    },
                    "Open it again"
                }
            }
        }
    }
}

#[component]
fn Header(id: SessionId, divider: Divider) -> Element {
    let shared = shared();
    let mut asking = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let me = shared.me.read().as_ref().map(|me| me.id);
    let owner = me.is_some_and(|me| session.role_of(me) == Some(Role::Owner));
    let ended = session.state == State::Ended;
    let mut models = use_signal(Vec::new);
    use_effect(move || {
        let _ = shared.nudges.read();
        // Guests see the session's own model, and no others.
        if models.peek().is_empty() && !shared.is_guest() {
            spawn(async move {
                // Without them, the session's own model is shown; the next nudge asks again.
                models.set(api::models().await.unwrap_or_default());
            });
        }
    });
    let models = models.read().clone();
    let window = models.iter().find(|model| model.id == session.model);
    let window = window.and_then(|model| model.context);
    let may = shared.role(&session) >= Some(Role::Driver);
    let end = move |()| {
        spawn(async move {
            busy.set(true);
            let done = shared.ask(id, Command::End).await;
            busy.set(false);
            asking.set(false);
            if done {
                navigator().push(Route::Sessions {});
            }
        });
    };
    rsx! {
        header { class: "topbar",
            BackLink {}
            Title { id, session: Named(Rc::clone(&session)) }
            span { class: "mono muted short-id", title: "{id}", {short_id(&id.to_string())} }
            {state_dot(working(&session))}
            {sandbox_chip(&session.sandbox)}
            span { class: "grow" }
            div { class: "head-tools",
                PeopleButton { id, session: Shown(Rc::clone(&session)) }
                ChangesButton { id, session: Shown(Rc::clone(&session)) }
                MoneyButton { id, session: Shown(Rc::clone(&session)), window }
                RulesButton { id, session: Shown(Rc::clone(&session)) }
                ModeChoice { id, mode: session.mode, may }
                ModelChoice { id, model: session.model.clone(), known: models, may }
            }
            if !ended {
                FoldButtons { divider }
            }
            ThemeButton {}
            if owner && !ended {
                button {
                    r#type: "button",
                    class: "button",
                    id: "end-session",
                    disabled: busy(),
                    onclick: move |_| asking.set(true),
                    "End"
                }
            }
        }
        if asking() {
            Confirm {
                title: "End this session?",
                text: "The agent stops and its terminals close. The history stays, and the session can be opened again.",
                action: "End session",
                busy: busy(),
                on_yes: end,
                on_no: move |()| asking.set(false),
            }
        }
    }
}

/// How tools and terminals are walled in; loud if they are not. Unknown until a runner has said so.
fn sandbox_chip(sandbox: &str) -> Element {
    if sandbox.is_empty() {
        return rsx! {};
    }
    match sandbox::told(sandbox) {
        Some(layers) => rsx! {
            span { class: "chip sandbox", id: "sandbox", title: "{layers}", "sandbox" }
        },
        None => rsx! {
            span {
                class: "chip loud",
                id: "sandbox",
                title: "Tools and terminals of this session can do all that the runner's user can",
                "no sandbox"
            }
        },
    }
}

#[component]
fn FoldButtons(divider: Divider) -> Element {
    let folded = divider.split.read().folded;
    let (left, right) = (divider.clone(), divider);
    let chat = if folded == Some(Side::Left) {
        "Show the chat"
    } else {
        "Hide the chat"
    };
    let terminal = if folded == Some(Side::Right) {
        "Show the terminal"
    } else {
        "Hide the terminal"
    };
    rsx! {
        span { class: "folds",
            button {
                r#type: "button",
                class: "icon-button",
                aria_label: chat,
                title: chat,
                aria_pressed: folded == Some(Side::Left),
                onclick: move |_| left.fold(Side::Left),
                {icon("fold-left")}
            }
            button {
                r#type: "button",
                class: "icon-button",
                aria_label: terminal,
                title: terminal,
                aria_pressed: folded == Some(Side::Right),
                onclick: move |_| right.fold(Side::Right),
                {icon("fold-right")}
            }
        }
    }
}

/// A session whose title alone matters.
#[derive(Clone)]
struct Named(Rc<Session>);

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.title == other.0.title
            && self.0.state == other.0.state
            && self.0.members == other.0.members
    }
}

#[component]
fn Title(id: SessionId, session: Named) -> Element {
    let shared = shared();
    let mut editing = use_signal(|| None::<String>);
    let may = shared.role(&session.0) >= Some(Role::Driver);
    let title = session.0.title.clone();
    let shown = if title.is_empty() {
        "New session".to_owned()
    } else {
        title.clone()
    };
    let save = move || {
        let Some(title) = editing.take().filter(|title| !title.trim().is_empty()) else {
            return;
        };
        shared.please(id, Command::Rename { title });
    };
    let mut keep = save;
    if let Some(draft) = editing() {
        return rsx! {
            form {
                class: "rename",
                onsubmit: move |event| {
                    event.prevent_default();
                    keep();
                },
                input {
                    id: "rename",
                    aria_label: "Title",
                    maxlength: 200,
                    value: "{draft}",
                    onmounted: |_| dom::focus_on("#rename"),
                    oninput: move |event| editing.set(Some(event.value())),
                    onkeydown: move |event| {
                        if event.key() == Key::Escape {
                            event.stop_propagation();
                            editing.set(None);
                        }
                    },
                    onblur: move |_| editing.set(None),
                }
            }
        };
    }
    rsx! {
        h1 { class: "title",
            if may {
                button {
                    r#type: "button",
                    title: "Rename",
                    onclick: move |_| editing.set(Some(title.clone())),
                    "{shown}"
                }
            } else {
                "{shown}"
            }
        }
    }
}

/// The model of the next turn.
#[component]
fn ModelChoice(id: SessionId, model: String, known: Vec<Model>, may: bool) -> Element {
    let shared = shared();
    let chosen = known.iter().find(|choice| choice.id == model);
    let facts = chosen.map_or_else(String::new, models::facts);
    if !may || known.is_empty() {
        return rsx! { span { class: "model muted", title: "{facts}", "{model}" } };
    }
    let listed = known.iter().any(|choice| choice.id == model);
    rsx! {
        select {
            class: "model",
            id: "model",
            aria_label: "Model of the next turn",
            title: "The model of the next turn: {facts}",
            onchange: move |event| {
                let model = event.value();
                shared.please(id, Command::ChooseModel { model });
            },
            if !listed {
                option { value: "{model}", selected: true, "{model}" }
            }
            for choice in known {
                option {
                    key: "{choice.id}",
                    value: "{choice.id}",
                    selected: choice.id == model,
                    disabled: !choice.available,
                    title: models::facts(&choice),
                    {models::name(&choice)}
                }
            }
        }
    }
}
