//! A reader that gives up on a line without an end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// The most bytes of one message of a server, over stdio and over HTTP.
pub const LINE_BYTES: usize = 8 * 1024 * 1024;

/// Passes bytes on until a line has more than [`LINE_BYTES`]; then it fails, for good. The library would skip such a
/// line and go on, and whoever waits for the answer in it would wait until their time is over.
pub(crate) struct Lines<R> {
    inner: R,
    run: usize,
    /// Set when it has failed for this reason.
    pub(crate) flooded: Arc<AtomicBool>,
}

impl<R> Lines<R> {
    pub(crate) fn new(inner: R, flooded: Arc<AtomicBool>) -> Self {
        Self {
            inner,
            run: 0,
            flooded,
        }
    }

    /// Whether the line goes on for too long with these bytes.
    fn too_long(&mut self, bytes: &[u8]) -> bool {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        self.run += pieces.next().map_or(0, <[u8]>::len);
        let mut longest = self.run;
        for piece in pieces {
            self.run = piece.len();
            longest = longest.max(self.run);
        }
        longest > LINE_BYTES
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.flooded.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        if self.too_long(&buffer.filled()[before..]) {
            self.flooded.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        Poll::Ready(Ok(()))
    }
}
