//! An HTTP proxy on a socket that is shown to one workspace's sandboxes.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::address::resolve;
use crate::head::{self, Head, Onward};
use crate::{Policy, Refused};

/// Connections at a time; more wait to be accepted.
const MOST: usize = 64;
/// Bytes behind a request that are read and dropped.
const LEFT_OVER: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// One thing that was asked for, let through or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As the program gave it; empty if the request was not understood.
    pub host: String,
    /// The port; 0 if the request was not understood.
    pub port: u16,
    /// Whether a connection was made.
    pub allowed: bool,
    /// The address that was connected to, or what was wrong.
    pub why: String,
}

impl Request {
    /// With the address that was connected to, or why not.
    pub(crate) fn new(host: &str, port: u16, outcome: Result<String, String>) -> Self {
        Self {
            host: host.escape_debug().to_string(),
            port,
            allowed: outcome.is_ok(),
            why: outcome.unwrap_or_else(|why| why),
        }
    }
}

/// Bound to its socket and not yet serving.
pub struct Proxy {
    listener: UnixListener,
    policy: Arc<Policy>,
    log: Arc<dyn Fn(Request) + Send + Sync>,
}

impl Proxy {
    /// Listens at `socket`, in place of what an earlier server left there. `log` hears of every request.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn bind(
        socket: &Path,
        policy: Policy,
        log: impl Fn(Request) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            listener: UnixListener::bind(socket)?,
            policy: Arc::new(policy),
            log: Arc::new(log),
        })
    }

    /// Serves until `stop`; connections end with it.
    pub async fn run(self, stop: CancellationToken) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = open.join_next() => {}
                accepted = self.listener.accept(), if open.len() < MOST => {
                    let Ok((inside, _)) = accepted else { continue };
                    let (policy, log) = (Arc::clone(&self.policy), Arc::clone(&self.log));
                    open.spawn(async move {
                        let _ = serve(inside, &policy, &*log).await;
                    });
                }
            }
        }
    }
}

async fn serve(
    mut inside: UnixStream,
    policy: &Policy,
    log: &(dyn Fn(Request) + Send + Sync),
) -> io::Result<()> {
    let read = tokio::time::timeout(PATIENCE, head::read(&mut inside)).await;
    let Some((head, rest)) = read.ok().flatten() else {
        log(Request::new(
            "",
            0,
            Err("the request was not understood".to_owned()),
        ));
        return answer(
            &mut inside,
            "400 Bad Request",
            "the request was not understood",
        )
        .await;
    };
    let (host, port) = (head.host.clone(), head.port);
    let outside = match connect(policy, &head).await {
        Ok(outside) => outside,
        Err((status, why)) => {
            log(Request::new(&host, port, Err(why.clone())));
            return answer(&mut inside, status, &why).await;
        }
    };
    let address = outside.peer_addr().map(|address| address.to_string());
    log(Request::new(&host, port, Ok(address.unwrap_or_default())));
    match head.onward {
        Some(onward) => pass(inside, outside, &onward, &rest).await,
        None => tunnel(inside, outside, &rest).await,
    }
}

/// Connects to an address that was checked; the name is not looked up a second time.
async fn connect(policy: &Policy, head: &Head) -> Result<TcpStream, (&'static str, String)> {
    let found = resolve(policy, &head.host, head.port).await;
    let addresses = found.map_err(|refused| match refused {
        Refused::Unknown(_) => ("502 Bad Gateway", refused.to_string()),
        Refused::NotAllowed(_) | Refused::BadName | Refused::Private { .. } => {
            ("403 Forbidden", refused.to_string())
        }
    })?;
    let failed = |why: String| {
        (
            "502 Bad Gateway",
            format!("{} does not answer: {why}", head.host),
        )
    };
    let connecting = TcpStream::connect(&addresses[..]);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connected) => connected.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("no connection within 10 s".to_owned())),
    }
}

async fn tunnel(mut inside: UnixStream, mut outside: TcpStream, rest: &[u8]) -> io::Result<()> {
    inside
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    outside.write_all(rest).await?;
    copy_bidirectional(&mut inside, &mut outside).await?;
    Ok(())
}

/// One request with its body, then the answer to its end. Nothing behind the body gets out.
async fn pass(
    mut inside: UnixStream,
    mut outside: TcpStream,
    onward: &Onward,
    rest: &[u8],
) -> io::Result<()> {
    outside.write_all(onward.head.as_bytes()).await?;
    let (from, mut to) = inside.split();
    let mut body = rest.chain(from).take(onward.body);
    let (mut answer, mut server) = outside.split();
    let send = async { copy(&mut body, &mut server).await };
    let receive = async { copy(&mut answer, &mut to).await };
    tokio::try_join!(send, receive)?;
    finish(&mut inside).await
}

/// Ends the answer, then reads what is still coming: closed on unread bytes, a socket drops the answer with them.
async fn finish(inside: &mut UnixStream) -> io::Result<()> {
    inside.shutdown().await?;
    let mut left = inside.take(LEFT_OVER);
    let mut nowhere = tokio::io::sink();
    let drain = copy(&mut left, &mut nowhere);
    let _ = tokio::time::timeout(PATIENCE, drain).await;
    Ok(())
}

async fn answer(inside: &mut UnixStream, status: &str, why: &str) -> io::Result<()> {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{why}\n",
        why.len() + 1
    );
    inside.write_all(text.as_bytes()).await?;
    finish(inside).await
}
