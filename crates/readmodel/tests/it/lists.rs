//! A person's sessions, page by page.

use crate::stage::Stage;
use crate::story::{ADA, BOB, EVE, SHELL, Story, TEAM, session, workspace};
use duplex_domain::{Event, Lane, Mode, SessionId, State, TeamId, TerminalEnd, UserId};
use duplex_readmodel::{DatabaseError, Filter};
use duplex_wire::{SessionRow, Working};
use uuid::Uuid;

/// The ids a person sees under a filter, on one page.
async fn seen(stage: &Stage, user: UserId, filter: &Filter) -> Vec<SessionId> {
    let page = stage.database.sessions(user, TEAM, filter, None, 200);
    let page = page.await.unwrap();
    page.sessions.iter().map(|row| row.id).collect()
}

fn q(text: &str) -> Filter {
    Filter {
        q: Some(text.into()),
        ..Filter::default()
    }
}

#[tokio::test]
async fn pages_show_every_session_once_while_others_are_opened() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    for n in 1..=200 {
        story.open(session(n), ADA, "one of many");
        if n % 4 == 0 {
            story.person(session(n), ADA, Event::Ended {});
        }
    }
    stage.project(&story.frames).await;

    let mut pages = Vec::new();
    let mut cursor = None;
    for newer in 201.. {
        let filter = Filter::default();
        let page = stage
            .database
            .sessions(ADA, TEAM, &filter, cursor.as_deref(), 23);
        let page = page.await.unwrap();
        pages.extend(page.sessions.iter().map(|row| row.id));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
        story.open(session(newer), ADA, "opened meanwhile");
        stage.project(&story.frames).await;
    }

    let active = (1..=200).rev().filter(|n| n % 4 != 0);
    let ended = (1..=200).rev().filter(|n| n % 4 == 0);
    let all: Vec<_> = active.chain(ended).map(session).collect();
    assert_eq!(pages, all);
}

#[tokio::test]
async fn strangers_see_nothing() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    story.open(session(1), ADA, "shared");
    story.open(session(2), ADA, "private");
    story.join(session(1), BOB);
    stage.project(&story.frames).await;
    let all = Filter::default();

    assert_eq!(seen(&stage, ADA, &all).await, [session(2), session(1)]);
    assert_eq!(seen(&stage, BOB, &all).await, [session(1)]);
    assert_eq!(seen(&stage, EVE, &all).await, []);
    let elsewhere = TeamId(Uuid::from_u128(0xe15e));
    let page = stage.database.sessions(ADA, elsewhere, &all, None, 50);
    assert_eq!(page.await.unwrap().sessions, []);

    story.person(session(1), ADA, Event::MemberRemoved { user: BOB });
    stage.project(&story.frames).await;
    assert_eq!(seen(&stage, BOB, &all).await, []);
}

#[tokio::test]
async fn a_person_s_running_terminals_are_listed_over_all_sessions() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    for n in 1..=3 {
        story.open(session(n), ADA, "at work");
        story.join(session(n), BOB);
    }
    for n in 1..=2 {
        story.open_terminal(session(n));
    }
    let (terminal, name) = (SHELL, "server".to_owned());
    story.person(session(2), BOB, Event::TerminalRenamed { terminal, name });
    stage.project(&story.frames).await;

    let own = stage.database.own_terminals(TEAM, ADA).await.unwrap();
    let seen = own.iter().map(|own| (own.session, own.name.as_str()));
    let expected = [(session(1), ""), (session(2), "server")];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    assert_eq!(stage.database.own_terminals(TEAM, BOB).await.unwrap(), []);

    let end = TerminalEnd::Code(0);
    story.claim(session(1));
    story.runner(
        session(1),
        Lane::Fact,
        vec![Event::TerminalExited { terminal, end }],
    );
    stage.project(&story.frames).await;
    let own = stage.database.own_terminals(TEAM, ADA).await.unwrap();
    assert_eq!(own.len(), 1);
}

#[tokio::test]
async fn a_search_takes_every_letter_as_itself() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let titles = [
        "100% done",
        "100 done",
        r"back\slash",
        "snake_case",
        "snakeXcase",
        "NUL\0here",
    ];
    for (n, title) in (1..).zip(titles) {
        story.open(session(n), ADA, title);
    }
    stage.project(&story.frames).await;

    assert_eq!(seen(&stage, ADA, &q("100%")).await, [session(1)]);
    assert_eq!(seen(&stage, ADA, &q(r"K\S")).await, [session(3)]);
    assert_eq!(seen(&stage, ADA, &q("e_c")).await, [session(4)]);
    assert_eq!(seen(&stage, ADA, &q("nulhere")).await, [session(6)]);
    assert_eq!(seen(&stage, ADA, &q("NUL\0HERE")).await, [session(6)]);
    assert_eq!(seen(&stage, ADA, &q("/srv/CODE")).await.len(), 6);
    assert_eq!(seen(&stage, ADA, &q("  ")).await.len(), 6);
    assert_eq!(seen(&stage, ADA, &q("nowhere")).await, []);
    let id = session(2);
    assert_eq!(seen(&stage, ADA, &q(&id.to_string())).await, [id]);
    assert_eq!(seen(&stage, ADA, &q(&id.0.to_string())).await, [id]);
}

#[tokio::test]
async fn a_list_can_be_narrowed() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    story.open(session(1), ADA, "over");
    story.person(session(1), ADA, Event::Ended {});
    story.open(session(2), ADA, "on");
    stage.project(&story.frames).await;
    let only = |state| Filter {
        state: Some(state),
        ..Filter::default()
    };

    assert_eq!(seen(&stage, ADA, &only(State::Ended)).await, [session(1)]);
    assert_eq!(seen(&stage, ADA, &only(State::Active)).await, [session(2)]);
    let of = |n| Filter {
        workspace: Some(workspace(n)),
        ..Filter::default()
    };
    assert_eq!(seen(&stage, ADA, &of(1)).await.len(), 2);
    assert_eq!(seen(&stage, ADA, &of(2)).await, []);
}

#[tokio::test]
async fn a_row_says_what_the_session_is() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "counted");
    story.claim(id);
    let message = story.post(id, 1, "go");
    story.start_turn(id, 2, vec![message]);
    story.say(id, 0, &["gone"]);
    story.close(id, 0);
    story.end_turn(id);
    story.post(id, 3, "and again");
    let (mode, pico) = (Mode::Plan, Some(9_000_000));
    story.person(id, ADA, Event::ModeChosen { mode });
    story.person(id, ADA, Event::BudgetSet { pico });
    stage.project(&story.frames).await;

    let filter = Filter::default();
    let page = stage.database.sessions(ADA, TEAM, &filter, None, 50);

    let session = stage.rows(id).await.session;
    let row = SessionRow::of(&session);
    assert_eq!(row.working, Working::Waiting);
    assert_eq!(row.cost.pico, 5_000_000);
    assert_eq!((row.mode, row.budget), (mode, pico));
    assert_eq!(page.await.unwrap().sessions, [row]);
}

#[tokio::test]
async fn a_cursor_from_elsewhere_is_refused() {
    let stage = Stage::start().await;
    for cursor in ["", "a", "x0", "a'; DROP SCHEMA view", "e\0"] {
        let filter = Filter::default();
        let page = stage
            .database
            .sessions(ADA, TEAM, &filter, Some(cursor), 50);
        let refused = page.await;
        assert!(matches!(refused, Err(DatabaseError::Cursor)), "{cursor:?}");
    }
}
