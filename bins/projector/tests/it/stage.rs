//! A private nats-server, a private Postgres, and a projector in this process.

use duplex_domain::{
    BlockKind, Envelope, Epoch, Event, Lane, Role, RunnerId, Seq, SessionId, TeamId, Time, UserId,
    WorkspaceId, Writer,
};
use duplex_eventlog::{Address, Log, Options};
use duplex_local::{NatsOptions, NatsServer, Postgres, PostgresOptions, scratch_dir};
use duplex_projector::Config;
use duplex_readmodel::{Database, Refold, Rows};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_mins(1);
const ADA: UserId = UserId(Uuid::from_u128(0xada));
const TEAM: TeamId = TeamId(Uuid::from_u128(0x7ea));

pub struct Stage {
    pub nats: NatsServer,
    pub postgres: Postgres,
    pub log: Log,
    folder: TempDir,
}

/// A projector at work, until stopped or dropped.
pub struct Projector {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Projector {
    /// Ends it in good order.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends it wherever it is.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Stage {
    pub async fn start() -> Self {
        let folder = scratch_dir().unwrap();
        let nats = NatsOptions::new(folder.path().join("nats"));
        let postgres = PostgresOptions::fast(folder.path().join("postgres"));
        let (nats, postgres) = tokio::join!(NatsServer::start(nats), Postgres::start(postgres));
        let nats = nats.unwrap();
        let options = Options {
            url: nats.url(),
            monitor: Some(nats.monitor_url()),
            name: "test",
        };
        Self {
            log: Log::connect(&options).await.unwrap(),
            nats,
            postgres: postgres.unwrap(),
            folder,
        }
    }

    /// Starts a projector; ready or not.
    pub fn projector(&self) -> Projector {
        let config = Config {
            nats_url: self.nats.url(),
            nats_monitor_url: None,
            postgres_url: self.postgres.url(),
            ready_file: Some(self.folder.path().join("ready")),
        };
        let stop = CancellationToken::new();
        let ready = config.ready_file.clone();
        let announce = || duplex_boot::ready::announce(ready);
        let task = tokio::spawn(duplex_projector::run(config, stop.clone(), announce));
        Projector { stop, task }
    }

    pub async fn database(&self) -> Database {
        Database::connect(&self.postgres.url()).await.unwrap()
    }

    /// Waits until a session's views contain what its log holds now, and compares them.
    pub async fn sees(&self, session: SessionId) -> Rows {
        let newest = self.log.newest(session).await.unwrap();
        let expected = self.refold(session).await;
        let wait = tokio::time::timeout(DEADLINE, self.reaches(session, newest));
        let rows = wait.await.expect("the views reach the log's end");
        assert_eq!(rows, expected);
        rows
    }

    async fn reaches(&self, session: SessionId, newest: Seq) -> Rows {
        loop {
            // The server may be on its way down or up, and the tables not there yet.
            if let Ok(database) = Database::connect(&self.postgres.url()).await
                && let Ok(Some(rows)) = database.rows(session).await
                && rows.session.seq >= newest
            {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn refold(&self, session: SessionId) -> Rows {
        let frames = self.log.read(session, Seq(0));
        let frames: Vec<_> = frames.try_collect().await.unwrap();
        let mut refold = Refold::new(session);
        for frame in &frames {
            refold.apply(frame);
        }
        refold.rows()
    }
}

/// Writes one session's log, as an edge and a runner would.
pub struct Author {
    log: Log,
    address: Address,
    newest: BTreeMap<Lane, Seq>,
    frames: u32,
}

impl Author {
    /// Opens a session with an answer under way.
    pub async fn open(stage: &Stage) -> Self {
        let session = SessionId(Uuid::now_v7());
        let mut author = Self {
            log: stage.log.clone(),
            address: Address {
                team: TEAM,
                session,
            },
            newest: BTreeMap::new(),
            frames: 0,
        };
        let opened = Event::Opened {
            team: TEAM,
            workspace: WorkspaceId::default(),
            path: "/srv/code".into(),
            name: "Ada".into(),
            title: "watched".into(),
            agent: "duplex".into(),
            model: "demo".into(),
            mode: duplex_domain::Mode::default(),
            sandbox: String::new(),
        };
        author.person(opened).await;
        let claimed = Event::Claimed {
            runner: RunnerId::default(),
            sandbox: "bubblewrap".into(),
        };
        author.runner(Lane::Fact, claimed).await;
        let kind = BlockKind::Text;
        let (block, step) = (0, 0);
        author
            .runner(Lane::Output, Event::BlockOpened { block, step, kind })
            .await;
        author
    }

    pub fn session(&self) -> SessionId {
        self.address.session
    }

    /// The agent writes on.
    pub async fn says(&mut self, text: &str) {
        let text = text.to_owned();
        let delta = Event::TextDelta { block: 0, text };
        self.runner(Lane::Output, delta).await;
    }

    /// A person joins.
    pub async fn invites(&mut self, user: u128) {
        let user = UserId(Uuid::from_u128(user));
        let (name, role) = ("Bob".into(), Role::Viewer);
        self.person(Event::MemberSet { user, name, role }).await;
    }

    async fn person(&mut self, event: Event) {
        self.append(Lane::Fact, Writer::User(ADA), None, event)
            .await;
    }

    async fn runner(&mut self, lane: Lane, event: Event) {
        let writer = Writer::Runner(RunnerId::default());
        self.append(lane, writer, Some(Epoch(1)), event).await;
    }

    async fn append(&mut self, lane: Lane, by: Writer, epoch: Option<Epoch>, event: Event) {
        self.frames += 1;
        let events = [Envelope {
            v: 1,
            at: Time(1_700_000_000_000),
            by,
            epoch,
            turn: None,
            event,
        }];
        let guard = self.newest.get(&lane).copied().unwrap_or_default();
        let id = self.frames.to_string();
        let append = self.log.append(&self.address, lane, guard, &id, &events);
        let seq = append.await.unwrap();
        self.newest.insert(lane, seq);
    }
}
