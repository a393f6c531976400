//! The chat among people: where the reader is, how far they have read, whom they follow.

use super::{Mounted, View};
use crate::model::rows::Heights;
use crate::net::feed::Msg;
use crate::net::link::Link;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::SessionId;
use duplex_wire::Pane;
use std::cell::RefCell;
use std::rc::Rc;

/// Tells which item is at the top, and that what is at the end has been read.
pub(super) fn tell(id: SessionId, view: Signal<View>, heights: Signal<Heights>) {
    let (shared, feed) = (shared(), feed());
    let company = shared.company;
    use_effect(move || {
        let View { top, pinned, .. } = view();
        let rows = shared.rows.peek().clone();
        let at = heights.peek().row_at(&rows, top).filter(|_| !pinned);
        let mut known = company.top;
        if *known.peek() != at {
            known.set(at);
        }
    });
    use_effect(move || {
        // What was missed is counted first: reading on moves the mark.
        let counted = company.missed.read().is_some();
        let seen = view().pinned && !(company.hidden)() && *shared.link.read() == Link::Live;
        // Whatever changes what is shown may have been read.
        let _ = (shared.rows.read(), shared.session.read());
        if counted && seen {
            feed.send(Msg::Read(id, *company.newest.peek()));
        }
    });
}

/// Goes where the page wants to, or where the person goes whom it follows.
pub(super) fn lead(view: Signal<View>, heights: Signal<Heights>, mounted: Rc<RefCell<Mounted>>) {
    let shared = shared();
    let company = shared.company;
    let to_leader = Rc::clone(&mounted);
    use_effect(move || {
        let Some(user) = *company.following.read() else {
            return;
        };
        let present = company.present.read();
        let leader = present.iter().find(|present| present.user == user);
        let Some(here) = leader
            .map(|leader| leader.here)
            .filter(|here| here.pane == Pane::Chat)
        else {
            return;
        };
        let mut jump = company.jump;
        match (here.top, &to_leader.borrow().scroller) {
            (Some(top), _) => jump.set(Some(top)),
            (None, Some(scroller)) => scroller.to_end(),
            (None, None) => {}
        }
    });
    use_effect(move || {
        let mut jump = company.jump;
        let Some(place) = jump() else {
            return;
        };
        let rows = shared.rows.read().clone();
        let first = rows.first().map(|row| row.0.place);
        let mounted = mounted.borrow();
        let Some(scroller) = &mounted.scroller else {
            return;
        };
        // Older rows are on their way once the view is near the beginning.
        let loaded = first.is_some_and(|first| first <= place) || !*shared.older.read();
        match heights.peek().find(&rows, place) {
            Some((row, top)) if loaded => {
                scroller.to_row(&row.to_string(), top);
                jump.set(None);
            }
            Some(_) if view.peek().top > 1.0 => {
                if let Some(first) = first {
                    scroller.to_row(&first.to_string(), 0.0);
                }
            }
            Some(_) => {}
            None => jump.set(None),
        }
    });
}
