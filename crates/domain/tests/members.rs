//! Whatever the order in which people come, go and ask for things, nothing is accepted from who may not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking"
)]

mod story;

use duplex_domain::{
    Blob, CallId, Command, Delivery, Envelope, Event, Refusal, Role, Session, Size, TerminalId,
    UserId, Verdict, decide,
};
use std::collections::HashMap;
use story::*;
use uuid::Uuid;

const TERMINAL: TerminalId = TerminalId(Uuid::from_u128(40));
const PEOPLE: [UserId; 4] = [ADA, BOB, EVE, UserId(Uuid::from_u128(0xDA7E))];
const ROLES: [Role; 4] = [Role::Viewer, Role::Commenter, Role::Driver, Role::Owner];

/// A small generator (xorshift), so that a seed gives one story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, choice: &[T]) -> T {
        choice[self.roll(choice.len())].clone()
    }

    /// A command, and the smallest role that may give it, as the roles are described to people.
    fn command(&mut self) -> (Role, Command) {
        let user = self.of(&PEOPLE);
        let role = self.of(&ROLES);
        let name = "Somebody".to_owned();
        let text = "hello".to_owned();
        let delivery = Delivery::Queue;
        let data = Blob(b"ls\n".to_vec());
        let call = CallId("a".into());
        let verdict = Verdict::Allow;
        let size = Size { cols: 80, rows: 24 };
        let terminal = TERMINAL;
        self.of(&[
            (Role::Owner, Command::SetMember { user, name, role }),
            (Role::Owner, Command::RemoveMember { user }),
            (Role::Owner, Command::RemoveMember { user }),
            (Role::Commenter, Command::PostMessage { text, delivery }),
            (Role::Driver, Command::Type { terminal, data }),
            (Role::Driver, Command::Resize { terminal, size }),
            (Role::Driver, Command::TakeControl),
            (Role::Driver, Command::GiveControl { to: Some(user) }),
            (Role::Driver, Command::AskControl),
            (Role::Driver, Command::DeclineControl { user }),
            (Role::Driver, Command::Decide { call, verdict }),
            (Role::Driver, Command::Interrupt { turn: None }),
        ])
    }
}

fn beginning() -> Vec<Envelope> {
    let size = Size { cols: 80, rows: 24 };
    let terminal = TERMINAL;
    let call = CallId("a".into());
    vec![
        opened_by(ADA),
        posted(ADA, 9, "one"),
        claimed(1),
        turn_started(1, 9),
        tool_opened(1, 0, "a"),
        by(ADA, Event::TerminalOpened { terminal, size }),
        by_runner(
            1,
            Some(TURN),
            Event::ApprovalRequested {
                call,
                name: "bash".into(),
                tool: duplex_domain::ToolKind::Run,
                preview: duplex_domain::Preview::Other {
                    summary: "ls".into(),
                },
                rule: String::new(),
                people: 2,
            },
        ),
    ]
}

/// Who may what, kept beside the domain from the events alone.
#[derive(Default)]
struct Register(HashMap<UserId, Role>);

impl Register {
    fn note(&mut self, event: &Event) {
        match event {
            Event::MemberSet { user, role, .. } => drop(self.0.insert(*user, *role)),
            Event::MemberRemoved { user } => drop(self.0.remove(user)),
            _ => {}
        }
    }

    fn holds(&self, session: &Session) {
        let members = session.members.iter();
        let known: HashMap<_, _> = members.map(|(user, member)| (*user, member.role)).collect();
        assert_eq!(known, self.0);
        let drives = |user: &UserId| self.0.get(user) >= Some(&Role::Driver);
        assert!(session.driver.iter().all(drives));
        assert!(session.wants_to_drive.iter().all(drives));
        let given = session.approvals.values().flat_map(|call| &call.allowed_by);
        assert!(given.into_iter().all(drives));
        assert!(self.0.values().any(|role| *role == Role::Owner));
    }
}

#[test]
fn in_a_thousand_stories_nothing_is_accepted_from_who_may_not() {
    let (mut accepted, mut strangers, mut small) = (0, 0, 0);
    for seed in 1..=1_000 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let mut session = after(beginning());
        let mut register = Register::default();
        register.0.insert(ADA, Role::Owner);
        for step in 0..60 {
            let who = dice.of(&PEOPLE);
            let (mut least, command) = dice.command();
            if command == (Command::RemoveMember { user: who }) {
                least = Role::Viewer;
            }
            let told = format!("seed {seed} step {step}: {who} {command:?}");
            let id = Uuid::from_u128(1_000 + step);
            let outcome = decide(&session, who, id, command);
            match register.0.get(&who) {
                None => {
                    assert_eq!(outcome, Err(Refusal::NotAMember), "{told}");
                    strangers += 1;
                }
                Some(role) if *role < least => {
                    assert_eq!(outcome, Err(Refusal::RoleTooSmall), "{told}");
                    small += 1;
                }
                Some(_) => accepted += usize::from(outcome.is_ok()),
            }
            if let Ok(Some(event)) = outcome {
                register.note(&event);
                let mut frame = frames([by(who, event)]).remove(0);
                frame.seq.0 = session.seq.0 + 1;
                session.apply(&frame);
            }
            register.holds(&session);
        }
    }
    // Were one of these never tried, the test would say nothing.
    let told = format!("{accepted} accepted, {strangers} of strangers, {small} beyond a role");
    assert!(accepted.min(strangers).min(small) > 1_000, "{told}");
}
