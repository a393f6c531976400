//! The terminals that a person has running, in whichever session.

use crate::load::session;
use crate::{Database, DatabaseError};
use duplex_domain::{TeamId, TerminalState, UserId};
use duplex_wire::OwnTerminal;

/// `terminal.state` is JSON.
const RUNNING: &str = r#"
SELECT s.snapshot, s.path FROM view.session s
WHERE s.members @> ARRAY[$1::uuid] AND EXISTS (
    SELECT 1 FROM view.terminal t WHERE t.session = s.id AND t.state = '"running"')
ORDER BY s.id"#;

impl Database {
    /// The running terminals that a person opened, in the order of their sessions' opening. The views may be a moment
    /// behind.
    ///
    /// # Errors
    /// When Postgres does not answer or a row is not readable.
    pub async fn own_terminals(
        &self,
        team: TeamId,
        user: UserId,
    ) -> Result<Vec<OwnTerminal>, DatabaseError> {
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(RUNNING).await?;
        let rows = client.query(&statement, &[&user.0]).await?;
        let mut own = Vec::new();
        for row in &rows {
            let session = session(row)?;
            let path: String = row.get("path");
            let running = session.terminals.iter().filter(|(_, terminal)| {
                terminal.by == Some(user) && terminal.state == TerminalState::Running
            });
            own.extend(running.map(|(id, terminal)| OwnTerminal {
                session: session.id,
                title: session.title.clone(),
                path: path.clone(),
                terminal: *id,
                name: terminal.name.clone(),
            }));
        }
        Ok(own)
    }
}
