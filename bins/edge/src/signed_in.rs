//! Who sends a request.

use crate::app::App;
use crate::failure::Failure;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use duplex_domain::Time;
use duplex_readmodel::{AccountError, Grant, User, Visit};
use duplex_wire::Scope;
use uuid::Uuid;

/// The cookie's name where the page came unencrypted.
const PLAIN: &str = "duplex_session";
/// The cookie's name where the page came encrypted: the prefix makes browsers hold it to this host alone.
const ENCRYPTED: &str = "__Host-duplex_session";
/// The cookie of a visitor, who came by a link; it does not take the place of an account's.
const VISIT: [&str; 2] = ["duplex_visit", "__Host-duplex_visit"];
/// How long a browser keeps the cookie, in seconds; as long as the server knows it at most.
const KEPT: u32 = 14 * 24 * 60 * 60;

/// What a request shows to say whose it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A browser's token.
    Cookie(String),
    /// A program's token.
    Bearer(String),
    /// A visitor's token.
    Visit(String),
}

/// Whether a request says at most once whose it is. One that says it twice might be taken for one by what stands before
/// this server and for the other here.
pub(crate) fn shows_one_credential(headers: &HeaderMap) -> bool {
    let programs = headers.get_all(AUTHORIZATION).iter().count();
    let browsers = cookie(headers, [PLAIN, ENCRYPTED]).or_else(|| visit(headers));
    programs + usize::from(browsers.is_some()) <= 1
}

/// What a request shows.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        return bearer.then(|| Credential::Bearer(token.trim().to_owned()));
    }
    let account = cookie(headers, [PLAIN, ENCRYPTED]).map(Credential::Cookie);
    account.or_else(|| visit(headers).map(Credential::Visit))
}

/// A visitor's token, also of a browser in which somebody is signed in.
pub(crate) fn visit(headers: &HeaderMap) -> Option<String> {
    cookie(headers, VISIT)
}

fn cookie(headers: &HeaderMap, names: [&str; 2]) -> Option<String> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| names.contains(name))?;
    Some(token.to_owned())
}

/// Leaves out the cookie that any page of the domain, or anybody on an unencrypted way, could have set.
pub(crate) fn only_bound_cookies(headers: &mut HeaderMap) {
    let lines = headers.get_all(COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).map(str::trim);
    let plain = [PLAIN, VISIT[0]].map(Some);
    let bound = |pair: &&str| !plain.contains(&pair.split('=').next().map(str::trim));
    let bound: Vec<&str> = pairs.filter(bound).collect();
    let bound = HeaderValue::from_str(&bound.join("; "));
    headers.remove(COOKIE);
    if let Some(bound) = bound.ok().filter(|bound| !bound.is_empty()) {
        headers.insert(COOKIE, bound);
    }
}

/// The header that makes a browser keep a token; with an empty token, forget it.
pub(crate) fn set_cookie(encrypted: bool, token: &str) -> String {
    named_cookie([PLAIN, ENCRYPTED], encrypted, token)
}

/// The header that makes a browser keep a visitor's token; with an empty token, forget it.
pub(crate) fn set_visit_cookie(encrypted: bool, token: &str) -> String {
    named_cookie(VISIT, encrypted, token)
}

fn named_cookie([plain, bound]: [&str; 2], encrypted: bool, token: &str) -> String {
    let kept = if token.is_empty() { 0 } else { KEPT };
    let (name, secure) = if encrypted {
        (bound, "; Secure")
    } else {
        (plain, "")
    };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={kept}{secure}")
}

/// The person who sends a request.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub user: User,
    pub by: Credential,
    /// By which link they came, if they have no account.
    pub visit: Option<Visit>,
    /// What a program's token may do; none for a browser, which may do all that its person may.
    pub scopes: Option<Vec<Scope>>,
    id: Uuid,
    expires_at: Option<Time>,
}

impl SignedIn {
    /// Whose a credential is; nobody's if it has ended.
    pub async fn behind(app: &App, by: Credential) -> Result<Option<Self>, AccountError> {
        let grant = match &by {
            Credential::Cookie(token) => app.accounts.who(token).await?,
            Credential::Bearer(token) => app.accounts.who_bearer(token).await?,
            Credential::Visit(token) => {
                let visitor = app.accounts.visitor(token).await?;
                return Ok(visitor.map(|(user, visit)| Self::visitor(user, visit, by)));
            }
        };
        Ok(grant.map(|grant| Self::with(grant, by)))
    }

    fn with(grant: Grant, by: Credential) -> Self {
        let Grant {
            user,
            id,
            scopes,
            expires_at,
        } = grant;
        Self {
            user,
            by,
            visit: None,
            scopes,
            id,
            expires_at,
        }
    }

    fn visitor(user: User, visit: Visit, by: Credential) -> Self {
        Self {
            id: user.id.0,
            user,
            by,
            visit: Some(visit),
            scopes: None,
            expires_at: None,
        }
    }

    /// What the credential stands for.
    pub fn grant(&self) -> Grant {
        Grant {
            user: self.user.clone(),
            id: self.id,
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
        }
    }

    /// Which sign-in of a browser it is; none for a program.
    pub fn browser(&self) -> Option<Uuid> {
        matches!(self.by, Credential::Cookie(_)).then_some(self.id)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Failure;

    /// Who it is was found out before the handler was reached ([`crate::rights`]).
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let person = parts.extensions.get::<Self>().cloned();
        person.ok_or_else(Failure::signed_out)
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
        assert!(shows_one_credential(&headers));
        headers.insert(AUTHORIZATION, "Bearer dpx_1".parse().unwrap());
        assert!(!shows_one_credential(&headers));
        assert!(credential(&headers) == Some(Credential::Bearer("dpx_1".into())));
        headers.insert(AUTHORIZATION, "Basic eDp5".parse().unwrap());
        assert!(credential(&headers).is_none());
        headers.remove(COOKIE);
        assert!(shows_one_credential(&headers));
        headers.append(AUTHORIZATION, "Bearer dpx_1".parse().unwrap());
        assert!(!shows_one_credential(&headers));
    }

    #[test]
    fn an_encrypted_request_brings_only_the_cookie_bound_to_the_host() {
        let mut headers = HeaderMap::new();
        let cookies = "duplex_session=planted; __Host-duplex_session=own; x=y";
        headers.append(COOKIE, cookies.parse().unwrap());
        headers.append(COOKIE, "duplex_session = planted".parse().unwrap());
        only_bound_cookies(&mut headers);
        assert_eq!(headers[COOKIE], "__Host-duplex_session=own; x=y");
        assert!(credential(&headers) == Some(Credential::Cookie("own".into())));
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
