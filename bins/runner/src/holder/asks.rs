//! What a turn asks of its holder: whether a call may run, and what is new between two model calls.

use super::{Holder, Note};
use crate::turn::{Answer, News, Question};
use duplex_domain::{
    CallId, Event, Lane, Need, Recorded, Seq, Session, Verdict, Writer, concerns, need, rule_for,
    work,
};
use tokio::sync::oneshot;

/// A question on its way to people, and who waits for the answer.
pub(super) struct Waiting {
    pub(super) question: Question,
    pub(super) reply: Option<oneshot::Sender<Answer>>,
}

/// A turn that wants to know what is new.
pub(super) struct AtBoundary {
    reply: oneshot::Sender<News>,
    texts: Vec<String>,
    /// The fact that took the messages in; answered once it is part of the picture.
    fact: Seq,
}

impl Holder {
    /// A call that needs nobody's word runs at once; else everybody is asked.
    pub(super) fn ask(&mut self, question: Question, reply: oneshot::Sender<Answer>) {
        let call = question.call.clone();
        if let Some(verdict) = self.reader.history.verdict(&call) {
            let verdict = verdict.clone();
            answer(reply, Answer::Decided(verdict));
            return;
        }
        match self.need_of(&question) {
            Need::Nothing => answer(reply, Answer::Free),
            Need::AnotherMode => answer(reply, Answer::AnotherMode),
            Need::Approval => {
                if !self.session().approvals.contains_key(&call) {
                    self.notes.push_back(Note::Ask(call.clone()));
                }
                let reply = Some(reply);
                self.waiting.insert(call, Waiting { question, reply });
            }
        }
    }

    fn need_of(&self, question: &Question) -> Need {
        let session = self.session();
        let sandboxed = self.runner.sandbox.tier() != "off" && !question.outside;
        let call = (
            question.tool,
            question.name.as_str(),
            question.subject.as_str(),
        );
        let own = need(session.mode, sandboxed, &session.rules, call);
        if own == Need::AnotherMode {
            return own;
        }
        if self.people_for(question) > 1 {
            return Need::Approval;
        }
        if own == Need::Nothing {
            return own;
        }
        let rules = [&self.runner.rules[..], &self.allowed.rules].concat();
        need(session.mode, sandboxed, &rules, call)
    }

    /// How many people have to allow a call: two, if the operator marked it and its like as risky.
    fn people_for(&self, Question { name, subject, .. }: &Question) -> u8 {
        let mut risky = self.allowed.two_people.iter();
        if risky.any(|rule| concerns(rule, name, subject)) {
            2
        } else {
            1
        }
    }

    /// The question as a fact; none if it was answered meanwhile or nobody waits.
    pub(super) fn asked(&self, call: &CallId) -> Option<Event> {
        let question = &self.waiting.get(call)?.question;
        let people = self.people_for(question);
        let Question {
            name,
            tool,
            subject,
            preview,
            ..
        } = question;
        Some(Event::ApprovalRequested {
            call: call.clone(),
            name: name.clone(),
            tool: *tool,
            preview: preview.clone(),
            rule: if people == 1 {
                rule_for(name, subject)
            } else {
                String::new()
            },
            people,
        })
    }

    /// Hands verdicts on to who waits for them. Called before the frame changes the picture: only the first one counts.
    pub(super) fn hear_verdicts(&mut self, frame: &Recorded) {
        if frame.lane != Lane::Fact {
            return;
        }
        for envelope in &frame.events {
            let Event::ApprovalDecided { call, verdict } = &envelope.event else {
                continue;
            };
            let counts =
                self.session().heeds(envelope) && self.session().approvals.contains_key(call);
            if counts && let Some(waiting) = self.waiting.remove(call) {
                // A rule that came meanwhile is no person's word.
                let given = match envelope.by {
                    Writer::User(_) => Answer::Decided(verdict.clone()),
                    Writer::Runner(_) => Answer::Free,
                };
                if let Some(reply) = waiting.reply {
                    answer(reply, given);
                }
            }
        }
    }

    /// A rule or a mode that came meanwhile may have settled a question: then it is noted as answered.
    pub(super) fn settled(&self) -> Option<Event> {
        let open = self.waiting.iter().find(|(call, waiting)| {
            self.session().approvals.contains_key(*call)
                && self.need_of(&waiting.question) == Need::Nothing
        });
        let call = open?.0.clone();
        let verdict = Verdict::Allow;
        Some(Event::ApprovalDecided { call, verdict })
    }

    /// Whoever waited for an answer waits no more.
    pub(super) fn forget_questions(&mut self) {
        self.waiting.clear();
        self.boundary = None;
    }

    /// What a turn is told between two model calls, once the messages meant for it are noted as taken.
    pub(super) fn taken(&mut self, seq: Seq) {
        if let Some(boundary) = &mut self.boundary {
            boundary.fact = seq;
        }
    }

    /// The messages to take in, as a fact.
    pub(super) fn taking(&self) -> Option<Event> {
        work::take_messages(self.session())
    }

    /// Remembers what the messages about to be taken say.
    pub(super) fn remember_texts(&mut self, event: &Event) {
        let Event::MessagesTaken { messages } = event else {
            return;
        };
        let texts = texts_of(self.session(), messages);
        if let Some(boundary) = &mut self.boundary {
            boundary.texts = texts;
        }
    }

    pub(super) fn at_boundary(&mut self, reply: oneshot::Sender<News>) {
        let (texts, fact) = (Vec::new(), Seq(u64::MAX));
        self.boundary = Some(AtBoundary { reply, texts, fact });
        self.notes.push_back(Note::Boundary);
    }

    /// Nothing is to be taken in: the turn goes on at once.
    pub(super) fn nothing_taken(&mut self) {
        self.taken(Seq(0));
        self.answer_boundary();
    }

    pub(super) fn answer_boundary(&mut self) {
        let now = self.session().fact;
        if self
            .boundary
            .as_ref()
            .is_none_or(|boundary| boundary.fact > now)
        {
            return;
        }
        if let Some(AtBoundary { reply, texts, .. }) = self.boundary.take() {
            let news = News {
                texts,
                spent: self.session().is_spent(),
                team_spent: self.runner.money.is_spent(self.session().team),
            };
            // A turn that was stopped meanwhile does not listen.
            let _ = reply.send(news);
        }
    }
}

fn texts_of(session: &Session, messages: &[duplex_domain::MessageId]) -> Vec<String> {
    let queued = session.queue.iter();
    let taken = queued.filter(|queued| messages.contains(&queued.id));
    taken.map(|queued| queued.text.clone()).collect()
}

fn answer(reply: oneshot::Sender<Answer>, answer: Answer) {
    // A turn that was stopped meanwhile does not listen.
    let _ = reply.send(answer);
}
