//! What is done with the worktree's files between turns: checkpoints, restores, commits. One thing at a time, and none
//! while a turn runs.

use super::{Holder, Note};
use crate::files;
use duplex_domain::{Event, Level, RestoreStage, TurnId, work};
use duplex_workspace::Worktree;
use std::future::pending;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// What came of it: facts to be noted, or why there are none.
pub(super) type Done = Result<Did, String>;

/// What was done.
#[derive(Default)]
pub(super) struct Did {
    facts: Vec<(Option<TurnId>, Event)>,
    /// What could not be kept, if anything was to be kept.
    left_out: Option<Vec<String>>,
}

/// What is done with the worktree's files.
#[derive(Default)]
pub(super) struct Files {
    running: Option<AbortOnDropHandle<Done>>,
    /// A turn that may have changed files.
    due: Option<TurnId>,
    /// The first checkpoint cannot be taken; turns run all the same.
    without: bool,
    /// What people were told could not be kept.
    left_out: Vec<String>,
}

impl Did {
    fn facts(events: Vec<Event>) -> Self {
        Self {
            facts: events.into_iter().map(|event| (None, event)).collect(),
            left_out: None,
        }
    }

    fn kept(turn: Option<TurnId>, kept: files::Kept) -> Self {
        Self {
            facts: kept.taken.into_iter().map(|event| (turn, event)).collect(),
            left_out: Some(kept.left_out),
        }
    }
}

impl Files {
    /// What came of the thing at work; never, if there is none. Cancel-safe.
    pub(super) async fn done(&mut self) -> Done {
        let Some(task) = &mut self.running else {
            return pending().await;
        };
        let done = task.await;
        self.running = None;
        done.unwrap_or_else(|error| Err(format!("it broke off: {error}")))
    }

    fn rests(&self) -> bool {
        self.running.is_none() && self.due.is_none()
    }
}

impl Holder {
    /// Whether a turn may start as far as the files are concerned.
    pub(super) fn files_rest(&self) -> bool {
        let first = self.session().checkpoints.is_empty() && !self.files.without;
        self.files.rests() && !(first && work::start_turn(self.session()).is_some())
    }

    /// A turn is over: its files are to be kept.
    pub(super) fn files_changed(&mut self, turn: TurnId) {
        self.files.due = Some(turn);
    }

    /// Starts what is to be done next.
    pub(super) async fn tend_files(&mut self) {
        let noting = self.notes.iter().any(|note| matches!(note, Note::Fact(..)));
        let busy = noting || self.appending.is_some() || self.is_behind() || self.stopping;
        if busy || self.files.running.is_some() || self.session().turn.is_some() {
            return;
        }
        let Some(what) = self.next_file_work() else {
            return;
        };
        match self.worktree().await {
            Ok(worktree) => self.files.running = Some(self.start_file_work(what, worktree)),
            Err(error) => {
                let done = Err(error.to_string());
                self.files_done(done);
            }
        }
    }

    fn next_file_work(&mut self) -> Option<FileWork> {
        if let Some(turn) = self.files.due.take() {
            return Some(FileWork::Keep(Some(turn)));
        }
        let session = self.session();
        if session.checkpoints.is_empty() && !self.files.without {
            return work::start_turn(session).map(|_| FileWork::Keep(None));
        }
        if let Some(restore) = &session.restore {
            match &restore.stage {
                RestoreStage::Preparing => return Some(FileWork::Prepare(restore.checkpoint)),
                RestoreStage::Confirmed { tree } => {
                    return Some(FileWork::Restore(restore.checkpoint, tree.clone()));
                }
                RestoreStage::Prepared { .. } => {}
            }
        }
        let asked = session.committing.as_ref()?;
        let author = asked.by.and_then(|by| session.members.get(&by));
        let author = author.map_or_else(|| "Duplex".to_owned(), |member| member.name.clone());
        Some(FileWork::Commit(asked.message.clone(), author))
    }

    fn start_file_work(&self, what: FileWork, worktree: Worktree) -> AbortOnDropHandle<Done> {
        let place = files::Place {
            log: self.runner.log.clone(),
            session: self.session().id,
            checkpoints: self.session().checkpoints.clone(),
            worktree,
        };
        AbortOnDropHandle::new(tokio::spawn(async move {
            match what {
                FileWork::Keep(turn) => {
                    let label = match turn {
                        Some(turn) => format!("after turn {turn}"),
                        None => "before the first turn".to_owned(),
                    };
                    Ok(Did::kept(turn, place.keep(&label).await?))
                }
                FileWork::Prepare(checkpoint) => {
                    Ok(Did::facts(vec![place.prepare(checkpoint).await]))
                }
                FileWork::Restore(checkpoint, tree) => {
                    Ok(Did::facts(place.restore(checkpoint, &tree).await))
                }
                FileWork::Commit(message, author) => {
                    // So that what is committed is a checkpoint too, and people learn what is in neither.
                    let mut did = match place.keep("before a commit").await {
                        Ok(kept) => Did::kept(None, kept),
                        Err(why) => return Ok(Did::facts(vec![Event::CommitRefused { why }])),
                    };
                    let committed = place.commit(&message, &author).await;
                    did.facts.push((None, committed));
                    Ok(did)
                }
            }
        }))
    }

    pub(super) fn files_done(&mut self, done: Done) {
        match done {
            Ok(did) => {
                for (turn, event) in did.facts {
                    self.notes.push_back(Note::Fact(turn, Box::new(event)));
                }
                self.tell_left_out(did.left_out);
            }
            Err(why) => {
                warn!(
                    "the files of session {} were not kept: {why}",
                    self.session().id
                );
                self.files.without = true;
                let text = format!("the files could not be kept for undo: {why}");
                self.warn_people("no_checkpoint", text);
            }
        }
    }

    /// What is neither in checkpoints nor in commits is told when it is new.
    fn tell_left_out(&mut self, left_out: Option<Vec<String>>) {
        let Some(left_out) = left_out.filter(|left_out| *left_out != self.files.left_out) else {
            return;
        };
        if !left_out.is_empty() {
            let all = left_out.join("; ");
            let text = format!("not kept for undo, and in no commit made here: {all}");
            self.warn_people("left_out", text);
        }
        self.files.left_out = left_out;
    }

    fn warn_people(&mut self, code: &str, text: String) {
        let notice = Event::Notice {
            level: Level::Warning,
            code: code.to_owned(),
            text,
        };
        self.say(None, notice);
    }
}

/// Something to be done with the files.
enum FileWork {
    Keep(Option<TurnId>),
    Prepare(u32),
    Restore(u32, String),
    Commit(String, String),
}
