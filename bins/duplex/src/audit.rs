//! `duplex verify --audit`: checks that the audit log is as it was written, in an exported file or in the running log.

use crate::say;
use anyhow::{Context as _, bail};
use duplex_domain::audit::{Break, Head, check};
use duplex_domain::{Seq, TeamId};
use duplex_eventlog::{Audit, Log, Options};
use futures_util::TryStreamExt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Checks a file that was exported; no server is asked for anything.
///
/// # Errors
/// When the chain in it is broken, or it cannot be read.
pub(crate) fn file(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown} cannot be opened"))?;
    let mut problem = None;
    let lines = BufReader::new(file)
        .split(b'\n')
        .map_while(|line| match line {
            // What is no text is no record either, and is found to be changed.
            Ok(line) => Some(String::from_utf8_lossy(&line).into_owned()),
            Err(error) => {
                problem = Some(error);
                None
            }
        });
    let checked = check(lines);
    if let Some(error) = problem {
        return Err(error).with_context(|| format!("{shown} cannot be read"));
    }
    tell(&shown.to_string(), checked)
}

/// Checks all chains of a running log.
///
/// # Errors
/// When one is broken, or the log cannot be reached.
pub(crate) async fn running(nats: String) -> anyhow::Result<()> {
    let options = Options {
        url: nats,
        monitor: None,
        name: "verify",
    };
    let audit = Log::connect(&options).await?.audit().await?;
    let teams = audit.teams().await?;
    if teams.is_empty() {
        say("nothing is in the audit log yet");
    }
    let mut broken = 0;
    for team in teams {
        let name = team.map_or_else(
            || "before there was a team".to_owned(),
            |team| format!("team {team}"),
        );
        let lines = lines(&audit, team).await?;
        if let Err(problem) = tell(&name, check(lines)) {
            broken += 1;
            say(format_args!("{problem}"));
        }
    }
    if broken > 0 {
        bail!("{broken} chains of the audit log are broken");
    }
    Ok(())
}

async fn lines(audit: &Audit, team: Option<TeamId>) -> anyhow::Result<Vec<String>> {
    let frames = audit.read(team, Seq(0));
    let lines = frames.try_fold(Vec::new(), |mut lines, frame| async move {
        lines.extend(frame.lines);
        Ok(lines)
    });
    Ok(lines.await?)
}

fn tell(name: &str, checked: Result<Option<Head>, Break>) -> anyhow::Result<()> {
    match checked {
        Ok(None) => bail!("{name}: there is no record"),
        Ok(Some(Head { n, hash, .. })) => {
            say(format_args!(
                "{name}: unbroken up to record {n}, whose hash is {}",
                hash.0
            ));
            Ok(())
        }
        Err(Break { line, cut }) => bail!("{name}: broken in line {line}: {cut}"),
    }
}
