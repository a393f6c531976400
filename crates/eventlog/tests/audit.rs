//! The audit log on a real nats-server: chains that several write at once, and that nobody can cut.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::audit::{Deed, From, How, Outcome, Who, check};
use duplex_domain::{Seq, TeamId, Time};
use duplex_eventlog::{Audit, AuditError, Log, Options};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

struct Place {
    nats: NatsServer,
    audit: Audit,
    _folder: TempDir,
}

async fn place() -> Place {
    let folder = scratch_dir().unwrap();
    let nats = NatsServer::start(NatsOptions::new(folder.path().join("nats")))
        .await
        .unwrap();
    let audit = connect(&nats).await;
    Place {
        nats,
        audit,
        _folder: folder,
    }
}

async fn connect(nats: &NatsServer) -> Audit {
    let options = Options {
        url: nats.url(),
        monitor: None,
        name: "test",
    };
    Log::connect(&options).await.unwrap().audit().await.unwrap()
}

fn deed(what: &str) -> Deed {
    Deed {
        at: Time(5),
        who: Who {
            user: None,
            name: "Ada".into(),
            how: How::Cookie,
        },
        what: what.into(),
        on: None,
        from: From::default(),
        outcome: Outcome::Ok,
        code: String::new(),
        count: 1,
        detail: BTreeMap::new(),
        trace: String::new(),
    }
}

async fn jetstream(nats: &NatsServer) -> async_nats::jetstream::Context {
    let address: async_nats::ServerAddr = nats.url().parse().unwrap();
    let (user, password) = (address.username().unwrap(), address.password().unwrap());
    let options = async_nats::ConnectOptions::with_user_and_password(user.into(), password.into());
    async_nats::jetstream::new(options.connect(address).await.unwrap())
}

async fn lines(audit: &Audit, team: Option<TeamId>) -> Vec<String> {
    let frames = audit.read(team, Seq(0));
    let frames: Vec<_> = frames.try_collect().await.unwrap();
    frames.into_iter().flat_map(|frame| frame.lines).collect()
}

fn some_team() -> TeamId {
    TeamId(Uuid::now_v7())
}

#[tokio::test]
async fn two_edges_write_one_chain() {
    let place = place().await;
    let (one, two) = (place.audit.clone(), connect(&place.nats).await);
    let team = Some(some_team());
    let write = |audit: Audit, name: &'static str| async move {
        for n in 0..40 {
            let deeds = [deed(name), deed(name)];
            audit
                .append(team, &format!("{name}.{n}"), &deeds)
                .await
                .unwrap();
        }
    };
    tokio::join!(write(one.clone(), "one"), write(two, "two"));

    let lines = lines(&one, team).await;
    assert_eq!(lines.len(), 160);
    assert_eq!(
        check(lines).unwrap().unwrap(),
        one.head(team).await.unwrap()
    );
}

#[tokio::test]
async fn the_same_id_twice_is_one_record() {
    let place = place().await;
    let team = Some(some_team());
    let first = place.audit.append(team, "a", &[deed("x")]).await.unwrap();
    assert_eq!(
        place.audit.append(team, "a", &[deed("x")]).await.unwrap(),
        first
    );
    place.audit.append(team, "b", &[deed("y")]).await.unwrap();
    // The answer to `a` was lost, and another edge wrote `b` meanwhile.
    place.audit.append(team, "a", &[deed("x")]).await.unwrap();
    assert_eq!(lines(&place.audit, team).await.len(), 2);
}

#[tokio::test]
async fn each_team_has_a_chain_of_its_own() {
    let place = place().await;
    let teams = [Some(some_team()), Some(some_team()), None];
    for team in teams {
        for n in 0..3 {
            let id = format!("{team:?}.{n}");
            place.audit.append(team, &id, &[deed("x")]).await.unwrap();
        }
    }
    let mut known = place.audit.teams().await.unwrap();
    known.sort_unstable();
    let mut expected = teams.to_vec();
    expected.sort_unstable();
    assert_eq!(known, expected);
    for team in teams {
        let head = check(lines(&place.audit, team).await).unwrap().unwrap();
        assert_eq!((head.team, head.n), (team, 3));
    }
}

#[tokio::test]
async fn followers_see_what_comes() {
    let place = place().await;
    let mut follow = place.audit.follow(Seq(0)).await.unwrap();
    let team = Some(some_team());
    let deeds = [deed("x")];
    let writing = place.audit.append(team, "a", &deeds);
    let (frames, _) = tokio::join!(follow.next(), writing);
    let frames = frames.unwrap();
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].seq, frames[0].team), (Seq(1), team));
    assert_eq!(frames[0].id.as_deref(), Some("a"));
}

#[tokio::test]
async fn nothing_can_be_taken_out_or_dropped_for_room() {
    let place = place().await;
    let team = Some(some_team());
    place.audit.append(team, "a", &[deed("x")]).await.unwrap();
    let jetstream = jetstream(&place.nats).await;
    let mut stream = jetstream.get_stream("AUDIT").await.unwrap();
    assert!(stream.delete_message(1).await.is_err());

    let mut config = stream.info().await.unwrap().config.clone();
    config.max_messages = 1;
    jetstream.update_stream(config.clone()).await.unwrap();
    assert!(matches!(
        place.audit.ready().await,
        Err(AuditError::Full(_))
    ));
    let refused = place.audit.append(team, "b", &[deed("y")]).await;
    assert!(matches!(refused, Err(AuditError::Full(_))), "{refused:?}");
    assert_eq!(lines(&place.audit, team).await.len(), 1);

    config.max_messages = -1;
    jetstream.update_stream(config).await.unwrap();
    place.audit.ready().await.unwrap();
    place.audit.append(team, "b", &[deed("y")]).await.unwrap();
    assert_eq!(
        check(lines(&place.audit, team).await).unwrap().unwrap().n,
        2
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_told() {
    let place = place().await;
    place.nats.stop().await.unwrap();
    assert!(matches!(
        place.audit.ready().await,
        Err(AuditError::Unavailable(_))
    ));
    let written = place
        .audit
        .append(Some(some_team()), "a", &[deed("x")])
        .await;
    assert!(matches!(written, Err(AuditError::Unavailable(_))));
    let mut read = place.audit.read(None, Seq(0)).boxed();
    assert!(read.next().await.unwrap().is_err());
}
