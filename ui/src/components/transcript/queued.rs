//! What follows the transcript: messages that wait, messages on their way, and what the agent does now.

use crate::components::icon::icon;
use crate::model::outbox::{Outbox, Outgoing, Progress};
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::{self as domain, Command, Delivery, ItemKind, Role, SessionId};

/// What follows the transcript.
#[component]
pub fn Queued(id: SessionId) -> Element {
    let shared = shared();
    let session = shared.session.read().clone();
    let Some(session) = session else {
        return rsx! {};
    };
    let session = session.0;
    let queue = session.queue.clone();
    let outgoing = Outbox::of(&shared.outgoing.read(), id);
    let streaming = shared
        .rows
        .read()
        .last()
        .is_some_and(|row| row.0.is_open() && !matches!(row.0.kind, ItemKind::Tool { .. }));
    let working = session.turn.is_some() && session.approvals.is_empty() && !streaming;
    rsx! {
        if working {
            div { class: "working", aria_hidden: true,
                span { class: "dot accent" }
                "Working…"
            }
        }
        for message in queue {
            QueuedMessage { key: "{message.id}", session: id, message }
        }
        for message in outgoing {
            OnItsWay { key: "{message.id}", message }
        }
    }
}

#[component]
fn QueuedMessage(session: SessionId, message: domain::Queued) -> Element {
    let shared = shared();
    let mut editing = use_signal(|| None::<String>);
    let me = shared.me.read().as_ref().map(|me| me.id);
    let shown = shared.session.read().clone();
    let Some(shown) = shown else { return rsx! {} };
    let mine = me == Some(message.by);
    let may_withdraw = mine || shared.role(&shown.0) >= Some(Role::Driver);
    let author = shown
        .0
        .members
        .get(&message.by)
        .map_or("Somebody", |member| &member.name)
        .to_owned();
    let id = message.id;
    let text = message.text.clone();
    let word = match message.delivery {
        Delivery::Queue => "queued",
        Delivery::Steer => "after the tool that runs",
    };
    let first = shown.0.queue.first().map(|queued| queued.id);
    let steers = mine && shown.0.turn.is_some() && message.delivery == Delivery::Queue;
    rsx! {
        div { class: "message queued", "data-mine": mine,
            div { class: "meta", {icon("clock")} "{author} · {word}" }
            if let Some(draft) = editing() {
                div { class: "bubble editing",
                    textarea {
                        aria_label: "Queued message",
                        rows: 3,
                        autofocus: true,
                        value: "{draft}",
                        oninput: move |event| editing.set(Some(event.value())),
                    }
                    div { class: "actions",
                        button { r#type: "button", class: "button small", onclick: move |_| editing.set(None), "Cancel" }
                        button {
                            r#type: "button",
                            class: "button primary small",
                            onclick: move |_| {
                                let text = editing().unwrap_or_default();
                                spawn(async move {
                                    if shared.ask(session, Command::EditMessage { message: id, text }).await {
                                        editing.set(None);
                                    }
                                });
                            },
                            "Save"
                        }
                    }
                }
            } else {
                div { class: "bubble", "{message.text}" }
                div { class: "actions",
                    if mine {
                        button {
                            r#type: "button",
                            class: "button quiet small",
                            onclick: move |_| editing.set(Some(text.clone())),
                            "Edit"
                        }
                    }
                    if mine && first.is_some() && first != Some(id) {
                        button {
                            r#type: "button",
                            class: "button quiet small",
                            title: "The agent reads it before the others",
                            onclick: move |_| {
                                shared.please(session, Command::MoveMessage { message: id, before: first });
                            },
                            "First"
                        }
                    }
                    if steers && shared.role(&shown.0) >= Some(Role::Driver) {
                        button {
                            r#type: "button",
                            class: "button quiet small",
                            title: "The agent reads it after the tool that runs",
                            onclick: move |_| {
                                let delivery = Delivery::Steer;
                                shared.please(session, Command::ChooseDelivery { message: id, delivery });
                            },
                            "Steer now"
                        }
                    }
                    if may_withdraw {
                        button {
                            r#type: "button",
                            class: "button quiet small",
                            onclick: move |_| {
                                shared.please(session, Command::WithdrawMessage { message: id });
                            },
                            "Withdraw"
                        }
                    }
                }
            }
        }
    }
}

/// A message that the log does not have yet.
#[component]
fn OnItsWay(message: Outgoing) -> Element {
    let feed = feed();
    let (again, discard) = (message.id.clone(), message.id.clone());
    let (word, failed) = match &message.state {
        Progress::Waiting => ("waiting for the connection".to_owned(), false),
        Progress::Sent => ("sending".to_owned(), false),
        Progress::Failed(why) => (format!("not sent: {why}"), true),
    };
    rsx! {
        div { class: "message pending", "data-mine": true, "data-failed": failed,
            div { class: "meta", "You · {word}" }
            div { class: "bubble", "{message.text}" }
            if failed {
                div { class: "actions",
                    button {
                        r#type: "button",
                        class: "button quiet small",
                        onclick: move |_| feed.send(Msg::Discard(discard.clone())),
                        "Discard"
                    }
                    button {
                        r#type: "button",
                        class: "button small",
                        onclick: move |_| feed.send(Msg::Again(again.clone())),
                        "Send again"
                    }
                }
            }
        }
    }
}
