//! What the double says when all goes well.

use duplex_provider::{Chunk, Error, Message, Role, StopReason};
use duplex_provider_double::{
    Options, clock_times, expected_text, expected_thought, expected_utf8, signature, start,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::{ask, client, request, told, user};

#[tokio::test]
async fn it_says_and_thinks_as_much_as_it_is_told() {
    let answer =
        told("[[think 3]] [[say 20 tokens at 5000/s]] [[say-utf8 12]] [[text \"end ☃\\n\"]]").await;
    let thought = expected_thought(3);

    assert_eq!(
        answer.content,
        [
            json!({"type": "thinking", "thinking": thought, "signature": signature(&thought)}),
            json!({"type": "text", "text": expected_text(20)}),
            json!({"type": "text", "text": expected_utf8(12)}),
            json!({"type": "text", "text": "end ☃\n"}),
        ]
    );
    assert_eq!(
        (answer.stop, answer.error),
        (Some(StopReason::EndTurn), None)
    );
}

#[tokio::test]
async fn a_clock_tells_when_each_token_was_sent() {
    let answer = told("[[clock 20 tokens at 5000/s]]").await;

    let times = clock_times(&answer.text()).expect("only times are said");
    assert_eq!(times.len(), 20);
    assert!(times.is_sorted());
}

#[tokio::test]
async fn a_message_without_directives_is_echoed() {
    assert_eq!(told("good morning").await.text(), "You said: good morning");
}

#[tokio::test]
async fn the_way_it_is_sent_changes_nothing() {
    let plain = told("[[say-utf8 30]]").await;
    for way in [
        "[[bytes 1]]",
        "[[bytes 7]]",
        "[[bom]]",
        "[[crlf]]",
        "[[bom]] [[crlf]] [[bytes 2]]",
    ] {
        assert_eq!(
            told(&format!("{way} [[say-utf8 30]]")).await,
            plain,
            "{way}"
        );
    }
    let strange = told("[[say-utf8 30]] [[strange]]").await;
    assert_eq!(
        (strange.text(), strange.stop, strange.error),
        (plain.text(), plain.stop, None)
    );
}

#[tokio::test]
async fn after_the_results_it_goes_on_with_the_next_stage() {
    let double = start(Options::default()).await.unwrap();
    let client = client(&double);
    let mut request = request(
        r#"[[think 2]] [[tool bash {"command":"ls"}]] [[tool bash {}]] [[then]] [[tool bash {"n":2}]] [[then]] [[say 4]]"#,
    );
    let mut stops = Vec::new();
    let mut last = String::new();
    for _ in 0..3 {
        let answer = ask(&client, &request).await;
        last = answer.text();
        stops.push(answer.stop.clone());
        let calls = answer
            .content
            .iter()
            .filter(|block| block["type"] == "tool_use");
        let mut results: Vec<_> = calls
            .map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "ok"}))
            .collect();
        results.push(json!({"type": "text", "text": "a note typed meanwhile"}));
        request.messages.push(Message {
            role: Role::Assistant,
            content: answer.content,
        });
        request.messages.push(user(results));
    }

    assert_eq!(double.violations(), Vec::<String>::new());
    assert_eq!(
        stops,
        [
            Some(StopReason::ToolUse),
            Some(StopReason::ToolUse),
            Some(StopReason::EndTurn)
        ]
    );
    assert_eq!(last, expected_text(4));
    assert_eq!(
        request.messages[1].content[1]["input"],
        json!({"command": "ls"})
    );
}

#[tokio::test]
async fn thinking_must_come_back_with_the_calls_that_followed_it() {
    let double = start(Options::default()).await.unwrap();
    let client = client(&double);
    let mut request = request("[[think 2]] [[tool bash {}]]");
    let answer = ask(&client, &request).await;
    let call = answer.content[1].clone();
    let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "ok"});
    request.messages.push(Message {
        role: Role::Assistant,
        content: vec![call],
    });
    request.messages.push(user(vec![result]));
    let refused = ask(&client, &request).await;

    assert!(
        matches!(refused.error, Some(Error::Invalid { status: 400, .. })),
        "{refused:?}"
    );
    assert!(double.violations()[0].contains("must come back unmodified"));
}

#[tokio::test]
async fn it_stops_for_the_reason_it_is_told() {
    let refused = StopReason::Refusal {
        explanation: Some("the double was told to refuse (general_harms)".to_owned()),
    };
    assert_eq!(told("[[say 3]] [[refuse]]").await.stop, Some(refused));
    assert_eq!(
        told("[[stop pause_turn]]").await.stop,
        Some(StopReason::PauseTurn)
    );
    assert_eq!(
        told("[[stop boredom]]").await.stop,
        Some(StopReason::Other("boredom".to_owned()))
    );
    assert_eq!(
        told("[[say 3]] [[max_tokens]]").await.stop,
        Some(StopReason::MaxTokens)
    );

    let cut = told("[[say 30]] [[max_tokens 10]]").await;
    assert_eq!(
        (cut.text(), cut.stop),
        (expected_text(10), Some(StopReason::MaxTokens))
    );

    let tool =
        told(r#"[[tool bash {"command":"a long command, cut in the middle"}]] [[max_tokens 2]]"#)
            .await;
    assert_eq!(
        (&tool.content[0]["input"], tool.stop),
        (&Value::Null, Some(StopReason::MaxTokens))
    );
}

#[tokio::test]
async fn usage_counts_the_tokens_sent_and_prices_the_cache_apart() {
    let double = start(Options::default()).await.unwrap();
    let stream = client(&double).stream(request("[[think 5]] [[say 20]]"));
    let chunks: Vec<_> = stream.map(Result::unwrap).collect().await;
    let started = chunks.iter().find_map(|chunk| {
        if let Chunk::Started { usage } = chunk {
            Some(usage.clone())
        } else {
            None
        }
    });
    let last = chunks.iter().rev().find_map(|chunk| {
        if let Chunk::Usage(usage) = chunk {
            Some(usage.clone())
        } else {
            None
        }
    });
    let (started, last) = (started.unwrap(), last.unwrap());

    assert_eq!((started.output, last.output), (1, 25));
    assert!(last.cache_write > 0 && last.cache_read == 0);
    assert_eq!(
        last,
        duplex_provider::Usage {
            output: 25,
            raw: last.raw.clone(),
            ..started
        }
    );
    assert_eq!(double.requests()[0].usage["output_tokens"], 25);
}
