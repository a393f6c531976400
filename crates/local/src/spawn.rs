//! One lasting thread from which child processes are started.
//!
//! Linux ends a child that asked to die with its parent when the *thread* that started it ends, and a runtime's
//! threads come and go.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Starts a child that belongs to the calling runtime, from a thread that lives as long as this process.
pub(crate) async fn spawn(mut command: Command) -> io::Result<Child> {
    let runtime = Handle::current();
    let (reply, started) = oneshot::channel();
    let job: Job = Box::new(move || {
        let _entered = runtime.enter();
        // Nobody waiting any more drops the child, which `kill_on_drop` then ends.
        let _unheard = reply.send(command.kill_on_drop(true).spawn());
    });
    thread().send(job).map_err(|_| no_thread())?;
    started.await.map_err(|_| no_thread())?
}

fn thread() -> &'static SyncSender<Job> {
    static THREAD: OnceLock<SyncSender<Job>> = OnceLock::new();
    THREAD.get_or_init(|| {
        let (jobs, waiting) = sync_channel::<Job>(16);
        // If the thread cannot start, its receiver is gone and every send says so.
        let _started = std::thread::Builder::new()
            .name("starts-processes".into())
            .spawn(move || waiting.into_iter().for_each(|job| job()));
        jobs
    })
}

fn no_thread() -> io::Error {
    io::Error::other("the thread that starts processes is gone")
}
