//! One person of the team.

use super::Wish;
use crate::interop::dom;
use crate::model::ago::ago;
use dioxus::prelude::*;
use duplex_wire::{Me, TeamPerson, TeamRole};

/// Who it is, what they may do, and what an owner may do about it.
#[component]
pub fn Row(me: Me, person: TeamPerson, on_wish: EventHandler<Wish>) -> Element {
    let owner = me.role == TeamRole::Owner;
    let (own, disabled) = (person.id == me.id, person.disabled);
    let seen = match person.seen_at {
        Some(seen) => format!("last here {}", ago(dom::now(), seen)),
        None => "not here yet".to_owned(),
    };
    rsx! {
        li { class: "entry", "data-disabled": disabled,
            div { class: "grow",
                strong { "{person.name}" }
                if own {
                    span { class: "chip", "you" }
                }
                if person.disabled {
                    span { class: "chip warn", "shut out" }
                }
                div { class: "muted small",
                    "{person.email}"
                    if owner {
                        ", {seen}"
                    }
                }
            }
            if owner {
                Administer { own, person, on_wish }
            } else {
                span { class: "muted", "{person.role.word()}" }
            }
        }
    }
}

#[component]
fn Administer(own: bool, person: TeamPerson, on_wish: EventHandler<Wish>) -> Element {
    let (name, role, disabled) = (person.name.clone(), person.role, person.disabled);
    let wish = move |wish: fn(TeamPerson) -> Wish| on_wish.call(wish(person.clone()));
    let wish = use_callback(wish);
    let choose = move |event: FormEvent| {
        let role = TeamRole::of(&event.value());
        wish.call(match role {
            TeamRole::Owner => |who| Wish::Role(who, TeamRole::Owner),
            TeamRole::Member => |who| Wish::Role(who, TeamRole::Member),
            TeamRole::Guest => |who| Wish::Role(who, TeamRole::Guest),
        });
    };
    rsx! {
        div { class: "entry-actions",
            select { aria_label: "Role of {name}", onchange: choose,
                for word in TeamRole::ALL {
                    option { key: "{word.word()}", value: word.word(), selected: role == word, "{word.word()}" }
                }
            }
            if !own {
                if !disabled {
                    button { r#type: "button", class: "button quiet", aria_label: "New password for {name}", onclick: move |_| wish.call(Wish::Reset), "New password" }
                    button { r#type: "button", class: "button quiet", aria_label: "Hand over to {name}", onclick: move |_| wish.call(Wish::Transfer), "Hand over" }
                    button { r#type: "button", class: "button quiet", aria_label: "Shut out {name}", onclick: move |_| wish.call(|who| Wish::Disabled(who, true)), "Shut out" }
                } else {
                    button { r#type: "button", class: "button", aria_label: "Let {name} in again", onclick: move |_| wish.call(|who| Wish::Disabled(who, false)), "Let in again" }
                }
            }
        }
    }
}
