//! The bar above the pages that show no session.

use super::icon::icon;
use super::menu::{Choice, Menu};
use crate::net::api;
use crate::pages::sessions::ThemeButton;
use crate::route::Route;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire::TeamRole;

/// The way to the pages, and what is one's own.
#[component]
pub fn TopBar() -> Element {
    let shared = shared();
    let me = shared.me.read().clone();
    let owner = me.as_ref().is_some_and(|me| me.role == TeamRole::Owner);
    let name = me.map(|me| me.name).unwrap_or_default();
    let guest = shared.is_guest();
    let choose = move |word: String| match word.as_str() {
        "settings" => {
            navigator().push(Route::Settings {});
        }
        "people" => {
            navigator().push(Route::People {});
        }
        "audit" => {
            navigator().push(Route::Audit {});
        }
        _ => {
            spawn(async move {
                match api::logout().await {
                    Ok(_) => shared.sign_out(),
                    Err(failure) => shared.failed(&failure),
                }
            });
        }
    };
    let mut choices = vec![Choice::of("settings", "Settings", "")];
    if !guest {
        choices.push(Choice::of("people", "People", ""));
    }
    if owner {
        choices.push(Choice::of("audit", "Audit log", ""));
    }
    choices.push(Choice::Line);
    choices.push(Choice::of("out", "Sign out", ""));
    rsx! {
        header { class: "topbar",
            Link { class: "brand", to: Route::Sessions {}, "Duplex" }
            nav { class: "pages", aria_label: "Pages",
                Link { class: "button quiet small", active_class: "here", to: Route::Sessions {}, "Sessions" }
                if !guest {
                    Link { class: "button quiet small", active_class: "here", to: Route::Costs {}, "Costs" }
                }
            }
            span { class: "grow" }
            ThemeButton {}
            Menu {
                id: "account",
                label: "Account of {name}",
                class: "button quiet",
                choices,
                on_choose: choose,
                span { class: "muted who", "{name}" }
                {icon("person")}
            }
        }
    }
}
