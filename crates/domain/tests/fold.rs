//! The fold, whatever happens.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod story;

use duplex_domain::{
    Blob, CallId, EndReason, Envelope, Event, ItemKind, Picture, Recorded, Seq, ToolState, codec,
};
use proptest::prelude::*;
use story::*;

fn any_event() -> impl Strategy<Value = Envelope> {
    let epoch = 1..3_u64;
    prop_oneof![
        (1..40_u128, ".{0,12}").prop_map(|(n, text)| posted(ADA, n, &text)),
        epoch.clone().prop_map(claimed),
        (epoch.clone(), 1..40_u128).prop_map(|(epoch, n)| turn_started(epoch, n)),
        (epoch.clone(), 0..6_u64).prop_map(|(epoch, block)| text_opened(epoch, block)),
        (epoch.clone(), 0..6_u64).prop_map(|(epoch, block)| tool_opened(epoch, block, "call")),
        (epoch.clone(), 0..6_u64, ".{0,9}")
            .prop_map(|(epoch, block, text)| wrote(epoch, block, &text)),
        (epoch.clone(), any::<Vec<u8>>()).prop_map(|(epoch, bytes)| by_runner(
            epoch,
            Some(TURN),
            Event::ToolOutput {
                call: CallId("call".into()),
                offset: 0,
                bytes: Blob(bytes)
            },
        )),
        epoch.prop_map(|epoch| turn_ended(epoch, EndReason::Complete)),
        Just(by(ADA, Event::Ended {})),
        Just(by(ADA, Event::Reopened {})),
        Just(by(BOB, Event::ControlTaken {})),
    ]
}

fn picture(frames: &[Recorded]) -> Picture {
    let mut picture = Picture::new(SESSION);
    for frame in frames {
        picture.apply(frame);
    }
    picture
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_the_rest_are_the_whole(
        events in prop::collection::vec(any_event(), 0..40),
        cut in 0..40_usize,
    ) {
        let frames = frames([opened_by(ADA)].into_iter().chain(events));
        let cut = cut.min(frames.len());

        let snapshot = serde_json::to_string(&picture(&frames[..cut])).unwrap();
        let mut resumed: Picture = serde_json::from_str(&snapshot).unwrap();
        // What is given twice changes nothing.
        for frame in &frames {
            resumed.apply(frame);
        }

        prop_assert_eq!(resumed, picture(&frames));
    }

    #[test]
    fn how_events_are_framed_does_not_matter_to_the_text(
        texts in prop::collection::vec(".{0,20}", 1..20),
        size in 1..7_usize,
    ) {
        let mut events = vec![opened_by(ADA), posted(ADA, 9, "go"), claimed(1), turn_started(1, 9), text_opened(1, 0)];
        let head = frames(events.clone());
        events.extend(texts.iter().map(|text| wrote(1, 0, text)));
        let mut framed = head;
        for (seq, chunk) in (6..).zip(events[5..].chunks(size)) {
            let lane = chunk[0].event.lane();
            framed.push(Recorded { session: SESSION, seq: Seq(seq), lane, events: chunk.to_vec() });
        }

        let whole = picture(&framed);
        let last = whole.transcript.items.last().unwrap();
        let text = texts.concat();
        prop_assert_eq!(&last.kind, &ItemKind::Text { block: 0, text, open: true });
    }

    #[test]
    fn every_frame_survives_the_codec(events in prop::collection::vec(any_event(), 0..30)) {
        let mut bytes = Vec::new();
        for event in &events {
            codec::encode(&mut bytes, event.clone()).unwrap();
        }
        prop_assert_eq!(codec::decode(&bytes).unwrap(), events);
    }
}

#[test]
fn text_after_a_tool_stands_below_the_tool() {
    let done = Event::ToolFinished {
        call: CallId("a".into()),
        content: "ok".into(),
        is_error: false,
        took: 5,
        diff: None,
        images: Vec::new(),
    };
    let picture = picture(&frames([
        opened_by(ADA),
        posted(ADA, 9, "go"),
        claimed(1),
        turn_started(1, 9),
        text_opened(1, 0),
        wrote(1, 0, "first"),
        tool_opened(1, 1, "a"),
        by_runner(1, Some(TURN), done),
        text_opened(1, 2),
        wrote(1, 2, "last"),
        turn_ended(1, EndReason::Complete),
    ]));

    let kinds = picture
        .transcript
        .items
        .iter()
        .map(|item| match &item.kind {
            ItemKind::Message { text, .. } => format!("message {text}"),
            ItemKind::Text { text, open, .. } => format!("text {text} {open}"),
            ItemKind::Tool { state, result, .. } => format!("tool {state:?} {result}"),
            ItemKind::TurnEnd { reason, .. } => format!("end {reason:?}"),
            other => format!("{other:?}"),
        });
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(
        kinds,
        [
            "message go",
            "text first false",
            "tool Done ok",
            "text last false",
            "end Complete"
        ]
    );
}

#[test]
fn an_interrupt_closes_what_was_open() {
    let picture = picture(&frames([
        opened_by(ADA),
        posted(ADA, 9, "go"),
        claimed(1),
        turn_started(1, 9),
        text_opened(1, 0),
        wrote(1, 0, "half a sen"),
        tool_opened(1, 1, "a"),
        turn_ended(1, EndReason::Interrupted),
    ]));

    let items = &picture.transcript.items;
    assert!(items.iter().all(|item| !item.is_open()));
    let stopped = |kind: &ItemKind| {
        matches!(
            kind,
            ItemKind::Tool {
                state: ToolState::Stopped,
                ..
            }
        )
    };
    assert!(items.iter().any(|item| stopped(&item.kind)));
}

#[test]
fn tool_output_is_bounded_and_keeps_both_ends() {
    let piece = "ä".repeat(10_000).into_bytes();
    let mut output = duplex_domain::Output::default();
    for chunk in piece.chunks(777).cycle().take(1000) {
        output.push(chunk);
    }

    assert!(output.head.len() + output.tail.len() < 100 * 1024);
    assert!(output.hidden() > 0);
    assert!(output.head.starts_with('ä') && output.tail.ends_with('ä'));
}
