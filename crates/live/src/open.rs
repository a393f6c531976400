//! The first frame of a session.

use crate::submit::{in_time, said_by};
use crate::{Live, SubmitError};
use duplex_domain::{
    Command, Delivery, Event, Lane, MessageId, Mode, Picture, Recorded, Seq, SessionId, TeamId,
    UserId, WorkspaceId, decide, title_for_opening,
};
use duplex_eventlog::Address;

/// A session about to be opened. Workspace, agent and model have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The session's new id.
    pub session: SessionId,
    /// Its team.
    pub team: TeamId,
    /// Who opens it, and owns it.
    pub user: UserId,
    /// The opener's name.
    pub name: String,
    /// The workspace it works on.
    pub workspace: WorkspaceId,
    /// The workspace's folder.
    pub path: String,
    /// What it is called; empty until the first message names it.
    pub title: String,
    /// Which kind of agent answers.
    pub agent: String,
    /// Which model it uses.
    pub model: String,
    /// How much the agent does without asking.
    pub mode: Mode,
    /// How strongly the workspace's runner holds tools and terminals in.
    pub sandbox: String,
    /// The first message to the agent.
    pub message: Option<(MessageId, String)>,
}

impl Live {
    /// Opens a session. The opening and the first message are one frame: both happen, or neither.
    ///
    /// # Errors
    /// See [`SubmitError`]; a title or a message may be refused.
    pub async fn open(&self, opening: Opening) -> Result<Seq, SubmitError> {
        let Opening {
            session,
            team,
            user,
            name,
            workspace,
            path,
            title,
            agent,
            model,
            mode,
            sandbox,
            message,
        } = opening;
        let title = title_for_opening(&title)?;
        let opened = Event::Opened {
            team,
            workspace,
            path,
            name,
            title,
            agent,
            model,
            mode,
            sandbox,
        };
        let mut picture = Picture::new(session);
        let mut events = vec![said_by(user, &picture.session, opened)];
        picture.apply(&Recorded {
            session,
            seq: Seq(1),
            lane: Lane::Fact,
            events: events.clone(),
        });
        if let Some((message, text)) = message {
            let command = Command::PostMessage {
                text,
                delivery: Delivery::Queue,
            };
            let posted = decide(&picture.session, user, message.0, command)?;
            events.extend(posted.map(|event| said_by(user, &picture.session, event)));
        }
        let address = Address { team, session };
        in_time(
            self.log
                .append(&address, Lane::Fact, Seq(0), "opened", &events),
        )
        .await
    }
}
