//! What the model is told besides what people say: standing instructions once, everything that changes as a note.

use super::Turn;
use super::ends::{INTERRUPTED, Stop};
use duplex_domain::{Event, Level, Mode, ToolText};
use duplex_workspace::{instructions, instructions_for, tools};

impl Turn {
    /// Fixes what stands before the conversation, if it begins now, and notes what changed since the model was told.
    pub(super) async fn begin_lineage(&mut self) -> Result<(), Stop> {
        if self.history.lineage().is_none() {
            self.start_lineage().await?;
        }
        self.note("date", crate::prompt::date(crate::clock::now()))
            .await?;
        self.note("mode", crate::prompt::mode(self.mode).to_owned())
            .await?;
        let hosts = self.hosts.clone();
        if hosts.is_some() || self.history.has_note("network") {
            let note = crate::prompt::network(hosts.as_deref());
            self.note("network", note).await?;
        }
        let worktree = self.tools.worktree.clone();
        let found = tokio::task::spawn_blocking(move || instructions(&worktree)).await;
        match found.ok().flatten() {
            Some(found) => {
                self.note("instructions", crate::prompt::instructions(&found))
                    .await
            }
            None => Ok(()),
        }
    }

    /// The tools are the same until the lineage ends, whatever their servers say later.
    async fn start_lineage(&mut self) -> Result<(), Stop> {
        let offered = tokio::select! {
            () = self.cancel.cancelled() => return Err(INTERRUPTED),
            offered = self.servers.offered() => offered,
        };
        for text in offered.missing {
            let code = "tool_server".to_owned();
            let level = Level::Warning;
            self.write(Event::Notice { level, code, text }).await?;
        }
        let own = tools::catalogue(&self.tools).into_iter();
        let own = own.map(|tool| ToolText {
            name: tool.name.to_owned(),
            description: tool.description.to_owned(),
            input_schema: tool.input_schema,
        });
        let begun = Event::LineageStarted {
            system: crate::prompt::system(&self.tools.worktree),
            tools: own
                .chain(crate::desk::tools())
                .chain(offered.tools)
                .collect(),
        };
        self.write(begun).await
    }

    /// Instructions that lie deeper are told when the model first comes near them.
    pub(super) async fn note_instructions_for(&mut self, path: &str) -> Result<(), Stop> {
        let (worktree, path) = (self.tools.worktree.clone(), path.to_owned());
        let found = tokio::task::spawn_blocking(move || instructions_for(&worktree, &path)).await;
        for found in found.unwrap_or_default() {
            let topic = format!("instructions {}", found.path);
            let noted = self.notes.iter().any(|(other, _)| *other == topic);
            if !noted && !self.history.has_note(&topic) {
                self.notes
                    .push((topic, crate::prompt::instructions(&found)));
            }
        }
        Ok(())
    }

    async fn note(&mut self, topic: &str, text: String) -> Result<(), Stop> {
        if self.history.knows(topic, &text) || (topic == "mode" && self.is_usual(topic)) {
            return Ok(());
        }
        let topic = topic.to_owned();
        self.write(Event::ContextNoted { topic, text }).await
    }

    /// The usual mode needs no words until another one was told.
    fn is_usual(&self, topic: &str) -> bool {
        self.mode == Mode::Auto && !self.history.has_note(topic)
    }
}
