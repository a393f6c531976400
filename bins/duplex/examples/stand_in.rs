//! Stands in for the edge, the projector and the runner where `duplex up` itself is tested: it is told what they are
//! told, gets ready as they do, and waits for its end.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    duplex_boot::run("stand-in", async |shutdown| {
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let told = |name: &str| {
            environment
                .get(name)
                .with_context(|| format!("{name} is not set"))
        };
        let data = PathBuf::from(told("DUPLEX_DATA")?);
        if data.join("refuse").exists() {
            bail!("told to refuse");
        }
        std::fs::write(
            data.join("environment.json"),
            serde_json::to_vec(&environment)?,
        )?;
        if let Some(address) = environment.get("DUPLEX_LISTEN") {
            link(&data, address)?;
            tokio::spawn(answer(TcpListener::bind(address).await?));
        }
        duplex_boot::ready::announce(Some(told("DUPLEX_READY_FILE")?.into()))?;
        shutdown.cancelled().await;
        Ok(())
    })
}

/// The one-time link, until the test has "used" it.
fn link(data: &Path, address: &str) -> std::io::Result<()> {
    let link = format!("http://{address}/setup#secret\n");
    if data.join("set-up").exists() {
        return Ok(());
    }
    std::fs::write(data.join("setup-link"), link)
}

async fn answer(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut request = [0; 1024];
        let _length = stream.read(&mut request).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await?;
    }
}
