//! From a person's command to an event in the log.

use crate::live::{Handle, PATIENCE};
use crate::task::{Ask, Stands};
use crate::{Live, SubmitError, WatchError, clock};
use bytes::Bytes;
use duplex_domain::{
    Blob, Command, Envelope, Event, Lane, Seq, Session, SessionId, TerminalId, UserId, Writer,
    codec, decide,
};
use duplex_eventlog::{Address, AppendError, KeyPress};
use std::time::Duration;
use uuid::Uuid;

/// How often a command is decided anew because others' events came first.
const TRIES: usize = 10;
/// How long an event that is in the log may take to come back before nobody waits for it any more.
const COMING_BACK: Duration = Duration::from_secs(2);

/// What a command comes to, given the session as it stands.
pub(crate) struct Decision {
    address: Address,
    /// The newest fact it was decided upon.
    guard: Seq,
    /// The newest frame it was decided upon.
    seq: Seq,
    /// What is to be appended; nothing if what the command asks for already holds.
    envelope: Option<Envelope>,
}

/// Decides a command.
pub(crate) fn decision(
    session: &Session,
    user: UserId,
    id: Uuid,
    command: Command,
) -> Result<Decision, SubmitError> {
    let event = decide(session, user, id, command)?;
    let address = Address {
        team: session.team,
        session: session.id,
    };
    let envelope = event.map(|event| said_by(user, session, event));
    Ok(Decision {
        address,
        guard: session.fact,
        seq: session.seq,
        envelope,
    })
}

/// An event as a person writes it.
pub(crate) fn said_by(user: UserId, session: &Session, event: Event) -> Envelope {
    let turn = match event {
        Event::InterruptRequested {} => session.turn.as_ref().map(|turn| turn.id),
        _ => None,
    };
    Envelope {
        v: codec::CURRENT,
        at: clock::now(),
        by: Writer::User(user),
        epoch: None,
        turn,
        event,
    }
}

impl Live {
    /// Puts a person's command into the log as an event, and returns where; the newest frame's place if what it
    /// asks for already holds. The same id again is the same command. Keys do not go through the log: they are sent
    /// to the runner.
    ///
    /// The event has come back to this session's task when this returns, as a rule. Dropping the call does not stop
    /// an append that is under way.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit(
        &self,
        session: SessionId,
        user: UserId,
        id: Uuid,
        command: Command,
    ) -> Result<Seq, SubmitError> {
        if let Command::Type { terminal, data } = command {
            return self.send_keys(session, user, terminal, data).await;
        }
        let live = self.clone();
        let submitting = async move { live.submit_in_turn(session, user, id, command).await };
        let submitting = tokio::spawn(tokio::time::timeout(PATIENCE, submitting));
        match submitting.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(SubmitError::Unavailable),
        }
    }

    async fn submit_in_turn(
        &self,
        session: SessionId,
        user: UserId,
        id: Uuid,
        command: Command,
    ) -> Result<Seq, SubmitError> {
        let mut handle = self.handle(session);
        let turn = handle.turn.clone();
        let _turn = turn.lock().await;
        for _ in 0..TRIES {
            let Decision {
                address,
                guard,
                seq,
                envelope,
            } = self.decide(session, user, id, command.clone()).await?;
            let Some(envelope) = envelope else {
                return Ok(seq);
            };
            let name = id.as_simple().to_string();
            match self
                .log
                .append(&address, Lane::Fact, guard, &name, &[envelope])
                .await
            {
                Ok(seq) => {
                    handle.wait_until(|stands| stands.seq >= seq).await;
                    return Ok(seq);
                }
                Err(AppendError::Conflict { .. }) => {
                    handle.wait_until(|stands| stands.fact > guard).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(SubmitError::Contended)
    }

    async fn decide(
        &self,
        session: SessionId,
        user: UserId,
        id: Uuid,
        command: Command,
    ) -> Result<Decision, SubmitError> {
        let ask = |reply| Ask::Decide {
            user,
            id,
            command: command.clone(),
            reply,
        };
        self.ask::<_, SubmitError>(session, ask).await
    }

    async fn send_keys(
        &self,
        session: SessionId,
        user: UserId,
        terminal: TerminalId,
        data: Blob,
    ) -> Result<Seq, SubmitError> {
        let typing = Command::Type {
            terminal,
            data: Blob::default(),
        };
        let Decision { seq, guard, .. } = self.decide(session, user, Uuid::nil(), typing).await?;
        let bytes = Bytes::from(data.0);
        self.log
            .send_keys(KeyPress {
                session,
                terminal,
                user,
                after: guard,
                bytes,
            })
            .await?;
        Ok(seq)
    }
}

impl Handle {
    /// Waits until the fold has come so far. Where it does not, the next step shows why: nothing is lost.
    async fn wait_until(&mut self, there: impl FnMut(&Stands) -> bool) {
        let _ = tokio::time::timeout(COMING_BACK, self.stands.wait_for(there)).await;
    }
}

/// An append whose outcome was not known in time.
pub(crate) async fn in_time(
    append: impl Future<Output = Result<Seq, AppendError>>,
) -> Result<Seq, SubmitError> {
    match tokio::time::timeout(PATIENCE, append).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(WatchError::Unavailable.into()),
    }
}
