//! A labelled line of a form, with what is wrong with it.

use crate::net::api::Failure;
use dioxus::prelude::*;

/// A labelled input. A failure that means its field stands beneath it.
#[component]
pub fn Field(
    label: &'static str,
    name: &'static str,
    value: Signal<String>,
    #[props(default = "text")] kind: &'static str,
    #[props(default = "off")] autocomplete: &'static str,
    #[props(default)] hint: &'static str,
    #[props(default)] focus: bool,
    #[props(default = true)] required: bool,
    problem: ReadSignal<Option<Failure>>,
) -> Element {
    let mut value = value;
    let why = problem.read().as_ref().and_then(|failure| {
        let here = failure.field.as_deref() == Some(name);
        here.then(|| failure.message.clone())
    });
    rsx! {
        label { class: "field",
            span { "{label}" }
            input {
                name,
                r#type: kind,
                autocomplete,
                autofocus: focus,
                required,
                value: "{value}",
                aria_invalid: why.is_some(),
                oninput: move |event| value.set(event.value()),
            }
            if let Some(why) = &why {
                span { class: "problem", role: "alert", "{why}" }
            } else if !hint.is_empty() {
                span { class: "muted small", "{hint}" }
            }
        }
    }
}

/// What is wrong with a form as a whole: a failure that means none of its fields.
pub fn general(problem: Option<&Failure>, fields: &[&str]) -> Element {
    let failure = problem.filter(|failure| {
        let field = failure.field.as_deref();
        !field.is_some_and(|field| fields.contains(&field))
    });
    rsx! {
        if let Some(failure) = failure {
            p { class: "problem", role: "alert", "{failure.message}" }
        }
    }
}

/// A list that could not be read.
pub fn unread(what: &str, failure: &Failure) -> Element {
    rsx! {
        div { class: "notice error", role: "alert",
            {super::icon::icon("alert")}
            span { "{what} could not be loaded: {failure.message}" }
        }
    }
}
