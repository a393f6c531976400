//! A session's log as a stream of frames: NDJSON, or server-sent events.

use crate::app::App;
use crate::body::{InPath, Params};
use crate::failure::Failure;
use crate::guard;
use crate::signed_in::SignedIn;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use duplex_domain::{Event, Lane, Recorded, Role, Seq, SessionId, UserId};
use duplex_eventlog::{Follow, Followed, ReadError};
use duplex_wire::{Close, ErrorBody, Frame};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// How often it is looked at whether a follower is still in the session.
const LOOK: Duration = Duration::from_secs(30);

/// What a reader wants.
#[derive(Clone, Debug)]
struct Wanted {
    after: Seq,
    until: Option<Seq>,
    limit: Option<u64>,
    lanes: Vec<Lane>,
    follow: bool,
}

/// A session's frames, oldest first: one a line, or as server-sent events with `Accept: text/event-stream`.
#[utoipa::path(get, path = "/api/sessions/{id}/events", tag = "sessions",
    params(("id" = String, Path, description = "the session's id"),
        ("after" = Option<u64>, Query, description = "the newest frame the reader has; the header Last-Event-ID goes before it"),
        ("until" = Option<u64>, Query, description = "the last frame wanted"),
        ("limit" = Option<u64>, Query, description = "how many frames at most"),
        ("lanes" = Option<String>, Query, description = "of `fact`, `input`, `output`, with commas; `input` for the session's owner only"),
        ("follow" = Option<bool>, Query, description = "whether to stay for what comes")),
    responses((status = 200, description = "frames: `seq`, `lane` and `events`", content((Object = "application/x-ndjson"), (Object = "text/event-stream"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn events(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let role = app.live.role_of(session, signed_in.user.id).await?;
    let wanted = wanted(&params, &headers, role)?;
    let frames = frames(app, &signed_in, session, wanted);
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepts.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(as_events(frames));
    }
    Ok(as_lines(frames))
}

fn wanted(params: &Params, headers: &HeaderMap, role: Role) -> Result<Wanted, Failure> {
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let after = params.get("after")?;
    Ok(Wanted {
        after: Seq(last.or(after).unwrap_or(0)),
        until: params.get("until")?.map(Seq),
        limit: params.get("limit")?,
        lanes: lanes(params.text("lanes"), role)?,
        follow: params.get("follow")?.unwrap_or(false),
    })
}

/// Keys are shown to a session's owner alone.
fn lanes(wanted: Option<&str>, role: Role) -> Result<Vec<Lane>, Failure> {
    let mut lanes = Lane::ALL.to_vec();
    if role < Role::Owner {
        lanes.retain(|lane| *lane != Lane::Input);
    }
    let Some(wanted) = wanted else {
        return Ok(lanes);
    };
    let lane = |name: &str| {
        lanes
            .iter()
            .copied()
            .find(|lane| lane.as_str() == name.trim())
    };
    let message = "`lanes` is a list of `fact`, `output` and, for the owner, `input`";
    let wanted: Option<Vec<Lane>> = wanted.split(',').map(lane).collect();
    wanted.ok_or_else(|| Failure::field("lanes", "bad_lanes", message))
}

fn frames(
    app: App,
    reader: &SignedIn,
    session: SessionId,
    wanted: Wanted,
) -> BoxStream<'static, Result<Frame, ReadError>> {
    let user = reader.user.id;
    let (until, lanes) = (wanted.until, wanted.lanes);
    let read = if wanted.follow {
        let follow = None;
        let looked = Instant::now();
        follower(Follower {
            ended: AbortOnDropHandle::new(tokio::spawn(guard::ended(app.clone(), reader.clone()))),
            app,
            user,
            session,
            cursor: wanted.after,
            follow,
            looked,
        })
    } else {
        app.log.read(session, wanted.after).boxed()
    };
    let limit = wanted.limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let before_end = move |frame: &Result<Recorded, ReadError>| {
        let goes_on = match frame {
            Ok(frame) => until.is_none_or(|until| frame.seq <= until) && !shuts_out(frame, user),
            Err(_) => true,
        };
        std::future::ready(goes_on)
    };
    let on_lane = move |frame: &Recorded| std::future::ready(lanes.contains(&frame.lane));
    let wanted = read.take_while(before_end).try_filter(on_lane).take(limit);
    wanted.map_ok(Frame::from).boxed()
}

/// A reader who is removed sees nothing more.
fn shuts_out(frame: &Recorded, reader: UserId) -> bool {
    let removal = |event: &Event| matches!(event, Event::MemberRemoved { user } if *user == reader);
    frame.events.iter().any(|envelope| removal(&envelope.event))
}

/// One who reads a session's log and stays.
struct Follower {
    app: App,
    user: UserId,
    session: SessionId,
    cursor: Seq,
    follow: Option<Follow>,
    /// When it was last seen to that the reader may read.
    looked: Instant,
    /// Ends when the reader is signed out.
    ended: AbortOnDropHandle<Close>,
}

fn follower(follower: Follower) -> BoxStream<'static, Result<Recorded, ReadError>> {
    let next = |mut follower: Follower| async move {
        match follower.next().await {
            Some(frame) => Ok(Some((frame?, follower))),
            None => Ok(None),
        }
    };
    futures_util::stream::try_unfold(follower, next).boxed()
}

impl Follower {
    /// The next frame; none when the reader may not read any more, or the edge stops.
    async fn next(&mut self) -> Option<Result<Recorded, ReadError>> {
        loop {
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                self.still_may().await?;
            }
            let stop = self.app.stop.clone();
            let deadline = self.looked + LOOK;
            let Self {
                app, follow, ended, ..
            } = self;
            let followed = followed(app, self.session, self.cursor, follow);
            let followed = tokio::select! {
                () = stop.cancelled() => return None,
                _ = ended => return None,
                () = tokio::time::sleep_until(deadline) => continue,
                followed = followed => followed,
            };
            match followed {
                Ok(Followed::Frame(frame)) => {
                    self.cursor = frame.seq;
                    return Some(Ok(frame));
                }
                Ok(Followed::Synced(_)) => {}
                // The cursor is exact, so reading on from it leaves nothing out.
                Err(ReadError::Lagged) => self.follow = None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Something, as long as the reader is in the session, or nobody can tell at this moment.
    async fn still_may(&self) -> Option<()> {
        let role = self.app.live.role_of(self.session, self.user).await;
        (role != Err(duplex_live::WatchError::NotFound)).then_some(())
    }
}

async fn followed(
    app: &App,
    session: SessionId,
    cursor: Seq,
    follow: &mut Option<Follow>,
) -> Result<Followed, ReadError> {
    if let Some(follow) = follow {
        return follow.next().await;
    }
    let begun = app.log.follow(session, cursor).await?;
    follow.insert(begun).next().await
}

fn as_lines(frames: BoxStream<'static, Result<Frame, ReadError>>) -> Response {
    let lines = frames.map(|frame| {
        let mut line = serde_json::to_vec(&frame.map_err(std::io::Error::other)?)?;
        line.push(b'\n');
        Ok::<_, std::io::Error>(Bytes::from(line))
    });
    (
        [(CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response()
}

fn as_events(frames: BoxStream<'static, Result<Frame, ReadError>>) -> Response {
    let events = frames.map(|frame| {
        let frame = frame.map_err(std::io::Error::other)?;
        let data = serde_json::to_string(&frame)?;
        Ok::<_, std::io::Error>(sse::Event::default().id(frame.seq.to_string()).data(data))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}
