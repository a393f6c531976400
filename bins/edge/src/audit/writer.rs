//! The one that writes records down: in order, until the audit log has them.

use super::floods::Floods;
use super::layer::{closed, unwritten};
use crate::failure::Failure;
use duplex_domain::TeamId;
use duplex_domain::audit::Deed;
use duplex_eventlog::{Audit, AuditError};
use metrics::{counter, gauge};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use uuid::Uuid;

/// How many records may wait to be written.
const WAITING: usize = 4096;
/// How many are written in one message at most.
const TOGETHER: usize = 128;
/// How long administration waits for its record.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often sums of equal deeds are looked at.
const TICK: Duration = Duration::from_secs(5);
/// How long an edge that stops tries to write what is left.
const LAST_TRY: Duration = Duration::from_secs(3);
/// How often it is said that nothing can be written.
const REMIND: Duration = Duration::from_secs(30);

/// A deed on its way.
struct Job {
    team: Option<TeamId>,
    deed: Deed,
    done: Option<oneshot::Sender<()>>,
}

/// Which team is the only one, and since when that is believed.
type OnlyTeam = (Instant, Option<TeamId>);

/// Where everybody puts what must be written down. A cheap handle.
#[derive(Clone)]
pub(crate) struct Auditor {
    pub log: Audit,
    queue: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    floods: Mutex<Floods>,
    failing: AtomicBool,
    only_team: Mutex<Option<OnlyTeam>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Auditor {
    /// Begins to write, until `stop`; the future ends when what is left then is written.
    pub fn new(log: Audit, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, jobs) = mpsc::channel(WAITING);
        let auditor = Self {
            log: log.clone(),
            queue,
            shared: Arc::default(),
        };
        let writer = Writer {
            log,
            jobs,
            shared: auditor.shared.clone(),
        };
        (auditor, writer.run(stop))
    }

    /// Whether what must be written down may be done now.
    pub async fn ready(&self) -> Result<(), Failure> {
        if self.shared.failing.load(Ordering::Relaxed) {
            return Err(closed());
        }
        self.log.ready().await.map_err(|problem| {
            error!("administration is refused, since nothing can be written down: {problem}");
            gauge!("duplex_edge_audit_failing").set(1.0);
            closed()
        })
    }

    /// Writes a deed down, and waits until it is.
    pub async fn write(&self, team: Option<TeamId>, deed: Deed) -> Result<(), Failure> {
        let (done, written) = oneshot::channel();
        let job = Job {
            team,
            deed,
            done: Some(done),
        };
        let writing = async {
            self.queue.send(job).await.map_err(|_| unwritten())?;
            written.await.map_err(|_| unwritten())
        };
        let written = tokio::time::timeout(PATIENCE, writing).await;
        written.unwrap_or_else(|_| Err(unwritten()))
    }

    /// Writes a deed down as soon as possible. Where too many wait already, it is summed up with others.
    pub fn note(&self, team: Option<TeamId>, deed: Deed) {
        let job = Job {
            team,
            deed,
            done: None,
        };
        let Err(refused) = self.queue.try_send(job) else {
            return;
        };
        counter!("duplex_edge_audit_summed_total").increment(1);
        let job = refused.into_inner();
        lock(&self.shared.floods).put(tokio::time::Instant::now(), job.team, &job.deed);
    }

    /// Writes a deed down, or counts it where an equal one was written a moment ago.
    pub fn sum_up(&self, team: Option<TeamId>, deed: Deed) {
        let now = tokio::time::Instant::now();
        let deed = lock(&self.shared.floods).take(now, team, deed);
        if let Some(deed) = deed {
            self.note(team, deed);
        }
    }

    /// How many records wait to be written.
    pub fn waiting(&self) -> u64 {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    pub(super) fn only_team(&self) -> Option<OnlyTeam> {
        *lock(&self.shared.only_team)
    }

    pub(super) fn set_only_team(&self, known: OnlyTeam) {
        *lock(&self.shared.only_team) = Some(known);
    }
}

struct Writer {
    log: Audit,
    jobs: mpsc::Receiver<Job>,
    shared: Arc<Shared>,
}

impl Writer {
    async fn run(mut self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            let mut jobs = Vec::new();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = tick.tick() => jobs.extend(self.over(Some(tokio::time::Instant::now()))),
                _ = self.jobs.recv_many(&mut jobs, TOGETHER) => {}
            }
            let written = self.write(jobs);
            // What is being written when the edge stops has a little time left.
            let patience = async {
                stop.cancelled().await;
                tokio::time::sleep(LAST_TRY).await;
            };
            tokio::select! {
                () = written => {}
                () = patience => break,
            }
        }
        let _ = tokio::time::timeout(LAST_TRY, self.rest()).await;
    }

    /// What is left at the end.
    async fn rest(&mut self) {
        self.jobs.close();
        let mut jobs = self.over(None);
        while let Some(job) = self.jobs.recv().await {
            jobs.push(job);
        }
        self.write(jobs).await;
    }

    fn over(&self, now: Option<tokio::time::Instant>) -> Vec<Job> {
        let over = lock(&self.shared.floods).over(now).into_iter();
        let job = |(team, deed)| Job {
            team,
            deed,
            done: None,
        };
        over.map(job).collect()
    }

    async fn write(&self, jobs: Vec<Job>) {
        let mut teams: BTreeMap<_, Vec<Job>> = BTreeMap::new();
        for job in jobs {
            teams.entry(job.team).or_default().push(job);
        }
        for (team, mut jobs) in teams {
            while !jobs.is_empty() {
                let rest = jobs.split_off(jobs.len().min(TOGETHER));
                self.append(team, jobs).await;
                jobs = rest;
            }
        }
    }

    /// Appends records of one team, as often as it takes.
    async fn append(&self, team: Option<TeamId>, jobs: Vec<Job>) {
        let id = Uuid::now_v7().simple().to_string();
        let deeds: Vec<Deed> = jobs.iter().map(|job| job.deed.clone()).collect();
        let mut pause = Duration::from_millis(50);
        let mut said = None;
        while let Err(problem) = self.log.append(team, &id, &deeds).await {
            self.fails(&problem, &mut said);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        if self.shared.failing.swap(false, Ordering::Relaxed) {
            info!("the audit log is written again");
        }
        gauge!("duplex_edge_audit_failing").set(0.0);
        counter!("duplex_edge_audit_records_total").increment(deeds.len() as u64);
        for done in jobs.into_iter().filter_map(|job| job.done) {
            // Who does not wait any more was told so.
            let _ = done.send(());
        }
    }

    fn fails(&self, problem: &AuditError, said: &mut Option<Instant>) {
        self.shared.failing.store(true, Ordering::Relaxed);
        gauge!("duplex_edge_audit_failing").set(1.0);
        if said.is_none_or(|said| said.elapsed() > REMIND) {
            *said = Some(Instant::now());
            error!("THE AUDIT LOG IS NOT WRITTEN, and administration is refused: {problem}");
        }
    }
}
