//! The rules, as sentences.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking"
)]

mod story;

use duplex_domain::{
    Again, CallId, Command, Delivery, EndReason, Event, Mode, Preview, Refusal, Role, Session,
    Size, TerminalEnd, TerminalId, ToolKind, Verdict, decide, work,
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
fn the_keyboard_is_given_to_somebody_who_may_type_or_put_down() {
    let people = [
        opened_by(ADA),
        joined(BOB, Role::Driver),
        joined(EVE, Role::Viewer),
    ];
    let session = after(people);
    let give = |by, to| decide(&session, by, ID, Command::GiveControl { to });

    assert_eq!(
        give(ADA, Some(BOB)),
        Ok(Some(Event::ControlGiven { to: Some(BOB) }))
    );
    assert_eq!(give(ADA, None), Ok(Some(Event::ControlGiven { to: None })));
    assert_eq!(give(ADA, Some(ADA)), Ok(None));
    assert_eq!(give(ADA, Some(EVE)), Err(Refusal::CannotType));
    assert_eq!(give(BOB, Some(BOB)), Err(Refusal::NotDriving));
}

#[test]
fn a_terminal_has_a_name_and_can_be_private() {
    let terminal = TerminalId(Uuid::from_u128(3));
    let opened = Event::TerminalOpened {
        terminal,
        size: SIZE,
    };
    let opened = [opened_by(ADA), joined(BOB, Role::Driver), by(ADA, opened)];
    let session = after(opened.clone());
    let rename = |name: &str| {
        let name = name.to_owned();
        decide(
            &session,
            BOB,
            ID,
            Command::RenameTerminal { terminal, name },
        )
    };

    let name = "server".to_owned();
    assert_eq!(
        rename(" server "),
        Ok(Some(Event::TerminalRenamed { terminal, name }))
    );
    assert_eq!(rename(""), Ok(None));
    assert_eq!(rename(&"x".repeat(41)), Err(Refusal::BadName));
    assert_eq!(rename("a\tb"), Err(Refusal::BadName));
    let private = Command::SetPrivateInput { terminal, on: true };
    assert_eq!(
        decide(&session, BOB, ID, private.clone()),
        Err(Refusal::NotDriving)
    );
    let set = decide(&session, ADA, ID, private.clone()).unwrap().unwrap();
    let session = after(opened.into_iter().chain([by(ADA, set)]));
    assert!(session.terminals[&terminal].private);
    assert_eq!(session.terminals[&terminal].by, Some(ADA));
    assert_eq!(decide(&session, ADA, ID, private), Ok(None));
}

#[test]
fn a_terminal_without_a_name_is_called_by_its_number() {
    let open = |number: u128| Event::TerminalOpened {
        terminal: TerminalId(Uuid::from_u128(number)),
        size: SIZE,
    };
    let (first, second) = (
        TerminalId(Uuid::from_u128(3)),
        TerminalId(Uuid::from_u128(4)),
    );
    let exited = Event::TerminalExited {
        terminal: first,
        end: TerminalEnd::Code(0),
    };
    let renamed = Event::TerminalRenamed {
        terminal: first,
        name: "server".to_owned(),
    };
    let all = [open(3), open(4), renamed, exited].map(|event| by(ADA, event));
    let session = after([opened_by(ADA)].into_iter().chain(all));

    assert_eq!(session.terminal_name(first), "server");
    assert_eq!(session.terminal_name(second), "Terminal 2");
    assert_eq!(session.terminal_number(second), 2);
}

#[test]
fn a_terminal_s_size_is_one_person_s_to_give() {
    let terminal = TerminalId(Uuid::from_u128(3));
    let opened = Event::TerminalOpened {
        terminal,
        size: SIZE,
    };
    let down = Event::ControlGiven { to: None };
    let begun = [
        opened_by(ADA),
        joined(BOB, Role::Driver),
        by(BOB, opened),
        by(ADA, down),
    ];
    let resize = |session: &Session, by| {
        let size = Size {
            cols: 100,
            rows: 30,
        };
        decide(session, by, ID, Command::Resize { terminal, size }).map(|event| event.is_some())
    };

    let free = after(begun.clone());
    assert_eq!(free.driver, None);
    assert_eq!(resize(&free, BOB), Ok(true), "who opened it");
    assert_eq!(resize(&free, ADA), Err(Refusal::NotDriving));
    let driven = after(begun.into_iter().chain([by(ADA, Event::ControlTaken {})]));
    assert_eq!(resize(&driven, ADA), Ok(true), "who has the keyboard");
    assert_eq!(resize(&driven, BOB), Err(Refusal::NotDriving));
}

#[test]
fn what_was_typed_can_be_forgotten_by_an_owner_even_after_the_end() {
    let people = [opened_by(ADA), joined(BOB, Role::Driver)];
    let forget = |session: &Session, by| decide(session, by, ID, Command::ForgetKeys);

    let session = after(people.clone());
    assert_eq!(forget(&session, BOB), Err(Refusal::RoleTooSmall));
    assert_eq!(forget(&session, ADA), Ok(Some(Event::KeysForgotten {})));
    let over = after(people.into_iter().chain([by(ADA, Event::Ended {})]));
    assert_eq!(forget(&over, ADA), Ok(Some(Event::KeysForgotten {})));
    let people = [opened_by(ADA), by(ADA, Event::KeysForgotten {})];
    assert_eq!(forget(&after(people), ADA), Ok(None));
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
fn everybody_may_leave() {
    for role in [Role::Viewer, Role::Commenter, Role::Driver, Role::Owner] {
        let session = after([opened_by(ADA), joined(BOB, role)]);

        let left = decide(&session, BOB, ID, Command::RemoveMember { user: BOB });
        assert_eq!(left, Ok(Some(Event::MemberRemoved { user: BOB })));
    }
}

#[test]
fn an_ended_session_still_lets_people_in_and_out() {
    let session = after([
        opened_by(ADA),
        joined(BOB, Role::Driver),
        by(ADA, Event::Ended {}),
    ]);

    let remove = Command::RemoveMember { user: BOB };
    assert_eq!(
        decide(&session, ADA, ID, remove),
        Ok(Some(Event::MemberRemoved { user: BOB }))
    );
    let (user, name, role) = (EVE, "Eve".to_owned(), Role::Viewer);
    assert!(decide(&session, ADA, ID, Command::SetMember { user, name, role }).is_ok());
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

fn asking(call: &str) -> duplex_domain::Envelope {
    by_runner(
        1,
        Some(TURN),
        Event::ApprovalRequested {
            call: CallId(call.into()),
            name: "bash".into(),
            tool: ToolKind::Run,
            preview: Preview::Other {
                summary: "git status".into(),
            },
            rule: "bash(git *)".into(),
            people: 1,
        },
    )
}

fn working() -> Vec<duplex_domain::Envelope> {
    vec![
        opened_by(ADA),
        joined(BOB, Role::Driver),
        claimed(1),
        posted(ADA, 1, "go"),
        turn_started(1, 1),
    ]
}

fn says(session: &Session, by: duplex_domain::UserId, command: Command) -> Option<Event> {
    decide(session, by, ID, command).unwrap()
}

#[test]
fn the_first_answer_to_a_call_counts() {
    let call = CallId("c1".into());
    let decide_it = |verdict| Command::Decide {
        call: call.clone(),
        verdict,
    };
    let mut story = working();
    story.push(asking("c1"));
    let session = after(story.clone());
    let allowed = says(&session, BOB, decide_it(Verdict::Allow)).unwrap();

    story.push(by(BOB, allowed));
    let session = after(story);
    let denial = Verdict::Deny {
        reason: "no".into(),
    };
    assert_eq!(
        decide(&session, ADA, ID, decide_it(denial)),
        Err(Refusal::NotPending)
    );
}

#[test]
fn an_answer_for_always_is_a_rule() {
    let mut story = working();
    let rule = "bash(git *)".to_owned();
    let verdict = Verdict::AllowAlways { rule: rule.clone() };
    let call = CallId("c1".into());
    story.extend([
        asking("c1"),
        by(BOB, Event::ApprovalDecided { call, verdict }),
    ]);

    assert_eq!(after(story).rules, [rule]);
}

#[test]
fn what_waited_for_an_answer_is_over_with_its_turn() {
    let mut story = working();
    story.extend([asking("c1"), turn_ended(1, EndReason::Interrupted)]);

    assert!(after(story).approvals.is_empty());
}

#[test]
fn an_approved_plan_ends_plan_mode() {
    let mut story = working();
    let mut asked = asking("p");
    if let Event::ApprovalRequested { tool, .. } = &mut asked.event {
        *tool = ToolKind::Plan;
    }
    let (call, verdict) = (CallId("p".into()), Verdict::Allow);
    story.extend([
        by(ADA, Event::ModeChosen { mode: Mode::Plan }),
        asked,
        by(BOB, Event::ApprovalDecided { call, verdict }),
    ]);

    assert_eq!(after(story).mode, Mode::AcceptEdits);
}

#[test]
fn a_message_is_slipped_into_the_turn_that_runs_and_else_starts_one() {
    let steer = |text: &str| Command::PostMessage {
        text: text.into(),
        delivery: Delivery::Steer,
    };
    let resting = after([opened_by(ADA)]);
    let Some(Event::MessagePosted { delivery, .. }) = says(&resting, ADA, steer("hi")) else {
        panic!("a message is posted");
    };
    assert_eq!(delivery, Delivery::Queue);

    let mut story = working();
    let posted = says(&after(story.clone()), ADA, steer("look at b too")).unwrap();
    story.push(by(ADA, posted));
    let taken = work::take_messages(&after(story.clone())).unwrap();
    story.push(by_runner(1, Some(TURN), taken));
    let session = after(story);
    assert!(session.queue.is_empty());
    assert_eq!(session.turn.unwrap().messages.len(), 2);
}

#[test]
fn queued_messages_are_moved_by_their_author() {
    let story = [
        opened_by(ADA),
        joined(BOB, Role::Driver),
        posted(ADA, 1, "a"),
        posted(BOB, 2, "b"),
        posted(ADA, 3, "c"),
    ];
    let session = after(story.clone());
    let up = Command::MoveMessage {
        message: message(3),
        before: Some(message(1)),
    };
    assert_eq!(
        decide(&session, BOB, ID, up.clone()),
        Err(Refusal::NotYours)
    );
    let moved = says(&session, ADA, up).unwrap();
    let session = after(story.into_iter().chain([by(ADA, moved)]));
    let order: Vec<_> = session
        .queue
        .iter()
        .map(|queued| queued.text.as_str())
        .collect();
    assert_eq!(order, ["c", "a", "b"]);
    let stays = Command::MoveMessage {
        message: message(3),
        before: Some(message(1)),
    };
    assert_eq!(says(&session, ADA, stays), None);
}

#[test]
fn a_session_that_has_cost_what_it_may_takes_no_message_until_it_may_cost_more() {
    let mut story = working();
    let usage = Event::UsageRecorded {
        model: "m".into(),
        usage: duplex_domain::Usage::default(),
        prices: None,
        pico: Some(100),
        raw: None,
        finished: true,
    };
    story.extend([
        by(ADA, Event::BudgetSet { pico: Some(100) }),
        by_runner(1, Some(TURN), usage),
        turn_ended(1, EndReason::Budget),
    ]);
    let session = after(story.clone());
    assert_eq!(decide(&session, ADA, ID, say("more")), Err(Refusal::Spent));
    let again = Command::Again {
        again: Again::Continue,
    };
    assert_eq!(
        decide(&session, ADA, ID, again.clone()),
        Err(Refusal::Spent)
    );

    let raised = says(&session, ADA, Command::SetBudget { pico: Some(200) }).unwrap();
    story.push(by(ADA, raised));
    let session = after(story);
    let event = says(&session, ADA, again);
    assert_eq!(
        event,
        Some(Event::AgainRequested {
            again: Again::Continue
        })
    );
}

#[test]
fn there_is_nothing_to_go_on_with_after_a_good_end() {
    let mut story = working();
    story.push(turn_ended(1, EndReason::Complete));
    let again = Command::Again {
        again: Again::Retry,
    };

    assert_eq!(
        decide(&after(story), ADA, ID, again),
        Err(Refusal::NothingAgain)
    );
}

#[test]
fn a_restore_is_shown_before_it_is_done() {
    let none = duplex_domain::ChangeSize {
        files: 0,
        added: 0,
        removed: 0,
        body: None,
    };
    let prepared = |conflicts: Vec<String>| {
        by_runner(
            1,
            None,
            Event::RestorePrepared {
                checkpoint: 0,
                tree: "t1".into(),
                change: none.clone(),
                conflicts,
            },
        )
    };
    let restore = |tree: Option<&str>| Command::Restore {
        checkpoint: 0,
        tree: tree.map(str::to_owned),
    };
    let mut story = vec![opened_by(ADA), claimed(1)];
    assert_eq!(
        decide(&after(story.clone()), ADA, ID, restore(None)),
        Err(Refusal::NoCheckpoint)
    );
    let taken = Event::CheckpointTaken {
        number: 0,
        commit: "c0".into(),
        change: none.clone(),
        since_start: none.clone(),
    };
    story.push(by_runner(1, None, taken));
    assert_eq!(
        decide(&after(story.clone()), ADA, ID, restore(Some("t1"))),
        Err(Refusal::NotPrepared)
    );
    let asked = says(&after(story.clone()), ADA, restore(None)).unwrap();
    story.push(by(ADA, asked));
    assert!(work::is_restoring(&after(story.clone())));

    let mut clashing = story.clone();
    clashing.push(prepared(vec!["a.txt".into()]));
    assert_eq!(
        decide(&after(clashing), ADA, ID, restore(Some("t1"))),
        Err(Refusal::Conflicts)
    );
    story.push(prepared(Vec::new()));
    assert_eq!(
        decide(&after(story.clone()), ADA, ID, restore(Some("t0"))),
        Err(Refusal::NotPrepared)
    );
    assert!(says(&after(story), ADA, restore(Some("t1"))).is_some());
}

/// A call that waits for two people, among three who may drive.
fn risky() -> Vec<duplex_domain::Envelope> {
    let mut asked = asking("a");
    if let Event::ApprovalRequested { people, .. } = &mut asked.event {
        *people = 2;
    }
    let mut events = working();
    events.extend([joined(BOB, Role::Driver), joined(EVE, Role::Driver), asked]);
    events
}

fn allow(by: duplex_domain::UserId, session: &Session) -> Result<Option<Event>, Refusal> {
    let call = CallId("a".into());
    let verdict = Verdict::Allow;
    decide(session, by, ID, Command::Decide { call, verdict })
}

#[test]
fn a_risky_call_needs_two_different_people() {
    let mut events = risky();
    let first = allow(ADA, &after(events.clone())).unwrap().unwrap();
    let call = CallId("a".into());
    assert_eq!(first, Event::ApprovalGiven { call: call.clone() });
    events.push(by(ADA, first));

    let waiting = after(events.clone());
    assert_eq!(waiting.approvals[&call].allowed_by, [ADA]);
    assert_eq!(allow(ADA, &waiting), Ok(None));
    let second = allow(BOB, &waiting).unwrap().unwrap();
    let verdict = Verdict::Allow;
    assert_eq!(second, Event::ApprovalDecided { call, verdict });
    events.push(by(BOB, second));
    assert!(after(events).approvals.is_empty());
}

#[test]
fn one_person_can_deny_a_risky_call_and_nobody_can_allow_its_like() {
    let mut events = risky();
    let call = CallId("a".into());
    events.push(by(ADA, Event::ApprovalGiven { call: call.clone() }));
    let session = after(events);
    let answer = |verdict| {
        let call = call.clone();
        decide(&session, BOB, ID, Command::Decide { call, verdict })
    };
    let always = answer(Verdict::AllowAlways {
        rule: "bash".into(),
    });
    assert_eq!(always, Err(Refusal::NeedsOthers));
    let reason = String::new();
    assert!(matches!(
        answer(Verdict::Deny { reason }),
        Ok(Some(Event::ApprovalDecided { .. }))
    ));
}

#[test]
fn the_word_of_who_may_not_drive_any_more_does_not_count() {
    let call = CallId("a".into());
    for gone in [
        joined(BOB, Role::Viewer),
        by(ADA, Event::MemberRemoved { user: BOB }),
    ] {
        let mut events = risky();
        events.push(by(BOB, Event::ApprovalGiven { call: call.clone() }));
        events.push(gone);
        let session = after(events);
        assert!(session.approvals[&call].allowed_by.is_empty());
        let given = Event::ApprovalGiven { call: call.clone() };
        assert_eq!(allow(EVE, &session), Ok(Some(given)));
    }
}

#[test]
fn the_keyboard_is_asked_for_given_declined_and_taken_back() {
    let mut events = vec![
        opened_by(ADA),
        joined(BOB, Role::Driver),
        joined(EVE, Role::Viewer),
    ];
    let session = |events: &[duplex_domain::Envelope]| after(events.to_vec());
    // Whoever opened the session has it, and need not ask.
    let asked = decide(&session(&events), ADA, ID, Command::AskControl);
    assert_eq!(asked, Ok(None));

    let refused = decide(&session(&events), EVE, ID, Command::AskControl);
    assert_eq!(refused, Err(Refusal::RoleTooSmall));
    let asked = decide(&session(&events), BOB, ID, Command::AskControl).unwrap();
    events.push(by(BOB, asked.unwrap()));
    assert_eq!(session(&events).wants_to_drive, [BOB]);
    let again = decide(&session(&events), BOB, ID, Command::AskControl);
    assert_eq!(again, Ok(None));

    let declined = Command::DeclineControl { user: BOB };
    let declined = decide(&session(&events), ADA, ID, declined).unwrap();
    let mut after_no = events.clone();
    after_no.push(by(ADA, declined.unwrap()));
    assert!(session(&after_no).wants_to_drive.is_empty());

    let given = decide(
        &session(&events),
        ADA,
        ID,
        Command::GiveControl { to: Some(BOB) },
    );
    events.push(by(ADA, given.unwrap().unwrap()));
    let now = session(&events);
    assert_eq!((now.driver, now.wants_to_drive.len()), (Some(BOB), 0));
    let back = decide(&now, ADA, ID, Command::TakeControl);
    assert_eq!(back, Ok(Some(Event::ControlTaken {})));
}
