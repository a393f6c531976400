//! The page of the team: who is in it, and who is invited.

mod invitations;
mod row;

use crate::components::confirm::Confirm;
use crate::components::field::{Field, general, unread};
use crate::components::secret::SecretOnce;
use crate::components::top_bar::TopBar;
use crate::interop::dom;
use crate::net::api::Failure;
use crate::net::people;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire::{Me, TeamPerson, TeamRole};
use invitations::Invitations;
use row::Row;

/// What an owner wants of somebody.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// That they are this in the team.
    Role(TeamPerson, TeamRole),
    /// That they are out, or in again.
    Disabled(TeamPerson, bool),
    /// A link by which they choose a new password.
    Reset(TeamPerson),
    /// That they own the team instead.
    Transfer(TeamPerson),
}

impl Wish {
    /// What is asked before: title, text and the answer's word. Nothing for what is easily undone.
    fn question(&self, me: &Me) -> Option<(String, String, &'static str)> {
        match self {
            Self::Role(who, role) if who.id == me.id => Some((
                "Step down?".to_owned(),
                format!("You will be a {} of {}; another owner can undo this.", role.word(), me.team),
                "Step down",
            )),
            Self::Role(who, role) => Some((
                format!("Make {} a {}?", who.name, role.word()),
                "They are signed out everywhere and sign in again with what the new role allows.".to_owned(),
                "Change",
            )),
            Self::Disabled(who, true) => Some((
                format!("Shut {} out?", who.name),
                "They are signed out at once, and neither they nor their tokens get in. You can let them in again.".to_owned(),
                "Shut out",
            )),
            Self::Transfer(who) => Some((
                format!("Hand {} over to {}?", me.team, who.name),
                "They become an owner, and you become a member, in one step. They sign in again.".to_owned(),
                "Hand over",
            )),
            Self::Disabled(_, false) | Self::Reset(_) => None,
        }
    }

    /// Does it; a link may come of it.
    async fn fulfil(&self) -> Result<Option<(String, String)>, Failure> {
        match self {
            Self::Role(who, role) => people::set_role(who.id, *role).await.map(|_| None),
            Self::Disabled(who, disabled) => {
                people::set_disabled(who.id, *disabled).await.map(|_| None)
            }
            Self::Transfer(who) => people::transfer(who.id).await.map(|_| None),
            Self::Reset(who) => {
                let link = people::reset_link(who.id).await?;
                Ok(Some((who.name.clone(), link.link)))
            }
        }
    }
}

/// The people of the team.
#[component]
pub fn People() -> Element {
    let shared = shared();
    use_effect(|| dom::set_title("People — Duplex"));
    let me = shared.me.read().clone();
    rsx! {
        TopBar {}
        main { class: "page people", id: "content",
            if let Some(me) = me {
                if me.role == TeamRole::Owner {
                    TeamName { key: "{me.team}", me: me.clone() }
                } else {
                    div { class: "page-head", h1 { "{me.team}" } }
                }
                List { me: me.clone() }
                if me.role == TeamRole::Owner {
                    Invitations {}
                }
            } else {
                p { class: "muted", aria_busy: true, "Reading…" }
            }
        }
    }
}

#[component]
fn List(me: Me) -> Element {
    let shared = shared();
    let mut list = use_resource(move || {
        let _ = shared.nudges.read();
        people::people()
    });
    let mut wish = use_signal(|| None::<Wish>);
    let mut link = use_signal(|| None::<(String, String)>);
    let mut busy = use_signal(|| false);
    // Counts answers, so that a role that was chosen and not confirmed is not shown on.
    let mut round = use_signal(|| 0_u32);
    let fulfil = move |wanted: Wish| {
        spawn(async move {
            busy.set(true);
            match wanted.fulfil().await {
                Ok(made) => link.set(made),
                Err(failure) => shared.failed(&failure),
            }
            busy.set(false);
            wish.set(None);
            round += 1;
            shared.look_at_me().await;
            list.restart();
        });
    };
    let asker = me.clone();
    let wanted = move |wanted: Wish| match wanted.question(&asker) {
        Some(_) => wish.set(Some(wanted)),
        None => fulfil(wanted),
    };
    let wanted = EventHandler::new(wanted);
    let shown = match &*list.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => unread("The people", failure),
        Some(Ok(people)) => rsx! {
            ul { class: "entries",
                for person in people.clone() {
                    Row { key: "{person.id}-{round}", me: me.clone(), person, on_wish: wanted }
                }
            }
        },
    };
    let question = wish().and_then(|wish| Some((wish.question(&me)?, wish)));
    rsx! {
        section { class: "own-part", aria_labelledby: "people",
            h2 { id: "people", "People" }
            {shown}
        }
        if let Some(((title, text, action), wish_)) = question {
            Confirm {
                title,
                text,
                action,
                busy: busy(),
                on_yes: move |()| fulfil(wish_.clone()),
                on_no: move |()| {
                    wish.set(None);
                    round += 1;
                },
            }
        }
        if let Some((name, secret)) = link() {
            SecretOnce {
                title: "Link for a new password",
                text: "Give it to {name}: it works once, for 24 hours, and is not shown again.",
                secret,
                on_close: move |()| link.set(None),
            }
        }
    }
}

#[component]
fn TeamName(me: Me) -> Element {
    let shared = shared();
    let mut editing = use_signal(|| false);
    let start = me.team.clone();
    let name = use_signal(move || start);
    let mut problem = use_signal(|| None::<Failure>);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        spawn(async move {
            match people::rename_team(name()).await {
                Ok(_) => {
                    shared.look_at_me().await;
                    editing.set(false);
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    rsx! {
        div { class: "page-head",
            if editing() {
                form { class: "form-line grow", onsubmit: submit,
                    Field { label: "The team's name", name: "name", value: name, focus: true, problem }
                    button { r#type: "submit", class: "button primary", "Save" }
                    button { r#type: "button", class: "button", onclick: move |_| editing.set(false), "Cancel" }
                }
                {general(problem.read().as_ref(), &["name"])}
            } else {
                h1 { "{me.team}" }
                button { r#type: "button", class: "button quiet", onclick: move |_| editing.set(true), "Rename" }
            }
        }
    }
}
