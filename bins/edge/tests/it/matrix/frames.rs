//! Every kind of frame that a page may send, from everybody.

use super::cast::Cast;
use super::{VIEWERS, assert_row};
use crate::feed::Socket;
use duplex_domain::{Seq, SessionId};
use duplex_wire::{Close, Down, Up};

/// Every kind of frame about a session. The match makes a new kind a compile error here.
fn frames(session: SessionId) -> Vec<Up> {
    let all = vec![
        Up::Unwatch { session },
        Up::Drawn { session, bytes: 1 },
        Up::Presence {
            session,
            here: duplex_wire::Here::default(),
        },
        Up::Read {
            session,
            seq: Seq(1),
        },
    ];
    for frame in &all {
        match frame {
            // They ask for nothing and are answered by nothing.
            Up::Unwatch { .. } | Up::Drawn { .. } | Up::Presence { .. } | Up::Read { .. } => {}
            // These have rows of their own.
            Up::Watch { .. } | Up::Command { .. } | Up::Ping {} => unreachable!(),
        }
    }
    all
}

#[tokio::test]
async fn everybody_watches_the_session_if_the_table_says_so_and_else_learns_nothing() {
    let cast = Cast::assemble().await;
    let mut found = String::new();
    for caller in &cast.callers {
        let person = &caller.person;
        let cookie = Some(person.cookie.as_str()).filter(|cookie| !cookie.is_empty());
        let mut socket = Socket::dial(&person.base, &person.base, cookie).await;
        found.push(watches(&mut socket, cast.session).await);
    }
    assert_row("watch", &found, VIEWERS);
}

/// Whether a socket is shown a session, as a mark.
async fn watches(socket: &mut Socket, session: SessionId) -> char {
    let first = socket.first().await;
    let Ok(Down::Welcome { .. }) = first else {
        assert_eq!(first, Err(Some(Close::SignedOut)));
        return '1';
    };
    socket.watch(session, None).await;
    match socket.down().await {
        Down::Snapshot { .. } => '+',
        Down::Refused { code, .. } => {
            assert_eq!(code, "not_found");
            '4'
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn frames_about_a_session_that_is_not_watched_do_nothing_whoever_sends_them() {
    let cast = Cast::assemble().await;
    let mut watcher = Socket::watching(&cast.callers[4].person, cast.session).await;
    for caller in &cast.callers[1..11] {
        let mut socket = Socket::any(&caller.person).await;
        for frame in frames(cast.session) {
            socket.send(serde_json::to_string(&frame).unwrap()).await;
        }
        socket.answers().await;
    }
    // Nobody but the watcher itself was ever said to be at the session.
    let seen = watcher.everybody_present().await;
    assert_eq!(seen, [cast.callers[4].person.id].into());
}
