//! The audit log: from its stream to its rows, for as long as the projector lives.

use crate::patience::Pauses;
use duplex_domain::audit::Record;
use duplex_eventlog::{Audit, AuditError, AuditFrame, Log, ReadError};
use duplex_readmodel::{Checkpoint, Database, DatabaseError};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long nothing may come before the views are looked at: somebody may have wiped them.
const LOOK: Duration = Duration::from_secs(5);

/// Why following ended; it has no other end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Stream(#[from] AuditError),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Views(#[from] DatabaseError),
    #[error("another projector works on the audit log, or its views were wiped")]
    Overtaken,
}

/// Projects the audit log until told to stop.
pub(crate) async fn run(log: Log, database: Database, stop: CancellationToken) {
    let projecting = async {
        let mut pauses = Pauses::default();
        loop {
            let Err(broken) = follow(&log, &database, &mut pauses).await;
            warn!("the views of the audit log wait: {broken}");
            pauses.pause().await;
        }
    };
    stop.run_until_cancelled(Box::pin(projecting)).await;
}

/// Goes on from the checkpoint, until something breaks.
async fn follow(
    log: &Log,
    database: &Database,
    pauses: &mut Pauses,
) -> Result<std::convert::Infallible, Broken> {
    let audit: Audit = log.audit().await?;
    let created = audit.identity().await?.created;
    let mut at = database.audit_checkpoint(created).await?;
    let mut frames = audit.follow(at.seq).await?;
    info!(
        seq = at.seq.0,
        "the views of the audit log go on behind message {}", at.seq
    );
    loop {
        let Ok(batch) = timeout(LOOK, frames.next()).await else {
            if database.audit_checkpoint(created).await? != at {
                return Err(Broken::Overtaken);
            }
            continue;
        };
        let batch = batch?;
        let Some(last) = batch.last() else { continue };
        let to = Checkpoint {
            seq: last.seq,
            stream_created: created,
            message_id: last.id.clone(),
        };
        let records: Vec<Record> = batch.iter().flat_map(records).collect();
        if !database.write_audit(&records, &at, &to).await? {
            return Err(Broken::Overtaken);
        }
        at = to;
        pauses.reset();
    }
}

/// The records of a message. One that is not readable stays in the log, where `duplex verify --audit` names it.
fn records(frame: &AuditFrame) -> Vec<Record> {
    let read = |line: &String| match Record::read(line) {
        Ok(record) => Some(record),
        Err(problem) => {
            error!(
                "message {} of the audit log is not readable: {problem}",
                frame.seq
            );
            None
        }
    };
    frame.lines.iter().filter_map(read).collect()
}
