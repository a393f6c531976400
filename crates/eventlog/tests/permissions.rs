//! What each process may say and hear on a real nats-server: exactly what nats-users.conf lists.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Envelope, Event, Lane, Seq, SessionId, Shard, TeamId, Time, Writer, codec};
use duplex_domain::{RunnerId, UserId};
use duplex_eventlog::{Address, ConnectError, KeyPress, Log, Options, RunnerInfo};
use duplex_local::{NatsOptions, NatsServer, NatsUser, scratch_dir};
use futures_util::{StreamExt, TryStreamExt};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// A subject of JetStream's interface, for any stream, consumer and message.
const ADMINISTRATION: [&str; 44] = [
    "INFO",
    "ACCOUNT.PURGE.$G",
    "ACCOUNT.STREAM.MOVE.$G.{}",
    "ACCOUNT.STREAM.CANCEL_MOVE.$G.{}",
    "STREAM.CREATE.{}",
    "STREAM.CREATE.MINE",
    "STREAM.UPDATE.{}",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.INFO.MINE",
    "STREAM.DELETE.{}",
    "STREAM.PURGE.{}",
    "STREAM.SNAPSHOT.{}",
    "STREAM.RESTORE.{}",
    "STREAM.RESTORE.MINE",
    "STREAM.MSG.GET.MINE",
    "STREAM.MSG.DELETE.{}",
    "STREAM.PEER.REMOVE.{}",
    "STREAM.LEADER.STEPDOWN.{}",
    "CONSUMER.CREATE.{}",
    "CONSUMER.CREATE.{}.mine",
    "CONSUMER.CREATE.{}.mine.log.>",
    "CONSUMER.DURABLE.CREATE.{}.mine",
    "CONSUMER.NAMES.{}",
    "CONSUMER.LIST.{}",
    "CONSUMER.INFO.{}.mine",
    "CONSUMER.DELETE.{}.mine",
    "CONSUMER.PAUSE.{}.mine",
    "CONSUMER.UNPIN.{}.mine",
    "CONSUMER.RESET.{}.mine",
    "CONSUMER.MSG.NEXT.{}.mine",
    "CONSUMER.LEADER.STEPDOWN.{}.mine",
    "DIRECT.GET.MINE",
    "META.LEADER.STEPDOWN",
    "SERVER.REMOVE",
    "SERVER.EVACUATE",
    "STREAM.TEMPLATE.CREATE.MINE",
    "STREAM.TEMPLATE.NAMES",
    "STREAM.TEMPLATE.INFO.MINE",
    "STREAM.TEMPLATE.DELETE.MINE",
    "STREAM.INFO.>",
    "STREAM.MSG.GET.>",
    "DIRECT.GET.>",
    ">",
];

/// Every stream there is.
const STREAMS: [&str; 15] = [
    "LOG_0",
    "LOG_1",
    "LOG_2",
    "LOG_3",
    "LOG_4",
    "LOG_5",
    "LOG_6",
    "LOG_7",
    "AUDIT",
    "KV_RUNNERS",
    "KV_WORKSPACES",
    "KV_SESSION_KEYS",
    "KV_TEAM_BUDGETS",
    "KV_REDACTED",
    "OBJ_BODIES",
];

/// The verbs of the list above that a process needs after all: the edge erases what was taken out.
fn needed(user: NatsUser, subject: &str) -> bool {
    match user {
        NatsUser::Edge => {
            let stream = subject.strip_prefix("$JS.API.STREAM.MSG.DELETE.");
            stream.is_some_and(|stream| !erased_by_nobody(stream))
        }
        NatsUser::Setup => {
            let made = ["$JS.API.STREAM.CREATE.", "$JS.API.STREAM.UPDATE."];
            let stream = made.iter().find_map(|verb| subject.strip_prefix(verb));
            stream.is_some_and(|stream| STREAMS.contains(&stream))
        }
        NatsUser::Runner | NatsUser::Projector => false,
    }
}

fn erased_by_nobody(stream: &str) -> bool {
    let erased = ["OBJ_BODIES", "KV_SESSION_KEYS", "KV_REDACTED"];
    !stream.starts_with("LOG_") && !erased.contains(&stream)
}

struct Place {
    nats: NatsServer,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = scratch_dir().unwrap();
        let options = NatsOptions::for_processes(folder.path().join("nats"));
        let nats = NatsServer::start(options).await.unwrap();
        Self { nats, folder }
    }

    async fn prepared() -> Self {
        let place = Self::new().await;
        Log::prepare(&place.options(NatsUser::Setup)).await.unwrap();
        place
    }

    fn options(&self, user: NatsUser) -> Options {
        Options {
            url: self.nats.url_of(user),
            monitor: Some(self.nats.monitor_url()),
            name: user.name(),
        }
    }

    async fn log(&self, user: NatsUser) -> Log {
        Log::connect(&self.options(user)).await.unwrap()
    }

    fn client(&self, user: NatsUser) -> Client {
        let url = self.nats.url_of(user);
        let password = url.split([':', '@']).nth(2).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", self.nats.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut client = Client(BufReader::new(stream));
        assert!(client.line().starts_with("INFO "));
        let name = user.name();
        client.say(&format!(
            "CONNECT {{\"user\":\"{name}\",\"pass\":\"{password}\",\"verbose\":false}}\r\nPING\r\n"
        ));
        assert_eq!(client.line(), "PONG");
        client
    }
}

/// A connection on which one can say anything.
struct Client(BufReader<TcpStream>);

impl Client {
    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What the server says to this before it answers the next ping: nothing, if it is allowed.
    fn refusal(&mut self, text: &str) -> Option<String> {
        self.say(&format!("{text}\r\nPING\r\n"));
        let mut refusal = None;
        loop {
            match self.line() {
                line if line == "PONG" => return refusal,
                line if line.starts_with("-ERR") => refusal = Some(line),
                line => assert!(!line.is_empty(), "the server hung up"),
            }
        }
    }

    fn may_publish(&mut self, subject: &str) -> bool {
        let refusal = self.refusal(&format!("PUB {subject} 2\r\n{{}}"));
        if let Some(refusal) = &refusal {
            assert!(
                refusal.contains("Permissions Violation for Publish"),
                "{refusal}"
            );
        }
        refusal.is_none()
    }

    fn may_subscribe(&mut self, subject: &str) -> bool {
        let refusal = self.refusal(&format!("SUB {subject} 1\r\nUNSUB 1"));
        if let Some(refusal) = &refusal {
            let (plain, words) = ("Permissions Violation for Subscription", refusal);
            assert!(words.contains(plain), "{refusal}");
        }
        refusal.is_none()
    }
}

#[tokio::test]
async fn no_verb_of_administration_is_open_to_a_process() {
    let place = Place::prepared().await;
    let mut wrong = Vec::new();
    for user in NatsUser::ALL {
        let mut client = place.client(user);
        for verb in ADMINISTRATION {
            for stream in STREAMS {
                let subject = format!("$JS.API.{}", verb.replace("{}", stream));
                if client.may_publish(&subject) != needed(user, &subject) {
                    wrong.push((user, subject));
                }
            }
        }
        for subject in [
            "$SYS.REQ.SERVER.PING",
            "$SYS.REQ.ACCOUNT.$G.INFO",
            "$SYS.REQ.USER.INFO",
            "$SYS.REQ.SERVER.X.RELOAD",
            "$JSC.R.x",
            "$JS.ACK.LOG_0.mine.1.1.1.1.0",
            "$JS.FC.LOG_0.mine.x",
            "_INBOX.mine",
            "live.log.0.t.s.fact",
            "anything",
        ] {
            if client.may_publish(subject) {
                wrong.push((user, subject.to_owned()));
            }
        }
    }
    assert_eq!(wrong, []);
}

#[tokio::test]
async fn each_process_appends_its_own_lanes_alone() {
    use NatsUser::{Edge, Projector, Runner, Setup};
    let place = Place::prepared().await;
    let allowed: [(&str, &[NatsUser]); 17] = [
        ("log.0.t.s.fact", &[Edge, Runner]),
        ("log.0.t.s.input", &[Runner]),
        ("log.0.t.s.output", &[Runner]),
        ("log.0.t.s.other", &[]),
        ("log.0.t.s.fact.more", &[]),
        ("audit.t", &[Edge]),
        ("audit.t.more", &[]),
        ("keys.s", &[Edge]),
        ("presence.s", &[Edge]),
        ("$KV.RUNNERS.r", &[Runner]),
        ("$KV.WORKSPACES.w", &[Edge, Runner]),
        ("$KV.SESSION_KEYS.s", &[Runner]),
        ("$KV.TEAM_BUDGETS.t", &[Edge]),
        ("$KV.REDACTED.s.1", &[Edge]),
        ("$O.BODIES.C.x", &[Edge, Runner]),
        ("$O.BODIES.M.x", &[Edge, Runner]),
        ("$O.OTHER.M.x", &[]),
    ];
    for user in [Setup, Edge, Runner, Projector] {
        let mut client = place.client(user);
        for (subject, users) in allowed {
            let may = client.may_publish(subject);
            assert_eq!(may, users.contains(&user), "{user:?} {subject}");
        }
    }
}

#[tokio::test]
async fn each_process_hears_its_own_subjects_alone() {
    use NatsUser::{Edge, Projector, Runner, Setup};
    let place = Place::prepared().await;
    let readers: &[NatsUser] = &[Edge, Runner, Projector];
    let allowed: [(&str, &[NatsUser]); 20] = [
        (">", &[]),
        ("*", &[]),
        ("*.>", &[]),
        ("log.>", &[]),
        ("$JS.>", &[]),
        ("$SYS.>", &[]),
        ("_INBOX.>", &[]),
        ("_INBOX_setup.>", &[Setup]),
        ("_INBOX_edge.>", &[Edge]),
        ("_INBOX_runner.>", &[Runner]),
        ("_INBOX_projector.>", &[Projector]),
        ("live.>", &[]),
        ("live.log.0.*.s.*", readers),
        ("live.audit.t", &[Edge, Projector]),
        // The server takes `keys.>` for one of the subjects that `keys.*` lists; there are no deeper ones to hear.
        ("keys.>", &[Runner]),
        ("keys.s", &[Runner]),
        ("presence.s", &[Edge]),
        ("$KV.WORKSPACES.w", &[Edge, Runner]),
        ("$KV.SESSION_KEYS.*", &[]),
        ("$O.BODIES.C.x", &[]),
    ];
    for user in [Setup, Edge, Runner, Projector] {
        let mut client = place.client(user);
        for (subject, users) in allowed {
            let may = client.may_subscribe(subject);
            assert_eq!(may, users.contains(&user), "{user:?} {subject}");
        }
    }
}

#[tokio::test]
async fn a_runner_answers_keys_and_says_nothing_else_to_an_edge() {
    let place = Place::prepared().await;
    let (edge, runner) = tokio::join!(place.log(NatsUser::Edge), place.log(NatsUser::Runner));
    let session = SessionId(Uuid::now_v7());
    let mut keys = runner.keys(session).await.unwrap();
    // What a runner reads after it subscribed, it reads when the subscription stands.
    runner.newest(session).await.unwrap();
    let press = KeyPress {
        session,
        terminal: duplex_domain::TerminalId::default(),
        user: UserId::default(),
        after: Seq(0),
        bytes: "ls".into(),
    };
    let sent = tokio::spawn(async move { edge.send_keys(press).await });
    keys.next().await.unwrap().typed().await;

    assert_eq!(sent.await.unwrap(), Ok(()));
    let mut client = place.client(NatsUser::Runner);
    assert!(!client.may_publish("_INBOX_edge.abc.1"));
}

#[tokio::test]
async fn processes_work_with_their_own_credentials() {
    let place = Place::prepared().await;
    let edge = place.log(NatsUser::Edge).await;
    let runner = place.log(NatsUser::Runner).await;
    let projector = place.log(NatsUser::Projector).await;
    let address = Address {
        team: TeamId(Uuid::now_v7()),
        session: SessionId(Uuid::now_v7()),
    };
    let mut follow = edge.follow(address.session, Seq(0)).await.unwrap();
    let fact = [envelope(Event::Ended {})];
    let first = edge.append(&address, Lane::Fact, Seq(0), "1", &fact).await;
    let text = Event::TextDelta {
        block: 0,
        text: "hello".into(),
    };
    let output = [envelope(text)];
    runner
        .append(&address, Lane::Output, Seq(0), "2", &output)
        .await
        .unwrap();
    let bytes = bytes::Bytes::from(vec![7; 300_000]);
    let body = runner.put_body(address.session, bytes.clone(), "x/y").await;

    let mut seen = 0;
    while seen < 2 {
        let followed = follow.next().await.unwrap();
        seen += u8::from(matches!(followed, duplex_eventlog::Followed::Frame(_)));
    }
    let read: Vec<_> = projector
        .read(address.session, Seq(0))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].seq, first.unwrap());
    let hash = body.unwrap().hash;
    assert_eq!(
        edge.body(address.session, &hash).await.unwrap(),
        Some(bytes)
    );
    let shard = Shard::of(address.session);
    let id = projector.message_id(shard, read[0].seq).await.unwrap();
    assert_eq!(id, Some(format!("{}:1", address.session)));
    Box::pin(register(&edge, &runner, address)).await;
    Box::pin(audited(&edge, &projector, address.team)).await;
    let log = std::fs::read_to_string(place.folder.path().join("nats/nats-server.log")).unwrap();
    assert!(!log.contains("Permissions Violation"), "{log}");
}

async fn audited(edge: &Log, projector: &Log, team: TeamId) {
    let (edge, projector) = tokio::join!(edge.audit(), projector.audit());
    let (edge, projector) = (edge.unwrap(), projector.unwrap());
    let mut follow = projector.follow(Seq(0)).await.unwrap();
    edge.ready().await.unwrap();
    edge.append(Some(team), "1", &[]).await.unwrap();
    assert_eq!(follow.next().await.unwrap()[0].team, Some(team));
    assert_eq!(edge.teams().await.unwrap(), [Some(team)]);
}

async fn register(edge: &Log, runner: &Log, address: Address) {
    let (edge, runner) = (
        edge.registry().await.unwrap(),
        runner.registry().await.unwrap(),
    );
    let info = RunnerInfo {
        id: RunnerId(Uuid::now_v7()),
        sandbox: "none".into(),
        roots: vec![],
        models: vec![],
    };
    runner.put_runner(&info).await.unwrap();
    assert_eq!(edge.runners().await.unwrap(), std::slice::from_ref(&info));
    assert!(runner.is_alive(info.id).await.unwrap());
    let mut budgets = Box::pin(runner.team_budgets().await.unwrap());
    edge.put_team_budget(address.team, Some(5)).await.unwrap();
    assert_eq!(budgets.next().await, Some((address.team, Some(5))));
    let key = runner.session_key(address.session, [1; 32]).await.unwrap();
    assert_eq!(key, [1; 32]);
    edge.forget_session_key(address.session).await.unwrap();
    let key = runner.session_key(address.session, [2; 32]).await.unwrap();
    assert_eq!(key, [2; 32]);
    runner.remove_runner(info.id).await.unwrap();
    assert_eq!(edge.runners().await.unwrap(), []);
}

#[tokio::test]
async fn a_process_without_its_streams_says_what_to_do() {
    let place = Place::new().await;
    let refused = Log::connect(&place.options(NatsUser::Runner)).await.err();

    let Some(ConnectError::NotPrepared(stream)) = &refused else {
        unreachable!("{refused:?}");
    };
    assert_eq!(stream, "LOG_0");
    assert!(refused.unwrap().to_string().contains("duplex prepare"));
}

#[tokio::test]
async fn a_wrong_password_is_told_as_one() {
    let place = Place::prepared().await;
    let mut options = place.options(NatsUser::Edge);
    options.url = options.url.replace("edge:", "edge:x");
    let refused = Log::connect(&options).await.err();

    assert!(matches!(refused, Some(ConnectError::Forbidden { .. })));
}

#[tokio::test]
async fn the_one_password_of_earlier_versions_opens_nothing_any_more() {
    let folder = scratch_dir().unwrap();
    let data = folder.path().join("nats");
    // A folder as it was left before: one user, one password, and something in the log.
    let before = NatsServer::start(NatsOptions::new(&data)).await.unwrap();
    let options = |url: String| Options {
        url,
        monitor: None,
        name: "test",
    };
    let log = Log::connect(&options(before.url())).await.unwrap();
    let address = Address {
        team: TeamId(Uuid::now_v7()),
        session: SessionId(Uuid::now_v7()),
    };
    let fact = [envelope(Event::Ended {})];
    let said = log.append(&address, Lane::Fact, Seq(0), "1", &fact).await;
    said.unwrap();
    before.stop().await.unwrap();
    std::fs::write(data.join("password"), "pold").unwrap();

    let nats = NatsServer::start(NatsOptions::for_processes(&data))
        .await
        .unwrap();
    Log::prepare(&options(nats.url())).await.unwrap();

    assert!(!data.join("password").exists());
    let log = Log::connect(&options(nats.url_of(NatsUser::Projector)))
        .await
        .unwrap();
    let read: Vec<_> = log
        .read(address.session, Seq(0))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(read.len(), 1);
    let old = format!("nats://duplex:pold@127.0.0.1:{}", nats.port());
    assert!(Log::connect(&options(old)).await.is_err());
    let mode = |name: &str| {
        let kept = std::fs::metadata(data.join("passwords").join(name)).unwrap();
        kept.permissions().mode() & 0o777
    };
    let modes = NatsUser::ALL.map(|user| mode(user.name()));
    assert_eq!(modes, [0o600; 4]);
    let passwords = NatsUser::ALL.map(|user| nats.url_of(user));
    let different: std::collections::BTreeSet<_> = passwords.iter().collect();
    assert_eq!(different.len(), 4);
}

fn envelope(event: Event) -> Envelope {
    Envelope {
        v: codec::CURRENT,
        at: Time(5),
        by: Writer::Runner(RunnerId::default()),
        epoch: None,
        turn: None,
        event,
    }
}
