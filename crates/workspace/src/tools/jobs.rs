//! Commands in the background: started by bash, looked after by jobs, ended with their session.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::bash::{self, Planned};
use super::{Context, Fault, Outcome, said};
use crate::clip::{Kept, clip};
use crate::names::visible;
use crate::process::{self, Bounds};
use crate::record::{Record, advice};
use crate::{Launch, Sandbox};

/// Ended ones that are remembered.
const REMEMBERED: usize = 64;
/// Bytes of a command that a list shows.
const SHOWN: usize = 120;

/// A session's commands in the background. Dropped, it ends them all.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    started: u32,
    jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
struct Job {
    id: u32,
    command: String,
    /// The file with all it puts out.
    file: Option<String>,
    unread: Arc<Mutex<Kept>>,
    /// How it ended, once it has.
    end: watch::Receiver<Option<String>>,
    cancel: CancellationToken,
    /// Whether the model knows of the end.
    told: bool,
    /// Aborted when the last one who knows the job lets go of it.
    _task: Arc<AbortOnDropHandle<()>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    action: Action,
    id: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    List,
    Read,
    Stop,
}

impl Jobs {
    /// Ends them all, and returns when they are gone.
    pub(super) async fn end(&self) {
        let jobs = self.list().jobs.clone();
        for job in &jobs {
            job.cancel.cancel();
        }
        for job in jobs {
            job.over().await;
        }
    }

    /// Whether one of them runs.
    pub(super) fn run(&self) -> bool {
        self.list().jobs.iter().any(Job::running)
    }

    /// The ends nobody has told the model about yet, a line each.
    pub(super) fn ends(&self) -> Vec<String> {
        let mut list = self.list();
        let jobs = list.jobs.iter_mut();
        let ended = jobs.filter(|job| !job.told && !job.running());
        let tell = |job: &mut Job| {
            job.told = true;
            let end = job.state();
            format!("[job {} ended: {}", job.id, end.trim_start_matches('['))
        };
        ended.map(tell).collect()
    }

    /// The model is being told of the end of this one.
    fn told(&self, id: u32) {
        let mut list = self.list();
        let jobs = list.jobs.iter_mut();
        for job in jobs.filter(|job| job.id == id && !job.running()) {
            job.told = true;
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        held(&self.0)
    }

    fn find(&self, id: Option<u32>) -> Result<Job, Fault> {
        let Some(id) = id else {
            return said("give the id of the job");
        };
        let found = self.list().jobs.iter().find(|job| job.id == id).cloned();
        found.map_or_else(
            || {
                said(format!(
                    "there is no job {id}: see jobs with the action list"
                ))
            },
            Ok,
        )
    }
}

impl List {
    /// Makes room for one more; the ended ones that were there longest are forgotten.
    fn admit(&mut self, most: usize) -> Result<u32, Fault> {
        let running = self.jobs.iter().filter(|job| job.running()).count();
        if running >= most {
            return said(format!(
                "{running} commands run in the background already: stop one with jobs first"
            ));
        }
        let mut surplus = (self.jobs.len() - running).saturating_sub(REMEMBERED);
        self.jobs.retain(|job| {
            let keep = job.running() || surplus == 0;
            surplus -= usize::from(!keep);
            keep
        });
        self.started += 1;
        Ok(self.started)
    }
}

impl Job {
    fn running(&self) -> bool {
        self.end.borrow().is_none()
    }

    fn state(&self) -> String {
        let end = self.end.borrow().clone();
        end.unwrap_or_else(|| "[running]".to_owned())
    }

    async fn over(&self) {
        // An error means that its task is gone, and so is the command.
        let _ = self.end.clone().wait_for(Option::is_some).await;
    }

    /// What it put out since somebody last looked.
    fn news(&self) -> String {
        let unread = std::mem::take(&mut *held(&self.unread));
        match &self.file {
            Some(file) => unread.text_with(&advice(file)).text,
            None => unread.text().text,
        }
    }
}

/// Starts a command that outlives its call.
pub(super) async fn start(context: &Context, planned: &Planned) -> Result<Outcome, Fault> {
    let limits = context.limits;
    let id = context.shared.jobs.list().admit(limits.jobs)?;
    let record = Record::filed(&context.worktree.home, limits.room()).await;
    let bounds = Bounds {
        time: Duration::MAX,
        streamed: usize::MAX,
        printed: limits.printed,
    };
    let file = record.name().map(str::to_owned);
    let unread = Arc::new(Mutex::new(Kept::default()));
    let (ended, end) = watch::channel(None);
    let cancel = CancellationToken::new();
    let run = Run {
        sandbox: context.sandbox.clone(),
        launch: planned.launch(context),
        bounds,
        record,
        unread: unread.clone(),
        cancel: cancel.clone(),
    };
    let task = tokio::spawn(async move {
        ended.send_replace(Some(run.run().await));
    });
    let job = Job {
        id,
        command: planned.command.clone(),
        file: file.clone(),
        unread,
        end,
        cancel,
        told: false,
        _task: Arc::new(AbortOnDropHandle::new(task)),
    };
    context.shared.jobs.list().jobs.push(job);
    let place = file.map_or_else(String::new, |file| {
        format!(" Its output is also in {file}.")
    });
    Ok(Outcome::done(format!(
        "started as job {id}: look at what it puts out with jobs, action read, and end it with action stop.{place}"
    )))
}

/// A command on its way. It knows nothing of the session, so that the session's end is its end.
struct Run {
    sandbox: Sandbox,
    launch: Launch,
    bounds: Bounds,
    record: Record,
    unread: Arc<Mutex<Kept>>,
    cancel: CancellationToken,
}

impl Run {
    /// Until its end, and how that came.
    async fn run(mut self) -> String {
        let (output, mut pieces) = mpsc::channel::<Bytes>(4);
        let running = process::run(
            &self.sandbox,
            &self.launch,
            &self.bounds,
            output,
            &self.cancel,
            &mut self.record,
        );
        let reading = async {
            while let Some(piece) = pieces.recv().await {
                held(&self.unread).push(&piece);
            }
        };
        let (end, ()) = tokio::join!(running, reading);
        drop(self.record.text().await);
        match end {
            Ok(process::End::Cancelled) => "[stopped]".to_owned(),
            Ok(end) => bash::ending(&end, &self.bounds),
            Err(error) => format!("[it could not be started: {error}]"),
        }
    }
}

pub(super) async fn run(context: &Context, input: &Input) -> Result<Outcome, Fault> {
    let jobs = &context.shared.jobs;
    match input.action {
        Action::List => Ok(Outcome::done(listed(&jobs.list().jobs))),
        Action::Read => {
            let job = jobs.find(input.id)?;
            // The end first: what was put out before it is there by then.
            jobs.told(job.id);
            let state = job.state();
            Ok(Outcome::done(bash::with_ending(&job.news(), &state)))
        }
        Action::Stop => {
            let job = jobs.find(input.id)?;
            job.cancel.cancel();
            job.over().await;
            jobs.told(job.id);
            Ok(Outcome::done(bash::with_ending(&job.news(), &job.state())))
        }
    }
}

fn listed(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return "no command runs in the background".to_owned();
    }
    let mut text = String::new();
    for job in jobs {
        let command = visible(&job.command);
        let short = &command[..command.floor_char_boundary(SHOWN)];
        let more = if short.len() < command.len() {
            "…"
        } else {
            ""
        };
        let _ = writeln!(text, "{} {} {short}{more}", job.id, job.state());
    }
    clip(&text)
}

/// A lock nobody holds for longer than a copy takes.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
