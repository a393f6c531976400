//! One session as stored: its first screen, and pages of what came before.

use crate::load::{item, load};
use crate::row::{count, number};
use crate::{Database, DatabaseError};
use deadpool_postgres::GenericClient;
use duplex_domain::{Picture, Place, Seq, SessionId, TeamId, TerminalId};
use duplex_wire::ItemPage;
use tokio_postgres::IsolationLevel;

/// How many items a first screen has, besides those that may still change.
const FIRST_SCREEN: usize = 50;
/// How many items one page has at most.
const LONGEST_PAGE: usize = 500;

const SCREENS: &str = "
SELECT terminal, screen, screen_offset, screen_seq, printed_offset, printed_seq
FROM view.terminal WHERE session = $1 ORDER BY terminal";

const BEFORE: &str = "
SELECT page.body FROM (
    SELECT seq, idx, part, body FROM view.item WHERE session = $1 AND (seq, idx) < ($2, $3)
    ORDER BY seq DESC, idx DESC FETCH FIRST ($4::bigint) ROWS WITH TIES) AS page
ORDER BY page.seq, page.idx, page.part";

const ANY_BEFORE: &str =
    "SELECT EXISTS (SELECT 1 FROM view.item WHERE session = $1 AND (seq, idx) < ($2, $3))";

/// A session as the views have it, at one moment: right after frame `picture.session.seq`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The state and the newest items.
    pub picture: Picture,
    /// Its terminals.
    pub screens: Vec<StoredScreen>,
}

/// A terminal's newest saved screen. What came after it is in the log: the output in frames after `seq` and up to
/// `printed_seq`, without the bytes before `offset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScreen {
    /// Which terminal.
    pub terminal: TerminalId,
    /// Bytes that draw the screen into a fresh terminal; none if nothing was saved yet.
    pub bytes: Vec<u8>,
    /// How many bytes of the terminal's output they contain.
    pub offset: u64,
    /// Frames up to here are contained, and perhaps a part of the next.
    pub seq: Seq,
    /// How many bytes the terminal has put out.
    pub printed_offset: u64,
    /// The newest frame with output of the terminal.
    pub printed_seq: Seq,
}

impl Database {
    /// A session's first screen; none if the views do not know it. Who may see it is for the caller to check.
    ///
    /// # Errors
    /// When Postgres does not answer or a row is not readable.
    pub async fn view(&self, session: SessionId) -> Result<Option<Stored>, DatabaseError> {
        let mut client = self.of_session(session).client().await?;
        let tx = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let wanted = [session];
        let pictures = load(&tx, &wanted, FIRST_SCREEN);
        let (mut pictures, screens) = tokio::try_join!(pictures, screens(&tx, session))?;
        tx.commit().await?;
        Ok(pictures.pop().map(|folded| Stored {
            picture: folded.picture,
            screens,
        }))
    }

    /// The items before a place, or the newest; at most `limit` events' worth, itself at most 500.
    ///
    /// # Errors
    /// When Postgres does not answer or a row is not readable.
    pub async fn items(
        &self,
        team: TeamId,
        session: SessionId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<ItemPage, DatabaseError> {
        let limit = i64::try_from(limit.clamp(1, LONGEST_PAGE)).unwrap_or(i64::MAX);
        let (seq, index) = before.map_or((i64::MAX, 0), columns);
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(BEFORE).await?;
        let rows = client
            .query(&statement, &[&session.0, &seq, &index, &limit])
            .await?;
        let items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = items.first().map(|item| item.place) else {
            return Ok(ItemPage {
                items,
                before: None,
            });
        };
        let (seq, index) = columns(first);
        let statement = client.prepare_cached(ANY_BEFORE).await?;
        let older = client
            .query_one(&statement, &[&session.0, &seq, &index])
            .await?;
        let before = older.get::<_, bool>(0).then_some(first);
        Ok(ItemPage { items, before })
    }
}

fn columns(place: Place) -> (i64, i32) {
    let index = i32::try_from(place.index).unwrap_or(i32::MAX);
    (number(place.seq.0), index)
}

/// The terminals of a session.
pub(crate) async fn screens<C: GenericClient>(
    client: &C,
    session: SessionId,
) -> Result<Vec<StoredScreen>, DatabaseError> {
    let statement = client.prepare_cached(SCREENS).await?;
    let rows = client.query(&statement, &[&session.0]).await?;
    let screen = |row: &tokio_postgres::Row| StoredScreen {
        terminal: TerminalId(row.get("terminal")),
        bytes: row.get("screen"),
        offset: count(row.get("screen_offset")),
        seq: Seq(count(row.get("screen_seq"))),
        printed_offset: count(row.get("printed_offset")),
        printed_seq: Seq(count(row.get("printed_seq"))),
    };
    Ok(rows.iter().map(screen).collect())
}
