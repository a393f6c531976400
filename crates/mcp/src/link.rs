//! A connection on which a server hears from us only what it is told on purpose.
#![expect(
    deprecated,
    reason = "newer versions of the protocol drop roots, sampling and logging; today's servers use them"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rmcp::RoleClient;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientJsonRpcMessage, ClientRequest, ClientResult,
    ElicitResult, ElicitationAction, ErrorCode, ErrorData, GetMeta, Implementation, JsonRpcMessage,
    ListRootsResult, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProgressToken, ProtocolVersion, Root, RootsCapabilities, ServerJsonRpcMessage,
    ServerNotification, ServerRequest,
};
use rmcp::transport::Transport;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::info;

use crate::scrub::Scrub;
use crate::text::line;

/// Answers on their way to a server. One that asks on and on without reading them is not read from meanwhile.
const REPLIES: usize = 16;
/// Bytes of one line of progress.
const PROGRESS_BYTES: usize = 400;

/// Who listens to the progress of a call; it travels with the request, so that none of it can come too early. It is
/// kept alive by whoever awaits the call, so that nothing listens on for a call that was given up on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Listener(pub Weak<mpsc::Sender<String>>);

/// What a connection and its owner both look at.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub server: String,
    /// The folder a server that asks is told, as a `file` address.
    pub root: Option<String>,
    pub scrub: Scrub,
    /// Whether its list was read.
    pub listed: AtomicBool,
    /// Whether the server said since that its list is another now.
    pub changed: AtomicBool,
    listeners: Mutex<HashMap<ProgressToken, Listener>>,
}

impl Shared {
    pub(crate) fn new(server: &str, root: Option<String>, scrub: Scrub) -> Self {
        Self {
            server: server.to_owned(),
            root,
            scrub,
            ..Self::default()
        }
    }

    /// What a server is told of us. The newest version of the protocol with a handshake is asked for by name: the
    /// library's own newest has none.
    pub(crate) fn introduction(&self) -> ClientConfig {
        let mut can = ClientCapabilities::default();
        can.roots = self.root.is_some().then(RootsCapabilities::default);
        ClientConfig::new(
            can,
            Implementation::new("duplex", env!("CARGO_PKG_VERSION")),
        )
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<ProgressToken, Listener>> {
        let lock = self.listeners.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody listens to this call any more.
    pub(crate) fn forget(&self, token: &ProgressToken) {
        self.listeners().remove(token);
    }

    /// Remembers who listens to a call on its way out.
    fn heed(&self, message: &mut ClientJsonRpcMessage) {
        let JsonRpcMessage::Request(request) = message else {
            return;
        };
        let token = request.request.get_meta().get_progress_token();
        if let ClientRequest::CallToolRequest(call) = &mut request.request
            && let (Some(listener), Some(token)) = (call.extensions.remove::<Listener>(), token)
        {
            let mut listeners = self.listeners();
            listeners.retain(|_, Listener(sender)| sender.strong_count() > 0);
            listeners.insert(token, listener);
        }
    }

    fn note(&self, notification: ServerNotification) {
        match notification {
            ServerNotification::ProgressNotification(said) => self.progress(&said.params),
            ServerNotification::LoggingMessageNotification(said) => self.logged(&said.params),
            ServerNotification::ToolListChangedNotification(_)
                if self.listed.load(Ordering::Relaxed) =>
            {
                self.changed.store(true, Ordering::Relaxed);
                info!(server = %self.server, "tool server {} has other tools now: they count in the next session", self.server);
            }
            _ => {}
        }
    }

    fn progress(&self, said: &ProgressNotificationParam) {
        let listener = self.listeners().get(&said.progress_token).cloned();
        let Some(listener) = listener else { return };
        let of = said.total.map(|total| format!("/{total}"));
        let text = format!(
            "{}{} {}",
            said.progress,
            of.unwrap_or_default(),
            said.message.as_deref().unwrap_or_default()
        );
        self.tell(&listener, &text);
    }

    /// A server logs for nobody in particular: all who wait for it are told.
    fn logged(&self, said: &LoggingMessageNotificationParam) {
        if matches!(said.level, LoggingLevel::Debug) {
            return;
        }
        let data = match &said.data {
            serde_json::Value::String(text) => text.clone(),
            data => data.to_string(),
        };
        let level = format!("{:?}", said.level).to_lowercase();
        let listeners: Vec<_> = self.listeners().values().cloned().collect();
        for listener in listeners {
            self.tell(&listener, &format!("{level}: {data}"));
        }
    }

    /// Who does not listen quickly enough misses some: progress is worth no waiting.
    fn tell(&self, Listener(sender): &Listener, text: &str) {
        let text = line(&self.scrub.text(text), PROGRESS_BYTES);
        if let Some(sender) = sender.upgrade().filter(|_| !text.is_empty()) {
            let _ = sender.try_send(text);
        }
    }

    /// Only a ping and the question for folders have an answer.
    fn answer(&self, request: &ServerRequest) -> Result<ClientResult, ErrorData> {
        match request {
            ServerRequest::PingRequest(_) => Ok(ClientResult::empty(())),
            ServerRequest::ListRootsRequest(_) => match &self.root {
                Some(root) => {
                    let roots = vec![Root::new(root.clone())];
                    Ok(ClientResult::ListRootsResult(ListRootsResult::new(roots)))
                }
                None => refuse("there are no folders to tell of"),
            },
            ServerRequest::ElicitRequest(_) => {
                let declined = ElicitResult::new(ElicitationAction::Decline);
                Ok(ClientResult::ElicitResult(declined))
            }
            ServerRequest::CreateMessageRequest(_) => refuse("no model is lent to servers"),
            _ => refuse("not known here"),
        }
    }
}

fn refuse(why: &'static str) -> Result<ClientResult, ErrorData> {
    Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, why, None))
}

/// Answers what a server asks and notes what it tells, so that only answers to our own requests come through. The
/// library would start a task for each of those, as many as a server likes.
pub(crate) struct Link<T> {
    inner: T,
    shared: Arc<Shared>,
    replies: JoinSet<()>,
}

impl<T> Link<T> {
    pub(crate) fn new(inner: T, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            shared,
            replies: JoinSet::new(),
        }
    }
}

impl<T: Transport<RoleClient> + 'static> Transport<RoleClient> for Link<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        mut item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.shared.heed(&mut item);
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            while self.replies.try_join_next().is_some() {}
            if self.replies.len() >= REPLIES {
                self.replies.join_next().await;
                continue;
            }
            match self.inner.receive().await? {
                JsonRpcMessage::Request(asked) => {
                    let reply = match self.shared.answer(&asked.request) {
                        Ok(result) => JsonRpcMessage::response(result, asked.id),
                        Err(error) => JsonRpcMessage::error(error, Some(asked.id)),
                    };
                    let send = self.inner.send(reply);
                    self.replies.spawn(async move { drop(send.await) });
                }
                JsonRpcMessage::Notification(told) => self.shared.note(told.notification),
                answer => return Some(answer),
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.replies.abort_all();
        self.inner.close().await
    }
}
