//! The page of all sessions.

use super::new_session::NewSession;
use crate::components::icon::icon;
use crate::components::top_bar::TopBar;
use crate::components::{confirm::Confirm, state_dot::state_dot};
use crate::interop::dom;
use crate::model::{ago, money};
use crate::net::api;
use crate::route::Route;
use crate::state::prefs::Theme;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{Command, State};
use duplex_wire::{SessionPage, SessionRow};

/// How often the list is asked for anew, in milliseconds.
const EVERY: u32 = 10_000;
/// How long nothing is shown while the list loads, in milliseconds: a placeholder that flashes is worse than none.
const PATIENCE: u32 = 300;

/// What the list shows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Listed {
    page: Option<SessionPage>,
    problem: Option<String>,
    /// Pages beyond the first were asked for: the first one alone must not replace them.
    extended: bool,
}

/// All sessions.
#[component]
pub fn Sessions() -> Element {
    let shared = shared();
    let mut state = use_signal(String::new);
    let mut query = use_signal(String::new);
    let mut listed = use_signal(Listed::default);
    let mut wanted = use_signal(|| 0_u32);
    let mut patience = use_signal(|| true);
    let mut opening = use_signal(|| false);
    let mut ending = use_signal(|| None::<SessionRow>);
    let mut now = use_signal(dom::now);

    use_effect(|| dom::set_title("Sessions — Duplex"));
    use_future(move || async move {
        dom::sleep(PATIENCE).await;
        patience.set(false);
        loop {
            dom::sleep(EVERY).await;
            wanted += 1;
        }
    });
    let mut round = use_signal(|| 0_u32);
    use_effect(move || {
        let (_, _) = (wanted(), *shared.nudges.read());
        let (state, query) = (state(), query());
        let this = *round.peek() + 1;
        round.set(this);
        spawn(async move {
            let answer = api::sessions(&state, &query, None).await;
            if *round.peek() != this {
                return;
            }
            now.set(dom::now());
            match answer {
                Ok(page) => listed.with_mut(|listed| {
                    listed.problem = None;
                    merge(listed, page);
                }),
                Err(failure) if failure.signed_out() => shared.sign_out(),
                Err(failure) => listed.write().problem = Some(failure.message),
            }
        });
    });
    let more = move |cursor: String| {
        spawn(async move {
            match api::sessions(&state.peek(), &query.peek(), Some(&cursor)).await {
                Ok(page) => listed.with_mut(|listed| extend(listed, page)),
                Err(failure) => shared.failed(&failure),
            }
        });
    };
    let mut busy = use_signal(|| false);
    let end = move |row: SessionRow| {
        spawn(async move {
            busy.set(true);
            shared.ask(row.id, Command::End).await;
            busy.set(false);
            ending.set(None);
            wanted += 1;
        });
    };
    let guest = shared.is_guest();
    let view = listed.read().clone();
    let narrowed = !state.read().is_empty() || !query.read().is_empty();
    rsx! {
        TopBar {}
        main { class: "page", id: "content",
            div { class: "page-head",
                h1 { "Sessions" }
                if !guest {
                    button {
                        r#type: "button",
                        class: "button primary",
                        id: "new-session",
                        onclick: move |_| opening.set(true),
                        {icon("plus")}
                        "New session"
                    }
                }
            }
            if !guest {
                super::new_session::DemoBanner {}
            }
            div { class: "filters",
                div { class: "segments", role: "group", aria_label: "Show",
                    for (value , label) in [("", "All"), ("active", "Active"), ("ended", "Ended")] {
                        button {
                            key: "{value}",
                            r#type: "button",
                            aria_pressed: *state.read() == value,
                            onclick: move |_| {
                                listed.set(Listed::default());
                                state.set(value.to_owned());
                            },
                            "{label}"
                        }
                    }
                }
                label { class: "search",
                    {icon("search")}
                    input {
                        r#type: "search",
                        placeholder: "Search by title, text or id",
                        aria_label: "Search sessions",
                        value: "{query}",
                        oninput: move |event| {
                            listed.write().extended = false;
                            query.set(event.value());
                        },
                    }
                }
            }
            if let Some(problem) = &view.problem {
                div { class: "notice error", role: "alert",
                    {icon("alert")}
                    span { "The sessions could not be loaded: {problem}" }
                    button { r#type: "button", class: "button", onclick: move |_| wanted += 1, "Try again" }
                }
            }
            match &view.page {
                None if view.problem.is_none() && !patience() => rsx! {
                    Placeholders {}
                },
                None => rsx! {},
                Some(page) if page.sessions.is_empty() && narrowed => rsx! {
                    div { class: "empty",
                        p { "No session matches." }
                        button {
                            r#type: "button",
                            class: "button",
                            onclick: move |_| {
                                state.set(String::new());
                                query.set(String::new());
                            },
                            "Show all"
                        }
                    }
                },
                Some(page) if page.sessions.is_empty() => rsx! {
                    div { class: "empty",
                        if guest {
                            p { "No sessions yet. You see those that people of the team let you into." }
                        } else {
                            p { "No sessions yet. Start one on a folder with a git repository." }
                            button {
                                r#type: "button",
                                class: "button primary",
                                onclick: move |_| opening.set(true),
                                "New session"
                            }
                        }
                    }
                },
                Some(page) => rsx! {
                    ul { class: "sessions",
                        for row in page.sessions.clone() {
                            li { key: "{row.id}",
                                SessionCard { row, now: now(), on_end: move |row| ending.set(Some(row)) }
                            }
                        }
                    }
                    if let Some(cursor) = page.cursor.clone() {
                        button {
                            r#type: "button",
                            class: "button more",
                            onclick: move |_| more(cursor.clone()),
                            "Show more"
                        }
                    }
                },
            }
        }
        if opening() {
            NewSession { on_close: move |()| opening.set(false) }
        }
        if let Some(row) = ending() {
            Confirm {
                title: "End this session?",
                text: "The agent stops and its terminals close. The history stays, and the session can be opened again.",
                action: "End session",
                busy: busy(),
                on_yes: move |()| end(row.clone()),
                on_no: move |()| ending.set(None),
            }
        }
    }
}

/// Takes in a fresh first page; what was loaded beyond it stays.
fn merge(listed: &mut Listed, page: SessionPage) {
    match &mut listed.page {
        Some(old) if listed.extended => {
            let fresh = |row: &SessionRow| page.sessions.iter().any(|new| new.id == row.id);
            old.sessions.retain(|row| !fresh(row));
            let rest = std::mem::take(&mut old.sessions);
            old.sessions = page.sessions.into_iter().chain(rest).collect();
        }
        _ => listed.page = Some(page),
    }
}

/// Takes in a further page.
fn extend(listed: &mut Listed, page: SessionPage) {
    let Some(old) = &mut listed.page else { return };
    listed.extended = true;
    let known: Vec<_> = old.sessions.iter().map(|row| row.id).collect();
    let new = page
        .sessions
        .into_iter()
        .filter(|row| !known.contains(&row.id));
    old.sessions.extend(new);
    old.cursor = page.cursor;
}

#[component]
fn Placeholders() -> Element {
    rsx! {
        ul { class: "sessions", aria_busy: true, aria_label: "Loading sessions",
            for index in 0..4 {
                li { key: "{index}", class: "card-row placeholder",
                    span { class: "bone w40" }
                    span { class: "bone w60" }
                }
            }
        }
    }
}

#[component]
fn SessionCard(
    row: SessionRow,
    now: duplex_domain::Time,
    on_end: EventHandler<SessionRow>,
) -> Element {
    let ended = row.state == State::Ended;
    let short = short_id(&row.id.to_string());
    let title = if row.title.is_empty() {
        format!("Session {short}")
    } else {
        row.title.clone()
    };
    let when = row.ended_at.unwrap_or(row.active_at);
    let folder = row
        .path
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("/")
        .to_owned();
    let to = Route::SessionAt {
        id: row.id.to_string(),
    };
    let label = format!("End {title}");
    rsx! {
        div { class: "card-row",
            Link { class: "card-main", to: to.clone(),
                span { class: "card-title",
                    {state_dot(row.working)}
                    strong { "{title}" }
                }
                span { class: "card-meta",
                    span { class: "mono", title: "{row.path}", "{folder}" }
                    span { class: "mono", "{short}" }
                    span { "{row.model}" }
                    span { class: "number", title: "{money::exact(&row.cost)}, {row.usage.total()} tokens", "{money::short(&row.cost)}" }
                    span { {ago::ago(now, when)} }
                }
            }
            div { class: "card-actions",
                Link { class: "button", to, if ended { "View" } else { "Resume" } }
                if !ended {
                    button {
                        r#type: "button",
                        class: "button quiet",
                        aria_label: "{label}",
                        onclick: move |_| on_end.call(row.clone()),
                        "End"
                    }
                }
            }
        }
    }
}

/// The part of an id that tells sessions of one day apart: its end, since its beginning is the time.
#[must_use]
pub fn short_id(id: &str) -> String {
    id.get(id.len().saturating_sub(8)..)
        .unwrap_or(id)
        .to_owned()
}

/// Goes through the themes.
#[component]
pub fn ThemeButton() -> Element {
    let mut theme = use_signal(Theme::chosen);
    rsx! {
        button {
            r#type: "button",
            class: "button quiet theme",
            aria_label: "Theme: {theme().name()}",
            title: "Theme: {theme().name()}",
            onclick: move |_| {
                theme.set(theme().next());
                theme().choose();
            },
            {icon("sun")}
            span { class: "theme-name", "{theme().name()}" }
        }
    }
}
