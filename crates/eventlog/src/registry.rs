//! The register of runners that are alive and of the workspaces they serve.

use crate::Log;
use async_nats::jetstream::{kv, stream};
use duplex_domain::{RunnerId, Seq, SessionId, TeamId, WorkspaceId};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::pin::pin;
use std::time::Duration;
use uuid::Uuid;

/// Runners that are alive.
const RUNNERS: &str = "RUNNERS";
/// Workspaces.
const WORKSPACES: &str = "WORKSPACES";
/// What teams may spend.
const TEAM_BUDGETS: &str = "TEAM_BUDGETS";
/// Every key of a bucket whose keys are ids.
const ALL: &str = "*";

/// How long a runner counts as alive after it last said so.
const ALIVE: Duration = Duration::from_secs(6);
/// How long a runner may take to look at a workspace.
const PATIENCE: Duration = Duration::from_secs(5);

/// The register cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The server does not answer.
    #[error("the register of runners cannot be reached: {0}")]
    Unavailable(String),
    /// No runner looked at the workspace in time.
    #[error("no runner is there to serve this workspace; start one, or wait until it is back")]
    NoRunner,
}

impl RegistryError {
    fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// A model that a runner can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Who serves it.
    pub provider: String,
    /// Whether a turn can use it now.
    pub available: bool,
    /// If not, why, and what to do.
    pub why_not: Option<String>,
    /// How many tokens a conversation may have; none if nobody knows.
    #[serde(default)]
    pub context: Option<u64>,
    /// How many tokens one answer may have; none if nobody knows.
    #[serde(default)]
    pub max_output: Option<u64>,
    /// What its tokens cost; none if it has no price, which is not the same as free.
    #[serde(default)]
    pub price: Option<TokenPrices>,
}

/// Picodollars for each token of a short prompt and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrices {
    /// Prompt tokens outside the provider's cache.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Prompt tokens written to the cache for minutes.
    pub cache_write: u64,
    /// Prompt tokens written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
}

/// A runner that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerInfo {
    /// Which runner.
    pub id: RunnerId,
    /// How strongly its sandbox holds.
    pub sandbox: String,
    /// The folders that workspaces may lie beneath.
    pub roots: Vec<String>,
    /// The models it can use.
    pub models: Vec<ModelInfo>,
}

/// Whether a workspace can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceState {
    /// A runner has been asked to look at it.
    Asked,
    /// Its runner serves it.
    Ready,
    /// A runner says no.
    Refused,
}

/// A workspace in the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceEntry {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its folder.
    pub path: String,
    /// The team it belongs to; none: any team of this server.
    pub team: Option<TeamId>,
    /// Whether it can be used.
    pub state: WorkspaceState,
    /// If refused, a word for programs.
    pub code: Option<String>,
    /// If refused, a sentence for people.
    pub problem: Option<String>,
    /// Who serves it.
    pub runner: Option<RunnerId>,
}

/// The register.
#[derive(Clone)]
pub struct Registry {
    log: Log,
    runners: kv::Store,
    workspaces: kv::Store,
    keys: kv::Store,
    budgets: kv::Store,
}

impl Log {
    /// Opens the register, and makes it if it is missing.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn registry(&self) -> Result<Registry, RegistryError> {
        let runners = self.bucket(RUNNERS, ALIVE).await?;
        let workspaces = self.bucket(WORKSPACES, Duration::ZERO).await?;
        let keys = self.erasable_bucket("SESSION_KEYS").await?;
        let budgets = self.bucket(TEAM_BUDGETS, Duration::ZERO).await?;
        Ok(Registry {
            log: self.clone(),
            runners,
            workspaces,
            keys,
            budgets,
        })
    }

    async fn bucket(&self, name: &str, max_age: Duration) -> Result<kv::Store, RegistryError> {
        let config = stream::Config {
            max_age,
            // The longest time in which a message is recognised cannot be longer than it lives.
            duplicate_window: max_age.min(Duration::from_mins(2)),
            deny_delete: true,
            ..config(name)
        };
        self.open_bucket(name, config).await
    }

    /// A bucket whose values can be overwritten on the disk. Buckets that the client makes deny that (ADR-8 of NATS).
    pub(crate) async fn erasable_bucket(&self, name: &str) -> Result<kv::Store, RegistryError> {
        self.open_bucket(name, config(name)).await
    }

    /// A bucket is made as the stream it is: for more than that, the client asks for the whole account.
    async fn open_bucket(
        &self,
        name: &str,
        config: stream::Config,
    ) -> Result<kv::Store, RegistryError> {
        if self.jetstream.get_key_value(name).await.is_err() {
            let made = self.jetstream.create_stream(config).await;
            made.map_err(RegistryError::unavailable)?;
        }
        let store = self.jetstream.get_key_value(name).await;
        store.map_err(RegistryError::unavailable)
    }
}

fn config(name: &str) -> stream::Config {
    stream::Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: false,
        ..stream::Config::default()
    }
}

impl Registry {
    /// Says that a runner is alive; to be said again every two seconds.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn put_runner(&self, runner: &RunnerInfo) -> Result<(), RegistryError> {
        put(&self.runners, &runner.id.to_string(), runner).await?;
        Ok(())
    }

    /// Says that a runner is gone, in good order.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn remove_runner(&self, runner: RunnerId) -> Result<(), RegistryError> {
        let deleted = self.runners.delete(runner.to_string()).await;
        deleted.map_err(RegistryError::unavailable)
    }

    /// The runners that are alive.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn runners(&self) -> Result<Vec<RunnerInfo>, RegistryError> {
        self.all(RUNNERS).await
    }

    /// Whether a runner is alive.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn is_alive(&self, runner: RunnerId) -> Result<bool, RegistryError> {
        let value = self.runners.get(runner.to_string()).await;
        Ok(value.map_err(RegistryError::unavailable)?.is_some())
    }

    /// Every workspace that was ever asked for.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceEntry>, RegistryError> {
        self.all(WORKSPACES).await
    }

    /// One workspace.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn workspace(
        &self,
        id: WorkspaceId,
    ) -> Result<Option<WorkspaceEntry>, RegistryError> {
        let value = self.workspaces.get(id.to_string()).await;
        let value = value.map_err(RegistryError::unavailable)?;
        Ok(value.and_then(|value| serde_json::from_slice(&value).ok()))
    }

    /// Writes a workspace; for the runner that looked at it.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn put_workspace(&self, entry: &WorkspaceEntry) -> Result<(), RegistryError> {
        put(&self.workspaces, &entry.id.to_string(), entry).await?;
        Ok(())
    }

    /// Asks for a workspace at a path, and waits for a runner's word on it.
    ///
    /// # Errors
    /// [`RegistryError::NoRunner`] if no runner looks at it within five seconds.
    pub async fn ask_workspace(
        &self,
        path: &str,
        team: TeamId,
    ) -> Result<WorkspaceEntry, RegistryError> {
        let known = self.workspaces().await?;
        let known = known.into_iter().find(|entry| entry.path == path);
        let asked = WorkspaceEntry {
            id: known.map_or_else(|| WorkspaceId(Uuid::now_v7()), |entry| entry.id),
            path: path.to_owned(),
            team: Some(team),
            state: WorkspaceState::Asked,
            code: None,
            problem: None,
            runner: None,
        };
        let asked_at = put(&self.workspaces, &asked.id.to_string(), &asked).await?;
        let changes = self.log.changes(WORKSPACES, ALL).await;
        let mut changes = pin!(changes.map_err(RegistryError::unavailable)?);
        let answer = async {
            while let Some(value) = changes.next().await {
                let entry = value.bytes.as_deref().map(serde_json::from_slice);
                if let Some(Ok::<WorkspaceEntry, _>(entry)) = entry
                    && value.seq > asked_at
                    && entry.id == asked.id
                    && entry.state != WorkspaceState::Asked
                {
                    return Ok(entry);
                }
            }
            Err(RegistryError::NoRunner)
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or(Err(RegistryError::NoRunner))
    }

    /// The key that a session's keystrokes are sealed with; `fresh` becomes it if there is none yet.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn session_key(
        &self,
        session: SessionId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], RegistryError> {
        let name = session.to_string();
        // Creating fails when somebody else was first; then theirs is the key.
        let _ = self.keys.create(&name, fresh.to_vec().into()).await;
        let key = self.keys.get(name).await;
        let key = key.map_err(RegistryError::unavailable)?;
        let key = key.and_then(|key| <[u8; 32]>::try_from(key.as_ref()).ok());
        key.ok_or_else(|| RegistryError::unavailable("the session's key is not there"))
    }

    /// Destroys the key that a session's keystrokes are sealed with: the server overwrites it on its disk. What it sealed
    /// cannot be read any more.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn forget_session_key(&self, session: SessionId) -> Result<(), RegistryError> {
        let kept = self.keys.entry(session.to_string()).await;
        let Some(kept) = kept.map_err(RegistryError::unavailable)? else {
            return Ok(());
        };
        let erased = self.keys.stream.delete_message(kept.revision).await;
        erased.map(drop).map_err(RegistryError::unavailable)
    }

    /// Tells runners what a team may spend in a calendar month, in picodollars; none lifts the limit.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn put_team_budget(
        &self,
        team: TeamId,
        pico: Option<u64>,
    ) -> Result<(), RegistryError> {
        put(&self.budgets, &team.to_string(), &pico).await?;
        Ok(())
    }

    /// What teams may spend, as it is and then as it changes. Ends when the connection is lost for good.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn team_budgets(
        &self,
    ) -> Result<impl futures_util::Stream<Item = (TeamId, Option<u64>)> + Send + use<>, RegistryError>
    {
        let changes = self.log.changes(TEAM_BUDGETS, ALL).await;
        let changes = changes.map_err(RegistryError::unavailable)?;
        Ok(changes.filter_map(|value| async move {
            let pico = serde_json::from_slice(&value.bytes?).ok()?;
            Some((value.key.parse().ok()?, pico))
        }))
    }

    async fn all<T: DeserializeOwned>(&self, bucket: &str) -> Result<Vec<T>, RegistryError> {
        let values = self.log.values(bucket, ALL, Seq(0)).await;
        let values = values.map_err(RegistryError::unavailable)?.into_iter();
        let read = values.filter_map(|value| serde_json::from_slice(&value.bytes?).ok());
        Ok(read.collect())
    }

    /// Workspaces as they are, then as they are asked for or change; for runners. Ends when the connection is lost for good.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn workspace_changes(
        &self,
    ) -> Result<impl futures_util::Stream<Item = WorkspaceEntry> + Send + use<>, RegistryError>
    {
        let changes = self.log.changes(WORKSPACES, ALL).await;
        let changes = changes.map_err(RegistryError::unavailable)?;
        Ok(changes.filter_map(|value| async move { serde_json::from_slice(&value.bytes?).ok() }))
    }
}

async fn put(store: &kv::Store, key: &str, value: &impl Serialize) -> Result<Seq, RegistryError> {
    let value = serde_json::to_vec(value).map_err(RegistryError::unavailable)?;
    let put = store.put(key, value.into()).await;
    put.map(Seq).map_err(RegistryError::unavailable)
}
