//! A tool call: one line that unfolds to everything that went in and came out.

use super::Toggled;
use super::approval::ApprovalCard;
use super::markdown::CopyButton;
use crate::components::icon::icon;
use crate::model::rows::Row;
use crate::model::{ago, diff, tool};
use dioxus::prelude::*;
use duplex_domain::{ItemKind, Output, Place, SessionId, ToolState, Verdict};

/// How many characters of a result show at first.
const SHORT: usize = 200;

/// A tool call in one line, unfolded if the reader wants that.
#[component]
pub fn ToolRow(session: SessionId, row: Row) -> Element {
    let toggled: Toggled = use_context();
    let place = row.0.place;
    let ItemKind::Tool {
        name,
        input,
        state,
        output,
        result,
        took,
        diff: changed,
        approval,
        images,
        call,
        ..
    } = &row.0.kind
    else {
        return rsx! {};
    };
    // What failed shows why, unless the reader folds it; what was denied says so already.
    let denied = approval
        .as_ref()
        .is_some_and(|approval| matches!(approval.verdict, Some(Verdict::Deny { .. })));
    let expanded = toggled.has(place) ^ (*state == ToolState::Failed && !denied);
    let tool::Summary { verb, target } = tool::summary(name, input);
    let (drawing, class, word) = told(*state);
    let sizes = changed.as_deref().map(diff::size);
    rsx! {
        div { class: "tool", "data-state": class,
            button {
                r#type: "button",
                class: "fold",
                aria_expanded: expanded,
                onclick: move |_| toggled.flip(place),
                {icon("chevron")}
                span { class: "tool-state", title: word, aria_label: word, {icon(drawing)} }
                span { class: "verb", "{verb}" }
                span { class: "target mono", "{target}" }
                if let Some((added, removed)) = sizes {
                    span { class: "number added", "+{added}" }
                    span { class: "number removed", "−{removed}" }
                }
                span { class: "number took",
                    if state_is_final(*state) { {ago::took(*took)} } else { "{word}" }
                }
            }
            if let Some(approval) = approval {
                ApprovalCard { session, call: call.clone(), approval: (**approval).clone(), open: *state == ToolState::Ready }
            }
            if expanded {
                div { class: "tool-body",
                    Part { title: "Input", place, text: tool::pretty(input), full: true }
                    if let Some(changed) = changed {
                        DiffView { text: changed.clone() }
                    }
                    if output.total > 0 {
                        OutputView { output: output.clone() }
                    }
                    for image in images.iter() {
                        img {
                            key: "{image.hash}",
                            class: "tool-image",
                            src: "/api/sessions/{session}/bodies/{image.hash}",
                            alt: "The picture that the agent saw",
                            loading: "lazy",
                        }
                    }
                    if !result.is_empty() {
                        Part { title: if *state == ToolState::Failed { "Error" } else { "Result" }, place, text: result.clone(), full: false }
                    }
                }
            }
        }
    }
}

fn told(state: ToolState) -> (&'static str, &'static str, &'static str) {
    match state {
        ToolState::Writing => ("pen", "live", "being written"),
        ToolState::Ready => ("clock", "live", "waiting"),
        ToolState::Running => ("clock", "live", "running"),
        ToolState::Done => ("check", "ok", "done"),
        ToolState::Failed => ("x", "bad", "failed"),
        ToolState::Stopped => ("stop", "warn", "stopped"),
    }
}

fn state_is_final(state: ToolState) -> bool {
    matches!(state, ToolState::Done | ToolState::Failed)
}

/// A titled text; a long one is cut until all of it is asked for.
#[component]
fn Part(title: String, place: Place, text: String, full: bool) -> Element {
    let mut all = use_signal(|| full);
    let cut = if all() { None } else { tool::cut(&text, SHORT) };
    rsx! {
        div { class: "part",
            div { class: "part-head",
                span { "{title}" }
                CopyButton { text: text.clone() }
            }
            pre { class: "mono", if let Some(cut) = cut { "{cut}…" } else { "{text}" } }
            if !full && tool::cut(&text, SHORT).is_some() {
                button {
                    r#type: "button",
                    class: "button quiet small",
                    onclick: move |_| all.toggle(),
                    if all() { "Show less" } else { "Show all" }
                }
            }
        }
    }
}

#[component]
fn OutputView(output: Output) -> Element {
    let hidden = output.hidden();
    rsx! {
        div { class: "part",
            div { class: "part-head", span { "Output" } }
            pre { class: "mono",
                "{output.head}"
                if hidden > 0 {
                    span { class: "muted", "\n… {hidden} bytes are not shown …\n" }
                }
                "{output.tail}"
            }
        }
    }
}

#[component]
pub fn DiffView(text: String) -> Element {
    rsx! {
        div { class: "part",
            div { class: "part-head",
                span { "Change" }
                CopyButton { text: text.clone() }
            }
            pre { class: "mono diff",
                for (index , line) in text.lines().enumerate() {
                    span { key: "{index}", class: class_of(line), "{line}\n" }
                }
            }
        }
    }
}

fn class_of(line: &str) -> &'static str {
    match diff::line(line) {
        diff::Line::Added => "added",
        diff::Line::Removed => "removed",
        diff::Line::Place => "place",
        diff::Line::Same => "",
    }
}
