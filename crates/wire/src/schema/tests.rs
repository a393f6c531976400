//! Held against the decoder that commands meet.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
use super::*;
use duplex_domain::Command;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Every command's type, as the decoder knows them.
fn known() -> BTreeSet<String> {
    let problem = serde_json::from_value::<Command>(json!({"type": "?"}));
    let problem = problem.unwrap_err().to_string();
    let (_, all) = problem.split_once("expected one of ").unwrap();
    let names = all
        .split(", ")
        .map(|name| name.trim_matches('`').to_owned());
    names.collect()
}

fn example(kind: Kind) -> Value {
    match kind {
        Id => json!("0190a0b0c0d07e0f8a1b2c3d4e5f6071"),
        Text => json!("some text"),
        Bytes => json!("bHMK"),
        Count | CountOrNull => json!(7),
        Flag => json!(true),
        Word(words) => json!(words[0]),
    }
}

/// A command with those of its fields that are wanted.
fn command_of(name: &str, fields: &[Field], wanted: impl Fn(&Field) -> bool) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), json!(name));
    for field in fields.iter().filter(|field| wanted(field)) {
        object.insert(field.0.into(), example(field.1));
    }
    Value::Object(object)
}

#[test]
fn every_command_is_described() {
    let described = COMMANDS.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(described.collect::<BTreeSet<_>>(), known());
}

#[test]
fn commands_are_read_as_they_are_described() {
    for (name, _, fields) in &COMMANDS {
        let whole = command_of(name, fields, |_| true);
        let read: Command = serde_json::from_value(whole.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), whole);

        let least = command_of(name, fields, |field| field.2 == Needed);
        assert!(
            serde_json::from_value::<Command>(least.clone()).is_ok(),
            "{least}"
        );
        for (missing, ..) in fields.iter().filter(|field| field.2 == Needed) {
            let cut = command_of(name, fields, |field| field.0 != *missing);
            assert!(
                serde_json::from_value::<Command>(cut.clone()).is_err(),
                "{cut}"
            );
        }
    }
}

#[test]
fn every_word_is_one_the_decoder_takes() {
    for (name, _, fields) in &COMMANDS {
        for (of, kind, _) in *fields {
            let Word(words) = kind else { continue };
            for word in *words {
                let mut whole = command_of(name, fields, |_| true);
                whole[*of] = json!(word);
                assert!(
                    serde_json::from_value::<Command>(whole.clone()).is_ok(),
                    "{whole}"
                );
            }
        }
    }
}

#[test]
fn a_shape_reads_as_json_schema() {
    let document = serde_json::to_value(command()).unwrap();
    let shapes = document["oneOf"].as_array().unwrap();
    assert_eq!(shapes.len(), COMMANDS.len());
    let expected = json!({
        "type": "object", "description": "Run one more turn without a new message.",
        "required": ["type", "again"],
        "properties": {
            "type": {"type": "string", "enum": ["again"]},
            "again": {"type": "string", "enum": ["retry", "continue"]},
        },
    });
    assert_eq!(shapes[5], expected);
}
