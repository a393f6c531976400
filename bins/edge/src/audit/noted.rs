//! What comes to be known of a request while it is answered: who, and on what.

use crate::client::Client;
use crate::signed_in::{Credential, SignedIn};
use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use duplex_domain::TeamId;
use duplex_domain::audit::{From, How, On, Who};
use duplex_readmodel::User;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How much of a program's name for itself is kept.
const LONGEST_AGENT: usize = 120;
/// How long a word of a detail may be.
const LONGEST_WORD: usize = 200;

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub who: Option<Who>,
    pub team: Option<TeamId>,
    pub on: Option<On>,
    pub detail: BTreeMap<String, String>,
    /// Why it came to nothing, where the answer's status does not say so.
    pub refused: Option<String>,
    /// It is written down already.
    pub written: bool,
}

/// A request that may be written down. Handlers tell it more.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub from: From,
    pub trace: String,
    known: Arc<Mutex<Known>>,
}

impl Noted {
    pub fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let agent = headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let from = From {
            address: address(extensions),
            agent: super::short(agent.unwrap_or_default(), LONGEST_AGENT),
        };
        Self {
            from,
            trace: Uuid::now_v7().simple().to_string(),
            known: Arc::default(),
        }
    }

    /// Who it is.
    pub fn signed_in(&self, person: &SignedIn) {
        let mut known = self.lock();
        known.who = Some(who(person));
        known.team = Some(person.user.team);
    }

    /// Who it turned out to be, with whatever they brought.
    pub fn is(&self, user: &User) {
        let mut known = self.lock();
        known.who = Some(Who {
            user: Some(user.id),
            name: user.name.clone(),
            how: How::Nobody,
        });
        known.team = Some(user.team);
    }

    /// Whom or what it is about.
    pub fn on(&self, kind: &str, id: &impl ToString) {
        let on = On {
            kind: kind.to_owned(),
            id: super::short(&id.to_string(), LONGEST_WORD),
        };
        self.lock().on = Some(on);
    }

    /// One more word about it. Never a secret, a message's text, or keys.
    pub fn detail(&self, name: &str, value: &(impl ToString + ?Sized)) {
        let value = super::short(&value.to_string(), LONGEST_WORD);
        self.lock().detail.insert(name.to_owned(), value);
    }

    /// It comes to nothing, though the answer's status does not say so.
    pub fn refused(&self, code: &str) {
        self.lock().refused = Some(code.to_owned());
    }

    /// It is written down elsewhere.
    pub fn written(&self) {
        self.lock().written = true;
    }

    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who somebody is, as a record says it.
pub(super) fn who(person: &SignedIn) -> Who {
    Who {
        user: Some(person.user.id),
        name: person.user.name.clone(),
        how: match person.by {
            Credential::Cookie(_) => How::Cookie,
            Credential::Bearer(_) => How::Token,
            Credential::Visit(_) => How::Link,
        },
    }
}

fn address(extensions: &Extensions) -> String {
    let client = extensions.get::<Client>();
    client
        .map(|client| client.address.to_string())
        .unwrap_or_default()
}

impl<S: Send + Sync> FromRequestParts<S> for Noted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let noted = parts.extensions.get::<Self>().cloned();
        // Only requests that are written down carry one; what others are told leads nowhere.
        Ok(noted.unwrap_or_else(|| Self::of(&parts.headers, &parts.extensions)))
    }
}
