//! A private Postgres with the tables in it.

use crate::story::{ADA, BOB, EVE, TEAM};
use duplex_domain::{Recorded, Seq, SessionId, Shard};
use duplex_local::{Postgres, PostgresOptions, scratch_dir};
use duplex_readmodel::{Database, Projection, Refold, Rows, Worker};
use tempfile::TempDir;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

/// When the stream of these tests was made.
pub const CREATED: i64 = 1_700_000_000_000_000_000;
/// The shard of these tests' sessions.
pub const SHARD: Shard = Shard(0);

pub struct Stage {
    /// As the edge sees it.
    pub database: Database,
    /// As the projector does.
    pub views: Database,
    url: String,
    _postgres: Postgres,
    _folder: TempDir,
}

impl Stage {
    pub async fn start() -> Self {
        let folder = scratch_dir().unwrap();
        let options = PostgresOptions::fast(folder.path().join("postgres"));
        let postgres = Postgres::start(options).await.unwrap();
        let url = postgres.url();
        let owner = Database::connect(&url).await.unwrap();
        owner.migrate().await.unwrap();
        Self {
            database: owner.working_as(Worker::Edge).await.unwrap(),
            views: owner.working_as(Worker::Projector).await.unwrap(),
            url,
            _postgres: postgres,
            _folder: folder,
        }
    }

    /// Brings the tables up to date once more.
    pub async fn migrate(&self) {
        let owner = Database::connect(&self.url).await.unwrap();
        owner.migrate().await.unwrap();
    }

    pub async fn projection(&self) -> Projection {
        Projection::open(self.views.clone(), SHARD, CREATED)
            .await
            .unwrap()
    }

    /// Projects frames from wherever the views are.
    pub async fn project(&self, frames: &[Recorded]) {
        let id = frames.last().map(|frame| format!("id-{}", frame.seq));
        let mut projection = self.projection().await;
        projection.project(frames, id).await.unwrap();
    }

    pub async fn rows(&self, session: SessionId) -> Rows {
        self.views.rows(session).await.unwrap().unwrap()
    }

    /// Gives the people of the stories accounts.
    pub async fn people(&self) {
        let sql = self.sql().await;
        let team = "INSERT INTO account.team (id, name) VALUES ($1, 'All')";
        sql.execute(team, &[&TEAM.0]).await.unwrap();
        for (person, name) in [(ADA, "ada"), (BOB, "bob"), (EVE, "eve")] {
            let row = "INSERT INTO account.person (id, team, role, name, email, password)
                       VALUES ($1, $2, 'member', $3, $3 || '@example.org', '')";
            let values: [&(dyn ToSql + Sync); 3] = [&person.0, &TEAM.0, &name];
            sql.execute(row, &values).await.unwrap();
        }
    }

    /// The server's address for another user and database.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let host = self.url.split('@').nth(1).unwrap();
        let host = host.split('/').next().unwrap();
        format!("postgres://{user}:{password}@{host}/{database}")
    }

    /// A connection to look and meddle behind the crate's back.
    pub async fn sql(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// What the rows of a session must be.
pub fn refolded(session: SessionId, frames: &[Recorded]) -> Rows {
    let mut refold = Refold::new(session);
    for frame in frames.iter().filter(|frame| frame.session == session) {
        refold.apply(frame);
    }
    refold.rows()
}

pub fn last(frames: &[Recorded]) -> Seq {
    frames.last().unwrap().seq
}
