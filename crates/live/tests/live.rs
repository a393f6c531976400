//! Sessions being watched and commanded, on a real nats-server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use duplex_domain::{
    Blob, Command, Delivery, Envelope, Epoch, Event, Lane, Picture, Recorded, Role, RunnerId, Seq,
    SessionId, Size, TeamId, TerminalId, Time, UserId, WorkspaceId, Writer,
};
use duplex_eventlog::{Address, Log, Options};
use duplex_live::{
    Live, Loaded, Opening, Shown, Start, StoredScreen, SubmitError, Update, Views, ViewsError,
    Watch, WatchError,
};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use duplex_wire::{Down, Frame, Screenful};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(0xada));
const BOB: UserId = UserId(Uuid::from_u128(0xb0b));
const PATIENCE: Duration = Duration::from_secs(20);

/// Views that hold at most one session.
struct Stored(Option<Loaded>);

impl Views for Stored {
    fn load(&self, _: SessionId) -> BoxFuture<'_, Result<Option<Loaded>, ViewsError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

struct Place {
    log: Log,
    live: Live,
    session: SessionId,
    address: Address,
    _nats: NatsServer,
    _folder: TempDir,
}

/// Ada's new session.
async fn place() -> Place {
    let folder = scratch_dir().unwrap();
    let nats = NatsServer::start(NatsOptions::new(folder.path().join("nats")))
        .await
        .unwrap();
    let options = Options {
        url: nats.url(),
        monitor: None,
        name: "test",
    };
    let log = Log::connect(&options).await.unwrap();
    let live = Live::new(log.clone(), Arc::new(Stored(None)));
    let session = SessionId(Uuid::now_v7());
    let address = Address {
        team: TeamId(Uuid::now_v7()),
        session,
    };
    let opening = Opening {
        session,
        team: address.team,
        user: ADA,
        name: "Ada".into(),
        workspace: WorkspaceId(Uuid::now_v7()),
        path: "/srv/known".into(),
        title: String::new(),
        agent: "duplex".into(),
        model: "demo".into(),
        mode: duplex_domain::Mode::Plan,
        sandbox: "bubblewrap".into(),
        message: None,
    };
    live.open(opening).await.unwrap();
    Place {
        log,
        live,
        session,
        address,
        _nats: nats,
        _folder: folder,
    }
}

impl Place {
    async fn submit(&self, command: Command) -> Result<Seq, SubmitError> {
        self.live
            .submit(self.session, ADA, Uuid::now_v7(), command)
            .await
    }

    async fn watch(&self) -> Watch {
        self.live.watch(self.session, ADA, None).await.unwrap()
    }

    async fn frames(&self) -> Vec<Recorded> {
        self.log
            .read(self.session, Seq(0))
            .try_collect()
            .await
            .unwrap()
    }

    /// The fold of the whole log.
    async fn uncut(&self) -> Picture {
        let mut picture = Picture::new(self.session);
        for frame in self.frames().await {
            picture.apply(&frame);
        }
        picture
    }

    async fn let_in(&self, user: UserId, role: Role) {
        let name = "Bob".to_owned();
        self.submit(Command::SetMember { user, name, role })
            .await
            .unwrap();
    }

    /// A terminal that has put something out, in several frames.
    async fn terminal(&self, pieces: &[&str]) -> (TerminalId, Vec<Seq>) {
        let guard = self.uncut().await.session.fact;
        let terminal = TerminalId(Uuid::now_v7());
        let size = Size { cols: 80, rows: 24 };
        let claimed = Event::Claimed {
            runner: RunnerId::default(),
            sandbox: "bubblewrap".into(),
        };
        let events = [
            by_runner(claimed),
            by_runner(Event::TerminalOpened { terminal, size }),
        ];
        self.log
            .append(&self.address, Lane::Fact, guard, "terminal", &events)
            .await
            .unwrap();
        let (mut offset, mut seqs) = (0, vec![Seq(0)]);
        for piece in pieces {
            let bytes = Blob(piece.as_bytes().to_vec());
            let printed = [by_runner(Event::Printed {
                terminal,
                offset,
                bytes,
            })];
            let guard = *seqs.last().unwrap();
            let seq = self
                .log
                .append(
                    &self.address,
                    Lane::Output,
                    guard,
                    &format!("p{offset}"),
                    &printed,
                )
                .await;
            seqs.push(seq.unwrap());
            offset += piece.len() as u64;
        }
        (terminal, seqs)
    }
}

fn by_runner(event: Event) -> Envelope {
    let by = Writer::Runner(RunnerId::default());
    Envelope {
        v: 1,
        at: Time(9),
        by,
        epoch: Some(Epoch(1)),
        turn: None,
        event,
    }
}

fn post(text: &str) -> Command {
    Command::PostMessage {
        text: text.to_owned(),
        delivery: Delivery::Queue,
    }
}

fn rename(title: &str) -> Command {
    Command::Rename {
        title: title.to_owned(),
    }
}

/// The picture a watcher has in the beginning.
fn begun(watch: &Watch) -> Picture {
    let Start::Snapshot(snapshot) = &watch.start else {
        panic!("no snapshot: {:?}", watch.start)
    };
    match serde_json::from_slice(&snapshot.json).unwrap() {
        Down::Snapshot { picture, .. } => *picture,
        other => panic!("{other:?}"),
    }
}

async fn next(watch: &mut Watch) -> Update {
    tokio::time::timeout(PATIENCE, watch.next())
        .await
        .expect("no update comes")
}

fn frame(session: SessionId, shown: &Shown) -> Option<Recorded> {
    let frame: Frame = serde_json::from_slice(shown.json.as_ref()?).unwrap();
    Some(frame.recorded(session))
}

/// What a watcher sees once it has seen the frame `until`.
async fn seen(watch: &mut Watch, until: Seq) -> Picture {
    let mut picture = begun(watch);
    while picture.session.seq < until {
        match next(watch).await {
            Update::Frame(shown) => picture.apply(&frame(watch.session, &shown).unwrap()),
            Update::Synced(_) => {}
            other => panic!("{other:?}"),
        }
    }
    picture
}

#[tokio::test]
async fn all_watchers_and_a_late_joiner_see_the_whole_fold() {
    let place = place().await;
    let (mut one, mut two) = (place.watch().await, place.watch().await);
    let mut last = Seq(0);
    for text in ["one", "two", "three"] {
        last = place.submit(post(text)).await.unwrap();
    }
    let uncut = place.uncut().await;
    assert_eq!(seen(&mut one, last).await, uncut);
    assert_eq!(seen(&mut two, last).await, uncut);
    assert_eq!(begun(&place.watch().await), uncut);
    assert_eq!(
        place
            .live
            .picture(place.session, ADA)
            .await
            .unwrap()
            .picture,
        uncut
    );
}

#[tokio::test]
async fn racing_commands_all_land_in_one_order() {
    let place = place().await;
    // Another edge on the same log: neither knows of the other.
    let other = Live::new(place.log.clone(), Arc::new(Stored(None)));
    let submits = (0..12).map(|number| {
        let live = if number % 2 == 0 { &place.live } else { &other };
        live.submit(
            place.session,
            ADA,
            Uuid::now_v7(),
            post(&format!("message {number}")),
        )
    });
    let mut seqs = futures_util::future::try_join_all(submits).await.unwrap();
    seqs.sort();
    let posted: Vec<Seq> = place
        .frames()
        .await
        .iter()
        .skip(1)
        .map(|frame| frame.seq)
        .collect();
    assert_eq!(posted, seqs);
    assert_eq!(place.uncut().await.session.queue.len(), 12);
}

#[tokio::test]
async fn the_same_command_twice_is_one_event() {
    let place = place().await;
    let id = Uuid::now_v7();
    let submit = |command| place.live.submit(place.session, ADA, id, command);
    let first = submit(rename("named")).await.unwrap();
    assert_eq!(submit(rename("named")).await.unwrap(), first);
    place.submit(rename("other")).await.unwrap();
    // Sent again late: what it did stays done, and is not done anew.
    submit(rename("named")).await.unwrap();
    assert_eq!(place.frames().await.len(), 3);
    assert_eq!(place.uncut().await.session.title, "other");
}

#[tokio::test]
async fn a_stranger_finds_nothing() {
    let place = place().await;
    let Place { live, session, .. } = &place;
    assert_eq!(
        live.watch(*session, BOB, None).await.unwrap_err(),
        WatchError::NotFound
    );
    assert_eq!(live.role_of(*session, BOB).await, Err(WatchError::NotFound));
    assert_eq!(
        live.picture(*session, BOB).await.unwrap_err(),
        WatchError::NotFound
    );
    let submitted = live
        .submit(*session, BOB, Uuid::now_v7(), Command::End)
        .await;
    assert_eq!(submitted, Err(SubmitError::NotFound));
    let nowhere = SessionId(Uuid::now_v7());
    assert_eq!(live.role_of(nowhere, ADA).await, Err(WatchError::NotFound));
}

#[tokio::test]
async fn who_is_removed_sees_nothing_more() {
    let place = place().await;
    place.let_in(BOB, Role::Driver).await;
    let mut bob = place.live.watch(place.session, BOB, None).await.unwrap();
    let mut ada = place.watch().await;
    let removed = place
        .submit(Command::RemoveMember { user: BOB })
        .await
        .unwrap();
    assert!(matches!(next(&mut bob).await, Update::Removed));
    assert_eq!(
        place.live.role_of(place.session, BOB).await,
        Err(WatchError::NotFound)
    );
    assert_eq!(seen(&mut ada, removed).await, place.uncut().await);
}

#[tokio::test]
async fn who_falls_behind_is_told_and_starts_over() {
    let place = place().await;
    let mut slow = place.watch().await;
    let mut guard = Seq(0);
    for number in 0..1_100_u64 {
        let text = Event::Notice {
            level: duplex_domain::Level::Info,
            code: "n".into(),
            text: number.to_string(),
        };
        let name = format!("n{number}");
        let notice = [Envelope {
            epoch: None,
            ..by_runner(text)
        }];
        guard = place
            .log
            .append(&place.address, Lane::Output, guard, &name, &notice)
            .await
            .unwrap();
    }
    let mut quick = place.watch().await;
    let there = seen(&mut quick, guard).await;
    assert_eq!(there.session, place.uncut().await.session);
    assert!(matches!(next(&mut slow).await, Update::Lagged));
    assert_eq!(begun(&place.watch().await).session, there.session);
}

#[tokio::test]
async fn who_comes_back_gets_just_what_was_missed() {
    let place = place().await;
    let _stays = place.watch().await;
    let first = place.submit(rename("one")).await.unwrap();
    let second = place.submit(rename("two")).await.unwrap();
    let back = place
        .live
        .watch(place.session, ADA, Some(first))
        .await
        .unwrap();
    let Start::Missed(missed) = &back.start else {
        panic!("a snapshot")
    };
    let seqs: Vec<(Seq, bool)> = missed
        .iter()
        .map(|shown| (shown.seq, shown.json.is_some()))
        .collect();
    assert_eq!(seqs, [(first, false), (second, true)]);
    let unknown = place
        .live
        .watch(place.session, ADA, Some(Seq(second.0 + 5)))
        .await
        .unwrap();
    assert_eq!(begun(&unknown), place.uncut().await);
}

#[tokio::test]
async fn a_stored_view_is_completed_from_the_log() {
    let place = place().await;
    let (terminal, seqs) = place.terminal(&["one ", "two ", "three"]).await;
    // The view stands after the second piece, its screen after the first.
    let mut picture = Picture::new(place.session);
    for frame in place
        .frames()
        .await
        .iter()
        .filter(|frame| frame.seq <= seqs[2])
    {
        picture.apply(frame);
    }
    let (bytes, seq, printed_seq) = (b"one ".to_vec(), seqs[1], seqs[2]);
    let screens = vec![StoredScreen {
        terminal,
        bytes,
        offset: 4,
        seq,
        printed_seq,
    }];
    let live = Live::new(
        place.log.clone(),
        Arc::new(Stored(Some(Loaded { picture, screens }))),
    );

    let glimpse = live.picture(place.session, ADA).await.unwrap();
    assert_eq!(glimpse.picture, place.uncut().await);
    assert_eq!(glimpse.terminals[0].text[0], "one two three");
    let watch = live.watch(place.session, ADA, None).await.unwrap();
    let Start::Snapshot(snapshot) = &watch.start else {
        panic!("no snapshot")
    };
    let screen = Screenful::decode(&snapshot.screens[0]).unwrap();
    assert_eq!(
        (screen.terminal, screen.offset, screen.seq),
        (terminal, 13, seqs[3])
    );
}
