//! Words for tests: events as people would tell them.
#![allow(dead_code, reason = "each test file uses some of the words")]
#![allow(missing_docs, reason = "the names say it")]

use duplex_domain::{
    BlockKind, CallId, Delivery, EndReason, Envelope, Epoch, Event, Lane, MessageId, Mode,
    Recorded, Role, RunnerId, Seq, Session, SessionId, TeamId, Time, TurnId, UserId, WorkspaceId,
    Writer, codec,
};
use uuid::Uuid;

pub const SESSION: SessionId = SessionId(Uuid::from_u128(1));
pub const ADA: UserId = UserId(Uuid::from_u128(0xADA));
pub const BOB: UserId = UserId(Uuid::from_u128(0xB0B));
pub const EVE: UserId = UserId(Uuid::from_u128(0xE7E));
pub const RUNNER: RunnerId = RunnerId(Uuid::from_u128(7));
pub const TURN: TurnId = TurnId(Uuid::from_u128(70));

pub fn message(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

pub fn by(user: UserId, event: Event) -> Envelope {
    Envelope {
        v: codec::CURRENT,
        at: Time(1_000),
        by: Writer::User(user),
        epoch: None,
        turn: None,
        event,
    }
}

pub fn by_runner(epoch: u64, turn: Option<TurnId>, event: Event) -> Envelope {
    Envelope {
        by: Writer::Runner(RUNNER),
        epoch: Some(Epoch(epoch)),
        turn,
        ..by(ADA, event)
    }
}

pub fn opened_by(user: UserId) -> Envelope {
    by(
        user,
        Event::Opened {
            team: TeamId::default(),
            workspace: WorkspaceId::default(),
            path: "/src/app".into(),
            name: "Somebody".into(),
            title: String::new(),
            agent: "duplex".into(),
            model: "demo".into(),
            mode: Mode::Auto,
            sandbox: String::new(),
        },
    )
}

pub fn joined(user: UserId, role: Role) -> Envelope {
    let name = "Joined".into();
    by(ADA, Event::MemberSet { user, name, role })
}

pub fn posted(user: UserId, n: u128, text: &str) -> Envelope {
    by(
        user,
        Event::MessagePosted {
            message: message(n),
            text: text.into(),
            delivery: Delivery::Queue,
        },
    )
}

pub fn claimed(epoch: u64) -> Envelope {
    let sandbox = "bubblewrap".into();
    by_runner(
        epoch,
        None,
        Event::Claimed {
            runner: RUNNER,
            sandbox,
        },
    )
}

pub fn turn_started(epoch: u64, n: u128) -> Envelope {
    let messages = vec![message(n)];
    let model = "demo".into();
    by_runner(
        epoch,
        Some(TURN),
        Event::TurnStarted {
            messages,
            model,
            again: None,
        },
    )
}

pub fn turn_ended(epoch: u64, reason: EndReason) -> Envelope {
    let problem = None;
    by_runner(epoch, Some(TURN), Event::TurnEnded { reason, problem })
}

pub fn text_opened(epoch: u64, block: u64) -> Envelope {
    let kind = BlockKind::Text;
    let step = 0;
    by_runner(epoch, Some(TURN), Event::BlockOpened { block, step, kind })
}

pub fn tool_opened(epoch: u64, block: u64, call: &str) -> Envelope {
    let kind = BlockKind::Tool {
        call: CallId(call.into()),
        name: "bash".into(),
    };
    by_runner(
        epoch,
        Some(TURN),
        Event::BlockOpened {
            block,
            step: 0,
            kind,
        },
    )
}

pub fn wrote(epoch: u64, block: u64, text: &str) -> Envelope {
    let text = text.into();
    by_runner(epoch, Some(TURN), Event::TextDelta { block, text })
}

/// Each event in a frame of its own, from sequence 1.
pub fn frames(events: impl IntoIterator<Item = Envelope>) -> Vec<Recorded> {
    (1..)
        .zip(events)
        .map(|(seq, event)| Recorded {
            session: SESSION,
            seq: Seq(seq),
            lane: event.event.lane(),
            events: vec![event],
        })
        .collect()
}

pub fn after(events: impl IntoIterator<Item = Envelope>) -> Session {
    let mut session = Session::new(SESSION);
    for frame in frames(events) {
        session.apply(&frame);
    }
    session
}

pub fn lane_of(frame: &Recorded) -> Lane {
    frame.lane
}
