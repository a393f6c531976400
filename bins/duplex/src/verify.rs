//! `duplex verify`: folds every session again from its log and compares that with the views.

use crate::audit;
use crate::config::{Verify, default_data};
use crate::run_file::Run;
use crate::say;
use anyhow::{Context as _, bail};
use duplex_domain::{Seq, SessionId, Shard};
use duplex_eventlog::{Log, Options};
use duplex_readmodel::{Database, Refold, Worker};
use futures_util::TryStreamExt;
use std::collections::BTreeSet;
use std::pin::pin;

/// What comparing one session came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    Differs { view: String, log: String },
    Missing,
}

/// Compares every session, or those named, and prints what differs.
///
/// # Errors
/// When a view differs or is missing, or when log or database cannot be reached.
pub async fn verify(options: Verify) -> anyhow::Result<()> {
    if let Some(Some(file)) = &options.audit {
        return audit::file(file);
    }
    let (nats, postgres) = servers(&options)?;
    if options.audit.is_some() {
        return audit::running(nats).await;
    }
    let log = Log::connect(&Options {
        url: nats,
        monitor: None,
        name: "verify",
    })
    .await?;
    let views = Database::connect(&postgres).await?;
    let views = views.working_as(Worker::Projector).await?;
    if options.rebuild {
        views.wipe_views().await?;
        say("the views are empty; the projector builds them anew from the log, within seconds");
        return Ok(());
    }
    let sessions = match options.sessions.as_slice() {
        [] => all(&log).await?,
        named => named.iter().copied().collect(),
    };
    let mut wrong = 0;
    for session in &sessions {
        match compare(&log, &views, *session).await? {
            Outcome::Same => {}
            Outcome::Differs { view, log } => {
                wrong += 1;
                say(format_args!(
                    "{session}: the view is {view}, the log says {log}"
                ));
            }
            Outcome::Missing => {
                wrong += 1;
                say(format_args!("{session}: the views do not know it"));
            }
        }
    }
    let count = sessions.len();
    if wrong > 0 {
        bail!(
            "{wrong} of {count} sessions differ; wait until the projector has caught up, or build the views anew with --rebuild"
        );
    }
    say(format_args!(
        "{count} sessions: the views are what the log says"
    ));
    Ok(())
}

fn servers(options: &Verify) -> anyhow::Result<(String, String)> {
    if let (Some(nats), Some(postgres)) = (&options.nats, &options.postgres) {
        return Ok((nats.clone(), postgres.clone()));
    }
    let folder = options.data.clone().or_else(default_data);
    let folder = folder.context("name the data folder with --data")?;
    let run = Run::left(&folder.join("run.json")).with_context(|| {
        format!(
            "no `duplex up` is running on {}; start it, or name the servers with --nats and --postgres",
            folder.display()
        )
    })?;
    let url = |name: &str| {
        let url = run.urls.get(name).cloned();
        url.with_context(|| format!("run.json names no {name}"))
    };
    Ok((url("nats")?, url("postgres")?))
}

async fn all(log: &Log) -> anyhow::Result<BTreeSet<SessionId>> {
    let mut sessions = BTreeSet::new();
    for shard in Shard::all() {
        sessions.extend(log.sessions(shard).await?);
    }
    Ok(sessions)
}

/// The view stands at some frame; the log is folded up to the same one.
async fn compare(log: &Log, views: &Database, session: SessionId) -> anyhow::Result<Outcome> {
    let Some(view) = views.rows(session).await? else {
        return Ok(Outcome::Missing);
    };
    let mut refold = Refold::new(session);
    let mut frames = pin!(log.read(session, Seq(0)));
    while let Some(frame) = frames.try_next().await? {
        if frame.seq > view.session.seq {
            break;
        }
        refold.apply(&frame);
    }
    let (view, log) = (view.hash()?, refold.rows().hash()?);
    if view == log {
        return Ok(Outcome::Same);
    }
    Ok(Outcome::Differs { view, log })
}
