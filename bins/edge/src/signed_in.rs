//! Who sends a request.

use crate::app::App;
use crate::failure::Failure;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use duplex_readmodel::{AccountError, User};

/// The cookie's name where pages may come unencrypted.
const PLAIN: &str = "duplex_session";
/// The cookie's name where all pages come encrypted: the prefix makes browsers hold it to this host alone.
const ENCRYPTED: &str = "__Host-duplex_session";
/// How long a browser keeps the cookie, in seconds; as long as the server knows it at most.
const KEPT: u32 = 14 * 24 * 60 * 60;

/// What a request shows to say whose it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A browser's token.
    Cookie(String),
    /// A program's token.
    Bearer(String),
}

/// What a request shows; a program's token goes before a browser's.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        return bearer.then(|| Credential::Bearer(token.trim().to_owned()));
    }
    cookie(headers).map(Credential::Cookie)
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| [PLAIN, ENCRYPTED].contains(name))?;
    Some(token.to_owned())
}

/// The header that makes a browser keep a token; with an empty token, forget it.
pub(crate) fn set_cookie(encrypted: bool, token: &str) -> String {
    let kept = if token.is_empty() { 0 } else { KEPT };
    let (name, secure) = if encrypted {
        (ENCRYPTED, "; Secure")
    } else {
        (PLAIN, "")
    };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={kept}{secure}")
}

/// The person who sends a request.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub user: User,
    pub by: Credential,
}

impl SignedIn {
    /// Whose a credential is; nobody's if it has ended.
    pub async fn behind(app: &App, by: Credential) -> Result<Option<Self>, AccountError> {
        let user = match &by {
            Credential::Cookie(token) => app.accounts.who(token).await?,
            Credential::Bearer(token) => app.accounts.who_bearer(token).await?,
        };
        Ok(user.map(|user| Self { user, by }))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let by = credential(&parts.headers).ok_or_else(Failure::signed_out)?;
        Self::behind(app, by).await?.ok_or_else(Failure::signed_out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            "theme=dark; duplex_session=abc; x=y".parse().unwrap(),
        );
        assert!(credential(&headers) == Some(Credential::Cookie("abc".into())));
        headers.insert(AUTHORIZATION, "Bearer dpx_1".parse().unwrap());
        assert!(credential(&headers) == Some(Credential::Bearer("dpx_1".into())));
        headers.insert(AUTHORIZATION, "Basic eDp5".parse().unwrap());
        assert!(credential(&headers).is_none());
    }

    #[test]
    fn an_encrypted_site_binds_its_cookie_to_the_host() {
        let expected =
            "__Host-duplex_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600; Secure";
        assert_eq!(set_cookie(true, "t"), expected);
        assert_eq!(
            set_cookie(false, ""),
            "duplex_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
