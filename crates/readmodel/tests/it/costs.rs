//! What was spent, over many sessions.

use crate::stage::{Stage, refolded};
use crate::story::{ADA, BOB, EVE, Story, TEAM, session, working_day, workspace};
use duplex_domain::{
    Again, Cost, Delivery, Event, Lane, MessageId, Recorded, SessionId, TeamId, Time, Usage, UserId,
};
use duplex_readmodel::{Accounts, CostsWanted, TeamRole, User};
use duplex_wire::{Costs, CostsBy};
use uuid::Uuid;

/// 2023-11-14, 22:13:20 UTC: when these stories begin.
const BEGAN: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;

fn user(id: UserId, role: TeamRole) -> User {
    User {
        id,
        team: TEAM,
        team_name: "Duplex".into(),
        role,
        name: "somebody".into(),
        email: "somebody@example.org".into(),
    }
}

fn pays(story: &mut Story, session: SessionId, model: &str, pico: Option<u64>) {
    let usage = Usage {
        input: 10,
        output: 2,
        cache_write: 3,
        cache_write_1h: 1,
        cache_read: 4,
    };
    let paid = Event::UsageRecorded {
        model: model.into(),
        usage,
        prices: None,
        pico,
        raw: None,
        finished: false,
    };
    story.runner(session, Lane::Fact, vec![paid]);
}

fn posts(story: &mut Story, session: SessionId, by: UserId, message: u128) -> MessageId {
    let message = MessageId(Uuid::from_u128(message));
    let event = Event::MessagePosted {
        message,
        text: "go".into(),
        delivery: Delivery::Queue,
    };
    story.person(session, by, event);
    message
}

fn starts(story: &mut Story, session: SessionId, messages: Vec<MessageId>, again: Option<Again>) {
    let model = "demo".into();
    let started = Event::TurnStarted {
        messages,
        model,
        again,
    };
    story.runner(session, Lane::Fact, vec![started]);
}

/// Ada's and Bob's session with a turn of each, one more that Bob asked for, and a summary Ada asked for; and a
/// session of Ada alone, three hours later and so on another day.
fn story() -> Vec<Recorded> {
    let mut story = Story::default();
    let (shared, own) = (session(1), session(2));
    story.open(shared, ADA, "shared");
    story.join(shared, BOB);
    story.claim(shared);
    let (of_ada, of_bob) = (
        posts(&mut story, shared, ADA, 1),
        posts(&mut story, shared, BOB, 2),
    );
    starts(&mut story, shared, vec![of_ada], None);
    pays(&mut story, shared, "costly", Some(1_000));
    pays(&mut story, shared, "costly", Some(200));
    starts(&mut story, shared, vec![of_bob], None);
    pays(&mut story, shared, "costly", Some(30));
    let again = Again::Retry;
    story.person(shared, BOB, Event::AgainRequested { again });
    starts(&mut story, shared, vec![], Some(again));
    pays(&mut story, shared, "unknown\0", None);
    story.person(shared, ADA, Event::CompactionRequested {});
    starts(&mut story, shared, vec![], None);
    pays(&mut story, shared, "costly", Some(4));
    story.now += 3 * HOUR;
    story.open(own, ADA, "own");
    story.claim(own);
    let message = posts(&mut story, own, ADA, 3);
    starts(&mut story, own, vec![message], None);
    pays(&mut story, own, "cheap", Some(5));
    story.frames
}

async fn told() -> Stage {
    let stage = Stage::start().await;
    stage.project(&story()).await;
    stage
}

async fn costs(stage: &Stage, user: &User, by: CostsBy) -> Costs {
    let wanted = CostsWanted {
        by,
        from: None,
        until: None,
    };
    stage.database.costs(user, wanted).await.unwrap()
}

/// Key, calls, picodollars and unpriced calls of each row.
fn rows(costs: &Costs) -> Vec<(&str, u64, u64, u32)> {
    let rows = costs.rows.iter().map(|row| {
        let spending = &row.spending;
        let cost = spending.cost;
        (row.key.as_str(), spending.calls, cost.pico, cost.unpriced)
    });
    rows.collect()
}

#[tokio::test]
async fn costs_are_told_apart_by_whatever_is_asked() {
    let stage = told().await;
    let owner = user(EVE, TeamRole::Owner);
    let key = |id: Uuid| id.as_simple().to_string();

    let (shared, own) = (session(1).to_string(), session(2).to_string());
    let sessions = costs(&stage, &owner, CostsBy::Session).await;
    let expected = [(shared.as_str(), 5, 1234, 1), (own.as_str(), 1, 5, 0)];
    assert_eq!(rows(&sessions), expected);
    assert_eq!(sessions.rows[0].label, "shared");
    let total = sessions.total;
    assert_eq!((total.calls, total.usage.total()), (6, 6 * 19));
    assert_eq!(
        total.cost,
        Cost {
            pico: 1239,
            unpriced: 1
        }
    );

    let people = costs(&stage, &owner, CostsBy::Person).await;
    let (ada, bob) = (key(ADA.0), key(BOB.0));
    let expected = [(ada.as_str(), 4, 1209, 0), (bob.as_str(), 2, 30, 1)];
    assert_eq!(rows(&people), expected);

    let workspaces = costs(&stage, &owner, CostsBy::Workspace).await;
    let one = key(workspace(1).0);
    assert_eq!(rows(&workspaces), [(one.as_str(), 6, 1239, 1)]);
    assert_eq!(workspaces.rows[0].label, "/srv/code");

    let models = costs(&stage, &owner, CostsBy::Model).await;
    let expected = [
        ("costly", 4, 1234, 0),
        ("cheap", 1, 5, 0),
        ("unknown", 1, 0, 1),
    ];
    assert_eq!(rows(&models), expected);

    let days = costs(&stage, &owner, CostsBy::Day).await;
    let expected = [("2023-11-14", 5, 1234, 1), ("2023-11-15", 1, 5, 0)];
    assert_eq!(rows(&days), expected);
}

#[tokio::test]
async fn people_see_what_their_own_sessions_cost() {
    let stage = told().await;
    let seen = async |id, role| {
        let costs = costs(&stage, &user(id, role), CostsBy::Session).await;
        costs.total.cost.pico
    };

    assert_eq!(seen(ADA, TeamRole::Member).await, 1239);
    assert_eq!(seen(BOB, TeamRole::Member).await, 1234);
    assert_eq!(seen(EVE, TeamRole::Member).await, 0);
    assert_eq!(seen(EVE, TeamRole::Guest).await, 0);
    let team = TeamId(Uuid::from_u128(1));
    let elsewhere = User {
        team,
        ..user(ADA, TeamRole::Owner)
    };
    let nothing = costs(&stage, &elsewhere, CostsBy::Day).await;
    assert_eq!((nothing.rows.len(), nothing.total.calls), (0, 0));
}

#[tokio::test]
async fn a_time_ends_before_its_end() {
    let stage = told().await;
    let last = story().last().unwrap().events[0].at;
    let owner = user(ADA, TeamRole::Owner);
    let pico = async |from, until| {
        let by = CostsBy::Model;
        let wanted = CostsWanted { by, from, until };
        let costs = stage.database.costs(&owner, wanted).await.unwrap();
        costs.total.cost.pico
    };

    assert_eq!(pico(Some(last), None).await, 5);
    assert_eq!(pico(None, Some(last)).await, 1234);
    assert_eq!(pico(Some(Time(BEGAN)), Some(Time(last.0 + 1))).await, 1239);
}

#[tokio::test]
async fn costs_are_the_same_however_the_frames_come() {
    let stage = told().await;
    let before = stage.rows(session(1)).await;
    assert_eq!(before, refolded(session(1), &story()));
    assert_eq!(before.spent.len(), 5);

    // A projector that dies after each frame knows no more than what is stored.
    stage.views.wipe_views().await.unwrap();
    assert_eq!(
        costs(&stage, &user(ADA, TeamRole::Owner), CostsBy::Day)
            .await
            .total
            .calls,
        0
    );
    for frame in story() {
        stage.project(&[frame]).await;
    }

    assert_eq!(stage.rows(session(1)).await, before);
}

#[tokio::test]
async fn a_changed_cost_is_found() {
    let stage = told().await;
    let right = stage.rows(session(1)).await.hash().unwrap();

    let change = "UPDATE view.cost SET pico = pico + 1 WHERE pico = 30";
    assert_eq!(stage.sql().await.execute(change, &[]).await.unwrap(), 1);

    assert_ne!(stage.rows(session(1)).await.hash().unwrap(), right);
}

#[tokio::test]
async fn what_a_stale_runner_says_costs_nobody_anything() {
    let stage = Stage::start().await;
    let mut story = Story::after(&working_day());
    // This story has claimed nothing: its runner writes under an epoch that is over.
    pays(&mut story, session(1), "costly", Some(7));
    stage.project(&story.frames).await;

    let rows = stage.rows(session(1)).await;
    assert_eq!(rows, refolded(session(1), &story.frames));
    assert!(rows.spent.iter().all(|spent| spent.pico != Some(7)));
}

#[tokio::test]
async fn a_team_spends_by_the_calendar_month() {
    let stage = Stage::start().await;
    let frames = story();
    stage.project(&frames).await;
    let spent = async || stage.database.spent_this_month(TEAM).await.unwrap();
    assert_eq!(spent().await.cost, Cost::default(), "all of it is long ago");
    let sql = stage.sql().await;
    let month = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')";
    let month: String = sql.query_one(month, &[]).await.unwrap().get(0);
    assert_eq!(spent().await.month, month);

    let began =
        "(extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC')) * 1000)::bigint";
    let moved = format!("UPDATE view.cost SET at = {began} WHERE pico IS DISTINCT FROM 1000");
    sql.execute(&moved, &[]).await.unwrap();
    let before = format!("UPDATE view.cost SET at = {began} - 1 WHERE pico = 1000");
    sql.execute(&before, &[]).await.unwrap();

    assert_eq!(
        spent().await.cost,
        Cost {
            pico: 239,
            unpriced: 1
        }
    );
}

#[tokio::test]
async fn only_an_owner_limits_what_a_team_spends() {
    let stage = Stage::start().await;
    let accounts = Accounts::new(stage.database.clone());
    let secret = accounts.new_setup_secret().await.unwrap();
    let ada = accounts.setup(&secret, "Ada", "ada@example.org", "correct horse battery");
    let ada = ada.await.unwrap();
    assert_eq!(ada.role, TeamRole::Owner);
    assert_eq!(accounts.team_budget(ada.team).await.unwrap(), None);

    for pico in [Some(12), None, Some(0)] {
        accounts.set_team_budget(&ada, pico).await.unwrap();
        assert_eq!(accounts.team_budget(ada.team).await.unwrap(), pico);
    }

    let too_much = accounts.set_team_budget(&ada, Some(u64::MAX)).await;
    assert_eq!(too_much.unwrap_err().code(), "bad_budget");
    for role in [TeamRole::Member, TeamRole::Guest] {
        let other = User {
            role,
            ..ada.clone()
        };
        let refused = accounts.set_team_budget(&other, None).await;
        assert_eq!(refused.unwrap_err().code(), "not_the_owner");
    }
    assert_eq!(accounts.team_budget(ada.team).await.unwrap(), Some(0));
}
