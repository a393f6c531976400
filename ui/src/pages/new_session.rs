//! The dialog that opens a session.

use crate::components::confirm::open;
use crate::components::mode::MODES;
use crate::model::models::{self, DEMO};
use crate::net::api;
use crate::route::Route;
use crate::state::{prefs, shared};
use dioxus::prelude::*;
use duplex_wire::{CreateSession, Model, Workspace, WorkspaceState};

/// Chosen in place of a workspace: a path that is typed.
const OTHER: &str = "other";

/// Asks for a workspace, a model and a first message, and opens a session with them.
#[component]
pub fn NewSession(on_close: EventHandler<()>) -> Element {
    let shared = shared();
    let mut workspace = use_signal(|| prefs::last("workspace").unwrap_or_default());
    let mut path = use_signal(String::new);
    let mut title = use_signal(String::new);
    let mut model = use_signal(|| prefs::last("model").unwrap_or_default());
    let mut mode = use_signal(|| prefs::last("mode").unwrap_or_else(|| "auto".to_owned()));
    let mut message = use_signal(String::new);
    let mut busy = use_signal(|| false);
    let mut problem = use_signal(|| None::<(Option<String>, String)>);
    let workspaces = use_resource(api::workspaces);
    let models = use_resource(api::models);

    // What was chosen last may be gone: then the first that can be used.
    use_effect(move || {
        if let Some(Ok(found)) = &*workspaces.read() {
            let chosen = pick_workspace(found, &workspace.peek());
            workspace.set(chosen);
        }
    });
    use_effect(move || {
        if let Some(Ok(found)) = &*models.read() {
            let chosen = pick_model(found, &model.peek());
            model.set(chosen);
        }
    });
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let typed = *workspace.peek() == OTHER;
        let place = if typed {
            path.peek().trim().to_owned()
        } else {
            workspace()
        };
        if place.is_empty() {
            problem.set(Some((
                Some("workspace".into()),
                "choose a workspace, or type a folder's path".into(),
            )));
            return;
        }
        let filled = |text: String| (!text.trim().is_empty()).then_some(text);
        let body = CreateSession {
            mode: Some(mode()),
            workspace: place.clone(),
            title: filled(title()),
            agent: None,
            model: filled(model()),
            message: filled(message()),
        };
        spawn(async move {
            busy.set(true);
            match api::create_session(&body).await {
                Ok(created) => {
                    prefs::keep_last("workspace", &place);
                    prefs::keep_last("model", &model.peek());
                    prefs::keep_last("mode", &mode.peek());
                    navigator().push(Route::SessionAt {
                        id: created.id.to_string(),
                    });
                }
                Err(failure) if failure.signed_out() => shared.sign_out(),
                Err(failure) => problem.set(Some((failure.field, failure.message))),
            }
            busy.set(false);
        });
    };
    let at = move |field: &str| match problem() {
        Some((Some(meant), why)) if meant == field => Some(why),
        _ => None,
    };
    let known = ["workspace", "path", "title", "model", "mode", "message"];
    let general = match problem() {
        Some((field, why)) if !field.as_deref().is_some_and(|field| known.contains(&field)) => {
            Some(why)
        }
        _ => None,
    };
    let failed = |failure: &api::Failure| format!("could not be loaded: {}", failure.message);
    let folders = match &*workspaces.read() {
        Some(Ok(found)) => Ok(found.clone()),
        Some(Err(failure)) => Err(failed(failure)),
        None => Ok(Vec::new()),
    };
    let loading = workspaces.read().is_none();
    let choices = match &*models.read() {
        Some(Ok(found)) => Ok(found.clone()),
        Some(Err(failure)) => Err(failed(failure)),
        None => Ok(Vec::new()),
    };
    rsx! {
        dialog {
            class: "dialog",
            aria_label: "New session",
            onmounted: move |event| open(&event),
            oncancel: move |event| {
                event.prevent_default();
                on_close.call(());
            },
            form { onsubmit: submit,
                h2 { "New session" }
                label { class: "field",
                    span { "Workspace" }
                    select {
                        name: "workspace",
                        disabled: loading,
                        value: "{workspace}",
                        onchange: move |event| workspace.set(event.value()),
                        for folder in folders.clone().unwrap_or_default() {
                            option {
                                key: "{folder.id}",
                                value: "{folder.id}",
                                disabled: folder.state != WorkspaceState::Ready,
                                selected: *workspace.read() == folder.id.to_string(),
                                "{folder.name} — {folder.path}{why_not(&folder)}"
                            }
                        }
                        option { value: OTHER, selected: *workspace.read() == OTHER, "Another folder…" }
                    }
                    if *workspace.read() == OTHER {
                        input {
                            name: "path",
                            class: "mono",
                            placeholder: "/home/me/project",
                            aria_label: "Absolute path of the folder",
                            value: "{path}",
                            oninput: move |event| path.set(event.value()),
                        }
                        span { class: "muted small", "An absolute path of a folder with a git repository." }
                    }
                    if let Err(why) = &folders {
                        span { class: "problem", role: "alert", "The workspaces {why}" }
                    }
                    if let Some(why) = at("workspace").or(at("path")) {
                        span { class: "problem", role: "alert", "{why}" }
                    }
                }
                label { class: "field",
                    span { "Model" }
                    select {
                        name: "model",
                        value: "{model}",
                        onchange: move |event| model.set(event.value()),
                        for choice in choices.clone().unwrap_or_default() {
                            option {
                                key: "{choice.id}",
                                value: "{choice.id}",
                                disabled: !choice.available,
                                selected: *model.read() == choice.id,
                                {models::name(&choice)}
                            }
                        }
                    }
                    for choice in choices.clone().unwrap_or_default().into_iter().filter(|choice| choice.id == *model.read()) {
                        span { key: "{choice.id}", class: "muted small", {models::facts(&choice)} }
                    }
                    if let Err(why) = &choices {
                        span { class: "problem", role: "alert", "The models {why}" }
                    }
                    if let Some(why) = at("model") { span { class: "problem", role: "alert", "{why}" } }
                }
                fieldset { class: "field",
                    legend { "The agent" }
                    div { class: "choices",
                        for (_ , word , name , meaning) in MODES {
                            label { key: "{word}", class: "choice",
                                input {
                                    r#type: "radio",
                                    name: "mode",
                                    value: word,
                                    checked: *mode.read() == word,
                                    onchange: move |_| mode.set(word.to_owned()),
                                }
                                strong { "{name}" }
                                span { class: "muted small", "{meaning}" }
                            }
                        }
                    }
                    if let Some(why) = at("mode") { span { class: "problem", role: "alert", "{why}" } }
                }
                label { class: "field",
                    span { "Title " span { class: "muted", "(optional)" } }
                    input {
                        name: "title",
                        maxlength: 200,
                        placeholder: "The first message names it",
                        value: "{title}",
                        oninput: move |event| title.set(event.value()),
                    }
                    if let Some(why) = at("title") { span { class: "problem", role: "alert", "{why}" } }
                }
                label { class: "field",
                    span { "First message " span { class: "muted", "(optional)" } }
                    textarea {
                        name: "message",
                        rows: 3,
                        value: "{message}",
                        oninput: move |event| message.set(event.value()),
                    }
                    if let Some(why) = at("message") { span { class: "problem", role: "alert", "{why}" } }
                }
                if let Some(why) = general {
                    p { class: "problem", role: "alert", "{why}" }
                }
                div { class: "actions",
                    button { r#type: "button", class: "button", onclick: move |_| on_close.call(()), "Cancel" }
                    button { r#type: "submit", class: "button primary", disabled: busy(),
                        if busy() { "Creating…" } else { "Create session" }
                    }
                }
            }
        }
    }
}

/// Says, calmly, that only the demonstration can answer, and how to change that.
#[component]
pub fn DemoBanner() -> Element {
    let models = use_resource(api::models);
    let why = match &*models.read() {
        Some(Ok(found))
            if !found
                .iter()
                .any(|model| model.available && model.provider != DEMO) =>
        {
            found.iter().find_map(|model| model.why_not.clone())
        }
        _ => None,
    };
    rsx! {
        if let Some(why) = why {
            div { class: "notice", role: "note",
                {crate::components::icon::icon("alert")}
                span { "Only the demonstration can answer for now: {why}" }
            }
        }
    }
}

fn pick_workspace(found: &[Workspace], last: &str) -> String {
    let ready = |folder: &&Workspace| folder.state == WorkspaceState::Ready;
    let same = |folder: &&Workspace| folder.id.to_string() == last || folder.path == last;
    let chosen = found.iter().filter(ready).find(same);
    let chosen = chosen.or_else(|| found.iter().find(ready));
    chosen.map_or_else(|| OTHER.to_owned(), |folder| folder.id.to_string())
}

fn pick_model(found: &[Model], last: &str) -> String {
    let mut usable = found.iter().filter(|model| model.available);
    let same = usable.clone().find(|model| model.id == last);
    let chosen = same.or_else(|| usable.next());
    chosen.map(|model| model.id.clone()).unwrap_or_default()
}

fn why_not(folder: &Workspace) -> String {
    let why = match folder.state {
        WorkspaceState::Ready => return String::new(),
        WorkspaceState::Asked => "being looked at",
        WorkspaceState::Refused => "cannot be used",
        WorkspaceState::Offline => "its runner is not running",
    };
    let why = folder.problem.as_deref().unwrap_or(why);
    format!(" ({why})")
}
