//! One row of the transcript.

use super::Toggled;
use super::markdown::{MarkdownView, Raw};
use super::tool::ToolRow;
use crate::components::icon::icon;
use crate::interop::dom;
use crate::model::rows::Row;
use crate::model::{ago, money};
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{
    Command, Cost, EndReason, ItemKind, Level, Place, Problem, Role, SessionId, Time, Usage,
};

/// One row of the transcript.
#[component]
pub fn RowView(session: SessionId, row: Row, author: String, mine: bool, caret: bool) -> Element {
    let item = &row.0;
    match &item.kind {
        ItemKind::Message { text, .. } => rsx! {
            div { class: "message", "data-mine": mine,
                div { class: "meta", "{author}" }
                div { class: "bubble", "{text}" }
            }
        },
        ItemKind::Text { text, open, .. } => rsx! {
            MarkdownView { text: text.clone(), done: !open, caret }
        },
        ItemKind::Thinking {
            text, open, took, ..
        } => rsx! {
            Folded {
                class: "thinking",
                place: item.place,
                title: if *open { "Thinking…".to_owned() } else { format!("Thought for {}", ago::took(*took)) },
                live: *open,
                if !text.is_empty() {
                    div { class: "thoughts", "data-live": *open,
                        div { "{text}" }
                    }
                }
            }
        },
        ItemKind::Tool { .. } => rsx! {
            ToolRow { session, row: row.clone() }
        },
        ItemKind::Notice { level, text, .. } => notice(*level, text),
        ItemKind::Again { again, .. } => notice(Level::Info, &told_again(*again, &author)),
        ItemKind::Compacted { summary, before } => rsx! {
            Folded {
                class: "compacted",
                place: item.place,
                title: format!("Summed up to make room; {} tokens stood before", money::count(*before)),
                live: false,
                MarkdownView { text: summary.clone(), done: true, caret: false }
            }
        },
        ItemKind::Retry {
            until,
            attempt,
            problem,
            open,
        } => rsx! {
            RetryRow { until: *until, attempt: *attempt, why: problem.message.clone(), open: *open }
        },
        ItemKind::Restored { checkpoint, .. } => notice(
            Level::Info,
            &format!("The files are those of checkpoint {checkpoint} again, as {author} asked."),
        ),
        ItemKind::Committed { message, .. } => {
            notice(Level::Info, &format!("Committed: {message} ({author})"))
        }
        ItemKind::TurnEnd {
            reason,
            problem,
            usage,
            cost,
            took,
        } => rsx! {
            TurnEnd {
                session,
                place: item.place,
                reason: *reason,
                problem: problem.clone(),
                usage: *usage,
                cost: *cost,
                took: *took,
            }
        },
        ItemKind::Other { raw, .. } | ItemKind::Unknown { raw } => rsx! {
            Raw { title: "Something this page does not know yet", json: raw.to_string() }
        },
    }
}

/// A model call that is made again, with the seconds until then.
#[component]
fn RetryRow(until: Time, attempt: u32, why: String, open: bool) -> Element {
    let mut left = use_signal(|| until.since(dom::now()));
    use_future(move || async move {
        while open && *left.peek() > 0 {
            dom::sleep(1_000).await;
            left.set(until.since(dom::now()));
        }
    });
    let seconds = left().div_ceil(1_000);
    rsx! {
        div { class: "notice warning",
            {icon("clock")}
            if open && seconds > 0 {
                span { "{why}; attempt {attempt} in {seconds} s" }
            } else {
                span { "{why}; attempt {attempt}" }
            }
        }
    }
}

fn told_again(again: duplex_domain::Again, by: &str) -> String {
    match again {
        duplex_domain::Again::Retry => format!("{by} asked the agent to try again."),
        duplex_domain::Again::Continue => format!("{by} asked the agent to go on."),
    }
}

/// A line that unfolds. What goes on (`live`) is open until it is done, unless the reader wants it otherwise.
#[component]
fn Folded(
    class: &'static str,
    place: Place,
    title: String,
    live: bool,
    children: Element,
) -> Element {
    let toggled: Toggled = use_context();
    let expanded = live ^ toggled.has(place);
    rsx! {
        div { class,
            button {
                r#type: "button",
                class: "fold",
                aria_expanded: expanded,
                onclick: move |_| toggled.flip(place),
                {icon("chevron")}
                "{title}"
            }
            if expanded {
                {children}
            }
        }
    }
}

fn notice(level: Level, text: &str) -> Element {
    let class = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    rsx! {
        div { class: "notice {class}",
            {icon("alert")}
            span { "{text}" }
        }
    }
}

#[component]
fn TurnEnd(
    session: SessionId,
    place: Place,
    reason: EndReason,
    problem: Option<Problem>,
    usage: Usage,
    cost: Cost,
    took: u64,
) -> Element {
    let words = match reason {
        EndReason::Complete => "Done",
        EndReason::Interrupted => "Interrupted",
        EndReason::Length => "Stopped at its limit",
        EndReason::Steps => "Stopped after as many steps as it may make",
        EndReason::Time => "Stopped after as long as it may run",
        EndReason::Refused => "The model declined",
        EndReason::Error => "Failed",
        EndReason::Budget => "The money was used up",
        EndReason::Ended => "The session was ended",
        EndReason::RunnerLost => "The runner died in the middle",
    };
    let class = match reason {
        EndReason::Complete => "ok",
        EndReason::Interrupted
        | EndReason::Length
        | EndReason::Steps
        | EndReason::Time
        | EndReason::Budget
        | EndReason::Ended => "warn",
        EndReason::Refused | EndReason::Error | EndReason::RunnerLost => "bad",
    };
    let failed = class == "bad";
    let problem_free = problem.is_none();
    let shared = shared();
    let last = use_memo(move || {
        let rows = shared.rows.read().clone();
        rows.last().is_some_and(|row| row.0.place == place)
    });
    rsx! {
        if failed || problem.is_some() {
            div { class: "error-card", role: "alert",
                {icon("alert")}
                div {
                    strong { "{words}" }
                    if let Some(problem) = problem {
                        p { "{problem.message}" }
                    }
                }
                if last() {
                    Again { session }
                }
            }
        }
        div { class: "turn-end", "data-reason": class,
            span { "{words}" }
            span { class: "number", "{money::count(usage.total())} tokens" }
            span { class: "number", "{money::exact(&cost)}" }
            span { class: "number", {ago::took(took)} }
            if last() && !failed && problem_free && reason != EndReason::Complete {
                Again { session }
            }
        }
    }
}

/// One more turn, without a new message.
#[component]
fn Again(session: SessionId) -> Element {
    let shared = shared();
    let mut busy = use_signal(|| false);
    let ask = use_callback(move |again: duplex_domain::Again| {
        spawn(async move {
            busy.set(true);
            shared.ask(session, Command::Again { again }).await;
            busy.set(false);
        });
    });
    let shown = shared.session.read().clone();
    let may = shown
        .is_some_and(|shown| shared.role(&shown.0) >= Some(Role::Driver) && shown.0.turn.is_none());
    rsx! {
        if may {
            div { class: "actions",
                button {
                    r#type: "button",
                    class: "button small",
                    disabled: busy(),
                    title: "The agent goes on where it stopped",
                    onclick: move |_| ask(duplex_domain::Again::Continue),
                    "Continue"
                }
                button {
                    r#type: "button",
                    class: "button small",
                    disabled: busy(),
                    title: "The agent tries the last request again",
                    onclick: move |_| ask(duplex_domain::Again::Retry),
                    "Retry"
                }
            }
        }
    }
}
