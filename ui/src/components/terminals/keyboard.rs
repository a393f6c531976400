//! Who has the keyboard, and how it goes from hand to hand.

use crate::components::icon::icon;
use crate::components::menu::{Choice, Menu};
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId, TerminalId, UserId};
use std::rc::Rc;

/// Who types, and whose window the screen has its size from.
#[component]
pub fn Keyboard(id: SessionId, active: TerminalId) -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let me = shared.me.read().as_ref().map(|me| me.id);
    let may = shared.role(&session) >= Some(Role::Driver);
    let size = session.terminals.get(&active).map(|known| known.drawn);
    let size = size.map_or_else(String::new, |size| format!("{} × {}", size.cols, size.rows));
    let take = move || shared.please(id, Command::TakeControl);
    match session.driver {
        None => rsx! {
            span {
                class: "keyboard muted small",
                id: "driver",
                title: "Who types first gets the keyboard",
                "Nobody types"
            }
        },
        Some(driver) if Some(driver) == me => rsx! {
            Menu {
                id: "driver",
                label: "You have the keyboard",
                class: "button quiet small keyboard",
                choices: hands(&session, driver),
                on_choose: move |word: String| {
                    let to = word.parse::<UserId>().ok();
                    shared.please(id, Command::GiveControl { to });
                },
                {icon("keyboard")}
                span { class: "words", "You type" }
            }
        },
        Some(driver) => rsx! {
            span {
                class: "keyboard muted small",
                id: "driver",
                title: "The screen has the size of their window: {size}",
                "{name(&session, driver)} types"
                span { class: "size", " · {size}" }
            }
            if may {
                Wanting { id, session: Shown(Rc::clone(&session)) }
                button {
                    r#type: "button",
                    class: "button small",
                    title: "Type at once; it can be taken back",
                    onclick: move |_| take(),
                    {icon("keyboard")}
                    "Take the keyboard"
                }
            }
        },
    }
}

/// Asks for the keyboard, politely, or thinks better of it.
#[component]
fn Wanting(id: SessionId, session: Shown) -> Element {
    let shared = shared();
    let Some(me) = shared.me.read().as_ref().map(|me| me.id) else {
        return rsx! {};
    };
    let asked = session.0.wants_to_drive.contains(&me);
    let (words, title) = if asked {
        (
            "Asked",
            "Who types has been asked; press to need it no more",
        )
    } else {
        ("Ask for it", "Ask who types to give you the keyboard")
    };
    rsx! {
        button {
            r#type: "button",
            id: "ask-keyboard",
            class: "button quiet small",
            title,
            aria_pressed: asked,
            onclick: move |_| {
                let command = if asked {
                    Command::DeclineControl { user: me }
                } else {
                    Command::AskControl
                };
                shared.please(id, command);
            },
            "{words}"
        }
    }
}

/// Who asks the person at this page for the keyboard.
#[component]
pub fn Asked(id: SessionId) -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let me = shared.me.read().as_ref().map(|me| me.id);
    let first = session.wants_to_drive.first().copied();
    let Some(user) = first.filter(|_| me.is_some() && session.driver == me) else {
        return rsx! {};
    };
    let name = name(&session, user).to_owned();
    rsx! {
        div { class: "terminal-ask", role: "status",
            {icon("keyboard")}
            span { class: "grow", "{name} asks for the keyboard" }
            button {
                r#type: "button",
                class: "button small",
                onclick: move |_| shared.please(id, Command::DeclineControl { user }),
                "Not now"
            }
            button {
                r#type: "button",
                id: "give-keyboard",
                class: "button primary small",
                onclick: move |_| shared.please(id, Command::GiveControl { to: Some(user) }),
                "Give it"
            }
        }
    }
}

/// Where the keyboard can go.
fn hands(session: &Session, driver: UserId) -> Vec<Choice> {
    let mut choices = vec![Choice::of("nobody", "Put the keyboard down", "")];
    let others = session.members.iter();
    let others = others.filter(|(user, member)| **user != driver && member.role >= Role::Driver);
    choices.extend(others.map(|(user, member)| {
        Choice::of(&user.to_string(), format!("Give it to {}", member.name), "")
    }));
    choices
}

fn name(session: &Session, user: UserId) -> &str {
    let member = session.members.get(&user);
    member.map_or("Somebody", |member| &member.name)
}
