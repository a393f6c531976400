//! A page's commands: in order within a session, and keys apart from the rest, so that neither waits for the other.

use super::message::command_id;
use super::outbox::Outbox;
use crate::app::App;
use crate::audit::Caller;
use crate::commands;
use duplex_domain::{Command, SessionId};
use duplex_wire::Down;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many commands of one lane may wait.
const WAITING: usize = 64;
/// How many lanes there may be.
const MOST: usize = 128;
/// How long a lane stays that nothing comes through.
const IDLE: Duration = Duration::from_secs(10);

/// A command on its way.
struct Asked {
    id: String,
    command: Command,
}

/// Which lane: the session, and whether it is for keys.
type Name = (SessionId, bool);

/// The lanes of one socket.
pub(super) struct Lanes {
    app: App,
    caller: Arc<Caller>,
    out: Outbox,
    open: HashMap<Name, mpsc::Sender<Asked>>,
    tasks: JoinSet<()>,
}

impl Lanes {
    pub fn new(app: App, caller: Caller, out: Outbox) -> Self {
        Self {
            app,
            caller: Arc::new(caller),
            out,
            open: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Puts a command on its lane; false if too many wait already.
    pub fn put(&mut self, id: String, session: SessionId, command: Command) -> bool {
        let name = (session, matches!(command, Command::Type { .. }));
        let Some(lane) = self.lane(name) else {
            return false;
        };
        lane.try_send(Asked { id, command }).is_ok()
    }

    fn lane(&mut self, name: Name) -> Option<&mpsc::Sender<Asked>> {
        while self.tasks.try_join_next().is_some() {}
        if self.open.get(&name).is_none_or(mpsc::Sender::is_closed) {
            self.open.retain(|_, lane| !lane.is_closed());
            if self.open.len() >= MOST {
                return None;
            }
            let (lane, asked) = mpsc::channel(WAITING);
            let (app, caller, out) = (self.app.clone(), self.caller.clone(), self.out.clone());
            self.tasks.spawn(work(app, caller, out, name.0, asked));
            self.open.insert(name, lane);
        }
        self.open.get(&name)
    }
}

/// Does one command after the other.
async fn work(
    app: App,
    caller: Arc<Caller>,
    out: Outbox,
    session: SessionId,
    mut asked: mpsc::Receiver<Asked>,
) {
    loop {
        let next = if let Ok(next) = tokio::time::timeout(IDLE, asked.recv()).await {
            next
        } else {
            // What came in at the last moment is still done; after this, a new lane takes what comes.
            asked.close();
            asked.recv().await
        };
        let Some(Asked { id, command }) = next else {
            return;
        };
        let answer = answer(&app, &caller, session, id, command).await;
        if out.say(&answer).await.is_err() {
            return;
        }
    }
}

async fn answer(
    app: &App,
    caller: &Caller,
    session: SessionId,
    id: String,
    command: Command,
) -> Down {
    let Some(uuid) = command_id(&id) else {
        let (code, message) = (
            "bad_id".to_owned(),
            "a command's id is 32 hexadecimal digits".to_owned(),
        );
        return Down::Refused {
            id,
            code,
            message,
            session: Some(session),
        };
    };
    match commands::submit(app, session, caller, uuid, command).await {
        Ok(seq) => Down::Accepted { id, seq },
        Err(failure) => {
            let (code, message) = (failure.detail.code, failure.detail.message);
            Down::Refused {
                id,
                code,
                message,
                session: Some(session),
            }
        }
    }
}
