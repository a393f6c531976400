//! Every command that the interface has against everybody, by HTTP and by the page's socket.

use super::cast::Cast;
use super::{CALLERS, COMMENTERS, DRIVERS, REFUSALS, SESSION_OWNERS, assert_row, mark};
use crate::feed::Socket;
use duplex_wire::Down;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SOME_ID: &str = "0190a0b0c0d07e0f8a1b2c3d4e5f6071";

/// Who may give which command. Whether it makes sense then is another question.
const COMMANDS: &[(&str, &str)] = &[
    ("post_message", COMMENTERS),
    ("edit_message", COMMENTERS),
    ("withdraw_message", COMMENTERS),
    ("move_message", COMMENTERS),
    ("choose_delivery", DRIVERS),
    ("again", DRIVERS),
    ("compact", DRIVERS),
    ("decide", DRIVERS),
    ("choose_mode", DRIVERS),
    ("add_rule", DRIVERS),
    ("remove_rule", DRIVERS),
    ("restore", DRIVERS),
    ("cancel_restore", DRIVERS),
    ("commit", DRIVERS),
    ("interrupt", DRIVERS),
    ("rename", DRIVERS),
    ("choose_model", DRIVERS),
    ("take_control", DRIVERS),
    ("give_control", DRIVERS),
    ("ask_control", DRIVERS),
    ("decline_control", DRIVERS),
    ("open_terminal", DRIVERS),
    ("type", DRIVERS),
    ("resize", DRIVERS),
    ("rename_terminal", DRIVERS),
    ("set_private_input", DRIVERS),
    ("close_terminal", DRIVERS),
    ("set_budget", SESSION_OWNERS),
    ("set_member", SESSION_OWNERS),
    ("remove_member", SESSION_OWNERS),
    ("forget_keys", SESSION_OWNERS),
    ("end", SESSION_OWNERS),
    ("reopen", SESSION_OWNERS),
];

/// Every command of the interface's own description, filled in.
fn described() -> BTreeMap<String, Value> {
    let document = serde_json::to_value(duplex_edge::document()).unwrap();
    let shapes = document.pointer("/components/schemas/PostCommand/properties/command/oneOf");
    let shapes = shapes
        .unwrap_or_else(|| panic!("{document:#}"))
        .as_array()
        .unwrap()
        .iter();
    let filled = shapes.map(|shape| {
        let fields = shape["properties"].as_object().unwrap().iter();
        let command: Map<String, Value> = fields
            .map(|(name, field)| (name.clone(), sample(name, field)))
            .collect();
        (command["type"].as_str().unwrap().to_owned(), command.into())
    });
    filled.collect()
}

fn sample(name: &str, field: &Value) -> Value {
    match (&field["enum"][0], field["type"].as_str()) {
        (Value::String(word), _) => json!(word),
        (_, Some("string")) if field["contentEncoding"] == "base64" => json!("aGk="),
        (_, Some("string")) if field.get("pattern").is_some() => json!(SOME_ID),
        (_, Some("string")) if name == "model" => json!("demo"),
        (_, Some("string")) => json!("bash(true)"),
        (_, Some("boolean")) => json!(true),
        _ => json!(40),
    }
}

#[test]
fn the_matrix_names_every_command() {
    let named: BTreeSet<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
    let described = described();
    assert_eq!(named, described.keys().map(String::as_str).collect());
}

#[tokio::test]
async fn everybody_gives_the_commands_that_the_table_says_and_no_others() {
    let cast = Cast::assemble().await;
    let described = described();
    let path = format!("/api/sessions/{}/commands", cast.session);
    for (name, expected) in COMMANDS {
        let body = json!({"command": described[*name]});
        let mut found = String::new();
        for caller in &cast.callers {
            let (status, said) = caller.ask(Method::POST, &path, &body).await;
            assert!(
                status < 500 && status != 400,
                "{name} as {}: {said}",
                caller.name
            );
            found.push(mark(status, &said));
        }
        assert_row(name, &found, expected);
    }
}

#[tokio::test]
async fn a_socket_takes_from_everybody_what_the_interface_takes_and_nothing_else() {
    let cast = Cast::assemble().await;
    let described = described();
    let mut sockets = Vec::new();
    for caller in &cast.callers {
        // Nobody and who was shut out have none: see the frames.
        let shut = [CALLERS[0], CALLERS[11]].contains(&caller.name);
        sockets.push(if shut {
            None
        } else {
            Some(Socket::any(&caller.person).await)
        });
    }
    for (name, expected) in COMMANDS {
        let mut found = String::new();
        for socket in &mut sockets {
            found.push(match socket {
                None => '1',
                Some(socket) => {
                    let id = socket.command(cast.session, described[*name].clone()).await;
                    outcome(socket, &id).await
                }
            });
        }
        assert_row(name, &found, expected);
    }
}

/// What became of a command, as a mark.
async fn outcome(socket: &mut Socket, id: &str) -> char {
    loop {
        match socket.down().await {
            Down::Accepted { id: of, .. } if of == id => return '+',
            Down::Refused { id: of, code, .. } if of == id => {
                let refusal = REFUSALS.iter().find(|(known, ..)| *known == code);
                return refusal.map_or('+', |(_, mark, _)| *mark);
            }
            _ => {}
        }
    }
}
