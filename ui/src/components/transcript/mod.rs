//! The chat's rows: only those in view exist, and the view follows the end.

use super::icon::icon;
use crate::interop::list::Scroller;
use crate::model::rows::{Heights, Row};
use crate::net::api;
use crate::net::feed::Msg;
use crate::state::{Shown, feed, shared};
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use duplex_domain::{ItemKind, Place, SessionId, UserId};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

mod approval;
mod company;
mod markdown;
mod queued;
mod row;
mod tool;
pub use tool::DiffView;

/// How near the beginning older rows are asked for, in pixels.
const NEAR: f64 = 800.0;

/// Rows whose folding a person changed. Kept here, since rows come and go with the view.
#[derive(Clone, Copy, PartialEq)]
struct Toggled(Signal<HashSet<Place>>);

impl Toggled {
    fn has(self, place: Place) -> bool {
        self.0.read().contains(&place)
    }

    fn flip(mut self, place: Place) {
        let mut toggled = self.0.write();
        if !toggled.remove(&place) {
            toggled.insert(place);
        }
    }
}

/// The view: its top and height in pixels, and whether it is at the end.
#[derive(Clone, Copy, PartialEq)]
struct View {
    top: f64,
    height: f64,
    pinned: bool,
}

#[derive(Default)]
struct Mounted {
    scroller: Option<Scroller>,
    /// Rows that were there before the scroller.
    waiting: Vec<web_sys::Element>,
}

impl Mounted {
    fn observe(&mut self, row: web_sys::Element) {
        match &self.scroller {
            Some(scroller) => scroller.observe(&row),
            None => self.waiting.push(row),
        }
    }
}

/// The transcript of a session.
#[component]
pub fn Transcript(id: SessionId) -> Element {
    let shared = shared();
    use_context_provider(|| Toggled(Signal::new(HashSet::new())));
    let mounted = use_hook(|| Rc::new(RefCell::new(Mounted::default())));
    let heights = use_signal(Heights::default);
    let view = use_signal(|| View {
        top: 0.0,
        height: 800.0,
        pinned: true,
    });
    // The newest row when the view left the end.
    let mut left = use_signal(|| None::<Row>);
    let window = use_memo(move || {
        let View {
            top,
            height,
            pinned,
        } = view();
        heights
            .read()
            .window(&shared.rows.read(), top, height, pinned)
    });
    load_older(id, view);
    company::tell(id, view, heights);
    company::lead(view, heights, Rc::clone(&mounted));
    let at_end = Rc::clone(&mounted);
    use_effect(move || {
        let asked = *shared.ends.read() > 0;
        if let Some(scroller) = at_end.borrow().scroller.as_ref().filter(|_| asked) {
            scroller.to_end();
        }
    });
    use_effect(move || {
        let pinned = view().pinned;
        let newest = shared.rows.peek().last().cloned();
        let kept = left.peek().is_some();
        match (pinned, kept) {
            (true, true) => left.set(None),
            (false, false) => left.set(newest),
            _ => {}
        }
    });
    let rows = Rc::clone(&shared.rows.read());
    let session = shared.session.read().clone();
    let window = window.read().clone();
    let count = rows.len();
    let shown = window.rows.start.min(count)..window.rows.end.min(count);
    let last_open = rows
        .iter()
        .rposition(|row| matches!(&row.0.kind, ItemKind::Text { open: true, .. }));
    let news = left.read().is_some() && *left.read() != rows.last().cloned();
    let away = !view.read().pinned;
    let missed = shared.company.missed.read().clone();
    let first_new = missed.and_then(|missed| missed.digest.first);
    let (at_scroller, at_rows, at_button) = (Rc::clone(&mounted), Rc::clone(&mounted), mounted);
    rsx! {
        div {
            class: "log",
            id: "log",
            role: "log",
            aria_label: "Conversation",
            aria_live: "off",
            aria_busy: last_open.is_some(),
            tabindex: 0,
            onmounted: move |event| attach(&event, &at_scroller, view, heights),
            div { class: "log-content",
                div { class: "spacer", style: "height: {window.above}px" }
                if rows.is_empty() {
                    Beginning {}
                }
                for (index , row) in rows[shown.clone()].iter().cloned().enumerate() {
                    div {
                        key: "{row.0.place}",
                        class: "row",
                        "data-row": "{row.0.place}",
                        "data-first-new": first_new == Some(row.0.place),
                        "aria-setsize": "{count}",
                        "aria-posinset": "{shown.start + index + 1}",
                        onmounted: {
                            let mounted = Rc::clone(&at_rows);
                            move |event: Event<MountedData>| {
                                if let Some(element) = event.data().try_as_web_event() {
                                    mounted.borrow_mut().observe(element);
                                }
                            }
                        },
                        row::RowView {
                            session: id,
                            author: author(session.as_ref(), &row),
                            mine: is_mine(shared.me.read().as_ref(), &row),
                            caret: last_open == Some(shown.start + index),
                            row: row.clone(),
                        }
                    }
                }
                div { class: "spacer", style: "height: {window.below}px" }
                queued::Queued { id }
            }
        }
        if away {
            button {
                r#type: "button",
                class: "jump button",
                onclick: move |_| {
                    if let Some(scroller) = &at_button.borrow().scroller {
                        scroller.to_end();
                    }
                },
                {icon("down")}
                if news { "New messages" } else { "Latest" }
            }
        }
    }
}

/// Rows that do not change any more, all of them at once.
#[component]
pub fn Past(session: SessionId, rows: Vec<Row>, people: BTreeMap<String, String>) -> Element {
    use_context_provider(|| Toggled(Signal::new(HashSet::new())));
    let author = |row: &Row| {
        let name = by(row).and_then(|by| people.get(&by.to_string()));
        name.cloned().unwrap_or_default()
    };
    rsx! {
        div { class: "log", id: "log", role: "log", aria_label: "Conversation", tabindex: 0,
            div { class: "log-content",
                if rows.is_empty() {
                    div { class: "empty", p { "Nothing was said in what is shared." } }
                }
                for row in rows {
                    div { key: "{row.0.place}", class: "row", "data-row": "{row.0.place}",
                        row::RowView { session, author: author(&row), mine: false, caret: false, row: row.clone() }
                    }
                }
            }
        }
    }
}

/// What shows where nothing was said yet.
#[component]
fn Beginning() -> Element {
    let shared = shared();
    let known = shared.session.read().is_some();
    let quiet = shared.outgoing.read().is_empty()
        && shared
            .session
            .read()
            .as_ref()
            .is_some_and(|session| session.0.queue.is_empty());
    rsx! {
        if known && quiet {
            div { class: "empty",
                p { "Nothing was said yet. Tell the agent what to do." }
            }
        }
    }
}

fn attach(
    event: &Event<MountedData>,
    mounted: &Rc<RefCell<Mounted>>,
    mut view: Signal<View>,
    mut heights: Signal<Heights>,
) {
    let element = event.data().try_as_web_event();
    let Some((element, content)) = element.and_then(|element| {
        let content = element.first_element_child()?;
        Some((element, content))
    }) else {
        return;
    };
    let scroller = Scroller::new(
        &element,
        &content,
        move |top, height, pinned| {
            let now = View {
                top,
                height,
                pinned,
            };
            if *view.peek() != now {
                view.set(now);
            }
        },
        move |rows, measured| {
            let rows = rows.iter().map(|row| row.parse::<Place>());
            let mut news = false;
            heights.with_mut(|heights| {
                for (row, height) in rows.zip(measured) {
                    news |= row.is_ok_and(|place| heights.learn(place, height));
                }
            });
            let _ = news;
        },
    );
    let mut mounted = mounted.borrow_mut();
    for row in std::mem::take(&mut mounted.waiting) {
        scroller.observe(&row);
    }
    mounted.scroller = Some(scroller);
}

/// Asks for older rows when the view nears the beginning.
fn load_older(id: SessionId, view: Signal<View>) {
    let shared = shared();
    let feed = feed();
    let mut asking = use_signal(|| false);
    use_effect(move || {
        let near = view().top < NEAR;
        let older = *shared.older.read();
        let first = shared.rows.read().first().map(|row| row.0.place);
        let Some(before) = first.filter(|_| near && older && !*asking.peek()) else {
            return;
        };
        asking.set(true);
        spawn(async move {
            match api::items(id, before).await {
                Ok(page) => feed.send(Msg::Older(id, page.items, page.before.is_some())),
                Err(failure) => shared.failed(&failure),
            }
            asking.set(false);
        });
    });
}

/// Whose doing a row is; none if it is no person's.
fn by(row: &Row) -> Option<UserId> {
    match &row.0.kind {
        ItemKind::Message { by, .. } => Some(*by),
        ItemKind::Again { by, .. }
        | ItemKind::Restored { by, .. }
        | ItemKind::Committed { by, .. } => *by,
        _ => None,
    }
}

fn author(session: Option<&Shown>, row: &Row) -> String {
    let Some(by) = by(row) else {
        return String::new();
    };
    let member = session.and_then(|session| session.0.members.get(&by));
    member.map_or_else(|| "Somebody".to_owned(), |member| member.name.clone())
}

fn is_mine(me: Option<&duplex_wire::Me>, row: &Row) -> bool {
    matches!(&row.0.kind, ItemKind::Message { by, .. } if me.is_some_and(|me| me.id == *by))
}
