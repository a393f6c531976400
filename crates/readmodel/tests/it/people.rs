//! Who is in a team, how they got in, and how they get out.

use crate::stage::Stage;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use duplex_domain::{TeamId, UserId};
use duplex_readmodel::{
    AccountChange, AccountError, Accounts, Browser, Grant, TeamRole, Token, User,
};
use duplex_wire::Scope::{Admin, Read, Write};
use duplex_wire::{CreateToken, Invite, Join, Scope, TeamPerson};
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

const SECRET_WORDS: &str = "correct horse battery";

struct People {
    stage: Stage,
    accounts: Accounts,
    ada: User,
}

impl People {
    async fn start() -> Self {
        let stage = Stage::start().await;
        let accounts = Accounts::new(stage.database.clone());
        let secret = accounts.new_setup_secret().await.unwrap();
        let ada = accounts.setup(&secret, "Ada", "ada@example.org", SECRET_WORDS);
        let ada = ada.await.unwrap();
        Self {
            stage,
            accounts,
            ada,
        }
    }

    async fn invite(&self, role: TeamRole) -> String {
        let (note, days) = (None, None);
        let wanted = Invite { role, note, days };
        let invited = self.accounts.invite(&self.ada, &wanted).await;
        invited.unwrap().secret.0
    }

    async fn joins(&self, name: &str, role: TeamRole) -> User {
        let join = form(&self.invite(role).await, name);
        self.accounts.join(&join).await.unwrap()
    }

    async fn signs_in(&self, name: &str) -> Token {
        let email = format!("{}@example.org", name.to_lowercase());
        let browser = Browser::default();
        let signed_in = self.accounts.login(&email, SECRET_WORDS, &browser).await;
        signed_in.unwrap().1
    }

    async fn who(&self, token: &Token) -> Option<Grant> {
        self.accounts.who(&token.0).await.unwrap()
    }

    async fn token(&self, by: &Grant, days: u32) -> String {
        let wanted = CreateToken {
            name: "ci".into(),
            scopes: Scope::ALL.to_vec(),
            days: Some(days),
        };
        let made = self.accounts.create_token(by, &wanted).await;
        made.unwrap().secret
    }

    async fn works(&self, token: &str) -> bool {
        self.accounts.who_bearer(token).await.unwrap().is_some()
    }

    async fn sql(&self, statement: &str) {
        let sql = self.stage.sql().await;
        sql.execute(statement, &[]).await.unwrap();
    }

    async fn roles(&self) -> Vec<(String, TeamRole, bool)> {
        let people = self.accounts.people(&self.ada).await.unwrap();
        let shown = |person: TeamPerson| (person.name, person.role, person.disabled);
        people.into_iter().map(shown).collect()
    }
}

fn form(secret: &str, name: &str) -> Join {
    Join {
        secret: secret.to_owned(),
        name: name.to_owned(),
        email: format!("{name}@Example.org"),
        password: SECRET_WORDS.to_owned(),
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, AccountError>) -> &'static str {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_as_what_it_says() {
    let people = People::start().await;
    let secret = people.invite(TeamRole::Member).await;

    let invited_to = people.accounts.invited_to(&secret).await.unwrap();
    assert_eq!(
        (
            invited_to.team.as_str(),
            invited_to.role,
            invited_to.by.as_str()
        ),
        ("Ada", TeamRole::Member, "Ada")
    );
    let forms = [form(&secret, "Bob"), form(&secret, "Eve")];
    let [bob, eve] = &forms;
    let (bob, eve) = tokio::join!(people.accounts.join(bob), people.accounts.join(eve));
    let (in_, out) = if bob.is_ok() { (bob, eve) } else { (eve, bob) };

    let joined = in_.unwrap();
    assert_eq!(
        (joined.team, joined.role),
        (people.ada.team, TeamRole::Member)
    );
    assert_eq!(code(out), "link_over");
    assert_eq!(code(people.accounts.invited_to(&secret).await), "link_over");
    assert_eq!(people.roles().await.len(), 2);
}

#[tokio::test]
async fn a_form_filled_in_wrongly_does_not_use_an_invitation_up() {
    let people = People::start().await;
    let secret = people.invite(TeamRole::Guest).await;
    let wrong = [
        (form("guess", "Bob"), "link_over"),
        (form(&secret, " "), "invalid_name"),
        (
            Join {
                email: "bob".into(),
                ..form(&secret, "Bob")
            },
            "invalid_email",
        ),
        (
            Join {
                password: "short".into(),
                ..form(&secret, "Bob")
            },
            "invalid_password",
        ),
        (form(&secret, "ADA"), "email_taken"),
    ];
    for (form, expected) in wrong {
        assert_eq!(code(people.accounts.join(&form).await), expected);
    }
    let bob = people.accounts.join(&form(&secret, "Bob")).await.unwrap();
    assert_eq!(bob.email, "bob@example.org");
}

#[tokio::test]
async fn an_invitation_ends_when_it_is_old_or_revoked_or_its_maker_is_no_owner() {
    let people = People::start().await;
    let over = async |secret: &str| people.accounts.invited_to(secret).await.is_err();
    let secret = people.invite(TeamRole::Member).await;
    let age = "UPDATE account.invitation SET expires_at = now()";
    people.sql(age).await;
    assert!(over(&secret).await);
    assert_eq!(
        people.accounts.invitations(people.ada.team).await.unwrap(),
        vec![]
    );

    let secret = people.invite(TeamRole::Member).await;
    let open = people.accounts.invitations(people.ada.team).await.unwrap();
    assert_eq!(open.len(), 1);
    let bob = people.joins("Bob", TeamRole::Member).await;
    let by_bob = people.accounts.revoke_invitation(&bob, open[0].id).await;
    assert_eq!(code(by_bob), "not_the_owner");
    people
        .accounts
        .revoke_invitation(&people.ada, open[0].id)
        .await
        .unwrap();
    assert!(over(&secret).await);
    let again = people
        .accounts
        .revoke_invitation(&people.ada, open[0].id)
        .await;
    assert_eq!(code(again), "no_invitation");

    let secret = people.invite(TeamRole::Owner).await;
    people
        .accounts
        .transfer(&people.ada, None, bob.id)
        .await
        .unwrap();
    assert!(over(&secret).await);
    let wanted = Invite {
        role: TeamRole::Guest,
        note: None,
        days: None,
    };
    assert_eq!(
        code(people.accounts.invite(&people.ada, &wanted).await),
        "not_the_owner"
    );
    for (note, days, expected) in [
        (Some("x".repeat(201)), None, "bad_note"),
        (None, Some(0), "bad_days"),
        (None, Some(31), "bad_days"),
    ] {
        let wanted = Invite {
            role: TeamRole::Guest,
            note,
            days,
        };
        assert_eq!(code(people.accounts.invite(&bob, &wanted).await), expected);
    }
}

#[tokio::test]
async fn a_changed_role_signs_its_person_out_everywhere() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Owner).await;
    let browser = people.signs_in("Bob").await;
    let grant = people.who(&browser).await.unwrap();
    let forever = people.token(&grant, 0).await;

    let set = people
        .accounts
        .set_role(&people.ada, None, bob.id, TeamRole::Guest);
    assert_eq!(set.await.unwrap(), None);

    assert_eq!(people.who(&browser).await, None);
    // A program's token goes on with what the new role allows, and no longer for ever.
    let program = people.accounts.who_bearer(&forever).await.unwrap().unwrap();
    assert_eq!(program.user.role, TeamRole::Guest);
    assert!(program.expires_at.is_some());
    let same = people.signs_in("Bob").await;
    people
        .accounts
        .set_role(&people.ada, None, bob.id, TeamRole::Guest)
        .await
        .unwrap();
    assert!(people.who(&same).await.is_some(), "nothing changed");
}

#[tokio::test]
async fn an_owner_who_steps_down_keeps_the_browser_they_did_it_with() {
    let people = People::start().await;
    people.joins("Bob", TeamRole::Owner).await;
    let (here, there) = (people.signs_in("Ada").await, people.signs_in("Ada").await);
    let own = people.who(&here).await.unwrap().id;

    let set = people
        .accounts
        .set_role(&people.ada, Some(own), people.ada.id, TeamRole::Member);
    let renewed = set.await.unwrap().unwrap();

    assert_eq!(people.who(&here).await, None);
    assert_eq!(people.who(&there).await, None);
    let now = people.who(&renewed).await.unwrap();
    assert_eq!((now.id, now.user.role), (own, TeamRole::Member));
}

#[tokio::test]
async fn who_is_shut_out_is_out_at_once_and_let_in_again_comes_back() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    let browser = people.signs_in("Bob").await;
    let token = people.token(&people.who(&browser).await.unwrap(), 1).await;
    let disable = |disabled| people.accounts.set_disabled(&people.ada, bob.id, disabled);

    disable(true).await.unwrap();
    assert_eq!(people.who(&browser).await, None);
    assert!(!people.works(&token).await);
    let browser_ = Browser::default();
    let refused = people
        .accounts
        .login(&bob.email, SECRET_WORDS, &browser_)
        .await;
    assert_eq!(code(refused), "wrong_login");
    assert_eq!(
        code(people.accounts.sign_in(&bob, &browser_).await),
        "wrong_login"
    );
    assert_eq!(
        code(people.accounts.name_in_team(bob.team, bob.id).await),
        "no_person"
    );
    let listed = vec![
        ("Ada".to_owned(), TeamRole::Owner, false),
        ("Bob".to_owned(), TeamRole::Member, true),
    ];
    assert_eq!(people.roles().await, listed);

    disable(false).await.unwrap();
    assert_eq!(people.who(&browser).await, None, "the old sign-in is gone");
    assert!(people.works(&token).await);
    people.signs_in("Bob").await;
    let own = people
        .accounts
        .set_disabled(&people.ada, people.ada.id, true)
        .await;
    assert_eq!(code(own), "yourself");
    let stranger = people
        .accounts
        .set_disabled(&people.ada, UserId(Uuid::from_u128(1)), true)
        .await;
    assert_eq!(code(stranger), "no_person");
}

#[tokio::test]
async fn a_team_keeps_an_owner_whoever_acts_at_once() {
    let people = People::start().await;
    assert_eq!(code(people.accounts.leave(&people.ada).await), "last_owner");
    let step_down = people
        .accounts
        .set_role(&people.ada, None, people.ada.id, TeamRole::Member);
    assert_eq!(code(step_down.await), "last_owner");

    for round in 0..8 {
        let name = format!("Bob{round}");
        let bob = people.joins(&name, TeamRole::Owner).await;
        let (accounts, ada) = (&people.accounts, &people.ada);
        // Both step down, or each puts the other down, or one goes while the other steps down.
        let (one, two) = match round % 3 {
            0 => tokio::join!(
                accounts.set_role(ada, None, ada.id, TeamRole::Member),
                accounts.set_role(&bob, None, bob.id, TeamRole::Member)
            ),
            1 => tokio::join!(
                accounts.set_role(ada, None, bob.id, TeamRole::Guest),
                accounts.set_role(&bob, None, ada.id, TeamRole::Guest)
            ),
            _ => tokio::join!(
                async {
                    accounts
                        .set_disabled(ada, bob.id, true)
                        .await
                        .map(|()| None)
                },
                accounts.set_role(&bob, None, ada.id, TeamRole::Member)
            ),
        };
        let codes: BTreeSet<_> = [one, two]
            .map(|outcome| outcome.err().map(|error| error.code()))
            .into();
        assert!(codes.contains(&None) && codes.len() == 2, "{codes:?}");
        let people_now = people.roles().await;
        let owners = people_now
            .iter()
            .filter(|(_, role, disabled)| *role == TeamRole::Owner && !disabled);
        assert_eq!(owners.count(), 1, "{people_now:?}");
        people
            .sql("UPDATE account.person SET role = 'guest' WHERE name <> 'Ada'")
            .await;
        people
            .sql("UPDATE account.person SET role = 'owner' WHERE name = 'Ada'")
            .await;
    }
}

#[tokio::test]
async fn ownership_goes_over_in_one_step() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Guest).await;
    let here = people.signs_in("Ada").await;
    let own = people.who(&here).await.unwrap().id;
    let transfer = |to| people.accounts.transfer(&people.ada, Some(own), to);
    assert_eq!(code(transfer(people.ada.id).await), "yourself");
    assert_eq!(
        code(transfer(UserId(Uuid::from_u128(1))).await),
        "no_person"
    );
    people
        .accounts
        .set_disabled(&people.ada, bob.id, true)
        .await
        .unwrap();
    assert_eq!(code(transfer(bob.id).await), "no_person");
    people
        .accounts
        .set_disabled(&people.ada, bob.id, false)
        .await
        .unwrap();

    let renewed = transfer(bob.id).await.unwrap().unwrap();

    assert!(people.who(&renewed).await.is_some());
    let listed = vec![
        ("Ada".to_owned(), TeamRole::Member, false),
        ("Bob".to_owned(), TeamRole::Owner, false),
    ];
    assert_eq!(people.roles().await, listed);
    assert_eq!(code(transfer(bob.id).await), "not_the_owner");
}

#[tokio::test]
async fn who_leaves_is_gone_and_can_come_back_as_somebody_new() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Owner).await;
    let browser = people.signs_in("Bob").await;
    let token = people.token(&people.who(&browser).await.unwrap(), 0).await;

    people.accounts.leave(&bob).await.unwrap();

    assert_eq!(people.who(&browser).await, None);
    assert!(!people.works(&token).await);
    assert_eq!(
        people.roles().await,
        vec![("Ada".to_owned(), TeamRole::Owner, false)]
    );
    let back = people
        .accounts
        .set_disabled(&people.ada, bob.id, false)
        .await;
    assert_eq!(code(back), "no_person");
    let again = people.joins("Bob", TeamRole::Member).await;
    assert_ne!(again.id, bob.id);
}

#[tokio::test]
async fn members_see_who_is_there_and_owners_see_more() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    let eve = people.joins("Eve", TeamRole::Guest).await;
    people.signs_in("Bob").await;
    people
        .accounts
        .set_disabled(&people.ada, eve.id, true)
        .await
        .unwrap();

    let seen = people.accounts.people(&people.ada).await.unwrap();
    let times: Vec<bool> = seen.iter().map(|person| person.seen_at.is_some()).collect();
    assert_eq!(times, [false, true, false]);
    let shown = |user: &User| TeamPerson {
        id: user.id,
        name: user.name.clone(),
        email: user.email.clone(),
        role: user.role,
        disabled: false,
        seen_at: None,
    };
    let seen = people.accounts.people(&bob).await.unwrap();
    assert_eq!(seen, [shown(&people.ada), shown(&bob)]);
    let stranger = User {
        team: TeamId(Uuid::from_u128(1)),
        ..bob
    };
    assert_eq!(people.accounts.people(&stranger).await.unwrap(), vec![]);
}

#[tokio::test]
async fn another_teams_owner_changes_nothing() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    let secret = people.invite(TeamRole::Member).await;
    let which = people.accounts.invitations(people.ada.team).await.unwrap()[0].id;
    people.sql("INSERT INTO account.team (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Others')").await;
    let mallory = User {
        id: UserId(Uuid::now_v7()),
        team: TeamId(Uuid::from_u128(1)),
        name: "Mallory".into(),
        email: "m@example.org".into(),
        ..people.ada.clone()
    };
    let sql = people.stage.sql().await;
    let insert = "INSERT INTO account.person (id, team, role, name, email, password) VALUES ($1, $2, 'owner', 'Mallory', 'm@example.org', '')";
    sql.execute(insert, &[&mallory.id.0, &mallory.team.0])
        .await
        .unwrap();

    let accounts = &people.accounts;
    assert_eq!(
        code(
            accounts
                .set_role(&mallory, None, bob.id, TeamRole::Owner)
                .await
        ),
        "no_person"
    );
    assert_eq!(
        code(accounts.set_disabled(&mallory, bob.id, true).await),
        "no_person"
    );
    assert_eq!(
        code(accounts.new_reset(&mallory, bob.id).await),
        "no_person"
    );
    assert_eq!(
        code(accounts.transfer(&mallory, None, bob.id).await),
        "no_person"
    );
    assert_eq!(
        code(accounts.revoke_invitation(&mallory, which).await),
        "no_invitation"
    );
    assert!(accounts.invited_to(&secret).await.is_ok());
    // Who claims a team that is not theirs owns nothing of it.
    let claim = User {
        team: people.ada.team,
        ..mallory
    };
    assert_eq!(
        code(accounts.set_disabled(&claim, bob.id, true).await),
        "not_the_owner"
    );
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let people = People::start().await;
    let (here, there) = (people.signs_in("Ada").await, people.signs_in("Ada").await);
    let own = people.who(&here).await.unwrap().id;
    let change = |current: &'static str, new: &'static str| {
        people
            .accounts
            .change_password(&people.ada, Some(own), current, new)
    };

    assert_eq!(
        code(change("a wrong guess", "another horse").await),
        "wrong_password"
    );
    assert_eq!(
        code(change(SECRET_WORDS, "short").await),
        "invalid_password"
    );
    assert!(people.who(&there).await.is_some());
    let renewed = change(SECRET_WORDS, "another horse")
        .await
        .unwrap()
        .unwrap();

    assert_eq!(people.who(&here).await, None);
    assert_eq!(people.who(&there).await, None);
    assert_eq!(people.who(&renewed).await.unwrap().id, own);
    let browser = Browser::default();
    let old = people
        .accounts
        .login("ada@example.org", SECRET_WORDS, &browser)
        .await;
    assert_eq!(code(old), "wrong_login");
    people
        .accounts
        .login("ada@example.org", "another horse", &browser)
        .await
        .unwrap();
    for _ in 0..10 {
        assert_eq!(
            code(change("a wrong guess", "another horse").await),
            "wrong_password"
        );
    }
    assert_eq!(
        code(change("another horse", "a third horse").await),
        "too_many_attempts"
    );
    people
        .accounts
        .login("ada@example.org", "another horse", &browser)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_owners_link_sets_a_new_password_once() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    assert_eq!(
        code(people.accounts.new_reset(&bob, people.ada.id).await),
        "not_the_owner"
    );
    let first = people
        .accounts
        .new_reset(&people.ada, bob.id)
        .await
        .unwrap();
    let link = people
        .accounts
        .new_reset(&people.ada, bob.id)
        .await
        .unwrap();
    let secret = &link.secret.0;
    let browser = people.signs_in("Bob").await;
    let reset = |secret: &str| {
        let (accounts, secret) = (people.accounts.clone(), secret.to_owned());
        async move { accounts.reset(&secret, "another horse").await }
    };

    assert_eq!(code(reset(&first.secret.0).await), "link_over");
    assert_eq!(
        people.accounts.reset_for(secret).await.unwrap().email,
        "bob@example.org"
    );
    assert_eq!(
        code(people.accounts.reset(secret, "short").await),
        "invalid_password"
    );
    let (one, two) = tokio::join!(reset(secret), reset(secret));
    assert_ne!(one.is_ok(), two.is_ok());

    assert_eq!(people.who(&browser).await, None);
    let signed_in = Browser::default();
    people
        .accounts
        .login(&bob.email, "another horse", &signed_in)
        .await
        .unwrap();
    let link = people
        .accounts
        .new_reset(&people.ada, bob.id)
        .await
        .unwrap();
    people
        .sql("UPDATE account.password_reset SET expires_at = now()")
        .await;
    assert_eq!(code(reset(&link.secret.0).await), "link_over");
}

#[tokio::test]
async fn a_password_hashed_with_less_is_hashed_anew_at_sign_in() {
    let people = People::start().await;
    let sql = people.stage.sql().await;
    let params = argon2::Params::new(8 * 1024, 1, 1, None).unwrap();
    let weak = Argon2::from(params).hash_password(SECRET_WORDS.as_bytes());
    let weak = weak.unwrap().to_string();
    sql.execute("UPDATE account.person SET password = $1", &[&weak])
        .await
        .unwrap();

    people.signs_in("Ada").await;

    let stored: String = sql
        .query_one("SELECT password FROM account.person", &[])
        .await
        .unwrap()
        .get(0);
    assert!(
        stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    people.signs_in("Ada").await;
}

#[tokio::test]
async fn browsers_are_told_apart_and_ended_one_by_one() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    let at = |name: &str| Browser {
        name: name.into(),
        address: "203.0.113.0/24".into(),
    };
    let here = people
        .accounts
        .sign_in(&people.ada, &at("Firefox on Linux"))
        .await
        .unwrap();
    let there = people
        .accounts
        .sign_in(&people.ada, &at("Safari\u{7} on iPhone"))
        .await
        .unwrap();
    let third = people.signs_in("Ada").await;
    let bobs = people.signs_in("Bob").await;
    let own = people.who(&here).await.unwrap().id;
    let list = async || {
        people
            .accounts
            .browsers(&people.ada, Some(own))
            .await
            .unwrap()
    };

    let listed = list().await;
    let shown: BTreeSet<_> = listed
        .iter()
        .map(|b| (b.browser.as_str(), b.address.as_str(), b.this))
        .collect();
    let expected = [
        ("Firefox on Linux", "203.0.113.0/24", true),
        ("Safari on iPhone", "203.0.113.0/24", false),
        ("", "", false),
    ];
    assert_eq!(shown, expected.into());

    let theirs = people.who(&there).await.unwrap().id;
    assert_eq!(
        code(people.accounts.end_browser(&bob, theirs).await),
        "no_browser"
    );
    people
        .accounts
        .end_browser(&people.ada, theirs)
        .await
        .unwrap();
    assert_eq!(people.who(&there).await, None);
    assert_eq!(
        code(people.accounts.end_browser(&people.ada, theirs).await),
        "no_browser"
    );
    people
        .accounts
        .end_other_browsers(&people.ada, Some(own))
        .await
        .unwrap();
    assert_eq!(people.who(&third).await, None);
    assert_eq!(list().await.len(), 1);
    assert!(people.who(&bobs).await.is_some());
}

#[tokio::test]
async fn a_token_says_what_it_may_and_ends_when_it_should() {
    let people = People::start().await;
    let ada = people.who(&people.signs_in("Ada").await).await.unwrap();
    let bob = people.joins("Bob", TeamRole::Member).await;
    let bob_ = people.who(&people.signs_in("Bob").await).await.unwrap();
    let make = async |by: &Grant, scopes: &[Scope], days: Option<u32>| {
        let wanted = CreateToken {
            name: "ci".into(),
            scopes: scopes.to_vec(),
            days,
        };
        people.accounts.create_token(by, &wanted).await
    };
    assert_eq!(code(make(&ada, &[], None).await), "bad_scopes");
    assert_eq!(code(make(&ada, &[Read], Some(367)).await), "bad_days");
    assert_eq!(code(make(&bob_, &[Read], Some(0)).await), "bad_days");
    let first = make(&ada, &[Admin, Read, Read], None).await.unwrap();
    assert_eq!(first.token.scopes, [Read, Admin]);
    let lasts = first.token.expires_at.unwrap().0 - first.token.created_at.0;
    assert_eq!(lasts, 30 * 24 * 60 * 60 * 1000);
    assert_eq!(
        make(&ada, &[Write], Some(0))
            .await
            .unwrap()
            .token
            .expires_at,
        None
    );

    // A token makes tokens that may do and last no more than itself.
    let by_token = people
        .accounts
        .who_bearer(&first.secret)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(code(make(&by_token, &[Write], None).await), "bad_scopes");
    let longer = make(&by_token, &[Read], Some(366)).await.unwrap();
    assert_eq!(longer.token.expires_at, first.token.expires_at);

    let used = people.accounts.tokens(&people.ada).await.unwrap();
    let used: Vec<bool> = used.iter().map(|token| token.used_at.is_some()).collect();
    assert_eq!(used, [false, false, true]);
    assert_eq!(
        code(people.accounts.revoke_token(&bob, first.token.id).await),
        "no_token"
    );
    people
        .accounts
        .revoke_token(&people.ada, first.token.id)
        .await
        .unwrap();
    assert!(!people.works(&first.secret).await);
    assert!(people.works(&longer.secret).await);
    people
        .sql("UPDATE account.api_token SET expires_at = now()")
        .await;
    assert!(!people.works(&longer.secret).await);
}

#[tokio::test]
async fn word_of_a_change_reaches_every_listener_and_again_after_a_break() {
    let people = People::start().await;
    let bob = people.joins("Bob", TeamRole::Member).await;
    let (told, mut heard) = mpsc::unbounded_channel();
    let listening = people.accounts.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        listening
            .follow_changes(|change| told.send(change).unwrap())
            .await;
    });
    assert_eq!(heard.recv().await, Some(AccountChange::Anybody));

    let elsewhere = Accounts::new(people.stage.database.clone());
    elsewhere
        .set_disabled(&people.ada, bob.id, true)
        .await
        .unwrap();
    assert_eq!(heard.recv().await, Some(AccountChange::Of(bob.id)));

    // What listens is cut off; once it listens again, anything may have happened.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    people.sql(cut).await;
    assert_eq!(heard.recv().await, Some(AccountChange::Anybody));
    elsewhere.leave(&bob).await.unwrap();
    assert_eq!(heard.recv().await, Some(AccountChange::Of(bob.id)));
}
