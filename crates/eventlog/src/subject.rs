//! Where things lie: the names of streams and subjects.

use duplex_domain::{Lane, SessionId, Shard, TeamId};

/// A session's place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Its team.
    pub team: TeamId,
    /// The session.
    pub session: SessionId,
}

impl Address {
    /// The subject of one of its lanes.
    pub(crate) fn lane(&self, lane: Lane) -> String {
        let Self { team, session } = self;
        let shard = Shard::of(*session);
        format!("log.{shard}.{team}.{session}.{}", lane.as_str())
    }
}

/// The stream of a shard.
pub(crate) fn stream(shard: Shard) -> String {
    format!("LOG_{shard}")
}

/// Every subject of a shard.
pub(crate) fn of_shard(shard: Shard) -> String {
    format!("log.{shard}.>")
}

/// Every fact of a shard.
pub(crate) fn facts_of_shard(shard: Shard) -> String {
    format!("log.{shard}.*.*.fact")
}

/// Every lane of a session.
pub(crate) fn of_session(session: SessionId) -> String {
    let shard = Shard::of(session);
    format!("log.{shard}.*.{session}.*")
}

/// Where the stream's republished copy of a subject comes out.
pub(crate) fn live(subject: &str) -> String {
    format!("live.{subject}")
}

/// The session and lane that a subject names.
pub(crate) fn parse(subject: &str) -> Option<(SessionId, Lane)> {
    let mut tokens = subject.split('.').skip(3);
    let session = tokens.next()?.parse().ok()?;
    let lane = tokens.next()?;
    let lane = Lane::ALL.into_iter().find(|known| known.as_str() == lane)?;
    Some((session, lane))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_subject_names_its_session_and_lane() {
        let session = "0190a0b0c0d07e0f8a1b2c3d4e5f6071".parse().unwrap();
        let team = TeamId::default();
        let subject = Address { team, session }.lane(Lane::Output);

        assert_eq!(
            subject,
            "log.1.00000000000000000000000000000000.0190a0b0c0d07e0f8a1b2c3d4e5f6071.output"
        );
        assert_eq!(parse(&subject), Some((session, Lane::Output)));
        assert_eq!(parse("log.1.team.nonsense.fact"), None);
    }
}
