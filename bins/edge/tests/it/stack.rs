//! An edge with all that it stands on, and the people who use it.

use duplex_domain::{
    Envelope, Event, Lane, Role, RunnerId, Seq, SessionId, TeamId, Time, UserId, WorkspaceId,
    Writer,
};
use duplex_edge::{Config, Edge, Limited};
use duplex_eventlog::{
    Address, Log, ModelInfo, Options, Registry, RunnerInfo, TokenPrices, WorkspaceEntry,
    WorkspaceState,
};
use duplex_local::{NatsOptions, NatsServer, Postgres, PostgresOptions, scratch_dir};
use futures_util::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const PASSWORD: &str = "correct horse battery";

pub struct Stack {
    pub edge: Edge,
    pub config: Config,
    pub base: String,
    pub http: Client,
    pub log: Log,
    pub data: PathBuf,
    pub nats_url: String,
    pub postgres_url: String,
    _nats: NatsServer,
    _postgres: Postgres,
    _folder: TempDir,
}

/// A status and a body.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, body }
    }

    /// Status, code and field of an error.
    pub fn error(&self) -> (u16, &str, Option<&str>) {
        let error = &self.body["error"];
        let code = error["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {self:?}"));
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{self:?}"
        );
        (self.status, code, error["field"].as_str())
    }
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: UserId,
    pub cookie: String,
    pub base: String,
    pub http: Client,
}

impl Stack {
    pub async fn start() -> Self {
        Self::start_as(|_| {}).await
    }

    /// An edge that is told something else than usual.
    pub async fn start_as(change: impl FnOnce(&mut Config)) -> Self {
        let folder = scratch_dir().unwrap();
        let nats = NatsServer::start(NatsOptions::new(folder.path().join("nats")));
        let postgres = Postgres::start(PostgresOptions::fast(folder.path().join("postgres")));
        let (nats, postgres) = tokio::join!(nats, postgres);
        let (nats, postgres) = (nats.unwrap(), postgres.unwrap());
        let data = folder.path().join("edge");
        let mut config = Config {
            nats: nats.url(),
            nats_monitor: Some(nats.monitor_url()),
            postgres: postgres.url(),
            listen: "127.0.0.1:0".parse().unwrap(),
            origins: vec![],
            data: data.clone(),
            terminals_per_person: 16,
            limits: Limited::default(),
            tls: None,
            proxies: vec![],
            ready_file: None,
        };
        change(&mut config);
        let edge = Box::pin(Edge::start(&config)).await.unwrap();
        let options = Options {
            url: nats.url(),
            monitor: None,
            name: "test",
        };
        Self {
            base: base(&config, &edge),
            edge,
            config,
            http: Client::new(),
            log: Log::connect(&options).await.unwrap(),
            data,
            nats_url: nats.url(),
            postgres_url: postgres.url(),
            _nats: nats,
            _postgres: postgres,
            _folder: folder,
        }
    }

    /// Changes the tables behind the edge's back.
    pub async fn sql(&self, statement: &str) {
        let mut psql = tokio::process::Command::new("psql");
        let done = psql.args([
            "-qX",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            &self.postgres_url,
        ]);
        assert!(done.status().await.unwrap().success(), "{statement}");
    }

    /// One more edge on the same log and tables.
    pub async fn another_edge(&self) -> Edge {
        Edge::start(&self.config).await.unwrap()
    }

    pub fn setup_secret(&self) -> String {
        let link = std::fs::read_to_string(self.data.join("setup-link")).unwrap();
        link.trim().split_once('#').unwrap().1.to_owned()
    }

    /// A request as a page of this server sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("origin", &self.base)
    }

    /// As [`Self::post`], told to have come from an address, as a proxy tells it.
    pub async fn post_from(&self, address: &str, path: &str, body: Value) -> Response {
        let request = self.request(Method::POST, path).json(&body);
        request
            .header("x-forwarded-for", address)
            .send()
            .await
            .unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    /// Ada, who owns the server.
    pub async fn ada(&self) -> Person {
        let secret = self.setup_secret();
        let body = json!({"secret": secret, "name": "Ada", "email": "ada@example.org", "password": PASSWORD});
        self.person(self.post("/api/setup", body).await).await
    }

    /// Ada in another browser.
    pub async fn login(&self) -> Person {
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        self.person(self.post("/api/login", body).await).await
    }

    /// Bob, whom Ada invites.
    pub async fn bob(&self, ada: &Person, role: &str) -> Person {
        self.joins(ada, "Bob", role).await
    }

    /// Somebody whom an owner invites; the name in small letters is their address at example.org.
    pub async fn joins(&self, owner: &Person, name: &str, role: &str) -> Person {
        let invited = owner.post("/api/team/invitations", json!({"role": role}));
        let invited = invited.await;
        assert_eq!(invited.status, 201, "{invited:?}");
        let email = format!("{}@example.org", name.to_lowercase());
        let body = json!({"secret": invited.body["secret"], "name": name, "email": email, "password": PASSWORD});
        self.person(self.post("/api/join", body).await).await
    }

    /// Somebody in another browser.
    pub async fn login_as(&self, name: &str) -> Person {
        let email = format!("{}@example.org", name.to_lowercase());
        let body = json!({"email": email, "password": PASSWORD});
        self.person(self.post("/api/login", body).await).await
    }

    pub async fn person(&self, response: Response) -> Person {
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let me = Answer::of(response).await;
        let id = me.body["id"].as_str().unwrap().parse().unwrap();
        Person {
            id,
            cookie,
            base: self.base.clone(),
            http: self.http.clone(),
        }
    }

    /// A runner with two models, one of which works, that serves every workspace but those named `bad`.
    pub async fn runner(&self) -> (WorkspaceId, AbortOnDropHandle<()>) {
        let registry = self.log.registry().await.unwrap();
        let model = |id: &str, why_not: Option<&str>| ModelInfo {
            id: id.into(),
            label: id.to_uppercase(),
            provider: "demo".into(),
            available: why_not.is_none(),
            why_not: why_not.map(str::to_owned),
            context: Some(1_000_000),
            max_output: Some(128_000),
            price: why_not.map(|_| TokenPrices {
                input: 5,
                output: 25,
                cache_write: 6,
                cache_write_1h: 10,
                cache_read: 1,
            }),
        };
        let id = RunnerId(Uuid::now_v7());
        let models = vec![
            model("costly", Some("set a key first")),
            model("demo", None),
        ];
        let info = RunnerInfo {
            id,
            sandbox: "bubblewrap".into(),
            roots: vec!["/srv".into()],
            models,
        };
        registry.put_runner(&info).await.unwrap();
        let serving = AbortOnDropHandle::new(tokio::spawn(serve(registry.clone(), info)));
        let known = registry
            .ask_workspace("/srv/known", TeamId::default())
            .await
            .unwrap();
        (known.id, serving)
    }

    /// A session that somebody else opened, with these people let in.
    pub async fn foreign_session(&self, guests: &[(UserId, Role)]) -> (SessionId, Address, Seq) {
        let session = SessionId(Uuid::now_v7());
        let address = Address {
            team: TeamId(Uuid::now_v7()),
            session,
        };
        let mut events = vec![said(Event::Opened {
            team: address.team,
            workspace: WorkspaceId(Uuid::now_v7()),
            path: "/srv/known".into(),
            name: "Bob".into(),
            title: "Bob's".into(),
            agent: "duplex".into(),
            model: "demo".into(),
            mode: duplex_domain::Mode::default(),
            sandbox: String::new(),
        })];
        events.extend(guests.iter().map(|(user, role)| {
            said(Event::MemberSet {
                user: *user,
                name: "Ada".into(),
                role: *role,
            })
        }));
        let seq = self
            .log
            .append(&address, Lane::Fact, Seq(0), "opened", &events)
            .await
            .unwrap();
        (session, address, seq)
    }
}

/// Certificates are for names; without one the address does.
fn base(config: &Config, edge: &Edge) -> String {
    match config.tls {
        Some(_) => format!("https://localhost:{}", edge.address.port()),
        None => format!("http://{}", edge.address),
    }
}

pub const BOB: UserId = UserId(Uuid::from_u128(0xb0b));

/// Something Bob did.
pub fn said(event: Event) -> Envelope {
    Envelope {
        v: 1,
        at: Time(7),
        by: Writer::User(BOB),
        epoch: None,
        turn: None,
        event,
    }
}

async fn serve(registry: Registry, info: RunnerInfo) {
    let mut again = tokio::time::interval(Duration::from_secs(2));
    let changes = registry.workspace_changes().await.unwrap();
    let mut changes = std::pin::pin!(changes);
    loop {
        tokio::select! {
            _ = again.tick() => registry.put_runner(&info).await.unwrap(),
            Some(asked) = changes.next() => {
                if asked.state == WorkspaceState::Asked {
                    registry.put_workspace(&looked_at(asked, &info)).await.unwrap();
                }
            }
        }
    }
}

fn looked_at(asked: WorkspaceEntry, info: &RunnerInfo) -> WorkspaceEntry {
    if asked.path.contains("bad") {
        let problem = Some("there is no git repository; run `git init`".to_owned());
        return WorkspaceEntry {
            state: WorkspaceState::Refused,
            code: Some("no_repository".into()),
            problem,
            ..asked
        };
    }
    let team = asked.team.filter(|team| *team != TeamId::default());
    WorkspaceEntry {
        state: WorkspaceState::Ready,
        runner: Some(info.id),
        team,
        ..asked
    }
}

impl Person {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        request
            .header("origin", &self.base)
            .header("cookie", &self.cookie)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(
            self.request(Method::POST, path)
                .json(&body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// A new session on the workspace that the runner serves.
    pub async fn open(&self, workspace: WorkspaceId) -> SessionId {
        let answer = self
            .post("/api/sessions", json!({"workspace": workspace}))
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn command(&self, session: SessionId, command: Value) -> Answer {
        self.post(
            &format!("/api/sessions/{session}/commands"),
            json!({"command": command}),
        )
        .await
    }
}
