//! A process that does nothing but wait for its end: `waiter READY_FILE [ERROR]`.

use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (file, error) = (args.next().map(PathBuf::from), args.next());
    duplex_boot::run("waiter", async |shutdown| {
        if let Some(error) = error {
            bail!(error);
        }
        duplex_boot::ready::announce(file)?;
        shutdown.cancelled().await;
        Ok(())
    })
}
