//! What a client makes of a provider that fails.

use std::time::Duration;

use duplex_provider::{Anthropic, AnthropicConfig, Error, Secret};
use duplex_provider_double::{Options, expected_text, start};

use crate::{ask, client, request, told};

#[tokio::test]
async fn errors_come_before_the_answer_or_within_it() {
    let overloaded = told("[[error 529]]").await.error.unwrap();
    assert_eq!(
        (overloaded.code(), overloaded.retryable()),
        ("overloaded", true)
    );

    let limited = told("[[http 429 retry-after 1]]").await.error.unwrap();
    assert_eq!(
        (limited.retryable(), limited.retry_after()),
        (true, Some(Duration::from_secs(1)))
    );

    let spent = told("[[http 429 code enforced_spend_limit_reached]]")
        .await
        .error
        .unwrap();
    assert_eq!((spent.code(), spent.retryable()), ("rate_limited", false));

    for (status, code) in [
        (400, "invalid_request"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "invalid_request"),
        (413, "prompt_too_long"),
        (500, "overloaded"),
        (503, "overloaded"),
    ] {
        let error = told(&format!("[[http {status}]]")).await.error.unwrap();
        assert_eq!(error.code(), code);
        assert!(
            error
                .to_string()
                .contains(&format!("told to fail with {status}")),
            "{error}"
        );
    }

    let within = told("[[say 20]] [[error 529 after 10]]").await;
    let message = "the double was told to fail with 529".to_owned();
    assert_eq!(within.text(), expected_text(10));
    assert_eq!(
        within.error,
        Some(Error::Reported {
            kind: "overloaded_error".to_owned(),
            message,
            retry_after: None,
            retryable: true,
        })
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_may_fare_better() {
    let double = start(Options::default()).await.unwrap();
    let request = request("[[http 529 times 2]] [[say 3]]");
    let mut codes = Vec::new();
    for _ in 0..3 {
        let answer = ask(&client(&double), &request).await;
        codes.push(
            answer
                .error
                .map_or(answer.stop.is_some().to_string(), |error| {
                    error.code().to_owned()
                }),
        );
    }

    assert_eq!(codes, ["overloaded", "overloaded", "true"]);
}

#[tokio::test]
async fn a_web_page_is_no_answer() {
    let error = told("[[html]]").await.error.unwrap();

    assert!(
        matches!(&error, Error::NotAStream { content_type, head } if content_type.starts_with("text/html") && head.contains("Please sign in")),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_may_end_or_break_before_it_is_whole() {
    for (how, tokens) in [
        ("[[end after 10]]", 10),
        ("[[cut after 10]]", 10),
        ("[[cut after 0]]", 0),
        ("[[end after 99]]", 20),
    ] {
        let answer = told(&format!("[[say 20]] {how}")).await;
        assert_eq!(
            (answer.text(), answer.stop, answer.error),
            (expected_text(tokens), None, Some(Error::Incomplete)),
            "{how}"
        );
    }
}

#[tokio::test]
async fn an_answer_cut_at_a_byte_is_incomplete_at_every_one_of_them() {
    let double = start(Options::default()).await.unwrap();
    let client = client(&double);
    let whole = ask(&client, &request("[[say-utf8 8]]")).await.text();
    let mut lengths = Vec::new();
    for byte in (0..1500).step_by(13) {
        let answer = ask(
            &client,
            &request(&format!("[[say-utf8 8]] [[cut at-byte {byte}]]")),
        )
        .await;
        assert_eq!(answer.error, Some(Error::Incomplete), "{byte}");
        assert!(
            whole.starts_with(&answer.text()),
            "{byte}: {}",
            answer.text()
        );
        lengths.push(answer.text().len());
    }

    assert!(
        lengths.is_sorted() && lengths.last() == Some(&whole.len()),
        "{lengths:?}"
    );
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    let double = start(Options::default()).await.unwrap();
    let idle = Duration::from_millis(200);
    let mut config = AnthropicConfig {
        base_url: double.base_url(),
        idle_timeout: idle,
        ..AnthropicConfig::default()
    };
    config.api_key = Some(Secret::new("any"));
    let client = Anthropic::new(config);
    for (text, said) in [
        ("[[stall]] [[say 20]]", 0),
        ("[[say 20]] [[stall after 5]]", 5),
    ] {
        let answer = ask(&client, &request(text)).await;
        assert_eq!(
            (answer.text(), answer.error),
            (expected_text(said), Some(Error::Silent(idle)))
        );
    }
}

#[tokio::test]
async fn the_key_is_asked_for_and_never_repeated() {
    let double = start(Options {
        key: Some("right".to_owned()),
        ..Options::default()
    })
    .await
    .unwrap();
    let with = |key: Option<&str>| {
        let api_key = key.map(Secret::new);
        Anthropic::new(AnthropicConfig {
            base_url: double.base_url(),
            api_key,
            ..AnthropicConfig::default()
        })
    };
    assert_eq!(
        ask(&with(None), &request("hi")).await.error,
        Some(Error::NoKey)
    );
    assert_eq!(
        ask(&with(Some(" ")), &request("hi")).await.error,
        Some(Error::NoKey)
    );
    assert_eq!(
        ask(&with(Some("right\n")), &request("hi")).await.error,
        None
    );

    let wrong = with(Some("sk-wrong"));
    let error = ask(&wrong, &request("hi")).await.error.unwrap();
    assert_eq!(error.code(), "unauthorized");
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{wrong:?}"),
    ] {
        assert!(!text.contains("sk-wrong"), "{text}");
    }
}

#[tokio::test]
async fn a_mistaken_directive_is_refused_with_its_name() {
    let double = start(Options::default()).await.unwrap();
    let error = ask(&client(&double), &request("[[sing 3]]"))
        .await
        .error
        .unwrap();

    assert!(
        error.to_string().contains("there is no directive [[sing]]"),
        "{error}"
    );
    assert_eq!(
        double.violations(),
        ["directive: there is no directive [[sing]]"]
    );
}
