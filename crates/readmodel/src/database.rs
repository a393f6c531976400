//! The connection to Postgres.

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

/// How many connections one process holds at most.
const CONNECTIONS: usize = 16;
/// How long anything waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Migrations take turns on this advisory lock ("duplex" in ASCII).
const MIGRATING: i64 = 0x6475_706c_6578;

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// Postgres did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is not one.
    #[error(
        "the Postgres address is not valid ({0}); write it as postgres://user:password@host:port/database"
    )]
    Address(String),
    /// No connection came about.
    #[error("Postgres does not answer at {at}; check that it runs and that the address is right")]
    Unreachable {
        /// Host, port and database, without the password.
        at: String,
        /// What the attempt said.
        #[source]
        source: PoolError,
    },
    /// Every connection was in use for too long.
    #[error("Postgres is busy: no connection became free within 5 s; try again")]
    Busy,
    /// A statement failed.
    #[error("Postgres refused a statement")]
    Statement(#[from] tokio_postgres::Error),
    /// The tables could not be brought up to date.
    #[error(
        "the tables in Postgres could not be brought up to date; the cause says which step failed"
    )]
    Migration(#[from] refinery::Error),
    /// The cursor of a list came from no page of it.
    #[error("the cursor is not one that a page of this list gave; begin again without it")]
    Cursor,
    /// A stored row is not readable.
    #[error("a stored row is not readable; wipe the views, and the projector builds them anew")]
    Unreadable(#[from] serde_json::Error),
}

impl DatabaseError {
    /// Whether the same thing may work later, with nobody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy => true,
            Self::Statement(error) => error.is_closed() || error.as_db_error().is_none(),
            Self::Address(_) | Self::Migration(_) | Self::Cursor | Self::Unreadable(_) => false,
        }
    }
}

/// The database: a cheap handle on a bounded pool of connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    config: Arc<Config>,
    at: String,
}

impl Database {
    /// Connects, and asks something to see that it works. `url` is a `postgres://` address or a list of
    /// `key=value` words. Connections are not encrypted.
    ///
    /// # Errors
    /// When the address is no address, or nothing answers there within five seconds.
    pub async fn connect(url: &str) -> Result<Self, DatabaseError> {
        let mut config: Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| DatabaseError::Address(reason(&error)))?;
        config.connect_timeout(PATIENCE);
        if config.get_application_name().is_none() {
            config.application_name("duplex");
        }
        let at = whereabouts(&config);
        let recycling_method = RecyclingMethod::Fast;
        let kept = Arc::new(config.clone());
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| DatabaseError::Address(error.to_string()))?;
        let database = Self {
            pool,
            config: kept,
            at,
        };
        database.ping().await?;
        Ok(database)
    }

    /// Whether Postgres answers.
    ///
    /// # Errors
    /// When it does not, within five seconds.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        let client = self.client().await?;
        let answer = tokio::time::timeout(PATIENCE, client.batch_execute("SELECT 1"));
        answer.await.map_err(|_| DatabaseError::Busy)??;
        Ok(())
    }

    /// Brings the tables up to date. Several processes may do this at once: they take turns. Tables of a newer
    /// program are left as they are.
    ///
    /// # Errors
    /// When a step fails; the steps before it stay done.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        let mut client = self.client().await?;
        let lock = "SELECT pg_advisory_lock($1)";
        client.execute(lock, &[&MIGRATING]).await?;
        let runner = embedded::migrations::runner().set_abort_missing(false);
        let report = runner.run_async(&mut **client).await;
        let unlock = "SELECT pg_advisory_unlock($1)";
        client.execute(unlock, &[&MIGRATING]).await?;
        for migration in report?.applied_migrations() {
            tracing::info!("migrated Postgres: {migration}");
        }
        Ok(())
    }

    /// How a connection beside the pool is made, for what waits on one without end.
    pub(crate) fn config(&self) -> Config {
        let mut config = (*self.config).clone();
        // A connection on which nothing happens for hours must still be known to be there.
        config.keepalives_idle(Duration::from_secs(20));
        config
    }

    /// A connection of the pool.
    pub(crate) async fn client(&self) -> Result<Client, DatabaseError> {
        self.pool.get().await.map_err(|source| match source {
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => DatabaseError::Busy,
            source => DatabaseError::Unreachable {
                at: self.at.clone(),
                source,
            },
        })
    }
}

/// What an error says together with its cause; the driver's own text leaves the cause out.
fn reason(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Host, port and database: the part of an address that may be shown.
fn whereabouts(config: &Config) -> String {
    use tokio_postgres::config::Host;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let name = config.get_dbname().unwrap_or("postgres");
    format!("{host}:{port}/{name}")
}
