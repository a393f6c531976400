//! The connection to Postgres.

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use duplex_domain::{SessionId, TeamId};
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
    /// The user of the address may not work as a process does.
    #[error(
        "the Postgres user may not work as `{role}`; run, as one who may: GRANT {role} TO the user"
    )]
    Role {
        /// The role of the process.
        role: &'static str,
        /// What Postgres said.
        #[source]
        source: tokio_postgres::Error,
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
            Self::Address(_)
            | Self::Role { .. }
            | Self::Migration(_)
            | Self::Cursor
            | Self::Unreadable(_) => false,
        }
    }
}

/// As what a process works. Each role owns nothing and may do only what its process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Keeps the accounts and reads the views, each time those of one team.
    Edge,
    /// Writes the views of all teams, and knows no accounts.
    Projector,
}

impl Worker {
    /// The role's name in Postgres.
    fn role(self) -> &'static str {
        match self {
            Self::Edge => "duplex_edge",
            Self::Projector => "duplex_projector",
        }
    }
}

/// Whose rows a handle sees, where its process is one that may not see all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InHand {
    #[default]
    Nothing,
    Team(TeamId),
    Session(SessionId),
    Door,
}

const TAKE_IN_HAND: &str = "
SELECT set_config('duplex.team', $1, false), set_config('duplex.session', $2, false),
    set_config('duplex.door', $3, false)";

/// The database: a cheap handle on a bounded pool of connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    config: Arc<Config>,
    at: String,
    worker: Option<Worker>,
    in_hand: InHand,
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
        let database = Self {
            pool: pool(&config, None)?,
            at: whereabouts(&config),
            config: Arc::new(config),
            worker: None,
            in_hand: InHand::Nothing,
        };
        database.ping().await?;
        Ok(database)
    }

    /// The same database with what a process may see and do in it; [`Database::migrate`] must have made the roles.
    ///
    /// # Errors
    /// When the address's user may not take the role on, or nothing answers.
    pub async fn working_as(&self, worker: Worker) -> Result<Self, DatabaseError> {
        let database = Self {
            pool: pool(&self.config, Some(worker))?,
            worker: Some(worker),
            ..self.clone()
        };
        database.ping().await?;
        Ok(database)
    }

    /// A handle that sees the rows of one team.
    pub(crate) fn of(&self, team: TeamId) -> Self {
        self.holding(InHand::Team(team))
    }

    /// A handle that sees the views of one session, whatever its team.
    pub(crate) fn of_session(&self, session: SessionId) -> Self {
        self.holding(InHand::Session(session))
    }

    /// A handle that sees the accounts of all teams, to find out who somebody is, and no views.
    pub(crate) fn at_the_door(&self) -> Self {
        self.holding(InHand::Door)
    }

    fn holding(&self, in_hand: InHand) -> Self {
        Self {
            in_hand,
            ..self.clone()
        }
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

    /// A connection of the pool, with this handle's team, session or nothing in hand.
    pub(crate) async fn client(&self) -> Result<Client, DatabaseError> {
        let client = self
            .pool
            .get()
            .await
            .map_err(|error| self.no_client(error))?;
        if self.worker == Some(Worker::Edge) {
            let nothing = String::new;
            let (team, session, door) = match self.in_hand {
                InHand::Nothing => (nothing(), nothing(), ""),
                InHand::Team(team) => (team.to_string(), nothing(), ""),
                InHand::Session(session) => (nothing(), session.to_string(), ""),
                InHand::Door => (nothing(), nothing(), "yes"),
            };
            let take = client.prepare_cached(TAKE_IN_HAND).await?;
            client.execute(&take, &[&team, &session, &door]).await?;
        }
        Ok(client)
    }

    fn no_client(&self, error: PoolError) -> DatabaseError {
        match (error, self.worker) {
            (PoolError::Timeout(deadpool_postgres::TimeoutType::Wait), _) => DatabaseError::Busy,
            (PoolError::PostCreateHook(HookError::Backend(source)), Some(worker))
                if source.as_db_error().is_some() =>
            {
                let role = worker.role();
                DatabaseError::Role { role, source }
            }
            (source, _) => DatabaseError::Unreachable {
                at: self.at.clone(),
                source,
            },
        }
    }
}

/// A pool of connections, which take a role on before anything else.
fn pool(config: &Config, worker: Option<Worker>) -> Result<Pool, DatabaseError> {
    let recycling_method = RecyclingMethod::Fast;
    let config = config.clone();
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    let mut pool = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE));
    if let Some(worker) = worker {
        let role = format!("SET ROLE {}", worker.role());
        pool = pool.post_create(Hook::async_fn(move |client, _| {
            let role = role.clone();
            Box::pin(async move {
                client
                    .batch_execute(&role)
                    .await
                    .map_err(HookError::Backend)
            })
        }));
    }
    pool.build()
        .map_err(|error| DatabaseError::Address(error.to_string()))
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
