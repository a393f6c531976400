//! Who may sign in.

use crate::stage::Stage;
use duplex_readmodel::{AccountError, Accounts, Browser, Database, Grant, Token, User};
use duplex_wire::{CreateToken, NewToken, Scope};

const SECRET_WORDS: &str = "correct horse battery";

async fn accounts() -> (Stage, Accounts) {
    let stage = Stage::start().await;
    let accounts = Accounts::new(stage.database.clone());
    (stage, accounts)
}

async fn with_owner() -> (Stage, Accounts, User) {
    let (stage, accounts) = accounts().await;
    let secret = accounts.new_setup_secret().await.unwrap();
    let ada = accounts.setup(&secret, "Ada", "Ada@Example.org", SECRET_WORDS);
    let ada = ada.await.unwrap();
    (stage, accounts, ada)
}

async fn sign_in(accounts: &Accounts) -> (User, Token) {
    let browser = Browser::default();
    let signed_in = accounts.login("ada@example.org", SECRET_WORDS, &browser);
    signed_in.await.unwrap()
}

/// Whose a browser's token is.
async fn who(accounts: &Accounts, token: &Token) -> Option<User> {
    let grant = accounts.who(&token.0).await.unwrap();
    grant.map(|grant| grant.user)
}

/// A token of who is signed in, which may read.
async fn ci(accounts: &Accounts, browser: &Token) -> NewToken {
    let by = accounts.who(&browser.0).await.unwrap().unwrap();
    let wanted = CreateToken {
        name: "ci".into(),
        scopes: vec![Scope::Read],
        days: None,
    };
    accounts.create_token(&by, &wanted).await.unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, AccountError>) -> &'static str {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn the_first_owner_is_made_once() {
    let (_stage, accounts) = accounts().await;
    assert!(!accounts.has_owner().await.unwrap());
    let old = accounts.new_setup_secret().await.unwrap();
    let secret = accounts.new_setup_secret().await.unwrap();

    let set_up = |secret: String, email: &'static str| {
        let accounts = accounts.clone();
        async move { accounts.setup(&secret, "Ada", email, SECRET_WORDS).await }
    };
    assert_eq!(code(set_up(old, "ada@example.org").await), "wrong_secret");
    let (one, two) = tokio::join!(
        set_up(secret.clone(), "ada@example.org"),
        set_up(secret.clone(), "eve@example.org")
    );

    let (made, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    let made = made.unwrap();
    assert_eq!(code(refused), "already_set_up");
    assert!(accounts.has_owner().await.unwrap());
    assert_eq!(
        code(set_up(secret, "bob@example.org").await),
        "already_set_up"
    );
    assert_eq!(code(accounts.new_setup_secret().await), "already_set_up");
    let found = accounts.user_by_email(&made.email).await.unwrap();
    assert_eq!(found, Some(made));
}

#[tokio::test]
async fn a_form_filled_in_wrongly_makes_nobody() {
    let (_stage, accounts) = accounts().await;
    let secret = accounts.new_setup_secret().await.unwrap();
    let cases = [
        ("", "ada@example.org", SECRET_WORDS, "invalid_name"),
        ("A\0da", "ada@example.org", SECRET_WORDS, "invalid_name"),
        ("Ada", "ada", SECRET_WORDS, "invalid_email"),
        ("Ada", "ada@example.org", "ninechars", "invalid_password"),
    ];
    for (name, email, password, expected) in cases {
        let refused = accounts.setup(&secret, name, email, password).await;
        assert_eq!(code(refused), expected);
    }
    assert!(!accounts.has_owner().await.unwrap());
}

#[tokio::test]
async fn the_right_password_gives_a_token_that_says_who() {
    let (_stage, accounts, ada) = with_owner().await;

    let (user, token) = accounts
        .login(" ADA@example.org", SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
    let (_, other) = accounts
        .login("ada@example.org", SECRET_WORDS, &Browser::default())
        .await
        .unwrap();

    assert_eq!(user, ada);
    assert_ne!(token, other);
    assert_eq!(format!("{token:?}"), "Token(…)");
    assert_eq!(who(&accounts, &token).await, Some(ada.clone()));
    accounts.logout(&token.0).await.unwrap();
    assert_eq!(accounts.who(&token.0).await.unwrap(), None);
    assert_eq!(who(&accounts, &other).await, Some(ada));
    assert_eq!(accounts.who("made up").await.unwrap(), None);
}

#[tokio::test]
async fn no_secret_lies_in_the_database() {
    let (stage, accounts, ada) = with_owner().await;
    let (_, token) = accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
    let api = Token(ci(&accounts, &token).await.secret);

    let sql = "SELECT concat((SELECT string_agg(p::text, ' ') FROM account.person p),
        (SELECT string_agg(w::text, ' ') FROM account.web_session w),
        (SELECT string_agg(t::text, ' ') FROM account.api_token t))";
    let stored: String = stage.sql().await.query_one(sql, &[]).await.unwrap().get(0);

    assert!(
        stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    for secret in [SECRET_WORDS, &token.0, &api.0] {
        assert!(!stored.contains(secret));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let (stage, accounts, ada) = with_owner().await;

    let wrong = accounts
        .login(&ada.email, "something else", &Browser::default())
        .await
        .unwrap_err();
    let unknown = accounts
        .login("eve@example.org", SECRET_WORDS, &Browser::default())
        .await
        .unwrap_err();
    let odd = accounts
        .login(
            "ada@example.org\0",
            &"long ".repeat(2000),
            &Browser::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(wrong.to_string(), unknown.to_string());
    assert_eq!(
        [wrong.code(), unknown.code(), odd.code()],
        ["wrong_login"; 3]
    );

    let disable = "UPDATE account.person SET disabled = true";
    stage.sql().await.execute(disable, &[]).await.unwrap();
    assert_eq!(
        code(
            accounts
                .login(&ada.email, SECRET_WORDS, &Browser::default())
                .await
        ),
        "wrong_login"
    );
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_or_too_old() {
    let (stage, accounts, ada) = with_owner().await;
    let sql = stage.sql().await;
    let (_, token) = accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
    let age = async |column: &str, interval: &str| {
        let set =
            format!("UPDATE account.web_session SET {column} = now() - interval '{interval}'");
        sql.execute(&set, &[]).await.unwrap();
        accounts.who(&token.0).await.unwrap().is_some()
    };

    assert!(age("used_at", "11 hours 59 minutes").await);
    // Being asked about kept it alive.
    let used: bool = sql
        .query_one(
            "SELECT used_at > now() - interval '1 minute' FROM account.web_session",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(used);
    assert!(age("created_at", "13 days 23 hours").await);
    assert!(!age("created_at", "14 days").await);
    assert!(age("created_at", "1 hour").await);
    assert!(!age("used_at", "12 hours").await);
}

#[tokio::test]
async fn guessing_is_stopped_and_forgotten_after_a_while() {
    let (stage, accounts, ada) = with_owner().await;
    for _ in 0..9 {
        assert_eq!(
            code(
                accounts
                    .login(&ada.email, "a wrong guess", &Browser::default())
                    .await
            ),
            "wrong_login"
        );
    }
    // The right one forgives the wrong ones before it.
    accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
    for _ in 0..10 {
        assert_eq!(
            code(
                accounts
                    .login(&ada.email, "a wrong guess", &Browser::default())
                    .await
            ),
            "wrong_login"
        );
    }

    let stopped = accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap_err();
    assert!(
        matches!(stopped, AccountError::TooManyAttempts { minutes: 15 }),
        "{stopped}"
    );
    assert_eq!(
        code(
            accounts
                .login("bob@example.org", SECRET_WORDS, &Browser::default())
                .await
        ),
        "wrong_login"
    );

    let later = "UPDATE account.login_attempt SET at = at - interval '15 minutes'";
    stage.sql().await.execute(later, &[]).await.unwrap();
    accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_program_signs_in_with_its_token() {
    let (stage, accounts, ada) = with_owner().await;

    let (_, browser) = sign_in(&accounts).await;

    let made = ci(&accounts, &browser).await;

    let token = Token(made.secret);
    let grant = accounts.who_bearer(&token.0).await.unwrap().unwrap();
    let expected = Grant {
        user: ada.clone(),
        id: made.token.id,
        scopes: Some(vec![Scope::Read]),
        expires_at: made.token.expires_at,
    };
    assert_eq!(grant, expected);
    assert_eq!(accounts.who_bearer("dpx_made_up").await.unwrap(), None);
    // A browser's token is no program's, and the other way about.
    assert_eq!(accounts.who_bearer(&browser.0).await.unwrap(), None);
    assert_eq!(accounts.who(&token.0).await.unwrap(), None);
    let disable = "UPDATE account.person SET disabled = true";
    stage.sql().await.execute(disable, &[]).await.unwrap();
    assert_eq!(accounts.who_bearer(&token.0).await.unwrap(), None);
}

#[tokio::test]
async fn accounts_outlive_the_views() {
    let (stage, accounts, ada) = with_owner().await;

    stage.views.wipe_views().await.unwrap();
    stage.migrate().await;

    let (user, _) = accounts
        .login(&ada.email, SECRET_WORDS, &Browser::default())
        .await
        .unwrap();
    assert_eq!(user, ada);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let nowhere = "postgres://duplex:hunter2@127.0.0.1:1/duplex";
    let Err(error) = Database::connect(nowhere).await else {
        panic!("somebody answers at port 1");
    };
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1/duplex"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(error.is_passing());

    let Err(error) = Database::connect("mysql://somewhere").await else {
        panic!("that is no address");
    };
    assert!(!error.is_passing());
    assert!(error.to_string().contains("postgres://"), "{error}");
}
