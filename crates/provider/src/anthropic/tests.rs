#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::frame;
use crate::{Block, Chunk, StopReason, Usage};

const IDLE: Duration = Duration::from_mins(2);

/// An answer as the vendor sends it, with kinds of events, blocks and deltas nobody has heard of.
const FIXTURE: &str = include_str!("fixture.sse");

fn pieces(text: &[u8], size: usize) -> Vec<Result<Bytes, Error>> {
    text.chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect()
}

/// All chunks, and the error that ended them.
async fn read(pieces: Vec<Result<Bytes, Error>>) -> (Vec<Chunk>, Option<Error>) {
    let mut stream = chunks(stream::iter(pieces), IDLE);
    let mut read = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(chunk) => read.push(chunk),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

#[expect(clippy::too_many_lines, reason = "one list of all chunks")]
fn expected() -> Vec<Chunk> {
    let usage = Usage {
        input: 25,
        output: 1,
        cache_write: 3400,
        raw: Some(json!({
            "input_tokens": 25, "cache_creation_input_tokens": 3400, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 3400, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1, "service_tier": "standard",
        })),
        ..Usage::default()
    };
    let mut second = usage.clone();
    second.output = 40;
    second.raw.as_mut().unwrap()["output_tokens"] = json!(40);
    let mut last = second.clone();
    (last.input, last.output, last.cache_read, last.thinking) = (26, 89, 7, 4);
    let raw = last.raw.as_mut().unwrap();
    raw["input_tokens"] = json!(26);
    raw["cache_read_input_tokens"] = json!(7);
    raw["output_tokens"] = json!(89);
    raw["output_tokens_details"] = json!({"thinking_tokens": 4});
    vec![
        Chunk::Started { usage },
        Chunk::BlockOpened {
            index: 0,
            block: Block::Thinking,
        },
        Chunk::Thinking {
            index: 0,
            text: "höm ".to_owned(),
        },
        Chunk::Thinking {
            index: 0,
            text: "🦀".to_owned(),
        },
        Chunk::Signature {
            index: 0,
            signature: "EqQB".to_owned(),
        },
        Chunk::BlockClosed { index: 0 },
        Chunk::BlockOpened {
            index: 1,
            block: Block::RedactedThinking {
                data: "Emw=".to_owned(),
            },
        },
        Chunk::BlockClosed { index: 1 },
        Chunk::BlockOpened {
            index: 2,
            block: Block::Text,
        },
        Chunk::Text {
            index: 2,
            text: "漢字 \n\n".to_owned(),
        },
        Chunk::Unknown {
            index: Some(2),
            raw: json!({"type": "content_block_delta", "index": 2, "delta": {"type": "aroma_delta", "aroma": {"of": "coffee"}}}),
        },
        Chunk::Text {
            index: 2,
            text: "end".to_owned(),
        },
        Chunk::Citation {
            index: 2,
            citation: json!({"type": "char_location", "cited_text": "x"}),
        },
        Chunk::BlockClosed { index: 2 },
        Chunk::Unknown {
            index: None,
            raw: json!({"type": "weather", "delta": "sunny", "index": "none"}),
        },
        Chunk::BlockOpened {
            index: 3,
            block: Block::Other(json!({"type": "hologram", "beams": [1, 2]})),
        },
        Chunk::BlockClosed { index: 3 },
        Chunk::BlockOpened {
            index: 4,
            block: Block::ToolUse {
                id: "toolu_1".to_owned(),
                name: "bash".to_owned(),
            },
        },
        Chunk::ToolInput {
            index: 4,
            json: "{\"command\": ".to_owned(),
        },
        Chunk::ToolInput {
            index: 4,
            json: "\"ls\"}".to_owned(),
        },
        Chunk::BlockClosed { index: 4 },
        Chunk::Usage(second),
        Chunk::Usage(last),
        Chunk::Stopped {
            reason: StopReason::ToolUse,
        },
    ]
}

#[tokio::test]
async fn an_answer_reads_the_same_in_pieces_of_any_size() {
    for size in [1, 2, 3, 7, 64, 4096, FIXTURE.len()] {
        assert_eq!(
            read(pieces(FIXTURE.as_bytes(), size)).await,
            (expected(), None),
            "{size}"
        );
    }
}

#[tokio::test]
async fn an_answer_reads_the_same_split_in_two_at_any_byte() {
    for at in 0..FIXTURE.len() {
        let (one, two) = FIXTURE.as_bytes().split_at(at);
        let halves = [one, two].map(|half| Ok(Bytes::copy_from_slice(half)));
        assert_eq!(read(halves.to_vec()).await, (expected(), None), "{at}");
    }
}

#[tokio::test]
async fn byte_order_marks_and_other_line_ends_change_nothing() {
    let variants = [
        format!("\u{feff}{FIXTURE}"),
        FIXTURE.replace('\n', "\r\n"),
        FIXTURE.replace('\n', "\r"),
        format!("\u{feff}: welcome\r\n\r\n{FIXTURE}"),
    ];
    for variant in variants {
        for size in [1, 5, variant.len()] {
            assert_eq!(
                read(pieces(variant.as_bytes(), size)).await,
                (expected(), None),
                "{size}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_keeps_what_came_and_is_incomplete() {
    let whole = expected();
    for at in 0..FIXTURE.len() - 1 {
        let (chunks, error) = read(pieces(&FIXTURE.as_bytes()[..at], 100)).await;
        assert_eq!(error, Some(Error::Incomplete), "{at}");
        assert_eq!(chunks, whole[..chunks.len()], "{at}");
    }
}

#[tokio::test]
async fn nothing_is_read_after_the_provider_said_it_was_done() {
    let text = format!(
        "{FIXTURE}event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"api_error\"}}}}\n\n"
    );

    assert_eq!(read(pieces(text.as_bytes(), 10)).await, (expected(), None));
}

#[tokio::test]
async fn an_error_in_the_middle_keeps_what_came_before_it() {
    let start = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let (chunks, error) = read(pieces(format!("{start}{error}").as_bytes(), 9)).await;

    assert_eq!(
        chunks,
        [Chunk::BlockOpened {
            index: 0,
            block: Block::Text
        }]
    );
    let reported = Error::Reported {
        kind: "overloaded_error".to_owned(),
        message: "Overloaded".to_owned(),
        retry_after: None,
        retryable: true,
    };
    assert!(reported.retryable());
    assert_eq!(error, Some(reported));
}

#[tokio::test]
async fn what_a_block_starts_with_is_not_lost() {
    let text = concat!(
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"he\"}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"n\",\"input\":{\"a\":1}}}\n\n",
    );
    let (chunks, _) = read(pieces(text.as_bytes(), 9)).await;

    assert_eq!(
        chunks,
        [
            Chunk::BlockOpened {
                index: 0,
                block: Block::Text
            },
            Chunk::Text {
                index: 0,
                text: "he".to_owned()
            },
            Chunk::BlockOpened {
                index: 1,
                block: Block::ToolUse {
                    id: "i".to_owned(),
                    name: "n".to_owned()
                }
            },
            Chunk::ToolInput {
                index: 1,
                json: "{\"a\":1}".to_owned()
            },
        ]
    );
}

#[tokio::test]
async fn a_refusal_carries_the_providers_words() {
    let text = concat!(
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":{\"type\":\"refusal\",\"explanation\":\"no\"}}}\n\n",
        "data: {\"type\":\"message_stop\"}\n\n",
    );
    let reason = StopReason::Refusal {
        explanation: Some("no".to_owned()),
    };

    assert_eq!(
        read(pieces(text.as_bytes(), 9)).await,
        (vec![Chunk::Stopped { reason }], None)
    );
}

#[tokio::test]
async fn bytes_that_are_no_text_or_no_json_are_an_error() {
    for bytes in [
        &b"data: \"\xff\xfe\"\n\n"[..],
        b"data: {\"type\":\n\n",
        b"data: {\"type\":\"content_block_stop\"}\n\n",
    ] {
        let (chunks, error) = read(pieces(bytes, 3)).await;
        assert!(
            chunks.is_empty() && matches!(error, Some(Error::Garbled(_))),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_event_beyond_the_bound_is_refused() {
    let text = format!("data: {}", "a".repeat(frame::LIMIT));

    assert_eq!(
        read(pieces(text.as_bytes(), 65_536)).await,
        (Vec::new(), Some(Error::TooLarge(frame::LIMIT)))
    );
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_given_up_after_a_while() {
    let idle = Duration::from_millis(50);
    let start = "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
    let silent = stream::iter(pieces(start.as_bytes(), 9)).chain(stream::pending());
    let mut stream = chunks(silent, idle);

    assert_eq!(
        stream.next().await,
        Some(Ok(Chunk::BlockClosed { index: 0 }))
    );
    assert_eq!(stream.next().await, Some(Err(Error::Silent(idle))));
    assert_eq!(stream.next().await, None);
}
