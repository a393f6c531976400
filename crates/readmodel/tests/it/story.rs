//! Frames as a log would give them, made by hand.

use duplex_domain::{
    Blob, BlockKind, CallId, Delivery, EndReason, Envelope, Epoch, Event, Lane, MessageId,
    Recorded, Role, RunnerId, Seq, SessionId, Shard, Size, TeamId, TerminalId, Time, TurnId, Usage,
    UserId, WorkspaceId, Writer,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const TEAM: TeamId = TeamId(Uuid::from_u128(0x7ea));
pub const ADA: UserId = UserId(Uuid::from_u128(0xada));
pub const BOB: UserId = UserId(Uuid::from_u128(0xb0b));
pub const EVE: UserId = UserId(Uuid::from_u128(0xe5e));
pub const SHELL: TerminalId = TerminalId(Uuid::from_u128(0x5e11));

/// The n-th session opened, in the shard of these tests.
pub fn session(n: u128) -> SessionId {
    let id = SessionId(Uuid::from_u128((n << 64) | 0x10));
    assert_eq!(Shard::of(id), crate::stage::SHARD);
    id
}

pub fn workspace(n: u128) -> WorkspaceId {
    WorkspaceId(Uuid::from_u128(n))
}

/// A log being written: every frame gets the next sequence, with gaps as other subjects would make them.
#[derive(Default)]
pub struct Story {
    pub frames: Vec<Recorded>,
    epochs: BTreeMap<SessionId, u64>,
    turn: Option<TurnId>,
    pub now: i64,
}

impl Story {
    /// A story whose sequences begin behind another's.
    pub fn after(frames: &[Recorded]) -> Self {
        Self {
            frames: frames.to_vec(),
            ..Self::default()
        }
    }

    fn put(&mut self, session: SessionId, lane: Lane, events: Vec<Envelope>) {
        let seq = Seq(self.frames.last().map_or(1, |frame| frame.seq.0 + 2));
        self.frames.push(Recorded {
            session,
            seq,
            lane,
            events,
        });
    }

    fn envelope(&mut self, session: SessionId, by: Writer, event: Event) -> Envelope {
        self.now += 10;
        let runs = matches!(by, Writer::Runner(_));
        let epoch = self.epochs.get(&session).copied().unwrap_or(0);
        Envelope {
            v: 1,
            at: Time(1_700_000_000_000 + self.now),
            by,
            epoch: runs.then_some(Epoch(epoch)),
            turn: self.turn,
            event,
        }
    }

    /// A person's fact.
    pub fn person(&mut self, session: SessionId, user: UserId, event: Event) {
        let envelope = self.envelope(session, Writer::User(user), event);
        self.put(session, Lane::Fact, vec![envelope]);
    }

    /// A frame of the runner.
    pub fn runner(&mut self, session: SessionId, lane: Lane, events: Vec<Event>) {
        let by = Writer::Runner(RunnerId::default());
        let envelopes = events
            .into_iter()
            .map(|event| self.envelope(session, by, event));
        let envelopes = envelopes.collect();
        self.put(session, lane, envelopes);
    }

    pub fn open(&mut self, session: SessionId, user: UserId, title: &str) {
        let event = Event::Opened {
            team: TEAM,
            workspace: workspace(1),
            path: "/srv/code".into(),
            name: "Ada".into(),
            title: title.into(),
            agent: "duplex".into(),
            model: "demo".into(),
            mode: duplex_domain::Mode::default(),
            sandbox: String::new(),
        };
        self.person(session, user, event);
    }

    pub fn join(&mut self, session: SessionId, user: UserId) {
        let role = Role::Driver;
        let name = "Bob".into();
        self.person(session, ADA, Event::MemberSet { user, name, role });
    }

    pub fn claim(&mut self, session: SessionId) {
        *self.epochs.entry(session).or_default() += 1;
        let event = Event::Claimed {
            runner: RunnerId::default(),
            sandbox: "bubblewrap".into(),
        };
        self.runner(session, Lane::Fact, vec![event]);
    }

    pub fn post(&mut self, session: SessionId, message: u128, text: &str) -> MessageId {
        let message = MessageId(Uuid::from_u128(message));
        let event = Event::MessagePosted {
            message,
            text: text.into(),
            delivery: Delivery::Queue,
        };
        self.person(session, ADA, event);
        message
    }

    pub fn start_turn(&mut self, session: SessionId, turn: u128, messages: Vec<MessageId>) {
        self.turn = Some(TurnId(Uuid::from_u128(turn)));
        let model = "demo".into();
        self.runner(
            session,
            Lane::Fact,
            vec![Event::TurnStarted {
                messages,
                model,
                again: None,
            }],
        );
    }

    pub fn say(&mut self, session: SessionId, block: u64, words: &[&str]) {
        let kind = BlockKind::Text;
        let step = 0;
        self.runner(
            session,
            Lane::Output,
            vec![Event::BlockOpened { block, step, kind }],
        );
        for word in words {
            let text = (*word).to_owned();
            self.runner(
                session,
                Lane::Output,
                vec![Event::TextDelta { block, text }],
            );
        }
    }

    pub fn close(&mut self, session: SessionId, block: u64) {
        let signature = None;
        self.runner(
            session,
            Lane::Output,
            vec![Event::BlockClosed { block, signature }],
        );
    }

    pub fn tool(&mut self, session: SessionId, block: u64) {
        let call = CallId(format!("call-{block}"));
        let kind = BlockKind::Tool {
            call: call.clone(),
            name: "bash".into(),
        };
        let output = |events| (Lane::Output, events);
        let steps = [
            output(vec![Event::BlockOpened {
                block,
                step: 0,
                kind,
            }]),
            output(vec![Event::ToolInputDelta {
                block,
                json: "{\"command\":\"ls\"}".into(),
            }]),
            output(vec![Event::BlockClosed {
                block,
                signature: None,
            }]),
            output(vec![Event::ToolStarted {
                call: call.clone(),
                name: "bash".into(),
            }]),
            output(vec![Event::ToolOutput {
                call: call.clone(),
                offset: 0,
                bytes: Blob(b"a.txt\n\xff".to_vec()),
            }]),
            output(vec![Event::ToolFinished {
                call,
                content: "a.txt".into(),
                is_error: false,
                took: 7,
                diff: None,
                images: Vec::new(),
            }]),
        ];
        for (lane, events) in steps {
            self.runner(session, lane, events);
        }
    }

    pub fn end_turn(&mut self, session: SessionId) {
        let usage = Usage {
            input: 1000,
            output: 20,
            cache_write: 3,
            cache_write_1h: 0,
            cache_read: 4,
        };
        let paid = Event::UsageRecorded {
            model: "demo".into(),
            usage,
            prices: Some("demo-1".into()),
            pico: Some(5_000_000),
            raw: None,
            finished: true,
        };
        self.runner(session, Lane::Fact, vec![paid]);
        let ended = Event::TurnEnded {
            reason: EndReason::Complete,
            problem: None,
        };
        self.runner(session, Lane::Fact, vec![ended]);
        self.turn = None;
    }

    pub fn open_terminal(&mut self, session: SessionId) {
        let size = Size { cols: 80, rows: 24 };
        let terminal = SHELL;
        self.person(session, ADA, Event::TerminalOpened { terminal, size });
    }

    pub fn print(&mut self, session: SessionId, offset: u64, bytes: &[u8]) {
        let event = Event::Printed {
            terminal: SHELL,
            offset,
            bytes: bytes.into(),
        };
        self.runner(session, Lane::Output, vec![event]);
    }

    pub fn save_screen(&mut self, session: SessionId, offset: u64, bytes: &[u8]) {
        let event = Event::ScreenSaved {
            terminal: SHELL,
            offset,
            bytes: bytes.into(),
            elided: false,
        };
        self.runner(session, Lane::Output, vec![event]);
    }
}

/// Two sessions at work, interleaved: two turns each, a tool, a terminal, a second claim; one answer is half written.
pub fn working_day() -> Vec<Recorded> {
    let mut story = Story::default();
    let (one, two) = (session(1), session(2));
    for (id, title) in [(one, "first"), (two, "")] {
        story.open(id, ADA, title);
        story.claim(id);
        story.open_terminal(id);
    }
    story.join(one, BOB);
    for turn in 0..2_u64 {
        for id in [one, two] {
            let number = u128::from(turn) * 10 + (id.0.as_u128() >> 64) * 100;
            let first = story.post(id, number + 1, "Fix the build,\0 please");
            let second = story.post(id, number + 2, "and the tests");
            story.start_turn(id, number + 3, vec![first, second]);
            story.say(id, turn * 2, &["Look", "ing ", "at\0 it"]);
            story.close(id, turn * 2);
            story.print(id, turn * 5, b"$ ls\n");
            story.tool(id, turn * 2 + 1);
            story.save_screen(id, turn * 5 + 5, b"\x1b[2J$ ls\n");
            story.end_turn(id);
        }
        story.claim(one);
    }
    story.post(two, 900, "one more");
    story.start_turn(two, 901, vec![MessageId(Uuid::from_u128(900))]);
    story.say(two, 4, &["half an ans"]);
    story.frames
}
