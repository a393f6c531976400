//! The links by which others come to a session.

use crate::components::icon::icon;
use crate::interop::dom;
use crate::model::{ago, people};
use crate::net::api;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{Role, Seq, SessionId};
use duplex_wire::{MadeLink, MakeLink, ShareLink, Span};

/// For how long a link can work, in hours.
const HOURS: [(u32, &str); 4] = [
    (1, "an hour"),
    (24, "a day"),
    (168, "a week"),
    (720, "30 days"),
];
/// How many people it can be for.
const USES: [(u32, &str); 3] = [(0, "anybody"), (1, "one person"), (10, "ten people")];
/// What it can let people do; the last word is for the past alone.
const KINDS: [(&str, &str); 4] = [
    ("viewer", "read along"),
    ("commenter", "read and message"),
    ("driver", "drive"),
    ("past", "read what is here so far"),
];

/// Links: those there are, and a new one.
#[component]
pub(super) fn Links(id: SessionId, members: usize) -> Element {
    let shared = shared();
    let mut links = use_signal(|| None::<Vec<ShareLink>>);
    let mut made = use_signal(|| None::<MadeLink>);
    let mut problem = use_signal(|| None::<String>);
    let mut busy = use_signal(|| false);
    let load = move || async move {
        match api::links(id).await {
            Ok(found) => links.set(Some(found)),
            Err(failure) => problem.set(Some(failure.message)),
        }
    };
    // Who came or left may have used one.
    use_effect(use_reactive!(|(members)| {
        let _ = members;
        spawn(load());
    }));
    let make = move |wish: MakeLink| async move {
        busy.set(true);
        problem.set(None);
        match api::make_link(id, &wish).await {
            Ok(link) => {
                made.set(Some(link));
                load().await;
            }
            Err(failure) => problem.set(Some(failure.message)),
        }
        busy.set(false);
    };
    let revoke = move |link: String| async move {
        if let Err(failure) = api::revoke_link(id, &link).await {
            shared.failed(&failure);
        }
        if made
            .peek()
            .as_ref()
            .is_some_and(|made| made.link.id == link)
        {
            made.set(None);
        }
        load().await;
    };
    rsx! {
        section { class: "links",
            h3 { "Links" }
            p { class: "muted small",
                "Whoever has a link comes in by it, without an account too. It can be taken back at any time."
            }
            Wish { busy: busy(), on_wish: make }
            if let Some(why) = problem() {
                p { class: "problem", role: "alert", "{why}" }
            }
            if let Some(MadeLink { url, .. }) = made() {
                Made { url }
            }
            match links() {
                None => rsx! { span { class: "bone w60" } },
                Some(links) if links.is_empty() => rsx! { p { class: "muted", "There is no link yet." } },
                Some(links) => rsx! {
                    ul {
                        for link in links {
                            LinkRow { key: "{link.id}", link, on_revoke: revoke }
                        }
                    }
                },
            }
        }
    }
}

/// What a new link shall be.
#[component]
fn Wish(busy: bool, on_wish: EventHandler<MakeLink>) -> Element {
    let newest = shared().company.newest;
    let mut kind = use_signal(|| KINDS[0].0.to_owned());
    let mut hours = use_signal(|| 24_u32);
    let mut uses = use_signal(|| 0_u32);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let past = kind() == "past";
        let role = match kind().as_str() {
            "commenter" => Role::Commenter,
            "driver" => Role::Driver,
            _ => Role::Viewer,
        };
        let (first, last) = (Seq(0), *newest.peek());
        on_wish.call(MakeLink {
            role,
            hours: hours(),
            uses: Some(uses()).filter(|uses| *uses > 0),
            span: past.then_some(Span { first, last }),
            note: String::new(),
        });
    };
    rsx! {
        form { class: "wish", onsubmit: submit,
            span { "Let" }
            Words { label: "For whom", words: USES.map(|(n, word)| (n.to_string(), word)).to_vec(),
                chosen: uses().to_string(),
                on_choose: move |word: String| uses.set(word.parse().unwrap_or(0)) }
            Words { label: "What they may do", words: KINDS.map(|(kind, word)| (kind.to_owned(), word)).to_vec(),
                chosen: kind(),
                on_choose: move |word| kind.set(word) }
            span { "for" }
            Words { label: "For how long", words: HOURS.map(|(n, word)| (n.to_string(), word)).to_vec(),
                chosen: hours().to_string(),
                on_choose: move |word: String| hours.set(word.parse().unwrap_or(24)) }
            button { r#type: "submit", class: "button primary small", id: "make-link", disabled: busy,
                if busy { "Making…" } else { "Make a link" }
            }
        }
    }
}

#[component]
fn Words(
    label: &'static str,
    words: Vec<(String, &'static str)>,
    chosen: String,
    on_choose: EventHandler<String>,
) -> Element {
    rsx! {
        select { aria_label: label, onchange: move |event| on_choose.call(event.value()),
            for (value , word) in words {
                option { key: "{value}", selected: value == chosen, value: "{value}", "{word}" }
            }
        }
    }
}

/// The address, shown this once.
#[component]
fn Made(url: String) -> Element {
    let mut copied = use_signal(|| false);
    let address = url.clone();
    rsx! {
        div { class: "made",
            input {
                id: "made-link",
                class: "mono grow",
                readonly: true,
                aria_label: "The link",
                value: "{url}",
                onmounted: |_| dom::focus_on("#made-link"),
            }
            button {
                r#type: "button",
                class: "button small",
                onclick: move |_| {
                    let address = address.clone();
                    spawn(async move { copied.set(dom::copy_text(&address).await) });
                },
                {icon("copy")}
                if copied() { "Copied" } else { "Copy" }
            }
        }
        p { class: "muted small", "Copy it now: it is not shown again." }
    }
}

#[component]
fn LinkRow(link: ShareLink, on_revoke: EventHandler<String>) -> Element {
    let what = if link.span.is_some() {
        "reads the past".to_owned()
    } else {
        people::role(link.role).to_owned()
    };
    let used = match link.most_uses {
        Some(most) => format!("used {} of {most}", link.uses),
        None => format!("used {}", link.uses),
    };
    let state = if link.works {
        format!("works for {}", ago::left(dom::now(), link.expires_at))
    } else {
        "works no more".to_owned()
    };
    let id = link.id.clone();
    rsx! {
        li { class: "link", "data-works": link.works,
            {icon("link")}
            span { class: "grow",
                span { "{what}" }
                span { class: "muted small", "{used}, {state}, by {link.by}" }
            }
            if link.works {
                button {
                    r#type: "button",
                    class: "button quiet small",
                    title: "Nobody comes in by it any more, and who did is shut out",
                    onclick: move |_| on_revoke.call(id.clone()),
                    "Take back"
                }
            }
        }
    }
}
