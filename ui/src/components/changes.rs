//! What changed in the session's files: since its start, or turn by turn; to be restored or committed.

use super::confirm::open as open_dialog;
use super::icon::icon;
use super::transcript::DiffView;
use crate::model::diff;
use crate::net::api;
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{
    ChangeSize, Checkpoint, Command, FileChange, FileStatus, RestoreStage, Role, Session, SessionId,
};

/// The button that says how much changed, and opens the panel.
#[component]
pub fn ChangesButton(id: SessionId, session: Shown) -> Element {
    let mut open = use_signal(|| false);
    let newest = session.0.checkpoints.last();
    let Some(newest) = newest else {
        return rsx! {};
    };
    let size = newest.since_start.clone();
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small",
            id: "changes",
            title: "What changed in the files since the session began",
            onclick: move |_| open.set(true),
            "Changes"
            if size.files > 0 {
                span { class: "number added", "+{size.added}" }
                span { class: "number removed", "−{size.removed}" }
            }
        }
        if open() {
            Panel { id, session: session.clone(), on_close: move |()| open.set(false) }
        }
    }
}

#[component]
fn Panel(id: SessionId, session: Shown, on_close: EventHandler<()>) -> Element {
    let shared = shared();
    // A checkpoint's number; none shows everything since the start.
    let mut turn = use_signal(|| None::<u32>);
    let session = session.0;
    let may = shared.role(&session) >= Some(Role::Driver);
    let chosen = turn().and_then(|number| find(&session, number));
    let size = match &chosen {
        Some(checkpoint) => checkpoint.change.clone(),
        None => session
            .checkpoints
            .last()
            .map_or_else(nothing, |newest| newest.since_start.clone()),
    };
    let choices: Vec<(u32, String)> = session.checkpoints.iter().rev().map(named).collect();
    let busy = session.turn.is_some();
    rsx! {
        dialog {
            class: "dialog changes",
            aria_label: "Changes",
            onmounted: move |event| open_dialog(&event),
            oncancel: move |event| {
                event.prevent_default();
                on_close.call(());
            },
            header {
                h2 { "Changes" }
                select {
                    aria_label: "Since when",
                    onchange: move |event| turn.set(event.value().parse().ok()),
                    option { value: "", selected: turn().is_none(), "Since the session began" }
                    for (number , name) in choices {
                        option { key: "{number}", value: "{number}", selected: turn() == Some(number), "{name}" }
                    }
                }
                span { class: "grow" }
                button {
                    r#type: "button",
                    class: "icon-button",
                    aria_label: "Close",
                    autofocus: true,
                    onclick: move |_| on_close.call(()),
                    {icon("x")}
                }
            }
            Files { id, size }
            if may {
                footer {
                    if let Some(checkpoint) = chosen {
                        Restoring { id, session: Shown(session.clone()), number: checkpoint.number, busy }
                    } else {
                        CommitForm { id, busy, committing: session.committing.is_some() }
                    }
                }
            }
        }
    }
}

fn find(session: &Session, number: u32) -> Option<Checkpoint> {
    let mut all = session.checkpoints.iter();
    all.find(|checkpoint| checkpoint.number == number).cloned()
}

fn nothing() -> ChangeSize {
    ChangeSize {
        files: 0,
        added: 0,
        removed: 0,
        body: None,
    }
}

fn named(checkpoint: &Checkpoint) -> (u32, String) {
    let ChangeSize {
        files,
        added,
        removed,
        ..
    } = checkpoint.change;
    let what = match (checkpoint.turn, checkpoint.number) {
        (_, 0) => "The start".to_owned(),
        (Some(_), number) => format!("Turn {number}"),
        (None, number) => format!("State {number}"),
    };
    (
        checkpoint.number,
        format!("{what}: {files} files, +{added} −{removed}"),
    )
}

/// The files that changed, each with its diff.
#[component]
fn Files(id: SessionId, size: ChangeSize) -> Element {
    let hash = size.body.map(|body| body.hash);
    let changes = use_resource(use_reactive!(|hash| async move {
        match hash {
            Some(hash) => api::changes(id, &hash).await.map(Some),
            None => Ok(None),
        }
    }));
    let shown = match &*changes.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => rsx! { p { class: "bad", role: "alert", "{failure.message}" } },
        Some(Ok(None)) => rsx! { p { class: "muted", "Nothing changed." } },
        Some(Ok(Some(changes))) => rsx! {
            for (file , part) in diff::by_file(&changes.files, &changes.diff) {
                FileRow { key: "{file.path}", file, part }
            }
        },
    };
    rsx! {
        div { class: "files", {shown} }
    }
}

#[component]
fn FileRow(file: FileChange, part: String) -> Element {
    let mut open = use_signal(|| false);
    let word = match file.status {
        FileStatus::Added => "new",
        FileStatus::Modified => "changed",
        FileStatus::Deleted => "gone",
        FileStatus::Renamed => "renamed",
        FileStatus::TypeChanged => "another kind",
    };
    rsx! {
        section { class: "file",
            button {
                r#type: "button",
                class: "fold",
                aria_expanded: open(),
                onclick: move |_| open.toggle(),
                {icon("chevron")}
                span { class: "target mono", "{file.path}" }
                if let Some(old) = &file.old_path {
                    span { class: "muted mono", "from {old}" }
                }
                span { class: "muted", "{word}" }
                if file.binary {
                    span { class: "muted", "no text" }
                } else {
                    span { class: "number added", "+{file.added}" }
                    span { class: "number removed", "−{file.removed}" }
                }
            }
            if open() {
                DiffView { text: part }
            }
        }
    }
}

/// Shows what a restore would change, then does it.
#[component]
fn Restoring(id: SessionId, session: Shown, number: u32, busy: bool) -> Element {
    let shared = shared();
    let restore = session
        .0
        .restore
        .clone()
        .filter(|restore| restore.checkpoint == number);
    let ask = use_callback(move |command: Command| {
        shared.please(id, command);
    });
    let Some(restore) = restore else {
        return rsx! {
            button {
                r#type: "button",
                class: "button",
                disabled: busy,
                title: if busy { "The agent works; wait or interrupt it" } else { "See what would change first" },
                onclick: move |_| ask(Command::Restore { checkpoint: number, tree: None }),
                "Restore these files…"
            }
        };
    };
    let RestoreStage::Prepared {
        tree,
        change,
        conflicts,
    } = restore.stage
    else {
        return rsx! { p { class: "muted", role: "status", "The files are being looked at…" } };
    };
    let clear = conflicts.is_empty();
    rsx! {
        div { class: "restore",
            if clear {
                p {
                    "This changes {change.files} files ("
                    span { class: "number added", "+{change.added}" }
                    " "
                    span { class: "number removed", "−{change.removed}" }
                    "). The files as they are now are kept, so that it can be undone."
                }
            } else {
                p { class: "bad", role: "alert",
                    "Somebody changed these since the last checkpoint, so they are not overwritten: {conflicts.join(\", \")}"
                }
            }
            Files { id, size: change }
            div { class: "actions",
                button {
                    r#type: "button",
                    class: "button",
                    onclick: move |_| ask(Command::CancelRestore),
                    "Cancel"
                }
                button {
                    r#type: "button",
                    class: "button danger",
                    id: "restore",
                    disabled: busy || !clear,
                    onclick: move |_| ask(Command::Restore { checkpoint: number, tree: Some(tree.clone()) }),
                    "Restore"
                }
            }
        }
    }
}

/// Commits everything to the session's branch.
#[component]
fn CommitForm(id: SessionId, busy: bool, committing: bool) -> Element {
    let shared = shared();
    let mut message = use_signal(String::new);
    rsx! {
        form {
            class: "commit",
            onsubmit: move |event| {
                event.prevent_default();
                let text = message();
                spawn(async move {
                    if shared.ask(id, Command::Commit { message: text }).await {
                        message.set(String::new());
                    }
                });
            },
            input {
                class: "grow",
                name: "message",
                aria_label: "The commit's message",
                placeholder: "Commit everything to the session's branch: what changed?",
                value: "{message}",
                oninput: move |event| message.set(event.value()),
            }
            button {
                r#type: "submit",
                class: "button primary",
                disabled: busy || committing || message().trim().is_empty(),
                title: if busy { "The agent works; wait or interrupt it" } else { "" },
                if committing { "Committing…" } else { "Commit" }
            }
        }
    }
}
