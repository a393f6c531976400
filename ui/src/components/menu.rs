//! A button that opens a short list of things to do.

use super::icon::icon;
use crate::interop::dom;
use dioxus::prelude::*;
use dioxus::web::WebEventExt;

/// One thing of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Something to do: a word for the program, its name, and the keys that do it too.
    Do(String, String, &'static str),
    /// A file to download: its name and address.
    Save(&'static str, String),
    /// A line between two groups.
    Line,
}

impl Choice {
    /// Something to do.
    pub fn of(word: &str, name: impl Into<String>, keys: &'static str) -> Self {
        Self::Do(word.to_owned(), name.into(), keys)
    }
}

/// A menu: opened by its button, moved through with the arrow keys, left with Esc, Tab or a click elsewhere.
#[component]
pub fn Menu(
    id: &'static str,
    label: String,
    class: &'static str,
    choices: Vec<Choice>,
    on_choose: EventHandler<String>,
    children: Element,
) -> Element {
    let mut open = use_signal(|| false);
    let count = choices
        .iter()
        .filter(|choice| **choice != Choice::Line)
        .count();
    let mut close = move |back: bool| {
        open.set(false);
        if back {
            dom::focus_on(&format!("#{id}"));
        }
    };
    let keys = move |event: KeyboardEvent| {
        let step: usize = match event.key() {
            Key::ArrowDown => 1,
            Key::ArrowUp => count.saturating_sub(1),
            Key::Escape | Key::Tab => {
                event.prevent_default();
                event.stop_propagation();
                return close(true);
            }
            _ => return,
        };
        event.prevent_default();
        let here = dom::focused_place().unwrap_or_default();
        let there = (here + step).checked_rem(count).unwrap_or_default();
        dom::focus_on(&format!("#{id}-menu [data-place='{there}']"));
    };
    rsx! {
        div { class: "menu-place",
            button {
                r#type: "button",
                id,
                class,
                aria_label: "{label}",
                title: "{label}",
                aria_haspopup: "menu",
                aria_expanded: open(),
                onclick: move |_| open.toggle(),
                {children}
            }
            if open() {
                div {
                    class: "menu-layer",
                    popover: "manual",
                    onmounted: move |event| {
                        if let Some(layer) = event.data().try_as_web_event() {
                            dom::open_menu(&layer);
                        }
                    },
                    onclick: move |_| close(false),
                    div {
                        class: "menu",
                        id: "{id}-menu",
                        role: "menu",
                        aria_label: "{label}",
                        onkeydown: keys,
                        Items {
                            choices,
                            on_choose: move |word: String| {
                                close(true);
                                if !word.is_empty() {
                                    on_choose.call(word);
                                }
                            },
                        }
                    }
                }
            }
        }
    }
}

/// A menu's lines; what is saved chooses the empty word.
#[component]
fn Items(choices: Vec<Choice>, on_choose: EventHandler<String>) -> Element {
    let mut place = 0_usize..;
    rsx! {
        for (at , choice) in choices.into_iter().enumerate() {
            match choice {
                Choice::Line => rsx! {
                    hr { key: "{at}" }
                },
                Choice::Do(word, name, keys) => rsx! {
                    button {
                        key: "{at}",
                        r#type: "button",
                        role: "menuitem",
                        tabindex: "-1",
                        "data-place": place.next().unwrap_or_default(),
                        onclick: move |event| {
                            event.stop_propagation();
                            on_choose.call(word.clone());
                        },
                        span { class: "grow", "{name}" }
                        if !keys.is_empty() {
                            kbd { "{keys}" }
                        }
                    }
                },
                Choice::Save(name, address) => rsx! {
                    a {
                        key: "{at}",
                        role: "menuitem",
                        tabindex: "-1",
                        "data-place": place.next().unwrap_or_default(),
                        href: address,
                        download: "",
                        onclick: move |event| {
                            event.stop_propagation();
                            on_choose.call(String::new());
                        },
                        span { class: "grow", "{name}" }
                        {icon("download")}
                    }
                },
            }
        }
    }
}
