//! What a tool call asks for, and what was answered.

use super::markdown::MarkdownView;
use super::tool::DiffView;
use crate::components::icon::icon;
use crate::model::argv;
use crate::state::{Shared, shared};
use dioxus::prelude::*;
use duplex_domain::{
    Approval, CallId, Command, Pending, Preview, Role, SessionId, UserId, Verdict,
};

/// A call that waits for somebody's answer, or how it was answered.
#[component]
pub fn ApprovalCard(session: SessionId, call: CallId, approval: Approval, open: bool) -> Element {
    let shared = shared();
    match &approval.verdict {
        Some(verdict) => answered(verdict, &names(&shared, &approval)),
        None if open => rsx! { Question { session, call, approval } },
        None => rsx! {},
    }
}

/// Who answered; of those who allowed it together, all.
fn names(shared: &Shared, approval: &Approval) -> String {
    let Some(by) = approval.by else {
        return "A rule".to_owned();
    };
    let denied = matches!(approval.verdict, Some(Verdict::Deny { .. }));
    let before = approval.asked.allowed_by.iter().copied();
    let before = before.filter(|user| *user != by && !denied);
    let mut names: Vec<String> = before.chain([by]).map(|user| name(shared, user)).collect();
    if let Some(first) = names.first_mut().and_then(|name| name.get_mut(..1)) {
        first.make_ascii_uppercase();
    }
    names.join(" and ")
}

fn name(shared: &Shared, user: UserId) -> String {
    let me = shared.me.read().as_ref().is_some_and(|me| me.id == user);
    if me {
        return "you".to_owned();
    }
    let session = shared.session.read().clone();
    let member = session.and_then(|session| session.0.members.get(&user).cloned());
    member.map_or_else(|| "somebody".to_owned(), |member| member.name)
}

/// How far a call is that several people have to allow.
fn together(shared: &Shared, asked: &Pending) -> Option<String> {
    if asked.people < 2 {
        return None;
    }
    let given: Vec<String> = asked
        .allowed_by
        .iter()
        .map(|user| name(shared, *user))
        .collect();
    let missing = usize::from(asked.people).saturating_sub(given.len());
    Some(match given.as_slice() {
        [] => format!("{missing} people have to allow this."),
        given => format!("Allowed by {}; {missing} more has to.", given.join(" and ")),
    })
}

fn answered(verdict: &Verdict, by: &str) -> Element {
    let (class, words) = match verdict {
        Verdict::Allow => ("ok", format!("{by} allowed this")),
        Verdict::AllowAlways { rule } => ("ok", format!("{by} allowed {rule} for this session")),
        Verdict::Deny { reason } if reason.is_empty() => ("bad", format!("{by} denied this")),
        Verdict::Deny { reason } => ("bad", format!("{by} denied this: {reason}")),
    };
    rsx! {
        div { class: "verdict", "data-verdict": class, "{words}" }
    }
}

#[component]
fn Question(session: SessionId, call: CallId, approval: Approval) -> Element {
    let shared = shared();
    let mut busy = use_signal(|| false);
    let mut reason = use_signal(|| None::<String>);
    let may = shared
        .session
        .read()
        .as_ref()
        .is_some_and(|session| shared.role(&session.0) >= Some(Role::Driver));
    let me = shared.me.read().as_ref().map(|me| me.id);
    let given = me.is_some_and(|me| approval.asked.allowed_by.contains(&me));
    let together = together(&shared, &approval.asked);
    let rule = approval.asked.rule.clone();
    let decide = use_callback(move |verdict: Verdict| {
        let call = call.clone();
        spawn(async move {
            busy.set(true);
            shared.ask(session, Command::Decide { call, verdict }).await;
            busy.set(false);
        });
    });
    let always = rule.clone();
    let keys = {
        let rule = rule.clone();
        move |event: KeyboardEvent| {
            if !may || reason.peek().is_some() || !event.modifiers().is_empty() {
                return;
            }
            match event.key() {
                Key::Character(key) if key == "y" => decide(Verdict::Allow),
                Key::Character(key) if key == "a" && !rule.is_empty() => {
                    decide(Verdict::AllowAlways { rule: rule.clone() });
                }
                Key::Character(key) if key == "n" => {
                    event.prevent_default();
                    reason.set(Some(String::new()));
                }
                _ => {}
            }
        }
    };
    rsx! {
        div {
            class: "approval",
            role: "group",
            tabindex: 0,
            aria_label: "The agent asks for {approval.asked.name}: y allows, n denies",
            onkeydown: keys,
            Shown { preview: approval.asked.preview.clone() }
            if let Some(words) = together {
                p { class: "together small", {icon("people")} "{words}" }
            }
            if let Some(draft) = reason() {
                form {
                    class: "approval-actions",
                    onsubmit: move |event| {
                        event.prevent_default();
                        decide(Verdict::Deny { reason: reason.take().unwrap_or_default() });
                    },
                    input {
                        class: "grow",
                        aria_label: "Why not; the agent reads it",
                        placeholder: "Why not? The agent reads it.",
                        maxlength: 4000,
                        autofocus: true,
                        value: "{draft}",
                        onmounted: move |event| async move {
                            // A field that has gone needs no focus.
                            let _ = event.set_focus(true).await;
                        },
                        oninput: move |event| reason.set(Some(event.value())),
                        onkeydown: move |event| {
                            event.stop_propagation();
                            if event.key() == Key::Escape {
                                reason.set(None);
                            }
                        },
                    }
                    button { r#type: "button", class: "button quiet small", onclick: move |_| reason.set(None), "Back" }
                    button { r#type: "submit", class: "button danger small", disabled: busy(), "Deny" }
                }
            } else {
                div { class: "approval-actions",
                    button {
                        r#type: "button",
                        class: "button primary small",
                        disabled: busy() || !may || given,
                        title: "Allow this once (y)",
                        onclick: move |_| decide(Verdict::Allow),
                        if given { "You allowed it" } else { "Allow" }
                    }
                    if !always.is_empty() {
                        button {
                            r#type: "button",
                            class: "button small",
                            disabled: busy() || !may,
                            title: "Allow this and its like in this session (a)",
                            onclick: move |_| decide(Verdict::AllowAlways { rule: always.clone() }),
                            "Always allow "
                            code { "{rule}" }
                        }
                    }
                    button {
                        r#type: "button",
                        class: "button small",
                        disabled: busy() || !may,
                        title: "Deny this, with a reason (n)",
                        onclick: move |_| reason.set(Some(String::new())),
                        "Deny…"
                    }
                    if !may {
                        span { class: "muted", "A driver of this session has to answer." }
                    }
                }
            }
        }
    }
}

/// What exactly would happen.
#[component]
fn Shown(preview: Preview) -> Element {
    match preview {
        Preview::Run { argv, cwd } => rsx! {
            div { class: "approval-title", {icon("alert")} "Run this?" }
            pre { class: "mono", "{argv::command(&argv)}" }
            details {
                summary { "The very arguments, in {cwd}" }
                pre { class: "mono", "{argv::quoted(&argv)}" }
            }
        },
        Preview::Edit { path, diff } => rsx! {
            div { class: "approval-title", {icon("alert")} "Change {path}?" }
            DiffView { text: diff }
        },
        Preview::Plan { text } => rsx! {
            div { class: "approval-title", {icon("alert")} "Follow this plan?" }
            MarkdownView { text, done: true, caret: false }
        },
        Preview::Other { summary } => rsx! {
            div { class: "approval-title", {icon("alert")} "Allow this?" }
            pre { class: "mono", "{summary}" }
        },
    }
}
