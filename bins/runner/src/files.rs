//! Checkpoints, restores and commits of a session's files, told as events.

use bytes::Bytes;
use duplex_domain::{CHANGES, ChangeSize, Changes, Checkpoint, Event, SessionId};
use duplex_eventlog::Log;
use duplex_workspace::{Author, Worktree, checkpoint};
use std::path::Path;

/// Whose files, and where what is told of them is kept.
pub struct Place {
    /// The log.
    pub log: Log,
    /// The session.
    pub session: SessionId,
    /// What was kept so far.
    pub checkpoints: Vec<Checkpoint>,
    /// The files.
    pub worktree: Worktree,
}

/// What was kept.
pub struct Kept {
    /// The checkpoint, if there is a new one.
    pub taken: Option<Event>,
    /// What could not be kept, and why, a phrase each.
    pub left_out: Vec<String>,
}

impl Place {
    /// Keeps the files as they are; there is no new checkpoint if they are as they were.
    ///
    /// # Errors
    /// A sentence for people.
    pub async fn keep(&self, label: &str) -> Result<Kept, String> {
        let taken = self.worktree.checkpoint(label).await.map_err(words)?;
        let left_out = left_out(&taken.left_out);
        if taken.unchanged && !self.checkpoints.is_empty() {
            let taken = None;
            return Ok(Kept { taken, left_out });
        }
        let number = self
            .checkpoints
            .last()
            .map_or(0, |newest| newest.number + 1);
        let taken = Some(self.taken(number, self.newest(), taken.commit).await?);
        Ok(Kept { taken, left_out })
    }

    /// What a restore would change.
    pub async fn prepare(&self, checkpoint: u32) -> Event {
        match self.prepared(checkpoint).await {
            Ok(event) => event,
            Err(why) => Event::RestoreRefused { why },
        }
    }

    async fn prepared(&self, checkpoint: u32) -> Result<Event, String> {
        let to = self.commit_of(checkpoint)?;
        let preview = self.worktree.restore_preview(to).await.map_err(words)?;
        let conflicts = preview.conflicts.iter();
        Ok(Event::RestorePrepared {
            checkpoint,
            tree: preview.now,
            change: self.size(preview.changes).await?,
            conflicts: conflicts.map(|path| shown(path)).collect(),
        })
    }

    /// Restores; the files as they were are kept first, so that this can be undone too.
    pub async fn restore(&self, checkpoint: u32, tree: &str) -> Vec<Event> {
        match self.restored(checkpoint, tree).await {
            Ok(events) => events,
            Err(why) => vec![Event::RestoreRefused { why }],
        }
    }

    async fn restored(&self, checkpoint: u32, tree: &str) -> Result<Vec<Event>, String> {
        let to = self.commit_of(checkpoint)?;
        let restored = self.worktree.restore(to, tree).await.map_err(words)?;
        let (before, after) = (restored.before, restored.after);
        let mut number = self
            .checkpoints
            .last()
            .map_or(0, |newest| newest.number + 1);
        let mut events = Vec::new();
        if !before.unchanged {
            let newest = self.newest();
            events.push(self.taken(number, newest, before.commit.clone()).await?);
            number += 1;
        }
        let changes = self.worktree.changes(&before.commit, &after.commit).await;
        let change = self.size(changes.map_err(words)?).await?;
        events.push(Event::CheckpointRestored { checkpoint, change });
        if !after.unchanged {
            events.push(
                self.taken(number, Some(before.commit), after.commit)
                    .await?,
            );
        }
        Ok(events)
    }

    /// What is told of a checkpoint: what changed since the one before, and since the session began.
    async fn taken(
        &self,
        number: u32,
        before: Option<String>,
        commit: String,
    ) -> Result<Event, String> {
        let base = self.worktree.base().await.map_err(words)?;
        let before = before.unwrap_or_else(|| base.clone());
        Ok(Event::CheckpointTaken {
            number,
            change: self.between(&before, &commit).await?,
            since_start: self.between(&base, &commit).await?,
            commit,
        })
    }

    fn newest(&self) -> Option<String> {
        self.checkpoints.last().map(|newest| newest.commit.clone())
    }

    fn commit_of(&self, number: u32) -> Result<&str, String> {
        let mut known = self.checkpoints.iter();
        let found = known.find(|known| known.number == number);
        let found = found.ok_or_else(|| "there is no such checkpoint any more".to_owned())?;
        Ok(&found.commit)
    }

    /// Commits the files to the session's branch.
    pub async fn commit(&self, message: &str, author: &str) -> Event {
        let author = Author {
            name: author.to_owned(),
            email: format!("{}@duplex.invalid", self.session),
        };
        let committed = self.worktree.commit(message, &author, None).await;
        match committed {
            Ok(commit) => Event::Committed {
                commit,
                message: message.to_owned(),
                branch: self.worktree.branch.clone(),
            },
            Err(error) => Event::CommitRefused {
                why: error.to_string(),
            },
        }
    }

    async fn between(&self, from: &str, to: &str) -> Result<ChangeSize, String> {
        let changes = self.worktree.changes(from, to).await.map_err(words)?;
        self.size(changes).await
    }

    async fn size(&self, changes: duplex_workspace::Changes) -> Result<ChangeSize, String> {
        let changes = crate::previews::changes(changes);
        let files = &changes.files;
        let mut size = ChangeSize {
            files: files.len() as u64,
            added: files.iter().map(|file| file.added).sum(),
            removed: files.iter().map(|file| file.removed).sum(),
            body: None,
        };
        if !changes.files.is_empty() {
            size.body = Some(self.body(&changes).await?);
        }
        Ok(size)
    }

    async fn body(&self, changes: &Changes) -> Result<duplex_domain::Body, String> {
        let bytes = serde_json::to_vec(changes).map_err(words)?;
        let kept = self
            .log
            .put_body(self.session, Bytes::from(bytes), CHANGES)
            .await;
        kept.map_err(words)
    }
}

fn left_out(left: &checkpoint::LeftOut) -> Vec<String> {
    let most = checkpoint::LARGEST / 1024 / 1024;
    let large = left.large.iter().map(|path| shown(path));
    let large = large.map(|path| format!("{path} is larger than {most} MiB"));
    let nested = left.nested.iter().map(|path| shown(path));
    let nested = nested.map(|path| format!("{path} is a repository of its own"));
    large.chain(nested).collect()
}

/// A file's name as people can read it.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy()
        .escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
