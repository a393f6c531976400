//! Somebody at the server, over its outside interface.

use crate::Feed;
use anyhow::Context as _;
use duplex_domain::{Command, Delivery, Seq, SessionId};
use duplex_wire::{
    Accepted, Created, Invite, Join, Me, SecretLink, SessionPage, SessionView, Setup, TeamRole,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";

/// A person who is signed in.
#[derive(Clone)]
pub struct Person {
    /// The server.
    pub url: String,
    /// The value of their session cookie, with its name.
    pub cookie: String,
    http: reqwest::Client,
}

impl Person {
    /// Makes the first owner.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn sets_up(url: &str, secret: &str, name: &str, email: &str) -> anyhow::Result<Self> {
        let setup = Setup {
            secret: secret.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let setup = serde_json::to_value(setup)?;
        Self::enters(url, "/api/setup", &setup).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn signs_in(url: &str, email: &str) -> anyhow::Result<Self> {
        let login = json!({ "email": email, "password": PASSWORD });
        Self::enters(url, "/api/login", &login).await
    }

    /// Makes an account with the secret of an invitation.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn joins(url: &str, secret: &str, name: &str, email: &str) -> anyhow::Result<Self> {
        let join = Join {
            secret: secret.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        Self::enters(url, "/api/join", &serde_json::to_value(join)?).await
    }

    /// Makes an invitation into the team and gives its secret.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn invites(&self, role: TeamRole) -> anyhow::Result<String> {
        let (note, days) = (None, None);
        let invite = Invite { role, note, days };
        let request = self.request(Method::POST, "/api/team/invitations");
        let answer = ok(request.json(&invite).send().await?).await?;
        Ok(answer.json::<SecretLink>().await?.secret)
    }

    /// Invites somebody into the team, who joins at once; `name` in small letters is their address at example.org.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn brings(&self, name: &str, role: TeamRole) -> anyhow::Result<Self> {
        let secret = self.invites(role).await?;
        let email = format!("{}@example.org", name.to_lowercase());
        Self::joins(&self.url, &secret, name, &email).await
    }

    /// Who the server says this is.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn me(&self) -> anyhow::Result<Me> {
        self.get("/api/me").await
    }

    async fn enters(url: &str, path: &str, body: &Value) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let request = http
            .post(format!("{url}{path}"))
            .header(header::ORIGIN, url);
        let answer = ok(request.json(body).send().await?).await?;
        let cookie = answer.headers().get(header::SET_COOKIE);
        let cookie = cookie.context("no cookie was set")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let url = url.to_owned();
        Ok(Self { url, cookie, http })
    }

    /// A request as this person, from the server's own page.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, &self.url)
    }

    /// Reads something.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = ok(self.request(Method::GET, path).send().await?).await?;
        Ok(answer.json().await?)
    }

    /// The status of a request with a body.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn post_status(
        &self,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let answer = self.request(Method::POST, path).json(body).send().await?;
        let status = answer.status();
        Ok((status, answer.json().await.unwrap_or_default()))
    }

    /// Opens a session on a workspace.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn opens(&self, workspace: &Path) -> anyhow::Result<SessionId> {
        let body = json!({ "workspace": workspace, "model": "claude-opus-5-5" });
        let request = self.request(Method::POST, "/api/sessions").json(&body);
        let created: Created = ok(request.send().await?).await?.json().await?;
        Ok(created.id)
    }

    /// Gives a command.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn commands(&self, session: SessionId, command: Command) -> anyhow::Result<Seq> {
        self.commands_as(session, Uuid::now_v7(), command).await
    }

    /// Gives a command under an id of the caller's.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn commands_as(
        &self,
        session: SessionId,
        id: Uuid,
        command: Command,
    ) -> anyhow::Result<Seq> {
        let body = json!({ "id": id.simple().to_string(), "command": command });
        let path = format!("/api/sessions/{session}/commands");
        let answer = self.request(Method::POST, &path).json(&body).send().await?;
        let accepted: Accepted = ok(answer).await?.json().await?;
        Ok(accepted.seq)
    }

    /// Says something to the agent.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn says(&self, session: SessionId, text: &str) -> anyhow::Result<Seq> {
        let (text, delivery) = (text.to_owned(), Delivery::Queue);
        self.commands(session, Command::PostMessage { text, delivery })
            .await
    }

    /// The session as the server shows it now.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn view(&self, session: SessionId) -> anyhow::Result<SessionView> {
        self.get(&format!("/api/sessions/{session}")).await
    }

    /// The sessions this person sees.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn sessions(&self) -> anyhow::Result<SessionPage> {
        self.get("/api/sessions").await
    }

    /// Opens a socket and watches a session.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn watches(&self, session: SessionId) -> anyhow::Result<Feed> {
        Feed::open(self, session, None).await
    }

    /// Opens a socket and watches a session from behind a sequence.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn watches_after(&self, session: SessionId, after: Seq) -> anyhow::Result<Feed> {
        Feed::open(self, session, Some(after)).await
    }
}

/// The answer, if it is a success; else an error with the server's own words.
async fn ok(answer: Response) -> anyhow::Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.text().await.unwrap_or_default();
    anyhow::bail!("the server said {status}: {text}")
}
