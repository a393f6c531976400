//! What each process sees of the tables: nothing of a team it does not have in hand. The tables are those that Postgres
//! knows, so that a new one cannot be forgotten.

use crate::stage::{CREATED, SHARD, Stage};
use crate::story::{ADA, EVE, TEAM, session, working_day};
use duplex_domain::audit::{Deed, From, Head, How, Outcome, Record, Who};
use duplex_domain::{Role, Seq, Time};
use duplex_readmodel::{
    Accounts, Browser, Checkpoint, Database, Grant, Projection, TeamRole, User, Worker,
};
use duplex_wire::{CreateToken, Invite, MakeLink, Scope};
use std::collections::BTreeMap;
use std::fmt::Write;
use tokio_postgres::Client;

const TABLES: &str = "
SELECT oid::regclass::text, relrowsecurity AND relforcerowsecurity, pg_get_userbyid(relowner)
FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace IN ('view'::regnamespace, 'account'::regnamespace)
ORDER BY 1";
/// Counted against guessing, and of no team.
const OF_NO_TEAM: [&str; 2] = ["account.login_attempt", "account.wrong_try"];
/// How far the projector is; of no team either, and nobody else's business.
const PROJECTORS: [&str; 2] = ["view.checkpoint", "view.audit_checkpoint"];
/// The first owner's link, which is gone with its use.
const SETUP: &str = "account.setup";

async fn tables(sql: &Client) -> Vec<String> {
    let rows = sql.query(TABLES, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Works as a process with something in hand: the name of a setting, and its value.
async fn becomes(sql: &Client, role: &str, in_hand: Option<(&str, &str)>) {
    let mut words = format!("RESET ALL; SET ROLE {role};");
    if let Some((name, value)) = in_hand {
        write!(words, "SET duplex.{name} = '{value}';").expect("a string takes words");
    }
    sql.batch_execute(&words).await.unwrap();
}

/// How many rows of each table are seen; none where they may not even be asked for.
async fn seen(sql: &Client, tables: &[String]) -> BTreeMap<String, Option<i64>> {
    let mut seen = BTreeMap::new();
    for table in tables {
        let count = format!("SELECT count(*) FROM {table}");
        let answer = sql.query_one(&count, &[]).await;
        seen.insert(table.clone(), answer.ok().map(|row| row.get(0)));
    }
    seen
}

/// A row in every table.
async fn furnished() -> Stage {
    let stage = Stage::start().await;
    stage.project(&working_day()).await;
    stage.people().await;
    let accounts = Accounts::new(stage.database.clone());
    let ada = User {
        id: ADA,
        team: TEAM,
        team_name: "All".into(),
        role: TeamRole::Owner,
        name: "ada".into(),
        email: "ada@example.org".into(),
    };
    let sql = stage.sql().await;
    let owner = "UPDATE account.person SET role = 'owner' WHERE id = $1";
    sql.execute(owner, &[&ADA.0]).await.unwrap();
    sql.execute("INSERT INTO account.setup (hash) VALUES ('')", &[])
        .await
        .unwrap();
    accounts.sign_in(&ada, &Browser::default()).await.unwrap();
    let grant = Grant {
        user: ada.clone(),
        id: uuid::Uuid::now_v7(),
        scopes: None,
        expires_at: None,
    };
    let token = CreateToken {
        name: "ci".into(),
        scopes: vec![Scope::Read],
        days: None,
    };
    accounts.create_token(&grant, &token).await.unwrap();
    let invite = Invite {
        role: TeamRole::Guest,
        note: None,
        days: None,
    };
    accounts.invite(&ada, &invite).await.unwrap();
    accounts.new_reset(&ada, EVE).await.unwrap();
    let link = MakeLink {
        role: Role::Viewer,
        hours: 1,
        uses: None,
        span: None,
        note: String::new(),
    };
    let (_, secret) = accounts.make_link(&ada, session(1), &link).await.unwrap();
    accounts.visit(&secret.0, "Mallory").await.unwrap();
    let browser = Browser::default();
    let wrong = accounts.login("ada@example.org", "a wrong guess", &browser);
    wrong.await.unwrap_err();
    let _counted = accounts.count_try("10.0.0.0/24", 9).await.unwrap();
    let read = stage
        .database
        .set_read_position(TEAM, ADA, session(1), Seq(1));
    assert!(read.await.unwrap());
    audited(&stage).await;
    stage
}

async fn audited(stage: &Stage) {
    let deed = Deed {
        at: Time(1),
        who: Who {
            user: Some(ADA),
            name: "ada".into(),
            how: How::Cookie,
        },
        what: "team.rename".into(),
        on: None,
        from: From::default(),
        outcome: Outcome::Ok,
        code: String::new(),
        count: 1,
        detail: BTreeMap::new(),
        trace: String::new(),
    };
    let record = Record::behind(&Head::start(Some(TEAM)), deed);
    let from = stage.views.audit_checkpoint(CREATED).await.unwrap();
    let to = Checkpoint {
        seq: Seq(1),
        ..from.clone()
    };
    assert!(
        stage
            .views
            .write_audit(&[record], &from, &to)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn every_table_is_under_row_security_and_no_process_owns_one() {
    let stage = Stage::start().await;
    let sql = stage.sql().await;
    for row in sql.query(TABLES, &[]).await.unwrap() {
        let (table, forced, owner): (String, bool, String) = (row.get(0), row.get(1), row.get(2));
        assert!(forced, "{table} is not under row security");
        assert!(!owner.starts_with("duplex_"), "{table} is owned by {owner}");
    }
    let roles = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin FROM pg_roles
                 WHERE rolname IN ('duplex_edge', 'duplex_projector')";
    let roles = sql.query(roles, &[]).await.unwrap();
    let mighty: Vec<bool> = roles.iter().map(|row| row.get(0)).collect();
    assert_eq!(mighty, [false, false]);
    let open = "SELECT count(*) FROM pg_policies
                WHERE schemaname IN ('view', 'account') AND roles && ARRAY['public'::name]";
    assert_eq!(sql.query_one(open, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn without_a_team_in_hand_the_edge_sees_nothing() {
    let stage = furnished().await;
    let sql = stage.sql().await;
    let tables = tables(&sql).await;
    for (table, rows) in seen(&sql, &tables).await {
        assert!(rows > Some(0), "{table} has no row: this test needs one");
    }
    let stranger = "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071";
    for in_hand in [
        None,
        Some(("team", stranger)),
        Some(("session", stranger)),
        Some(("door", "no")),
    ] {
        becomes(&sql, "duplex_edge", in_hand).await;
        for (table, rows) in seen(&sql, &tables).await {
            if !OF_NO_TEAM.contains(&table.as_str()) {
                assert_eq!(rows, Some(0), "{table} with {in_hand:?} in hand");
            }
        }
    }
}

#[tokio::test]
async fn with_something_in_hand_the_edge_sees_that_and_no_more() {
    let stage = furnished().await;
    let sql = stage.sql().await;
    let tables = tables(&sql).await;
    let all = seen(&sql, &tables).await;

    becomes(&sql, "duplex_edge", Some(("team", &TEAM.0.to_string()))).await;
    for (table, rows) in seen(&sql, &tables).await {
        let hidden = PROJECTORS.contains(&table.as_str()) || table == SETUP;
        let meant = if hidden { Some(0) } else { all[&table] };
        assert_eq!(rows, meant, "{table}");
    }
    becomes(&sql, "duplex_edge", Some(("door", "yes"))).await;
    for (table, rows) in seen(&sql, &tables).await {
        let shown = table.starts_with("account.") && table != "account.read_position";
        let meant = if shown { all[&table] } else { Some(0) };
        assert_eq!(rows, meant, "{table}");
    }
    let one = session(1).0.to_string();
    becomes(&sql, "duplex_edge", Some(("session", &one))).await;
    let seen = seen(&sql, &tables).await;
    assert_eq!(seen["view.session"], Some(1));
    assert_eq!(
        (seen["view.cost"], seen["account.person"]),
        (Some(0), Some(0))
    );
}

#[tokio::test]
async fn each_process_changes_only_what_is_its_own() {
    let stage = furnished().await;
    let sql = stage.sql().await;
    let tables = tables(&sql).await;

    becomes(&sql, "duplex_edge", Some(("team", &TEAM.0.to_string()))).await;
    for table in tables.iter().filter(|table| table.starts_with("view.")) {
        let delete = format!("DELETE FROM {table}");
        let refused = sql.execute(&delete, &[]).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{table}");
    }
    // Nor does it put anything into another team.
    let theirs = "INSERT INTO account.invitation (id, team, hash, role, note, made_by, expires_at)
                  SELECT gen_random_uuid(), gen_random_uuid(), 'x', role, note, made_by, expires_at FROM account.invitation";
    let refused = sql.execute(theirs, &[]).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501", "{refused:?}");
    let moved = "UPDATE account.person SET team = gen_random_uuid()";
    let refused = sql.execute(moved, &[]).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501", "{refused:?}");

    becomes(&sql, "duplex_projector", None).await;
    for (table, rows) in seen(&sql, &tables).await {
        assert_eq!(rows.is_some(), table.starts_with("view."), "{table}");
    }
}

/// A database of an ordinary user of Postgres.
async fn ordinary(stage: &Stage, name: &str, rights: &str) -> String {
    let sql = stage.sql().await;
    let user = format!("CREATE ROLE {name} LOGIN PASSWORD 'x' {rights}");
    sql.batch_execute(&user).await.unwrap();
    let database = format!("CREATE DATABASE {name} OWNER {name}");
    sql.batch_execute(&database).await.unwrap();
    stage.url_as(name, "x", name)
}

#[tokio::test]
async fn an_ordinary_user_of_postgres_will_do() {
    let stage = Stage::start().await;
    let owner = Database::connect(&ordinary(&stage, "plain", "CREATEROLE").await).await;
    let owner = owner.unwrap();
    owner.migrate().await.unwrap();
    let edge = owner.working_as(Worker::Edge).await.unwrap();
    let views = owner.working_as(Worker::Projector).await.unwrap();
    let accounts = Accounts::new(edge.clone());
    let secret = accounts.new_setup_secret().await.unwrap();
    let ada = accounts.setup(&secret, "Ada", "ada@example.org", "correct horse battery");
    let ada = ada.await.unwrap();
    assert_eq!(accounts.people(&ada).await.unwrap().len(), 1);
    let mut projection = Projection::open(views.clone(), SHARD, CREATED)
        .await
        .unwrap();
    let frames = working_day();
    projection
        .project(&frames, Some("id".into()))
        .await
        .unwrap();
    assert!(edge.view(session(1)).await.unwrap().is_some());
    views.wipe_views().await.unwrap();
}

#[tokio::test]
async fn who_may_make_no_roles_is_told_what_to_run() {
    let stage = Stage::start().await;
    let sql = stage.sql().await;
    let url = ordinary(&stage, "poor", "").await;
    let owner = Database::connect(&url).await.unwrap();
    // Another database of the server has made the roles, and did not give them to this user.
    let error = format!("{:?}", owner.migrate().await.unwrap_err());
    assert!(error.contains("GRANT duplex_edge TO poor"), "{error}");

    sql.batch_execute("GRANT duplex_edge, duplex_projector TO poor")
        .await
        .unwrap();
    owner.migrate().await.unwrap();
    owner.working_as(Worker::Edge).await.unwrap();
    sql.batch_execute("REVOKE duplex_edge FROM poor")
        .await
        .unwrap();
    let error = owner.working_as(Worker::Edge).await.map(drop).unwrap_err();
    assert!(
        error.to_string().contains("GRANT duplex_edge TO"),
        "{error}"
    );
    assert!(!error.is_passing());
}
