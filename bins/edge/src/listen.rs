//! Takes connections, so many and not more, and serves the router on each.

use crate::client::{Doors, Peer};
use crate::crowd::{Crowd, Place};
use crate::network::Network;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long a connection may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the headers of a request may take, and a connection may do nothing.
const HEADERS: Duration = Duration::from_secs(30);
/// How large the headers of a request may be, in bytes.
const LARGEST_HEADERS: usize = 64 * 1024;
/// How long to wait when the system has no connection to give.
const BREATH: Duration = Duration::from_secs(1);

/// What takes connections.
pub(crate) struct Entrance {
    pub listener: TcpListener,
    pub tls: Option<TlsAcceptor>,
    pub doors: Arc<Doors>,
    /// How many connections there may be.
    pub connections: usize,
    /// How many of them from one network.
    pub per_network: usize,
}

/// A connection, with its place among all.
struct Arrived {
    stream: TcpStream,
    peer: Peer,
    tls: Option<TlsAcceptor>,
    _places: (OwnedSemaphorePermit, Option<Place<Network>>),
}

impl Entrance {
    /// Serves until `stop`; then answers what was asked, and ends.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let all = Arc::new(Semaphore::new(self.connections));
        let near = Crowd::new(self.per_network);
        let mut open = JoinSet::new();
        loop {
            let arrived = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = open.join_next() => continue,
                arrived = self.arrival(&all, &near) => arrived,
            };
            if let Some(arrived) = arrived {
                open.spawn(arrived.served(router.clone(), stop.clone()));
            }
        }
        drop(self.listener);
        open.join_all().await;
    }

    /// The next connection, once there is a place for it; none if it must not be served.
    async fn arrival(&self, all: &Arc<Semaphore>, near: &Crowd<Network>) -> Option<Arrived> {
        let place = all.clone().acquire_owned().await.ok()?;
        let (stream, address) = match self.listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                told(&error).await;
                return None;
            }
        };
        let ip = address.ip();
        let own = if self.doors.is_crowd(ip) {
            None
        } else {
            let Some(place) = near.enter(Network::around(ip)) else {
                debug!("a connection of {ip} too many was closed");
                return None;
            };
            Some(place)
        };
        // Tokens and keys are small: held back to be gathered, they would come late.
        if let Err(error) = stream.set_nodelay(true) {
            debug!("a connection gathers small packets: {error}");
        }
        let encrypted = self.tls.is_some();
        Some(Arrived {
            stream,
            peer: Peer {
                address: ip,
                encrypted,
            },
            tls: self.tls.clone(),
            _places: (place, own),
        })
    }
}

/// A connection that broke off while it waited is nobody's business; a system without room is.
async fn told(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        warn!("no connection can be taken now: {error}");
        sleep(BREATH).await;
    }
}

impl Arrived {
    async fn served(self, router: Router, stop: CancellationToken) {
        let Self {
            stream, peer, tls, ..
        } = self;
        let Some(tls) = tls else {
            return answer(stream, peer, router, stop).await;
        };
        match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, peer, router, stop).await,
            Ok(Err(error)) => debug!(
                "a connection of {} was not encrypted: {error}",
                peer.address
            ),
            Err(_) => debug!("{} did not finish its handshake", peer.address),
        }
    }
}

async fn answer<S>(stream: S, peer: Peer, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_header_size(LARGEST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("a connection of {} ended: {error}", peer.address);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_util::sync::DropGuard;

    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nhost: duplex\r\n\r\n";

    async fn open(connections: usize) -> (SocketAddr, DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let entrance = Entrance {
            listener,
            tls: None,
            doors: Arc::default(),
            connections,
            per_network: 1,
        };
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(async || "hello"));
        tokio::spawn(entrance.serve(router, stop.clone()));
        (address, stop.drop_guard())
    }

    async fn answered(stream: &mut TcpStream) {
        stream.write_all(ASKED).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("hello") {
            let byte = stream.read_u8().await.unwrap();
            answer.push(char::from(byte));
        }
    }

    /// Time stands still but for timers: it goes on to the next one when nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn headers_that_never_end_do_not_hold_a_connection() {
        let (address, _stop) = open(9).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&ASKED[..20]).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        let told = String::from_utf8(rest).unwrap();
        assert!(
            told.is_empty() || told.starts_with("HTTP/1.1 408"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn there_are_so_many_connections_and_more_have_to_wait() {
        let (address, _stop) = open(1).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        answered(&mut first).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(ASKED).await.unwrap();
        // The first is served all the while, and the second once it has gone.
        for _ in 0..20 {
            answered(&mut first).await;
        }
        assert!(second.try_read(&mut [0; 1]).is_err());
        drop(first);
        answered(&mut second).await;
    }
}
