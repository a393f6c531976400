//! Which workspaces this runner serves.

use crate::runner::Runner;
use duplex_domain::WorkspaceId;
use duplex_eventlog::{RegistryError, WorkspaceEntry, WorkspaceState};
use duplex_workspace::Repository;
use futures_util::StreamExt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{info, warn};
use uuid::Uuid;

/// How often the served folders are looked at.
const LOOK: Duration = Duration::from_secs(15);

/// A workspace that this runner serves, or serves no longer.
pub enum Change {
    /// Sessions on it are this runner's to hold.
    Served(WorkspaceId, Repository),
    /// It cannot be used now.
    Gone(WorkspaceId),
}

/// Registers the workspaces named at the start.
///
/// # Errors
/// When the register cannot be reached.
pub async fn register(runner: &Runner, paths: &[std::path::PathBuf]) -> Result<(), RegistryError> {
    let known = runner.registry.workspaces().await?;
    for path in paths {
        let path = path.display().to_string();
        if known.iter().any(|entry| entry.path == path) {
            continue;
        }
        let entry = WorkspaceEntry {
            id: WorkspaceId(Uuid::now_v7()),
            path,
            team: None,
            state: WorkspaceState::Asked,
            code: None,
            problem: None,
            runner: None,
        };
        runner.registry.put_workspace(&entry).await?;
    }
    Ok(())
}

/// Looks at each workspace that is asked for, tells the register, and tells what is served. Runs until dropped.
pub async fn serve(runner: Arc<Runner>, changes: mpsc::Sender<Change>) {
    loop {
        if let Err(error) = serve_once(&runner, &changes).await {
            warn!("the register of workspaces: {error}; trying again");
        }
        if changes.is_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn serve_once(runner: &Runner, changes: &mpsc::Sender<Change>) -> Result<(), RegistryError> {
    let mut entries = pin!(runner.registry.workspace_changes().await?);
    let mut served: Vec<WorkspaceEntry> = Vec::new();
    loop {
        tokio::select! {
            entry = entries.next() => match entry {
                Some(entry) => {
                    served.retain(|other| other.id != entry.id);
                    if let Some(entry) = look(runner, changes, entry).await? {
                        served.push(entry);
                    }
                }
                None => return Ok(()),
            },
            () = tokio::time::sleep(LOOK) => {
                for entry in std::mem::take(&mut served) {
                    served.extend(look(runner, changes, entry).await?);
                }
            }
            () = changes.closed() => return Ok(()),
        }
    }
}

/// Checks one workspace; writes to the register only what is new. Gives it back if it is this runner's to look after.
async fn look(
    runner: &Runner,
    changes: &mpsc::Sender<Change>,
    entry: WorkspaceEntry,
) -> Result<Option<WorkspaceEntry>, RegistryError> {
    if entry.runner.is_some_and(|other| other != runner.id) {
        return Ok(None);
    }
    let checked = Repository::check(Path::new(&entry.path), &runner.roots).await;
    let mut seen = entry.clone();
    seen.runner = Some(runner.id);
    (seen.state, seen.code, seen.problem) = match &checked {
        Ok(_) => (WorkspaceState::Ready, None, None),
        Err(error) => {
            let (code, problem) = (error.code().to_owned(), error.to_string());
            (WorkspaceState::Refused, Some(code), Some(problem))
        }
    };
    let change = match checked {
        Ok(repository) => Change::Served(entry.id, repository),
        Err(_) => Change::Gone(entry.id),
    };
    if changes.send(change).await.is_err() {
        return Ok(None);
    }
    if seen != entry {
        info!("workspace {}: {:?}", seen.path, seen.state);
        runner.registry.put_workspace(&seen).await?;
    }
    Ok(Some(seen))
}
