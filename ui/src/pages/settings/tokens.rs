//! The tokens of one's programs.

use crate::components::confirm::Confirm;
use crate::components::field::{Field, general, unread};
use crate::components::secret::SecretOnce;
use crate::interop::dom;
use crate::model::ago::{ago, left};
use crate::net::api::Failure;
use crate::net::people;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire::{ApiToken, CreateToken, Scope, TeamRole};

/// For how many days a token works, and the words for it.
const SPANS: [(u32, &str); 5] = [
    (7, "7 days"),
    (30, "30 days"),
    (90, "90 days"),
    (366, "A year"),
    (0, "For ever"),
];

fn means(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read: see what you see",
        Scope::Write => "write: open sessions and act in them",
        Scope::Admin => "admin: change your account and, for owners, the team",
    }
}

/// The tokens, and a way to make one.
#[component]
pub fn Tokens(role: TeamRole) -> Element {
    let shared = shared();
    let mut list = use_resource(people::tokens);
    let mut made = use_signal(|| None::<String>);
    let mut revoking = use_signal(|| None::<ApiToken>);
    let revoke = move |()| {
        let Some(token) = revoking() else { return };
        spawn(async move {
            if let Err(failure) = people::revoke_token(&token.id.simple().to_string()).await {
                shared.failed(&failure);
            }
            revoking.set(None);
            list.restart();
        });
    };
    let shown = match &*list.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => unread("Your tokens", failure),
        Some(Ok(tokens)) if tokens.is_empty() => rsx! {
            p { class: "muted", "You have no tokens." }
        },
        Some(Ok(tokens)) => rsx! {
            ul { class: "entries",
                for token in tokens.clone() {
                    Row { key: "{token.id}", token, on_revoke: move |token| revoking.set(Some(token)) }
                }
            }
        },
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "tokens",
            h2 { id: "tokens", "API tokens" }
            p { class: "muted", "For programs: they send one as “Authorization: Bearer dpx_…” and act as you." }
            {shown}
            Make {
                role,
                on_made: move |secret| {
                    made.set(Some(secret));
                    list.restart();
                },
            }
        }
        if let Some(secret) = made() {
            SecretOnce {
                title: "Your new token",
                text: "Copy it now: it is not shown again. Whoever has it can do what it is for, in your name.",
                secret,
                on_close: move |()| made.set(None),
            }
        }
        if let Some(token) = revoking() {
            Confirm {
                title: "Revoke “{token.name}”?",
                text: "Programs that use it are refused at once.",
                action: "Revoke",
                busy: false,
                on_yes: revoke,
                on_no: move |()| revoking.set(None),
            }
        }
    }
}

#[component]
fn Row(token: ApiToken, on_revoke: EventHandler<ApiToken>) -> Element {
    let now = dom::now();
    let ends = token.expires_at.map_or_else(
        || "works for ever".to_owned(),
        |end| format!("ends in {}", left(now, end)),
    );
    let used = token.used_at.map_or_else(
        || "never used".to_owned(),
        |used| format!("used {}", ago(now, used)),
    );
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    let scopes = scopes.join(", ");
    let revoked = token.clone();
    rsx! {
        li { class: "entry",
            div { class: "grow",
                strong { "{token.name}" }
                span { class: "chip", "{scopes}" }
                div { class: "muted small", "Made {ago(now, token.created_at)}, {used}, {ends}" }
            }
            button {
                r#type: "button",
                class: "button quiet",
                aria_label: "Revoke {token.name}",
                onclick: move |_| on_revoke.call(revoked.clone()),
                "Revoke"
            }
        }
    }
}

#[component]
fn Make(role: TeamRole, on_made: EventHandler<String>) -> Element {
    let mut name = use_signal(String::new);
    let mut scopes = use_signal(|| vec![Scope::Read]);
    let mut days = use_signal(|| 30_u32);
    let mut problem = use_signal(|| None::<Failure>);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        spawn(async move {
            let body = CreateToken {
                name: name(),
                scopes: scopes(),
                days: Some(days()),
            };
            match people::create_token(&body).await {
                Ok(made) => {
                    problem.set(None);
                    name.set(String::new());
                    on_made.call(made.secret);
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    let mut toggle = move |scope: Scope, on: bool| {
        let mut scopes = scopes.write();
        scopes.retain(|known| *known != scope);
        if on {
            scopes.push(scope);
        }
    };
    let spans = SPANS
        .iter()
        .filter(|(days, _)| *days > 0 || role == TeamRole::Owner);
    rsx! {
        form { class: "new-token", onsubmit: submit,
            div { class: "form-line",
                Field { label: "New token, for", name: "name", value: name, hint: "Such as “nightly build”.", problem }
                label { class: "field",
                    span { "Works for" }
                    select {
                        name: "days",
                        onchange: move |event| days.set(event.value().parse().unwrap_or(30)),
                        for (value , label) in spans {
                            option { key: "{value}", value: "{value}", selected: days() == *value, "{label}" }
                        }
                    }
                }
            }
            fieldset { class: "field scopes",
                legend { "What it may do" }
                for scope in Scope::ALL {
                    label { key: "{scope.word()}",
                        input {
                            r#type: "checkbox",
                            name: scope.word(),
                            checked: scopes.read().contains(&scope),
                            onchange: move |event| toggle(scope, event.checked()),
                        }
                        " {means(scope)}"
                    }
                }
            }
            {general(problem.read().as_ref(), &["name"])}
            div {
                button { r#type: "submit", class: "button", disabled: scopes.read().is_empty(), "Make a token" }
            }
        }
    }
}
