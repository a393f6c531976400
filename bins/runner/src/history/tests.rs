//! What the model is told, event by event.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
use super::*;
use duplex_domain::{Delivery, Recorded, Role as MemberRole, Seq, SessionId, Time, UserId, Writer};
use duplex_domain::{TeamId, WorkspaceId, codec};
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(0xADA));
const TURN: TurnId = TurnId(Uuid::from_u128(70));

/// A conversation told event by event.
struct Story {
    session: Session,
    history: History,
    messages: u128,
}

impl Story {
    fn new() -> Self {
        let mut story = Self {
            session: Session::new(SessionId::default()),
            history: History::default(),
            messages: 0,
        };
        story.tell(Event::Opened {
            team: TeamId::default(),
            workspace: WorkspaceId::default(),
            path: String::new(),
            name: "Ada".into(),
            title: String::new(),
            agent: "duplex".into(),
            model: "demo".into(),
            mode: duplex_domain::Mode::default(),
            sandbox: String::new(),
        });
        assert_eq!(story.session.role_of(ADA), Some(MemberRole::Owner));
        story
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        let envelope = Envelope {
            v: codec::CURRENT,
            at: Time(0),
            by: Writer::User(ADA),
            epoch: None,
            turn: Some(TURN),
            event,
        };
        self.history.apply(&self.session, &envelope);
        let frame = Recorded {
            session: self.session.id,
            seq: Seq(self.session.seq.0 + 1),
            lane: envelope.event.lane(),
            events: vec![envelope],
        };
        self.session.apply(&frame);
        self
    }

    fn ask(&mut self, text: &str) -> &mut Self {
        self.messages += 1;
        let message = MessageId(Uuid::from_u128(self.messages));
        let (text, delivery) = (text.to_owned(), Delivery::Queue);
        self.tell(Event::MessagePosted {
            message,
            text,
            delivery,
        });
        let (messages, model) = (vec![message], "demo".to_owned());
        self.tell(Event::TurnStarted {
            messages,
            model,
            again: None,
        })
    }

    fn open(&mut self, step: u32, block: u64, kind: BlockKind) -> &mut Self {
        self.tell(Event::BlockOpened { block, step, kind })
    }

    fn text(&mut self, step: u32, block: u64, text: &str) -> &mut Self {
        self.open(step, block, BlockKind::Text);
        let text = text.to_owned();
        self.tell(Event::TextDelta { block, text })
    }

    fn think(&mut self, step: u32, block: u64, text: &str) -> &mut Self {
        self.open(step, block, BlockKind::Thinking);
        let text = text.to_owned();
        self.tell(Event::ThinkingDelta { block, text })
    }

    fn call(&mut self, step: u32, block: u64, id: &str, json: &str) -> &mut Self {
        let (call, name) = (CallId(id.into()), "bash".to_owned());
        self.open(step, block, BlockKind::Tool { call, name });
        let json = json.to_owned();
        self.tell(Event::ToolInputDelta { block, json })
    }

    fn close(&mut self, block: u64, signature: Option<&str>) -> &mut Self {
        let signature = signature.map(str::to_owned);
        self.tell(Event::BlockClosed { block, signature })
    }

    fn result(&mut self, id: &str, content: &str) -> &mut Self {
        self.tell(Event::ToolFinished {
            call: CallId(id.into()),
            content: content.to_owned(),
            is_error: false,
            took: 1,
            diff: None,
            images: Vec::new(),
        })
    }

    fn end(&mut self, reason: EndReason) -> &mut Self {
        self.tell(Event::TurnEnded {
            reason,
            problem: None,
        })
    }

    fn steer(&mut self, text: &str) -> &mut Self {
        self.history.steer(vec![text.to_owned()]);
        self
    }

    fn note(&mut self, topic: &str, text: &str) -> &mut Self {
        let (topic, text) = (topic.to_owned(), text.to_owned());
        self.tell(Event::ContextNoted { topic, text })
    }

    fn asked(&mut self, call: &str) -> &mut Self {
        self.tell(Event::ApprovalRequested {
            call: CallId(call.into()),
            name: "bash".into(),
            tool: duplex_domain::ToolKind::Run,
            preview: duplex_domain::Preview::Other {
                summary: "ls".into(),
            },
            rule: String::new(),
            people: 1,
        })
    }

    /// The conversation as JSON, after checking what every provider demands of it.
    fn messages(&self) -> Value {
        let messages = self.history.messages();
        check(&messages);
        serde_json::to_value(messages).unwrap()
    }
}

/// Roles alternate from the user to the user; nothing is empty; each call has one result, first in the next message.
fn check(messages: &[Message]) {
    for (n, message) in messages.iter().enumerate() {
        let expected = if n % 2 == 0 {
            Role::User
        } else {
            Role::Assistant
        };
        assert_eq!(message.role, expected, "message {n}");
        assert!(!message.content.is_empty());
        let calls = ids(&message.content, "tool_use", "id");
        let next = messages.get(n + 1).map(|next| next.content.as_slice());
        let next = next.unwrap_or_default();
        let head = &next[..calls.len().min(next.len())];
        assert_eq!(ids(head, "tool_result", "tool_use_id"), calls);
    }
    assert_eq!(messages.last().unwrap().role, Role::User);
}

fn ids(content: &[Value], kind: &str, name: &str) -> Vec<String> {
    let blocks = content.iter().filter(|block| block["type"] == kind);
    blocks
        .map(|block| block[name].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn parts_of_an_answer_are_given_back_as_they_came() {
    let mut story = Story::new();
    story
        .ask("list files")
        .think(0, 0, "hm")
        .close(0, Some("sig"));
    story.text(0, 1, "I look.").close(1, None);
    story
        .call(0, 2, "c1", r#"{"z":1,"command":"ls"}"#)
        .close(2, None);
    story.result("c1", "README.md");

    assert_eq!(
        story.messages(),
        json!([
            {"role": "user", "content": [{"type": "text", "text": "list files"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "bash", "input": {"z": 1, "command": "ls"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "README.md", "is_error": false},
            ]},
        ])
    );
}

#[test]
fn an_interrupt_in_text_keeps_the_text_and_says_so() {
    let mut story = Story::new();
    story
        .ask("tell")
        .text(0, 0, "Once upon")
        .end(EndReason::Interrupted);
    story.ask("go on");

    let messages = story.messages();

    assert_eq!(messages[1]["content"][0]["text"], "Once upon");
    assert_eq!(messages[2]["content"][0]["text"], INTERRUPTED);
    assert_eq!(messages[2]["content"][1]["text"], "go on");
}

#[test]
fn an_interrupt_in_thinking_drops_what_was_not_signed() {
    let mut story = Story::new();
    story
        .ask("tell")
        .think(0, 0, "hm")
        .end(EndReason::Interrupted);
    story.ask("go on");

    assert_eq!(story.messages().as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupt_in_a_tool_s_input_drops_the_call() {
    let mut story = Story::new();
    story.ask("tell").text(0, 0, "I look.").close(0, None);
    story
        .call(0, 1, "c1", r#"{"comm"#)
        .end(EndReason::Interrupted);
    story.ask("go on");

    assert_eq!(story.messages()[1]["content"].as_array().unwrap().len(), 1);
}

#[test]
fn a_call_that_was_stopped_has_a_result_that_says_so() {
    let mut story = Story::new();
    story.ask("tell").call(0, 0, "c1", "{}").close(0, None);
    story
        .call(0, 1, "c2", "{}")
        .close(1, None)
        .result("c1", "one");
    story.end(EndReason::RunnerLost);
    story.ask("go on");

    let results = &story.messages()[2]["content"];

    assert_eq!(results[0]["content"], "one");
    assert_eq!(results[1]["content"], NEVER_RAN);
    assert_eq!(results[1]["is_error"], true);
}

#[test]
fn an_empty_answer_is_not_given_back() {
    let mut story = Story::new();
    story
        .ask("tell")
        .text(0, 0, "")
        .close(0, None)
        .end(EndReason::Complete);
    story.ask("go on");

    assert_eq!(story.messages().as_array().unwrap().len(), 1);
}

#[test]
fn what_was_slipped_in_stands_behind_the_results() {
    let mut story = Story::new();
    story.ask("tell").call(0, 0, "c1", "{}").close(0, None);
    story.result("c1", "one");
    story.steer("and b");

    let last = &story.messages()[2]["content"];

    assert_eq!(last[0]["type"], "tool_result");
    assert_eq!(last[1]["text"], "and b");
}

#[test]
fn a_note_is_told_once_and_again_when_it_changes() {
    let mut story = Story::new();
    story.ask("tell").note("date", "[monday]");

    assert!(story.history.knows("date", "[monday]"));
    assert!(!story.history.knows("date", "[tuesday]"));
    assert_eq!(story.messages()[0]["content"][1]["text"], "[monday]");
}

#[test]
fn a_summary_stands_for_all_before_it_but_not_for_what_is_still_to_be_answered() {
    let mut story = Story::new();
    story
        .ask("old")
        .text(0, 0, "answer")
        .close(0, None)
        .end(EndReason::Complete);
    story.note("date", "[monday]").ask("new question");
    story.tell(Event::LineageStarted {
        system: "s".into(),
        tools: Vec::new(),
    });
    assert!(story.history.lineage().is_some());

    story.tell(Event::Compacted {
        summary: "they spoke".into(),
        before: 100,
    });

    let messages = story.messages();
    assert_eq!(messages.as_array().unwrap().len(), 1);
    let said: Vec<_> = messages[0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        said,
        [
            format!("{SUMMED_UP}\nthey spoke").as_str(),
            "[monday]",
            "new question"
        ]
    );
    assert!(story.history.lineage().is_none() && !story.history.has_note("date"));
}

#[test]
fn a_turn_that_only_waits_for_an_answer_can_be_taken_over() {
    let mut story = Story::new();
    story.ask("tell").call(0, 0, "c1", "{}").close(0, None);
    story.call(0, 1, "c2", "{}").close(1, None);
    assert!(!story.history.only_waits(), "nobody was asked");

    story.asked("c2");
    assert!(story.history.only_waits());
    story.tell(Event::ToolStarted {
        call: CallId("c1".into()),
        name: "bash".into(),
    });
    assert!(!story.history.only_waits(), "a call may have had effects");
    story.result("c1", "one");
    assert!(story.history.only_waits());
}

#[test]
fn a_call_that_nobody_allowed_has_a_result_that_says_so() {
    let mut story = Story::new();
    story
        .ask("tell")
        .call(0, 0, "c1", "{}")
        .close(0, None)
        .asked("c1");
    story.end(EndReason::Interrupted);
    story.ask("go on");

    assert_eq!(story.messages()[2]["content"][0]["content"], NOT_ALLOWED);
}

#[test]
fn the_history_only_grows() {
    let mut story = Story::new();
    let mut before = story.ask("a").messages();
    let mut grows = |story: &Story| {
        let now = story.messages();
        let (old, new) = (before.as_array().unwrap(), now.as_array().unwrap());
        let last = old.len() - 1;
        assert_eq!(old[..last], new[..last]);
        let (old, new) = (
            old[last]["content"].as_array().unwrap(),
            new[last]["content"].as_array().unwrap(),
        );
        assert_eq!(old[..], new[..old.len()]);
        before = now;
    };
    story.note("date", "[monday]");
    grows(&story);
    story.think(0, 0, "hm").close(0, Some("sig"));
    story
        .call(0, 1, "c1", "{}")
        .close(1, None)
        .result("c1", "one");
    grows(&story);
    story.steer("b").text(1, 2, "Once");
    story.end(EndReason::Interrupted).ask("c");
    grows(&story);
    story
        .call(0, 3, "c2", "{}")
        .close(3, None)
        .end(EndReason::RunnerLost)
        .ask("d");
    grows(&story);
}

#[test]
fn going_on_is_a_wish_of_its_own() {
    let mut story = Story::new();
    story.ask("tell").text(0, 0, "Once").end(EndReason::Error);
    story.tell(Event::TurnStarted {
        messages: Vec::new(),
        model: "demo".into(),
        again: Some(Again::Continue),
    });

    let last = &story.messages()[2]["content"];

    assert_eq!(last[0]["text"], BROKEN_OFF);
    assert_eq!(last[1]["text"], CONTINUE);
}
