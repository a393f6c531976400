//! Secrets do not come through, and everything else does, however the output is cut.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use duplex_terminal::Scrubber;
use proptest::prelude::*;

fn scrubbed(secrets: &[&str], output: &str) -> String {
    let mut scrubber = Scrubber::new(secrets.iter().copied());
    let mut out = scrubber.feed(output.as_bytes());
    out.extend(scrubber.finish());
    String::from_utf8(out).unwrap()
}

#[test]
fn known_values_are_redacted_wherever_they_stand() {
    let secrets = ["hunter22", "correct horse", "short"];
    assert_eq!(
        scrubbed(
            &secrets,
            "<hunter22> hunter2 hunter22hunter22 correct horse"
        ),
        "<[redacted]> hunter2 [redacted][redacted] [redacted]"
    );
    assert_eq!(
        scrubbed(&secrets, "short"),
        "short",
        "too short to be told apart"
    );
}

#[test]
fn secrets_that_share_bytes_leave_none_of_them() {
    let secrets = ["abcdefgh", "cdefghij", "defghi", "abcdefghijkl"];
    assert_eq!(scrubbed(&secrets, "xabcdefghijy"), "x[redacted]y");
    assert_eq!(scrubbed(&secrets, "xabcdefghijkly"), "x[redacted]y");
    assert_eq!(scrubbed(&secrets, "xabcdefghijkx"), "x[redacted]kx");
    assert_eq!(
        scrubbed(&secrets, "defghi abcdefg"),
        "[redacted] abc[redacted]".replace("abc[redacted]", "abcdefg")
    );
}

#[test]
fn a_secret_of_several_lines_is_found_as_the_terminal_prints_it() {
    assert_eq!(
        scrubbed(&["first\nsecond"], "a first\r\nsecond b first\nsecond"),
        "a [redacted] b [redacted]"
    );
}

#[test]
fn what_looks_like_a_token_is_redacted() {
    let forty = "aB3".repeat(14);
    for prefix in [
        "ghp_",
        "github_pat_",
        "sk-ant-api03-",
        "sk-proj-",
        "npm_",
        "glpat-",
        "dpx_",
        "hf_",
        "AIza",
        "xoxb-",
    ] {
        let output = format!("token={prefix}{forty}\r\n$ ");
        assert_eq!(scrubbed(&[], &output), "token=[redacted]\r\n$ ", "{prefix}");
        let short = format!("token={prefix}abc def");
        assert_eq!(scrubbed(&[], &short), short);
    }
    assert_eq!(scrubbed(&[], "AKIAIOSFODNN7EXAMPLE;"), "[redacted];");
    let words = "AKIAiosfodnn7example ask-ant-eater sk-antler-and-other-words highp_ precision";
    assert_eq!(scrubbed(&[], words), words);
    let inside = format!("not_ghp_{forty}");
    assert_eq!(scrubbed(&[], &inside), inside);
}

#[test]
fn a_private_key_is_redacted_and_the_prompt_after_it_is_not() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r\n".repeat(20);
    for name in ["", "RSA ", "OPENSSH ", "ENCRYPTED "] {
        let output = format!(
            "-----BEGIN {name}PRIVATE KEY-----\r\n{body}ab+/=\r\n-----END {name}PRIVATE KEY-----\r\nuser@host:~$ "
        );
        assert_eq!(scrubbed(&[], &output), "[redacted]\r\nuser@host:~$ ");
    }
    let public = format!("-----BEGIN PUBLIC KEY-----\r\n{body}-----END PUBLIC KEY-----\r\n");
    assert_eq!(scrubbed(&[], &public), public);
    let grep = "key.pem:1:-----BEGIN PRIVATE KEY-----\r\nuser@host:~$ ls\r\n";
    assert_eq!(
        scrubbed(&[], grep),
        "key.pem:1:[redacted]user@host:~$ ls\r\n"
    );
}

#[test]
fn an_echoed_letter_need_not_wait_and_a_long_beginning_does() {
    let mut scrubber = Scrubber::new(["hunter22"]);
    assert_eq!(scrubber.feed(b"h"), b"");
    assert_eq!(scrubber.release(3), b"h");
    assert_eq!(scrubber.feed(b"unter"), b"");
    assert_eq!(scrubber.release(3), b"");
    assert_eq!(scrubber.held(), 5);
    assert_eq!(scrubber.feed(b"22 "), b"[redacted] ");
    assert_eq!(scrubber.feed(b"hunter"), b"");
    assert_eq!(scrubber.release(usize::MAX), b"hunter");
    assert_eq!(scrubber.feed(b"22 "), b"[redacted] ");
}

const TOKEN: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

/// Whether a token goes on a word, and so is none.
fn is_glued(output: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut tokens = output.match_indices(TOKEN);
    tokens.any(|(at, _)| output[..at].ends_with(word))
}

fn secrets() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[ab]{6,12}", 0..6)
}

fn output() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ab]{1,14}",
        "[ab]{1,14}",
        "[ -~é\\r\\n\u{1b}]{1,8}",
        Just(TOKEN.to_owned()),
        Just("sk-ant-".to_owned()),
        Just("-----BEGIN RSA PRIVATE KEY-----\r\n".to_owned()),
        Just("aGVsbG8gd29ybGQ=\r\n".to_owned()),
        Just("-----END RSA PRIVATE KEY-----".to_owned()),
        Just("-----".to_owned()),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn no_secret_comes_through_at_any_split(
        secrets in secrets(), output in output(), cuts in prop::collection::vec(1usize..7, 1..20),
    ) {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let whole = scrubbed(&secrets, &output);
        let longest = secrets.iter().map(|secret| secret.len()).max().unwrap_or(1);
        let mut scrubber = Scrubber::new(secrets.iter().copied());
        let (mut out, mut rest) = (Vec::new(), output.as_bytes());
        for cut in cuts.iter().cycle().take(output.len()) {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            out.extend(scrubber.feed(now));
            prop_assert!(scrubber.held() <= longest - 1 + 81);
            rest = later;
        }
        out.extend(scrubber.feed(rest));
        out.extend(scrubber.finish());
        prop_assert_eq!(String::from_utf8(out).unwrap(), whole.clone());
        for secret in secrets {
            prop_assert!(!whole.contains(secret));
        }
        prop_assert!(!whole.contains(TOKEN) || is_glued(&output));
    }

    #[test]
    fn other_output_is_not_touched(output in "[ -~\\r\\n]{0,200}") {
        prop_assume!(!output.contains("PRIVATE"));
        prop_assert_eq!(scrubbed(&["hunter22", "correct horse"], &output), output);
    }
}
