//! A runner's whole surroundings: log, provider, repository, and a person who writes as an edge would for her.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use clap::Parser;
use duplex_domain::{
    CallId, Command, Delivery, EndReason, Envelope, Event, ItemKind, Lane, Mode, Pending, Picture,
    Seq, SessionId, Size, TeamId, TerminalId, Time, ToolState, UserId, Verdict, WorkspaceId,
    Writer, codec, decide,
};
use duplex_eventlog::{
    Address, AppendError, Follow, Followed, KeyPress, Log, Options, WorkspaceState,
};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use duplex_provider_double as double;
use duplex_runner::config::Config;
use duplex_terminal::Screen;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const ADA: UserId = UserId(Uuid::from_u128(0xADA));

/// A terminal's first size, as its screen takes it.
const SHELL: duplex_terminal::Size = duplex_terminal::Size { cols: 80, rows: 24 };

pub struct Place {
    pub nats: NatsServer,
    pub log: Log,
    pub provider: double::Handle,
    pub folder: TempDir,
    /// Further options for the runner.
    options: Vec<OsString>,
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Place {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A place whose runner is told more.
    pub async fn with(options: &[&str]) -> Self {
        let folder = scratch_dir().unwrap();
        let nats = NatsServer::start(NatsOptions::new(folder.path().join("nats")))
            .await
            .unwrap();
        let log = connect(&nats).await;
        let provider = double::start(strict()).await.unwrap();
        make_repository(&folder.path().join("app"));
        let mut place = Self {
            nats,
            log,
            provider,
            folder,
            options: options.iter().map(OsString::from).collect(),
            running: None,
        };
        place.start_runner();
        place
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub fn start_runner(&mut self) {
        let folder = self.folder.path();
        let (url, provider) = (self.nats.url(), self.provider.base_url());
        let options: [(&str, &OsStr); 6] = [
            ("--nats-url", url.as_ref()),
            ("--data", &folder.join("runner").into_os_string()),
            ("--roots", folder.as_os_str()),
            ("--workspaces", &self.workspace().into_os_string()),
            ("--anthropic-api-key", "scripted".as_ref()),
            ("--anthropic-base-url", provider.as_ref()),
        ];
        let words = options
            .iter()
            .flat_map(|(name, value)| [OsString::from(name), value.into()]);
        let words = words.chain(self.options.clone());
        let config = Config::parse_from([OsString::from("duplex-runner")].into_iter().chain(words));
        let stop = CancellationToken::new();
        let task = tokio::spawn(duplex_runner::run(config, stop.clone(), || Ok(())));
        self.running = Some(Running { task, stop });
    }

    /// Ends the runner without a word, as SIGKILL does.
    pub fn kill_runner(&mut self) {
        self.running.take().unwrap().task.abort();
    }

    pub async fn stop_runner(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.cancel();
        running.task.await.unwrap().unwrap();
    }

    async fn workspace_id(&self) -> WorkspaceId {
        let registry = self.log.registry().await.unwrap();
        within("the workspace to be served", async {
            loop {
                let all = registry.workspaces().await.unwrap();
                let ready = all
                    .iter()
                    .find(|entry| entry.state == WorkspaceState::Ready);
                if let Some(ready) = ready {
                    return ready.id;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    /// The worktree of a person's session.
    pub fn tree(&self, person: &Person) -> PathBuf {
        let session = person.address.session.to_string();
        let sessions = self.folder.path().join("runner/sessions");
        sessions.join(session).join("tree")
    }

    /// Everything that a person's session has in the log.
    pub async fn events(&self, person: &Person) -> Vec<Event> {
        let mut follow = self
            .log
            .follow(person.address.session, Seq(0))
            .await
            .unwrap();
        let mut events = Vec::new();
        while let Followed::Frame(frame) = follow.next().await.unwrap() {
            events.extend(frame.events.into_iter().map(|envelope| envelope.event));
        }
        events
    }

    /// The names of the tools that the model was offered.
    pub async fn offered(&self, person: &Person) -> Vec<String> {
        let events = self.events(person).await;
        let offered = events.into_iter().find_map(|event| match event {
            Event::LineageStarted { tools, .. } => Some(tools),
            _ => None,
        });
        offered.unwrap().into_iter().map(|tool| tool.name).collect()
    }

    pub async fn open(&self) -> Person {
        let session = SessionId(Uuid::now_v7());
        let team = TeamId(Uuid::from_u128(5));
        let mut person = Person {
            log: self.log.clone(),
            address: Address { team, session },
            picture: Box::new(Picture::new(session)),
            follow: self.log.follow(session, Seq(0)).await.unwrap(),
            printed: Vec::new(),
            screen: Box::new(Screen::new(SHELL, Screen::SCROLLBACK)),
            typed: Vec::new(),
        };
        let opened = Event::Opened {
            team,
            workspace: self.workspace_id().await,
            path: String::new(),
            name: "Ada".into(),
            title: String::new(),
            agent: "duplex".into(),
            model: "claude-opus-5-5".into(),
            mode: Mode::default(),
            sandbox: String::new(),
        };
        person.append(opened).await.unwrap();
        let opened = |person: &Person| person.picture.session.fact > Seq(0);
        person.sees("the opening", opened).await;
        person
    }
}

/// A provider that holds the runner to a history that only grows.
fn strict() -> double::Options {
    double::Options {
        own_history: true,
        ..double::Options::default()
    }
}

async fn connect(nats: &NatsServer) -> Log {
    let options = Options {
        url: nats.url(),
        monitor: Some(nats.monitor_url()),
        name: "test",
    };
    Log::connect(&options).await.unwrap()
}

fn make_repository(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    std::fs::write(path.join("README.md"), "# app\n").unwrap();
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    for args in [
        &["init", "-qb", "main"][..],
        &["add", "."],
        &["commit", "-qm", "Begin"],
    ] {
        let mut git = std::process::Command::new("git");
        let done = git.args(identity).args(args).current_dir(path).status();
        assert!(done.unwrap().success());
    }
}

pub async fn within<T>(what: &str, doing: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(30), doing).await;
    done.unwrap_or_else(|_| unreachable!("waited in vain for {what}"))
}

/// Whether some process of this machine was started with these words.
pub fn runs(words: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.map(|process| std::fs::read(process.path().join("cmdline")));
    let mut lines = lines.flatten();
    lines.any(|line| {
        String::from_utf8_lossy(&line)
            .replace('\0', " ")
            .contains(words)
    })
}

/// Ada and what she sees of her session.
pub struct Person {
    pub picture: Box<Picture>,
    /// Everything its terminals put out.
    pub printed: Vec<u8>,
    /// What its one terminal shows.
    pub screen: Box<Screen>,
    /// Of each `Typed`: the count, and how many sealed bytes came with it.
    pub typed: Vec<(u32, usize)>,
    log: Log,
    address: Address,
    follow: Follow,
}

impl Person {
    async fn append(&self, event: Event) -> Result<Seq, AppendError> {
        let envelope = Envelope {
            v: codec::CURRENT,
            at: Time(1),
            by: Writer::User(ADA),
            epoch: None,
            turn: self.picture.session.turn.as_ref().map(|turn| turn.id),
            event,
        };
        let (id, guard) = (Uuid::now_v7().to_string(), self.picture.session.fact);
        let events = [envelope];
        let appended = self
            .log
            .append(&self.address, Lane::Fact, guard, &id, &events);
        appended.await
    }

    pub async fn commands_as(&mut self, id: Uuid, command: Command) {
        loop {
            let decided = decide(&self.picture.session, ADA, id, command.clone());
            let Some(event) = decided.unwrap() else {
                return;
            };
            match self.append(event).await {
                Ok(_) => return,
                Err(AppendError::Conflict { .. }) => self.step().await,
                Err(error) => unreachable!("{error}"),
            }
        }
    }

    pub async fn commands(&mut self, command: Command) {
        self.commands_as(Uuid::now_v7(), command).await;
    }

    pub async fn interrupts(&mut self) {
        self.commands(Command::Interrupt { turn: None }).await;
    }

    pub async fn says(&mut self, text: &str) {
        let (text, delivery) = (text.to_owned(), Delivery::Queue);
        self.commands(Command::PostMessage { text, delivery }).await;
    }

    /// Slips a message into the turn that runs.
    pub async fn steers(&mut self, text: &str) {
        let (text, delivery) = (text.to_owned(), Delivery::Steer);
        self.commands(Command::PostMessage { text, delivery }).await;
    }

    pub async fn chooses(&mut self, mode: Mode) {
        self.commands(Command::ChooseMode { mode }).await;
        let chosen = |person: &Self| person.picture.session.mode == mode;
        self.sees("the mode", chosen).await;
    }

    /// Waits until so many calls wait for an answer, and gives them.
    pub async fn sees_asked(&mut self, n: usize) -> Vec<(CallId, Pending)> {
        let asked = |person: &Self| person.picture.session.approvals.len() == n;
        self.sees("calls that wait for an answer", asked).await;
        self.picture.session.approvals.clone().into_iter().collect()
    }

    pub async fn decides(&mut self, call: &CallId, verdict: Verdict) {
        let call = call.clone();
        self.commands(Command::Decide { call, verdict }).await;
    }

    async fn step(&mut self) {
        let Followed::Frame(frame) = self.follow.next().await.unwrap() else {
            return;
        };
        for envelope in &frame.events {
            match &envelope.event {
                Event::Printed { bytes, .. } => {
                    self.printed.extend(&bytes.0);
                    self.screen.feed(&bytes.0);
                }
                Event::ScreenSaved {
                    bytes,
                    elided: true,
                    ..
                } => {
                    *self.screen = Screen::new(SHELL, Screen::SCROLLBACK);
                    self.screen.feed(&bytes.0);
                }
                Event::Typed { count, bytes, .. } => self.typed.push((*count, bytes.0.len())),
                _ => {}
            }
        }
        self.picture.apply(&frame);
    }

    pub async fn sees(&mut self, what: &str, shows: impl Fn(&Self) -> bool) {
        let seen = async {
            while !shows(self) {
                self.step().await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), seen).await;
        assert!(
            seen.is_ok(),
            "waited in vain for {what}: {:#?}",
            self.picture
        );
    }

    /// Waits for the end of the `n`th turn and gives its reason.
    pub async fn sees_end(&mut self, n: usize) -> EndReason {
        self.sees("the end of the turn", |person| person.ends().len() >= n)
            .await;
        self.ends()[n - 1]
    }

    pub async fn sees_text(&mut self, text: &str) {
        self.sees(text, |person| person.text().contains(text)).await;
    }

    pub fn kinds(&self) -> impl Iterator<Item = &ItemKind> {
        self.picture.transcript.items.iter().map(|item| &item.kind)
    }

    pub fn ends(&self) -> Vec<EndReason> {
        let ends = self.kinds().filter_map(|kind| match kind {
            ItemKind::TurnEnd { reason, .. } => Some(*reason),
            _ => None,
        });
        ends.collect()
    }

    /// What the problems of the turns say.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.kinds().filter_map(|kind| match kind {
            ItemKind::TurnEnd { problem, .. } => problem.as_ref(),
            _ => None,
        });
        problems.map(|problem| problem.message.clone()).collect()
    }

    pub fn text(&self) -> String {
        let texts = self.kinds().filter_map(|kind| match kind {
            ItemKind::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    pub fn tools(&self) -> Vec<(ToolState, String)> {
        let tools = self.kinds().filter_map(|kind| match kind {
            ItemKind::Tool { state, result, .. } => Some((*state, result.clone())),
            _ => None,
        });
        tools.collect()
    }

    pub async fn opens_terminal(&mut self) -> TerminalId {
        let id = Uuid::now_v7();
        let size = Size { cols: 80, rows: 24 };
        self.commands_as(id, Command::OpenTerminal { size }).await;
        self.sees_printed("$").await;
        TerminalId(id)
    }

    pub fn prints(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.printed).contains(text)
    }

    pub async fn sees_printed(&mut self, text: &str) {
        self.sees(text, |person| person.prints(text)).await;
    }

    pub async fn types(&self, terminal: TerminalId, keys: &str) {
        let press = KeyPress {
            session: self.address.session,
            terminal,
            user: ADA,
            after: self.picture.session.fact,
            bytes: keys.as_bytes().to_vec().into(),
        };
        self.log.send_keys(press).await.unwrap();
    }
}
