//! The rules, as sentences.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking"
)]

mod story;

use duplex_domain::{
    Command, Delivery, EndReason, Event, Refusal, Role, Size, TerminalEnd, TerminalId, decide, work,
};
use story::*;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(500);
const SIZE: Size = Size { cols: 80, rows: 24 };

fn say(text: &str) -> Command {
    let delivery = Delivery::Queue;
    let text = text.into();
    Command::PostMessage { text, delivery }
}

#[test]
fn to_a_stranger_a_session_does_not_exist() {
    let session = after([opened_by(ADA)]);

    assert_eq!(
        decide(&session, EVE, ID, say("hi")),
        Err(Refusal::NotAMember)
    );
    assert_eq!(
        decide(&session, EVE, ID, Command::End),
        Err(Refusal::NotAMember)
    );
}

#[test]
fn each_role_may_do_what_it_may_and_no_more() {
    let commands = [
        (Role::Commenter, say("hi")),
        (Role::Driver, Command::TakeControl),
        (Role::Driver, Command::OpenTerminal { size: SIZE }),
        (Role::Driver, Command::Interrupt { turn: None }),
        (Role::Owner, Command::End),
        (Role::Owner, Command::RemoveMember { user: EVE }),
    ];
    for role in [Role::Viewer, Role::Commenter, Role::Driver, Role::Owner] {
        let session = after([opened_by(ADA), joined(BOB, role)]);
        for (least, command) in &commands {
            let refused = decide(&session, BOB, ID, command.clone()) == Err(Refusal::RoleTooSmall);
            assert_eq!(refused, role < *least, "{role:?} {command:?}");
        }
    }
}

#[test]
fn the_same_message_sent_twice_is_one_message() {
    let first = decide(&after([opened_by(ADA)]), ADA, ID, say("hi")).unwrap();
    let session = after([opened_by(ADA), by(ADA, first.unwrap())]);

    assert_eq!(decide(&session, ADA, ID, say("hi")), Ok(None));
}

#[test]
fn a_message_has_words_and_a_bound() {
    let session = after([opened_by(ADA)]);

    assert_eq!(decide(&session, ADA, ID, say(" \n")), Err(Refusal::Empty));
    let long = "x".repeat(256 * 1024 + 1);
    assert_eq!(decide(&session, ADA, ID, say(&long)), Err(Refusal::TooLong));
}

#[test]
fn a_wish_to_steer_is_refused_and_not_quietly_queued() {
    let session = after([opened_by(ADA)]);
    let (text, delivery) = ("left, please".into(), Delivery::Steer);

    let refused = decide(&session, ADA, ID, Command::PostMessage { text, delivery });

    assert_eq!(refused, Err(Refusal::NoSteering));
}

#[test]
fn only_its_author_edits_a_queued_message() {
    let session = after([
        opened_by(ADA),
        joined(BOB, Role::Owner),
        posted(ADA, 9, "one"),
    ]);
    let edit = Command::EditMessage {
        message: message(9),
        text: "two".into(),
    };

    assert_eq!(
        decide(&session, BOB, ID, edit.clone()),
        Err(Refusal::NotYours)
    );
    assert!(decide(&session, ADA, ID, edit).unwrap().is_some());
}

#[test]
fn a_message_that_a_turn_took_up_cannot_be_withdrawn() {
    let session = after([
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
    ]);
    let withdraw = Command::WithdrawMessage {
        message: message(9),
    };

    assert_eq!(decide(&session, ADA, ID, withdraw), Err(Refusal::NotQueued));
}

#[test]
fn to_interrupt_twice_or_when_idle_is_harmless() {
    let interrupt = Command::Interrupt { turn: None };
    let idle = after([opened_by(ADA)]);
    assert_eq!(decide(&idle, ADA, ID, interrupt.clone()), Ok(None));

    let mut events = vec![
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
    ];
    let asked = decide(&after(events.clone()), ADA, ID, interrupt.clone()).unwrap();
    let mut asked = by(ADA, asked.unwrap());
    asked.turn = Some(TURN);
    events.push(asked);
    assert_eq!(decide(&after(events), ADA, ID, interrupt), Ok(None));
}

#[test]
fn a_person_s_stop_goes_before_any_other_reason() {
    let mut stop = by(BOB, Event::InterruptRequested {});
    stop.turn = Some(TURN);
    let session = after([
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
        stop,
    ]);

    let ended = Event::TurnEnded {
        reason: EndReason::Interrupted,
        problem: None,
    };
    assert_eq!(
        work::end_turn(&session, EndReason::Complete, None),
        Some(ended)
    );
}

#[test]
fn a_turn_ends_once() {
    let session = after([
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
        turn_ended(1, EndReason::Complete),
    ]);

    assert_eq!(work::end_turn(&session, EndReason::Error, None), None);
}

#[test]
fn what_a_stale_runner_wrote_does_not_count() {
    let session = after([
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
        claimed(2),
        turn_ended(1, EndReason::Complete),
    ]);

    assert_eq!(session.turn.as_ref().map(|turn| turn.id), Some(TURN));
    assert_eq!(session.epoch.0, 2);
}

#[test]
fn only_who_has_the_keyboard_types() {
    let terminal = TerminalId(Uuid::from_u128(3));
    let opened = by(
        ADA,
        Event::TerminalOpened {
            terminal,
            size: SIZE,
        },
    );
    let session = after([opened_by(ADA), joined(BOB, Role::Driver), opened]);

    assert_eq!(work::may_type(&session, ADA, terminal), Ok(()));
    assert_eq!(
        work::may_type(&session, BOB, terminal),
        Err(Refusal::NotDriving)
    );
    let taken = decide(&session, BOB, ID, Command::TakeControl);
    assert_eq!(taken, Ok(Some(Event::ControlTaken {})));
}

#[test]
fn a_terminal_that_exited_takes_no_keys() {
    let terminal = TerminalId(Uuid::from_u128(3));
    let opened = by(
        ADA,
        Event::TerminalOpened {
            terminal,
            size: SIZE,
        },
    );
    let end = TerminalEnd::Code(0);
    let exited = by_runner(1, None, Event::TerminalExited { terminal, end });
    let session = after([opened_by(ADA), claimed(1), opened, exited]);

    assert_eq!(
        work::may_type(&session, ADA, terminal),
        Err(Refusal::NoTerminal)
    );
}

#[test]
fn an_ended_session_takes_nothing_but_its_reopening() {
    let session = after([opened_by(ADA), by(ADA, Event::Ended {})]);

    assert_eq!(decide(&session, ADA, ID, say("hi")), Err(Refusal::Over));
    assert_eq!(decide(&session, ADA, ID, Command::End), Ok(None));
    let reopened = decide(&session, ADA, ID, Command::Reopen);
    assert_eq!(reopened, Ok(Some(Event::Reopened {})));
}

#[test]
fn ending_twice_keeps_the_first_end() {
    let mut later = by(ADA, Event::Ended {});
    later.at = duplex_domain::Time(9_000);
    let session = after([opened_by(ADA), by(ADA, Event::Ended {}), later]);

    assert_eq!(session.ended_at, Some(duplex_domain::Time(1_000)));
}

#[test]
fn a_session_keeps_an_owner() {
    let session = after([opened_by(ADA), joined(BOB, Role::Driver)]);

    let leave = Command::RemoveMember { user: ADA };
    assert_eq!(decide(&session, ADA, ID, leave), Err(Refusal::LastOwner));
}

#[test]
fn the_first_message_names_a_session_without_a_title() {
    let long = "Please rename the function that reads the configuration file and its tests\nthanks";
    let session = after([
        opened_by(ADA),
        posted(ADA, 9, long),
        posted(ADA, 10, "other"),
    ]);

    assert_eq!(
        session.title,
        "Please rename the function that reads the configuration…"
    );
}
