//! What of typed keys may be kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use duplex_terminal::{Echo, Keeper, Kept};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const MOST_WAITING: usize = 1024 * 1024;

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

fn bytes(text: &str) -> Kept {
    Kept::Bytes(text.as_bytes().to_vec())
}

#[test]
fn keys_are_kept_after_a_wait_and_in_order() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"l", Echo::Raw, start);
    keeper.typed(b"s", Echo::Echo, at(start, 100));
    assert_eq!(keeper.due(at(start, 149)), []);
    assert_eq!(keeper.next_due(), Some(at(start, 150)));
    assert_eq!(keeper.due(at(start, 150)), [bytes("l")]);
    assert_eq!(keeper.due(at(start, 999)), [bytes("s")]);
    assert_eq!(keeper.next_due(), None);
}

#[test]
fn a_password_typed_key_by_key_is_one_rounded_count() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    for key in b"hunter2" {
        keeper.typed(&[*key], Echo::Hidden, start);
    }
    assert_eq!(keeper.due(at(start, 5_000)), [], "the line is not over");
    keeper.typed(b"\r", Echo::Hidden, at(start, 5_000));
    keeper.typed(b"ls\r", Echo::Raw, at(start, 5_100));
    assert_eq!(
        keeper.due(at(start, 9_000)),
        [Kept::Count(8), bytes("ls\r")]
    );
}

#[test]
fn keys_stay_secret_until_newline_and_echo_is_back() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"pass", Echo::Hidden, start);
    keeper.typed(b"word", Echo::Echo, at(start, 200));
    keeper.typed(b"s\r", Echo::Echo, at(start, 400));
    keeper.typed(b"ls", Echo::Echo, at(start, 600));
    assert_eq!(keeper.due(at(start, 9_000)), [Kept::Count(16), bytes("ls")]);
}

#[test]
fn keys_typed_just_before_the_prompt_are_redacted() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"sudo id\r", Echo::Raw, start);
    keeper.typed(b"hun", Echo::Raw, at(start, 500));
    keeper.typed(b"ter2\r", Echo::Hidden, at(start, 600));
    assert_eq!(
        keeper.due(at(start, 9_000)),
        [bytes("sudo id\r"), Kept::Count(8)]
    );
}

#[test]
fn a_prompt_seen_without_a_key_redacts_too() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"hunter2xy\r", Echo::Raw, start);
    keeper.saw(Echo::Hidden, at(start, 149));
    assert_eq!(keeper.due(at(start, 150)), []);
    assert_eq!(keeper.finish(), [Kept::Count(16)]);
}

#[test]
fn two_passwords_are_two_counts() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"first\r", Echo::Hidden, start);
    keeper.typed(b"a longer second\r", Echo::Hidden, at(start, 200));
    assert_eq!(
        keeper.due(at(start, 999)),
        [Kept::Count(8), Kept::Count(16)]
    );
}

#[test]
fn of_a_huge_paste_only_the_size_is_kept() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"a", Echo::Raw, start);
    keeper.typed(&vec![b'x'; MOST_WAITING], Echo::Raw, start);
    assert_eq!(
        keeper.due(at(start, 150)),
        [bytes("a"), Kept::Count(1024 * 1024)]
    );
}

#[test]
fn in_private_only_counts_are_kept_whatever_the_terminal_does() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.typed(b"before", Echo::Raw, start);
    keeper.typed(b"hun", Echo::Raw, at(start, 200));
    keeper.private(true, at(start, 300));
    assert!(keeper.is_secret());
    keeper.typed(b"ter2", Echo::Raw, at(start, 400));
    keeper.typed(b"\r", Echo::Raw, at(start, 500));
    keeper.typed(b"shown anyway\r", Echo::Echo, at(start, 600));
    keeper.typed(b"open", Echo::Raw, at(start, 700));
    keeper.private(false, at(start, 800));
    assert!(!keeper.is_secret());
    keeper.typed(b"after", Echo::Raw, at(start, 900));
    let expected = [
        bytes("before"),
        Kept::Count(8),
        Kept::Count(16),
        Kept::Count(8),
        bytes("after"),
    ];
    assert_eq!(keeper.due(at(start, 9_000)), expected);
}

#[test]
fn leaving_private_does_not_end_a_password() {
    let (mut keeper, start) = (Keeper::new(), Instant::now());
    keeper.private(true, start);
    keeper.typed(b"hun", Echo::Hidden, start);
    keeper.private(false, start);
    assert!(keeper.is_secret());
    keeper.typed(b"ter2\r", Echo::Hidden, start);
    keeper.typed(b"ls\r", Echo::Raw, at(start, 500));
    assert_eq!(
        keeper.due(at(start, 9_000)),
        [Kept::Count(8), bytes("ls\r")]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_key_typed_in_secret_is_ever_kept_and_every_count_is_rounded(
        keys in prop::collection::vec((0u64..300, 0usize..3, "[a-z\r]{1,5}", any::<Option<bool>>()), 0..60),
    ) {
        let mut keeper = Keeper::new();
        let mut now = Instant::now();
        let (mut kept, mut private) = (Vec::new(), false);
        for (wait, echo, keys, switch) in keys {
            now += Duration::from_millis(wait);
            if let Some(on) = switch {
                keeper.private(on, now);
                private = on;
            }
            let echo = [Echo::Echo, Echo::Hidden, Echo::Raw][echo];
            // Secret keys are told apart by being capitals.
            let secret = private || echo == Echo::Hidden;
            let keys = if secret { keys.to_uppercase() } else { keys };
            keeper.typed(keys.as_bytes(), echo, now);
            kept.extend(keeper.due(now));
        }
        kept.extend(keeper.finish());
        for kept in kept {
            match kept {
                Kept::Bytes(bytes) => prop_assert!(!bytes.iter().any(u8::is_ascii_uppercase)),
                Kept::Count(count) => prop_assert!(count > 0 && count % 8 == 0),
            }
        }
    }
}
