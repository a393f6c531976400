//! A chain of records, and everything somebody could do to it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::audit::{
    Break, Checker, Cut, Deed, From, Head, How, On, Outcome, Record, Who, check,
};
use duplex_domain::{TeamId, Time, UserId};
use std::collections::BTreeMap;
use uuid::Uuid;

fn deed(what: &str, code: &str) -> Deed {
    Deed {
        at: Time(1_795_000_000_000),
        who: Who {
            user: Some(UserId(Uuid::from_u128(7))),
            name: "Ada \"the\" Countess\n".into(),
            how: How::Cookie,
        },
        what: what.into(),
        on: Some(On {
            kind: "person".into(),
            id: "b0b".into(),
        }),
        from: From {
            address: "192.0.2.7".into(),
            agent: "Firefox 145".into(),
        },
        outcome: if code.is_empty() {
            Outcome::Ok
        } else {
            Outcome::Refused
        },
        code: code.into(),
        count: 1,
        detail: BTreeMap::from([("role".into(), "owner".into())]),
        trace: "t1".into(),
    }
}

fn chain(team: Option<TeamId>, length: u64) -> Vec<String> {
    let mut head = Head::start(team);
    let step = |n| {
        let code = if n % 3 == 0 { "not_allowed" } else { "" };
        let record = Record::behind(&head, deed("team.invite", code));
        head = Head::from(&record);
        record.line()
    };
    (1..=length).map(step).collect()
}

const TEAM: Option<TeamId> = Some(TeamId(Uuid::from_u128(1)));

fn broken(line: u64, cut: Cut) -> Result<Option<Head>, Break> {
    Err(Break { line, cut })
}

#[test]
fn a_chain_that_nobody_touched_is_whole() {
    let head = check(chain(TEAM, 9)).unwrap().unwrap();
    assert_eq!((head.team, head.n), (TEAM, 9));
    assert_eq!(check(Vec::new()), Ok(None));
    assert_eq!(check(chain(None, 3)).unwrap().unwrap().n, 3);
}

#[test]
fn the_written_form_of_a_record_never_changes() {
    let first = chain(TEAM, 1).remove(0);
    let expected = concat!(
        r#"{"v":1,"team":"00000000000000000000000000000001","n":1,"#,
        r#""prev":"PREV","at":1795000000000,"#,
        r#""who":{"user":"00000000000000000000000000000007","name":"Ada \"the\" Countess\n","how":"cookie"},"#,
        r#""what":"team.invite","on":{"kind":"person","id":"b0b"},"#,
        r#""from":{"address":"192.0.2.7","agent":"Firefox 145"},"outcome":"ok","count":1,"#,
        r#""detail":{"role":"owner"},"trace":"t1","hash":"HASH"}"#
    );
    let prev = "328c718bdde90923ec71218dd001d82d005d95815d530f3260374d6c24955b1c";
    let hash = "c3f15e7ea34236263dbe239b010095aacbf46dc37d9314ae2b156a454af2dc35";
    assert_eq!(first, expected.replace("PREV", prev).replace("HASH", hash));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let lines = chain(TEAM, 3);
    let second = lines[1].clone().into_bytes();
    for place in 0..second.len() {
        for bit in 0..7 {
            let mut bytes = second.clone();
            bytes[place] ^= 1 << bit;
            let mut lines = lines.clone();
            lines[1] = String::from_utf8(bytes).unwrap();
            let found = check(lines).unwrap_err();
            assert_eq!(found.line, 2, "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn a_changed_record_is_named() {
    let mut lines = chain(TEAM, 4);
    lines[2] = lines[2].replace("owner", "guest");
    assert_eq!(check(lines), broken(3, Cut::Changed { n: 3 }));

    let mut lines = chain(TEAM, 4);
    lines[1] = lines[1].replace(",\"n\"", ", \"n\"");
    assert_eq!(
        check(lines),
        broken(2, Cut::Changed { n: 2 }),
        "another way to write it"
    );

    let mut lines = chain(TEAM, 4);
    lines[3] = lines[3].replace("{\"v\":1,", "{\"v\":1,\"extra\":1,");
    assert_eq!(
        check(lines),
        broken(4, Cut::Changed { n: 4 }),
        "a field more"
    );
}

#[test]
fn a_record_that_is_gone_is_missed() {
    let mut lines = chain(TEAM, 6);
    lines.drain(2..4);
    assert_eq!(check(lines), broken(3, Cut::Removed { from: 3, to: 4 }));
}

#[test]
fn a_cut_beginning_is_missed() {
    let lines = chain(TEAM, 6).split_off(2);
    assert_eq!(check(lines), broken(1, Cut::Beheaded { to: 2 }));
}

#[test]
fn records_that_changed_places_are_told_from_missing_ones() {
    let mut lines = chain(TEAM, 6);
    lines.swap(2, 4);
    assert_eq!(
        check(lines),
        broken(3, Cut::Reordered { n: 5, expected: 3 })
    );
    let mut lines = chain(TEAM, 6);
    lines.swap(0, 1);
    assert_eq!(
        check(lines),
        broken(1, Cut::Reordered { n: 2, expected: 1 })
    );
}

#[test]
fn a_record_that_was_put_in_does_not_fit() {
    let lines = chain(TEAM, 4);
    let mut twice = lines.clone();
    twice.insert(2, lines[1].clone());
    assert_eq!(check(twice), broken(3, Cut::Inserted { n: 2 }));

    let second: Record = serde_json::from_str(&lines[1]).unwrap();
    let mut forged = lines.clone();
    forged.insert(
        2,
        Record::behind(&Head::from(&second), deed("team.leave", "")).line(),
    );
    assert_eq!(
        check(forged),
        broken(4, Cut::Inserted { n: 3 }),
        "the true third follows no more"
    );

    let other = chain(Some(TeamId(Uuid::from_u128(2))), 4);
    let mut mixed = lines;
    mixed.insert(3, other[3].clone());
    assert_eq!(check(mixed), broken(4, Cut::Foreign { n: 4 }));
}

#[test]
fn a_chain_cannot_be_passed_off_as_another_teams() {
    let first: Record = serde_json::from_str(&chain(TEAM, 1)[0]).unwrap();
    let mut moved = Record {
        team: Some(TeamId(Uuid::from_u128(2))),
        ..first
    };
    moved.hash = moved.right_hash();
    assert_eq!(check(vec![moved.line()]), broken(1, Cut::Inserted { n: 1 }));
}

#[test]
fn a_check_goes_on_behind_what_is_known() {
    let lines = chain(TEAM, 5);
    let third: Record = serde_json::from_str(&lines[2]).unwrap();
    let mut checker = Checker::behind(Head::from(&third));
    assert_eq!(checker.take(&lines[3]).map(|head| head.n), Ok(4));
    assert_eq!(checker.take(&lines[3]), Err(Cut::Inserted { n: 4 }));
}

#[test]
fn a_record_of_a_newer_program_is_not_called_forged() {
    let mut lines = chain(TEAM, 1);
    lines[0] = lines[0].replace("\"v\":1", "\"v\":2");
    assert_eq!(check(lines), broken(1, Cut::Newer { n: 1 }));
}
