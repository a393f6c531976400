//! A terminal's output to be saved: as an asciicast that players show, or as text.

use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use duplex_domain::{Envelope, Event, Recorded, Seq, Session, SessionId, Terminal, TerminalId};
use duplex_eventlog::ReadError;
use duplex_live::cells;
use duplex_terminal::{Cast, Plain};
use duplex_wire::ErrorBody;
use futures_util::stream::{BoxStream, StreamExt, try_unfold};

/// A recording that asciinema and its players show: output, sizes, and a marker where the log has none of it.
#[utoipa::path(get, path = "/api/sessions/{id}/terminals/{terminal}/cast", tag = "sessions",
    params(("id" = String, Path, description = "the session's id"),
        ("terminal" = String, Path, description = "the terminal's id")),
    responses((status = 200, description = "an asciicast, version 2", content((String = "application/x-asciicast"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn cast(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(path): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (session, id, terminal) = find(&app, &signed_in, &path).await?;
    let name = file_name(&terminal, "cast");
    let tape = Tape {
        terminal: id,
        title: terminal.name,
        cast: None,
    };
    let body = told(&app, session, tape);
    Ok(to_save("application/x-asciicast", &name, body))
}

/// What a terminal put out, as text: without control sequences, lines as they stood in the end.
#[utoipa::path(get, path = "/api/sessions/{id}/terminals/{terminal}/text", tag = "sessions",
    params(("id" = String, Path, description = "the session's id"),
        ("terminal" = String, Path, description = "the terminal's id")),
    responses((status = 200, description = "the text", content((String = "text/plain"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn text(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(path): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (session, id, terminal) = find(&app, &signed_in, &path).await?;
    let name = file_name(&terminal, "txt");
    let text = Text {
        terminal: id,
        plain: Plain::new(),
    };
    let body = told(&app, session, text);
    Ok(to_save("text/plain; charset=utf-8", &name, body))
}

async fn find(
    app: &App,
    signed_in: &SignedIn,
    (session, terminal): &(String, String),
) -> Result<(SessionId, TerminalId, Terminal), Failure> {
    let session: SessionId = session.parse().map_err(|_| Failure::no_session())?;
    let glimpse = app.live.picture(session, signed_in.user.id).await?;
    let id: TerminalId = terminal.parse().map_err(|_| Failure::no_terminal())?;
    let known = glimpse.picture.session.terminals.get(&id).cloned();
    Ok((session, id, known.ok_or_else(Failure::no_terminal)?))
}

fn to_save(kind: &'static str, name: &str, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, body).into_response()
}

/// A name that no file system and no header takes for anything else.
fn file_name(terminal: &Terminal, ending: &str) -> String {
    let plain = |char: char| {
        if char.is_ascii_alphanumeric() {
            char
        } else {
            '-'
        }
    };
    let name: String = terminal.name.chars().map(plain).collect();
    match name.trim_matches('-') {
        "" => format!("terminal.{ending}"),
        name => format!("{name}.{ending}"),
    }
}

/// Makes text of a session's events.
trait Teller: Send + 'static {
    /// What an event adds.
    fn event(&mut self, envelope: &Envelope) -> String;
    /// What comes at the end.
    fn finish(&mut self) -> String;
}

/// A session's log on its way to text; what a runner wrote after it had lost the session is left out.
struct Telling<T> {
    frames: BoxStream<'static, Result<Recorded, ReadError>>,
    session: Session,
    teller: T,
    over: bool,
}

fn told(app: &App, session: SessionId, teller: impl Teller) -> Body {
    let telling = Telling {
        frames: app.log.read(session, Seq(0)).boxed(),
        session: Session::new(session),
        teller,
        over: false,
    };
    let next = |mut telling: Telling<_>| async move {
        let piece = telling.next().await?;
        Ok::<_, std::io::Error>(piece.map(|piece| (piece, telling)))
    };
    Body::from_stream(try_unfold(telling, next))
}

impl<T: Teller> Telling<T> {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if self.over {
            return Ok(None);
        }
        let Some(frame) = self.frames.next().await else {
            self.over = true;
            return Ok(Some(self.teller.finish().into()));
        };
        let frame = frame.map_err(std::io::Error::other)?;
        let heeded = frame
            .events
            .iter()
            .filter(|event| self.session.heeds(event));
        let text: String = heeded.map(|event| self.teller.event(event)).collect();
        self.session.apply(&frame);
        Ok(Some(text.into()))
    }
}

/// An asciicast in the making.
struct Tape {
    terminal: TerminalId,
    title: String,
    cast: Option<Cast>,
}

impl Teller for Tape {
    fn event(&mut self, envelope: &Envelope) -> String {
        let at = u64::try_from(envelope.at.0).unwrap_or(0);
        if let Event::TerminalOpened { terminal, size } = &envelope.event
            && *terminal == self.terminal
        {
            let (cast, header) = Cast::begin(cells(*size), &self.title, at);
            self.cast = Some(cast);
            return header;
        }
        let Some(cast) = &mut self.cast else {
            return String::new();
        };
        match &envelope.event {
            Event::Printed {
                terminal, bytes, ..
            } if *terminal == self.terminal => cast.output(&bytes.0, at).unwrap_or_default(),
            Event::TerminalSized { terminal, size, .. } if *terminal == self.terminal => {
                cast.resize(cells(*size), at)
            }
            Event::OutputElided {
                terminal, from, to, ..
            } if *terminal == self.terminal => cast.marker(&left_out(*from, *to), at),
            // It stands for what was left out: everything is drawn anew.
            Event::ScreenSaved {
                terminal,
                bytes,
                elided: true,
                ..
            } if *terminal == self.terminal => {
                let screen = [b"\x1bc", &bytes.0[..]].concat();
                cast.output(&screen, at).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn finish(&mut self) -> String {
        String::new()
    }
}

/// Text in the making.
struct Text {
    terminal: TerminalId,
    plain: Plain,
}

impl Teller for Text {
    fn event(&mut self, envelope: &Envelope) -> String {
        match &envelope.event {
            Event::Printed {
                terminal, bytes, ..
            } if *terminal == self.terminal => self.plain.feed(&bytes.0),
            Event::OutputElided {
                terminal, from, to, ..
            } if *terminal == self.terminal => {
                let before = self.plain.finish();
                format!("{before}\n[{}]\n", left_out(*from, *to))
            }
            _ => String::new(),
        }
    }

    fn finish(&mut self) -> String {
        match self.plain.finish() {
            rest if rest.is_empty() => rest,
            rest => rest + "\n",
        }
    }
}

fn left_out(from: u64, to: u64) -> String {
    format!("{} bytes of output were not kept", to.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::{Blob, Size, TerminalEnd, Time, UserId, Writer};

    const TERMINAL: TerminalId = TerminalId(uuid::Uuid::from_u128(7));
    const SIZE: Size = Size { cols: 80, rows: 24 };

    fn story() -> Vec<Envelope> {
        let terminal = TERMINAL;
        let printed = |terminal, offset, bytes: &[u8]| Event::Printed {
            terminal,
            offset,
            bytes: Blob::from(bytes),
        };
        let saved = |offset, bytes: &[u8], elided| Event::ScreenSaved {
            terminal,
            offset,
            bytes: Blob::from(bytes),
            elided,
        };
        let events = [
            Event::TerminalOpened {
                terminal,
                size: SIZE,
            },
            printed(terminal, 0, b"\x1b[1mone\x1b[0m\r\n"),
            printed(TerminalId::default(), 0, b"another terminal"),
            saved(13, b"ordinary", false),
            Event::TerminalSized {
                terminal,
                offset: 13,
                size: Size {
                    cols: 100,
                    rows: 30,
                },
            },
            Event::OutputElided {
                terminal,
                from: 13,
                to: 1013,
                digest: String::new(),
            },
            saved(1013, b"a screen", true),
            printed(terminal, 1013, b"two"),
            Event::TerminalExited {
                terminal,
                end: TerminalEnd::Code(0),
            },
        ];
        let envelope = |(n, event): (i64, Event)| Envelope {
            v: 1,
            at: Time(1_700_000_000_000 + n * 500),
            by: Writer::User(UserId::default()),
            epoch: None,
            turn: None,
            event,
        };
        (0..).zip(events).map(envelope).collect()
    }

    fn all(mut teller: impl Teller) -> String {
        let told: String = story().iter().map(|event| teller.event(event)).collect();
        told + &teller.finish()
    }

    #[test]
    fn a_recording_has_output_sizes_and_a_marker_where_some_is_missing() {
        let tape = Tape {
            terminal: TERMINAL,
            title: "tests".to_owned(),
            cast: None,
        };
        let told = all(tape);
        let (header, events) = told.split_once('\n').unwrap_or_default();
        assert!(header.contains(r#""title":"tests""#), "{header}");
        let expected = r#"[0.500000, "o", "\u001b[1mone\u001b[0m\r\n"]
[2.000000, "r", "100x30"]
[2.500000, "m", "1000 bytes of output were not kept"]
[3.000000, "o", "\u001bca screen"]
[3.500000, "o", "two"]
"#;
        assert_eq!(events, expected);
    }

    #[test]
    fn text_says_where_some_is_missing() {
        let text = Text {
            terminal: TERMINAL,
            plain: Plain::new(),
        };
        assert_eq!(
            all(text),
            "one\n\n[1000 bytes of output were not kept]\ntwo\n"
        );
    }

    #[test]
    fn a_file_s_name_is_plain() {
        let named = |name: &str| Terminal {
            name: name.to_owned(),
            ..Terminal::opened(None, SIZE)
        };
        assert_eq!(
            file_name(&named("my \"server\"/1"), "cast"),
            "my--server--1.cast"
        );
        assert_eq!(file_name(&named(" é "), "txt"), "terminal.txt");
    }
}
