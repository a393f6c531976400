//! Bytes too many for an event: changes of files, and pictures.

use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use duplex_domain::{CHANGES, SessionId};
use duplex_wire::ErrorBody;

/// A body never changes: its name is its hash. Only who asked may keep it.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";

/// What an event of this session says is kept under a hash. Pictures are served as what they are; changes of files as
/// JSON; anything else to be saved, never to be shown.
#[utoipa::path(get, path = "/api/sessions/{id}/bodies/{hash}", tag = "sessions",
    params(("id" = String, Path, description = "the session's id"),
        ("hash" = String, Path, description = "SHA-256, 64 hexadecimal digits")),
    responses((status = 200, description = "the bytes", content((Vec<u8> = "application/octet-stream"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn kept(
    State(app): State<App>,
    signed_in: SignedIn,
    Path((session, hash)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let session: SessionId = session.parse().map_err(|_| Failure::no_session())?;
    app.live.role_of(session, signed_in.user.id).await?;
    let bytes = app.log.body(session, &hash).await?;
    let bytes = bytes.ok_or_else(Failure::no_body)?;
    let kind = kind_of(&bytes);
    let shown = if kind == "application/octet-stream" {
        "attachment"
    } else {
        "inline"
    };
    let headers = [
        (CACHE_CONTROL, FOR_GOOD),
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, shown),
    ];
    Ok((headers, bytes).into_response())
}

/// By the bytes themselves: what a tool said of them is not to be trusted.
fn kind_of(bytes: &[u8]) -> &'static str {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        _ if webp => "image/webp",
        [b'{', ..] if std::str::from_utf8(bytes).is_ok() => CHANGES,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_and_changes_are_shown() {
        assert_eq!(kind_of(b"\x89PNG\r\n"), "image/png");
        assert_eq!(kind_of(b"RIFF\0\0\0\0WEBPVP8 "), "image/webp");
        assert_eq!(kind_of(b"{\"files\":[]}"), CHANGES);
        for other in [&b"<svg onload=alert(1)>"[..], b"<html>", b"", b"{\xff"] {
            assert_eq!(kind_of(other), "application/octet-stream");
        }
    }
}
