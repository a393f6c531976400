//! Running Postgres' own tools: `initdb` once, `psql` to make databases.

use crate::StartError;
use crate::account::Account;
use crate::files::last_line_of;
use crate::postgres_binaries::PostgresBinaries;
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Makes a cluster owned by the user `duplex`, whose password is in the file `password`.
pub(crate) async fn init(
    binaries: &PostgresBinaries,
    account: Option<&Account>,
    cluster: &Path,
    password: &Path,
    fast: bool,
) -> Result<(), StartError> {
    let mut command = Command::new(binaries.program("initdb"));
    command
        .arg("--pgdata")
        .arg(cluster)
        .arg("--pwfile")
        .arg(password)
        .args([
            "--username=duplex",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-instructions",
        ])
        .args(fast.then_some("--no-sync"))
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(account) = account {
        account.take_on(&mut command);
    }
    finish("initdb", command.output().await)
}

/// Makes the database `name` unless it is there.
pub(crate) async fn create_database(
    binaries: &PostgresBinaries,
    server: &str,
    password: &str,
    name: &str,
) -> Result<(), StartError> {
    let mut command = Command::new(binaries.program("psql"));
    command
        .args([
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            server,
        ])
        .env("PGPASSWORD", password)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let doing = || StartError::io("run psql");
    let mut psql = command.spawn().map_err(doing())?;
    if let Some(mut stdin) = psql.stdin.take() {
        stdin
            .write_all(creation(name).as_bytes())
            .await
            .map_err(doing())?;
    }
    finish("psql", psql.wait_with_output().await)
}

/// `CREATE DATABASE` has no `IF NOT EXISTS`; psql runs what a query gives with `\gexec`.
fn creation(name: &str) -> String {
    format!(
        "SELECT 'CREATE DATABASE {name}' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}') \\gexec\n"
    )
}

fn finish(
    program: &'static str,
    output: std::io::Result<std::process::Output>,
) -> Result<(), StartError> {
    let output = output.map_err(StartError::io(format!("run {program}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Failed {
        program,
        last: last_line_of(&output.stderr),
    })
}
