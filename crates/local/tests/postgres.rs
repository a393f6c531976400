//! A private Postgres starts, restarts, is killed, and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use duplex_local::{Postgres, PostgresOptions, StartError, find_postgres, scratch_dir};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::process::Command;

async fn sql(url: &str, query: &str) -> String {
    let psql = find_postgres(None).await.unwrap().program("psql");
    let output = Command::new(psql)
        .args(["-XAtq", "-c", query, url])
        .output()
        .await
        .unwrap();
    let said = if output.status.success() {
        output.stdout
    } else {
        output.stderr
    };
    String::from_utf8(said).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_kill_and_a_restart_keep_the_port_and_what_was_committed() {
    let folder = scratch_dir().unwrap();
    // Waits for the disk, since a kill follows.
    let options = PostgresOptions::new(folder.path().join("pg"));
    let mut server = Postgres::start(options).await.unwrap();
    let database = server.database("kept").await.unwrap();
    assert_eq!(sql(&database, "create table t as select 7 as n").await, "");

    server.kill9().await.unwrap();
    server.restart().await.unwrap();

    assert_eq!(server.database("kept").await.unwrap(), database);
    assert_eq!(sql(&database, "select n from t").await, "7");
    assert_eq!(sql(&database, "show fsync").await, "on");
}

#[tokio::test]
async fn it_asks_for_the_password() {
    let folder = scratch_dir().unwrap();
    let server = Postgres::start(PostgresOptions::fast(folder.path().join("pg")))
        .await
        .unwrap();
    let (_, place) = server
        .url()
        .split_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let answer = sql(&format!("postgres://duplex:wrong@{place}"), "select 1").await;
    assert!(
        answer.contains("password authentication failed"),
        "{answer}"
    );
    let kept = std::fs::metadata(folder.path().join("pg/password")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn dropping_it_leaves_no_process() {
    let folder = scratch_dir().unwrap();
    let server = Postgres::start(PostgresOptions::fast(folder.path().join("pg")))
        .await
        .unwrap();
    let process = server.identity().clone();
    assert!(process.is_running());
    drop(server);
    assert!(!process.is_running());
}

#[tokio::test]
async fn stopping_it_keeps_its_data_for_the_next_start() {
    let folder = scratch_dir().unwrap();
    let options = PostgresOptions::fast(folder.path().join("pg"));
    let server = Postgres::start(options.clone()).await.unwrap();
    let database = server.database("kept").await.unwrap();
    sql(&database, "create table t as select 7 as n").await;
    assert!(server.stop().await.unwrap().success());

    let again = Postgres::start(options).await.unwrap();

    let database = again.database("kept").await.unwrap();
    assert_eq!(sql(&database, "select n from t").await, "7");
}

#[tokio::test]
async fn one_left_running_is_ended_by_the_next_start() {
    let folder = scratch_dir().unwrap();
    let options = PostgresOptions::fast(folder.path().join("pg"));
    let left = Postgres::start(options.clone()).await.unwrap();
    let process = left.identity().clone();

    let next = Postgres::start(options).await.unwrap();

    assert!(process.ended_within(Duration::from_secs(5)).await);
    assert_eq!(sql(&next.url(), "select 1").await, "1");
}

#[tokio::test]
async fn a_database_is_named_plainly() {
    let folder = scratch_dir().unwrap();
    let server = Postgres::start(PostgresOptions::fast(folder.path().join("pg")))
        .await
        .unwrap();
    let error = server.database("a; drop").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"a; drop\" is no name for a database: use a to z, digits and _"
    );
}

#[tokio::test]
async fn a_cluster_of_another_version_is_not_touched() {
    let folder = scratch_dir().unwrap();
    let cluster = folder.path().join("pg/cluster");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let error = Postgres::start(PostgresOptions::fast(folder.path().join("pg")))
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::OtherPostgres { found, .. } if found == "9"));
}
