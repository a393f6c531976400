//! The log keeps what its budget allows, and knows exactly what it does not have.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use duplex_terminal::{Allowance, Budget, Elided, Verdict};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

const SMALL: Allowance = Allowance {
    burst: 1_000,
    refill: 100,
    resume: 50,
};

fn elided(from: u64, bytes: &[u8]) -> Elided {
    Elided {
        from,
        to: from + bytes.len() as u64,
        digest: Sha256::digest(bytes).into(),
    }
}

#[test]
fn a_flood_is_kept_up_to_the_burst_and_told_as_it_goes_on() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut budget = Budget::new(SMALL, 7, start);
    assert_eq!(budget.take(&[b'a'; 1_000], start), Verdict::Keep(None));
    assert_eq!(budget.take(&[b'b'; 10], start), Verdict::Elide);
    assert_eq!(
        budget.take(&[b'c'; 10], at(50)),
        Verdict::Elide,
        "too little to resume"
    );
    assert_eq!(budget.next_due(), Some(at(100)));
    assert_eq!(budget.due(at(99)), None);
    let gap = elided(1_007, &[[b'b'; 10], [b'c'; 10]].concat());
    assert_eq!(gap.bytes(), 20);
    assert_eq!(budget.due(at(100)), Some(gap));
    assert_eq!(budget.next_due(), None);
    assert_eq!(budget.take(&[b'd'; 90], at(1_000)), Verdict::Keep(None));
    assert!(!budget.is_over());
}

#[test]
fn the_larger_a_screen_is_the_later_the_next_is_told() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    for (screen, next) in [(0, 200), (10, 200), (50, 600), (100_000, 2_100)] {
        let mut budget = Budget::new(SMALL, 0, start);
        assert_eq!(budget.take(&[b'a'; 2_000], start), Verdict::Elide);
        assert!(budget.due(at(100)).is_some());
        budget.told(screen, at(100));
        assert_eq!(budget.take(&[b'b'; 2_000], at(101)), Verdict::Elide);
        let due = at(next).max(at(201));
        assert_eq!(budget.next_due(), Some(due), "a screen of {screen} bytes");
        assert_eq!(budget.due(due), Some(elided(2_000, &[b'b'; 2_000])));
    }
}

#[test]
fn what_was_left_out_is_told_before_the_next_that_is_kept() {
    let start = Instant::now();
    let mut budget = Budget::new(SMALL, 0, start);
    assert_eq!(budget.take(&[b'a'; 1_001], start), Verdict::Elide);
    assert_eq!(
        budget.take(b"b", start),
        Verdict::Keep(Some(elided(0, &[b'a'; 1_001])))
    );
    assert_eq!(budget.take(&[b'c'; 1_000], start), Verdict::Elide);
    assert_eq!(budget.finish(), Some(elided(1_002, &[b'c'; 1_000])));
    assert_eq!(budget.finish(), None);
}

#[test]
fn the_usual_allowance_is_sixteen_mebibytes_and_a_quarter_of_one_a_second() {
    let start = Instant::now();
    let mut budget = Budget::new(Allowance::default(), 0, start);
    let piece = vec![b'x'; 64 * 1024];
    let kept = |budget: &mut Budget, now| {
        (0..1_600)
            .filter(|_| matches!(budget.take(&piece, now), Verdict::Keep(_)))
            .count()
    };
    assert_eq!(kept(&mut budget, start), 256);
    assert_eq!(kept(&mut budget, start + Duration::from_secs(2)), 8);
}

#[test]
fn who_typed_is_shown_the_end_of_a_flood_at_once() {
    let start = Instant::now();
    let after = |milliseconds| start + Duration::from_millis(milliseconds);
    let allowance = Allowance {
        burst: 10,
        refill: 10,
        resume: 10,
    };
    let mut budget = Budget::new(allowance, 0, start);
    budget.take(&[b'a'; 10], start);
    budget.take(&[b'a'; 100], start);
    assert!(budget.due(after(100)).is_some());
    budget.told(1_000, after(100));
    budget.take(b"more", after(200));
    assert_eq!(budget.next_due(), Some(after(2_100)));

    budget.hurry(after(205));
    for moment in [210, 230, 250] {
        budget.take(b"prompt", after(moment - 5));
        budget.drawn(after(moment));
        assert_eq!(budget.next_due(), Some(after(moment + 10)));
        assert!(budget.due(after(moment + 10)).is_some());
        budget.told(1_000, after(moment + 10));
    }
    budget.take(b"later", after(300));
    assert_eq!(budget.next_due(), Some(after(2_260)));
}

#[test]
fn a_digest_is_written_in_hexadecimal() {
    assert_eq!(
        elided(0, b"abc").digest_hex(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn every_byte_is_kept_or_told_once_and_no_more_is_kept_than_allowed(
        pieces in prop::collection::vec((0u64..400, prop::collection::vec(any::<u8>(), 0..400)), 0..80),
    ) {
        let start = Instant::now();
        let mut budget = Budget::new(SMALL, 0, start);
        let (mut now, mut offset, mut told, mut kept) = (start, 0u64, 0u64, 0u64);
        let mut left_out = Vec::new();
        let check = |gap: Elided, told: &mut u64, left_out: &mut Vec<u8>| {
            assert_eq!(gap, elided(*told, left_out));
            *told = gap.to;
            left_out.clear();
        };
        for (wait, bytes) in pieces {
            now += Duration::from_millis(wait);
            if let Some(gap) = budget.due(now) {
                check(gap, &mut told, &mut left_out);
            }
            match budget.take(&bytes, now) {
                Verdict::Keep(gap) => {
                    if let Some(gap) = gap {
                        check(gap, &mut told, &mut left_out);
                    }
                    prop_assert!(left_out.is_empty());
                    kept += bytes.len() as u64;
                    told += bytes.len() as u64;
                }
                Verdict::Elide => left_out.extend_from_slice(&bytes),
            }
            offset += bytes.len() as u64;
            prop_assert_eq!(told + left_out.len() as u64, offset);
            // What was left out is always going to be told.
            prop_assert!(left_out.is_empty() || budget.next_due().is_some_and(|due| due > now));
            let passed = now.duration_since(start);
            prop_assert!(u128::from(kept) <= 1_000 + passed.as_millis() / 10);
        }
        if let Some(gap) = budget.finish() {
            check(gap, &mut told, &mut left_out);
        }
        prop_assert_eq!(told, offset);
    }

    #[test]
    fn fine_steps_of_time_allow_as_much_as_coarse_ones(steps in prop::collection::vec(1u64..5_000_000, 1..200)) {
        let start = Instant::now();
        let mut fine = Budget::new(SMALL, 0, start);
        let mut coarse = Budget::new(SMALL, 0, start);
        for budget in [&mut fine, &mut coarse] {
            assert_eq!(budget.take(&[0; 1_000], start), Verdict::Keep(None));
        }
        let mut now = start;
        for step in &steps {
            now += Duration::from_nanos(*step);
            fine.take(&[], now);
        }
        let allowed = now.duration_since(start).as_nanos() / 10_000_000;
        let allowed = vec![0; usize::try_from(allowed).unwrap()];
        let over = [allowed.as_slice(), &[0, 0]].concat();
        for budget in [&mut fine, &mut coarse] {
            prop_assert_eq!(budget.take(&over, now), Verdict::Elide);
        }
        prop_assert_eq!(coarse.is_over(), fine.is_over());
    }
}
