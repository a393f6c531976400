//! How far people have read.

use crate::stage::Stage;
use crate::story::{ADA, BOB, TEAM, session};
use duplex_domain::{Seq, SessionId, UserId};

async fn read(stage: &Stage, person: UserId, session: SessionId) -> Option<Seq> {
    let position = stage.database.read_position(TEAM, person, session).await;
    position.unwrap().map(|position| position.seq)
}

#[tokio::test]
async fn a_read_position_is_a_persons_own_and_never_goes_back() {
    let stage = Stage::start().await;
    stage.people().await;
    let database = &stage.database;
    let (one, other) = (session(1), session(2));
    assert_eq!(read(&stage, ADA, one).await, None);

    for (seq, moves) in [(5, true), (5, false), (3, false), (9, true)] {
        let set = database.set_read_position(TEAM, ADA, one, Seq(seq));
        assert_eq!(set.await.unwrap(), moves, "{seq}");
    }

    assert_eq!(read(&stage, ADA, one).await, Some(Seq(9)));
    assert_eq!(read(&stage, BOB, one).await, None);
    assert_eq!(read(&stage, ADA, other).await, None);
}
