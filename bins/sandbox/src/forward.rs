//! The way from a sandbox's loopback to the proxy's socket outside.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::{Error, PROXY};

/// Connections carried at a time; more are closed.
const MOST: usize = 64;

/// Starts the forwarder beside the command, before sockets of its kind are forbidden, and waits until it listens.
pub fn start(socket: &Path) -> Result<(), Error> {
    let own = std::env::current_exe().map_err(Error::doing("find the forwarder"))?;
    let mut child = Command::new(own)
        .arg("forward")
        .arg(socket)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Error::doing("start the forwarder"))?;
    let mut said = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        let read = stdout.read_to_end(&mut said);
        read.map_err(Error::doing("hear from the forwarder"))?;
    }
    if said == b"ready" {
        return Ok(());
    }
    let silent = io::Error::other("it did not start to listen");
    Err(Error::doing("start the forwarder")(silent))
}

/// Listens until the sandbox ends.
pub fn run(socket: &Path) -> Result<(), Error> {
    // It has rights the command has not, so the command must not be able to open its memory.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(Error::doing("protect the forwarder"))?;
    let listener = TcpListener::bind(PROXY).map_err(Error::doing("listen"))?;
    tell_ready().map_err(Error::doing("say so"))?;
    let busy = Arc::new(AtomicUsize::new(0));
    for inside in listener.incoming().flatten() {
        if busy.fetch_add(1, Ordering::AcqRel) >= MOST {
            busy.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (socket, busy) = (socket.to_owned(), Arc::clone(&busy));
        thread::spawn(move || {
            let _ = carry(inside, &socket);
            busy.fetch_sub(1, Ordering::AcqRel);
        });
    }
    Ok(())
}

/// Standard output is a pipe whose other side waits for its end.
fn tell_ready() -> io::Result<()> {
    io::stdout().write_all(b"ready")?;
    io::stdout().flush()?;
    nix::unistd::close(1)?;
    Ok(())
}

fn carry(inside: TcpStream, socket: &Path) -> io::Result<()> {
    let outside = UnixStream::connect(socket)?;
    let (mut from, mut to) = (inside.try_clone()?, outside.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (outside, inside);
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    let _ = up.join();
    Ok(())
}
