//! Two panes beside each other, with a divider that can be moved.

use crate::interop::dom;
use crate::model::split::{DEFAULT, Side, Split};
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use wasm_bindgen::JsCast;

/// Where the divider is, and where that is kept.
#[derive(Clone, PartialEq)]
pub struct Divider {
    /// Where it is.
    pub split: Signal<Split>,
    key: String,
}

impl Divider {
    /// The divider kept under a key, as it was left. To be called in a component.
    #[must_use]
    pub fn restored(key: String) -> Self {
        let split = Split::restored(dom::stored(&key).as_deref(), DEFAULT);
        Self {
            split: Signal::new(split),
            key,
        }
    }

    /// Folds a side away, or back.
    pub fn fold(&self, side: Side) {
        let mut split = self.split;
        let folded = split.peek().folding(side);
        split.set(folded);
    }

    fn put(&self, to: Split) {
        let mut split = self.split;
        split.set(to);
    }

    fn save(&self) {
        if let Some(text) = self.split.peek().saved() {
            dom::store(&self.key, Some(text));
        }
    }
}

/// Two panes and the divider between them.
#[component]
pub fn SplitPane(divider: Divider, left: Element, right: Element) -> Element {
    let split = *divider.split.read();
    // Where the pointer went down, in per cent, and whether it moved since.
    let mut drag = use_signal(|| None::<(f64, bool)>);
    let (moved, up, keys, reset) = (divider.clone(), divider.clone(), divider.clone(), divider);
    let label = match split.folded {
        None => "Divider between chat and terminal",
        Some(Side::Left) => "Divider; the chat is folded away",
        Some(Side::Right) => "Divider; the terminal is folded away",
    };
    let folded = match split.folded {
        None => "",
        Some(Side::Left) => "left",
        Some(Side::Right) => "right",
    };
    let shown = split.shown();
    rsx! {
        div {
            class: "split",
            "data-folded": folded,
            "data-dragging": drag.read().is_some(),
            style: "--share: {shown:.2}%",
            div { class: "pane left", {left} }
            div {
                class: "separator",
                role: "separator",
                tabindex: 0,
                aria_label: label,
                "aria-orientation": "vertical",
                "aria-valuemin": "0",
                "aria-valuemax": "100",
                "aria-valuenow": "{shown:.0}",
                onpointerdown: move |event| {
                    if let Some(at) = place(&event, true) {
                        event.prevent_default();
                        drag.set(Some((at, false)));
                    }
                },
                onpointermove: move |event| {
                    let Some((from, _)) = *drag.peek() else { return };
                    let Some(to) = place(&event, false) else { return };
                    let now = *moved.split.peek();
                    let next = now.dragged(from, to);
                    if next != now {
                        moved.put(next);
                        drag.set(Some((from, true)));
                    }
                },
                onpointerup: move |_| {
                    if let Some((_, true)) = drag.take() {
                        up.save();
                    }
                },
                onpointercancel: move |_| drag.set(None),
                ondoubleclick: move |_| {
                    reset.put(Split::restored(None, DEFAULT));
                    reset.save();
                },
                onkeydown: move |event| {
                    let now = *keys.split.peek();
                    let next = match event.key() {
                        Key::ArrowLeft => now.stepped(false),
                        Key::ArrowRight => now.stepped(true),
                        Key::Home => Split::at_edge(false),
                        Key::End => Split::at_edge(true),
                        _ => return,
                    };
                    event.prevent_default();
                    keys.put(next);
                    keys.save();
                },
            }
            div { class: "pane right", {right} }
        }
    }
}

/// Where the pointer is over the panes, in per cent; `capture` has it report here until it is let go.
fn place(event: &Event<PointerData>, capture: bool) -> Option<f64> {
    let event = event.data().try_as_web_event()?;
    let separator: web_sys::Element = event.target()?.dyn_into().ok()?;
    if capture {
        if event.button() != 0 {
            return None;
        }
        separator.set_pointer_capture(event.pointer_id()).ok()?;
    }
    let panes = separator
        .closest(".split")
        .ok()??
        .get_bounding_client_rect();
    let at = f64::from(event.client_x()) - panes.left();
    (panes.width() > 0.0).then(|| at / panes.width() * 100.0)
}
