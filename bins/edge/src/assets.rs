//! The page, as it was built into the program.

use crate::failure::Failure;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The files of the page; each compressible one also lies there as `.br` and `.gz`.
#[derive(RustEmbed)]
#[folder = "../../ui/web/dist"]
struct Page;

/// Kept for good: a changed file has another name.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Everything that no route answers: a file of the page, or the page itself, whose router knows the path.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Failure::no_route().into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Failure::wrong_method().into_response();
    }
    let is_compressed = matches!(path.rsplit('.').next(), Some("br" | "gz"));
    if !path.is_empty()
        && !is_compressed
        && let Some(file) = file(path, &headers)
    {
        return file;
    }
    // A missing file is missing; only what looks like a place in the page is one.
    if path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'))
    {
        return Failure::no_route().into_response();
    }
    file("index.html", &headers).unwrap_or_else(missing)
}

fn missing() -> Response {
    let failure = Failure::page_missing();
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (
        StatusCode::SERVICE_UNAVAILABLE,
        kind,
        format!("{}\n", failure.detail.message),
    )
        .into_response()
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let whole = Page::get(path)?;
    let kind = kind(path, &whole);
    let (encoding, file) =
        compressed(path, headers).map_or((None, whole), |(name, file)| (Some(name), file));
    let kept = if is_hashed(path) {
        FOR_GOOD
    } else {
        "no-cache"
    };
    let mut response = Response::builder()
        .header(CONTENT_TYPE, kind)
        .header(CACHE_CONTROL, kept)
        .header(VARY, "accept-encoding");
    if let Some(encoding) = encoding {
        response = response.header(CONTENT_ENCODING, encoding);
    }
    response.body(Body::from(file.data)).ok()
}

fn kind(path: &str, file: &EmbeddedFile) -> String {
    match path.rsplit('.').next() {
        Some("wasm") => "application/wasm".to_owned(),
        Some("js") => "text/javascript; charset=utf-8".to_owned(),
        Some("html") => "text/html; charset=utf-8".to_owned(),
        Some("css") => "text/css; charset=utf-8".to_owned(),
        _ => file.metadata.mimetype().to_owned(),
    }
}

fn compressed(path: &str, headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |name: &str| {
        let mut parts = accepted.split(',').map(|part| part.trim().split(';'));
        parts.any(|mut part| {
            part.next() == Some(name) && !part.any(|quality| quality.trim() == "q=0")
        })
    };
    let known = [("br", "br"), ("gzip", "gz")];
    let accepted = known.into_iter().filter(|(name, _)| accepts(name));
    accepted
        .into_iter()
        .find_map(|(name, ending)| Some((name, Page::get(&format!("{path}.{ending}"))?)))
}

/// Whether a file's name ends with a hash of what is in it, as esbuild writes it: `name-[hash].js`, eight letters and
/// digits of base32.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let base32 = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
    stem.rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 8 && hash.chars().all(base32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_with_a_hash_is_kept_for_good() {
        for hashed in ["main-7XKQ2ABC.js", "assets/duplex_bg-ABCD2345.wasm"] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in [
            "index.html",
            "favicon.svg",
            "manifest.json",
            "night-sky.css",
        ] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }
}
