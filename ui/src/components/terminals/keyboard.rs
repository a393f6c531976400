//! Who has the keyboard, and how it goes from hand to hand.

use crate::components::icon::icon;
use crate::components::menu::{Choice, Menu};
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId, TerminalId, UserId};

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
                button {
                    r#type: "button",
                    class: "button small",
                    onclick: move |_| take(),
                    {icon("keyboard")}
                    "Take the keyboard"
                }
            }
        },
    }
}

/// Who else has the session on a page.
#[component]
pub fn Watching() -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let me = shared.me.read().as_ref().map(|me| me.id);
    let watching = shared.watching.read();
    let others = watching.iter().filter(|user| Some(**user) != me);
    let names: Vec<&str> = others.map(|user| name(&session.0, *user)).collect();
    if names.is_empty() {
        return rsx! {};
    }
    let title = format!("Also here: {}", names.join(", "));
    rsx! {
        span { class: "keyboard muted small", id: "watching", role: "img", aria_label: "{title}", title: "{title}",
            {icon("eye")}
            "{names.len()}"
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
