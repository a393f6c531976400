//! The session's terminals as the agent may use them: it reads what one shows, or runs a command there before
//! everybody's eyes. Each time a person is asked, since a terminal is the people's own.

use crate::shell::{Order, Reading};
use duplex_domain::{Preview, TerminalId, ToolKind, ToolText};
use duplex_terminal::Command;
use duplex_workspace::tools::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const READ: &str = "terminal_read";
const RUN: &str = "terminal_run";
/// How long a command is waited for if the model does not say, and at most.
const USUAL: Duration = Duration::from_mins(2);
const LONGEST: Duration = Duration::from_mins(10);
/// How long a terminal may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The terminals that run, in the order they were opened.
#[derive(Debug, Default)]
pub struct Desk(Mutex<BTreeMap<TerminalId, Entry>>);

#[derive(Clone, Debug)]
struct Entry {
    number: usize,
    name: String,
    orders: mpsc::Sender<Order>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    terminal: Option<String>,
    command: Option<String>,
    timeout: Option<u64>,
}

impl Desk {
    /// Puts a terminal on the desk, or gives it another name; its number is the session's.
    pub fn put(&self, id: TerminalId, number: usize, name: &str, orders: &mpsc::Sender<Order>) {
        let entry = Entry {
            number,
            name: name.to_owned(),
            orders: orders.clone(),
        };
        self.entries().insert(id, entry);
    }

    /// Takes one away.
    pub fn remove(&self, id: TerminalId) {
        self.entries().remove(&id);
    }

    /// What would happen; none for a call that cannot be carried out.
    pub fn preview(&self, name: &str, input: &Value) -> Option<Preview> {
        let input = Input::deserialize(input).ok()?;
        let (shown, _) = self.find(input.terminal.as_deref()).ok()?;
        let summary = match (name, input.command) {
            (READ, None) => format!("reads what {shown} shows"),
            (RUN, Some(command)) => format!("types into {shown}: {}", one_line(&command).ok()?),
            _ => return None,
        };
        Some(Preview::Other { summary })
    }

    /// Does it. Whatever goes wrong is said to the model.
    pub async fn call(&self, name: &str, input: &Value, cancel: CancellationToken) -> Outcome {
        let called = async {
            let input = Input::deserialize(input).map_err(|error| error.to_string())?;
            let (shown, entry) = self.find(input.terminal.as_deref())?;
            match input.command {
                Some(command) if name == RUN => {
                    let patience = input.timeout.map_or(USUAL, Duration::from_millis);
                    entry.run(&one_line(&command)?, patience.min(LONGEST)).await
                }
                None if name == READ => Ok(described(&shown, &entry.read().await?)),
                _ => Err(format!("{name} was given what it does not take")),
            }
        };
        let called = tokio::select! {
            called = called => called,
            () = cancel.cancelled() => {
                Err("interrupted; what was typed into the terminal goes on there".to_owned())
            }
        };
        let is_error = called.is_err();
        Outcome {
            content: called.unwrap_or_else(|problem| problem),
            is_error,
            ..Outcome::default()
        }
    }

    /// A terminal by its name or its number; the newest if none is named.
    fn find(&self, wanted: Option<&str>) -> Result<(String, Entry), String> {
        let entries = self.entries();
        let shown = |entry: &Entry| match (entry.number, entry.name.as_str()) {
            (number, "") => format!("terminal {number}"),
            (number, name) => format!("terminal {number} ({name})"),
        };
        let fits = |entry: &&Entry| {
            wanted.is_none_or(|wanted| wanted == entry.name || wanted == entry.number.to_string())
        };
        if let Some(entry) = entries.values().rfind(fits) {
            return Ok((shown(entry), entry.clone()));
        }
        let all: Vec<String> = entries.values().map(shown).collect();
        match all[..] {
            [] => Err("no terminal is open; a person has to open one first".to_owned()),
            _ => Err(format!(
                "there is no such terminal; there are: {}",
                all.join(", ")
            )),
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<TerminalId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    async fn read(&self) -> Result<Reading, String> {
        let (reply, answer) = oneshot::channel();
        // A terminal that is over does not answer.
        let _ = self.orders.send(Order::Read(reply)).await;
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let gone = || "the terminal has ended or does not answer".to_owned();
        answer.ok().and_then(Result::ok).ok_or_else(gone)
    }

    async fn run(&self, line: &str, patience: Duration) -> Result<String, String> {
        let (reply, answer) = oneshot::channel();
        let line = line.to_owned();
        let _ = self.orders.send(Order::Run { line, reply }).await;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(Ok(command))) => Ok(ended(&command)),
            Ok(Ok(Err(refused))) => Err(refused),
            Ok(Err(_)) => Err("the terminal ended before the command did".to_owned()),
            Err(_) => {
                let reading = self.read().await?;
                let so_far = reading
                    .last
                    .map(|command| command.output)
                    .unwrap_or_default();
                let seconds = patience.as_secs();
                Ok(format!(
                    "{so_far}\n[still running after {seconds} s; it goes on, look again with {READ}]"
                ))
            }
        }
    }
}

/// The tools, for the model.
#[must_use]
pub fn tools() -> Vec<ToolText> {
    let terminal = json!({
        "type": "string",
        "description": "The terminal's name or number; the newest if left out.",
    });
    let read = ToolText {
        name: READ.to_owned(),
        description: "Reads what one of the people's shared terminals shows now, and its last command with its exit \
code. Use it when somebody speaks of what they see there. A person has to allow it."
            .to_owned(),
        input_schema: schema(&json!({ "terminal": terminal }), &[]),
    };
    let run = ToolText {
        name: RUN.to_owned(),
        description: "Runs a command in one of the people's shared terminals, where everybody sees it and its shell \
keeps its folder and variables; returns output and exit code. Only when the shell waits at an empty prompt. For your own \
work use bash. A person has to allow it."
            .to_owned(),
        input_schema: schema(
            &json!({
                "terminal": terminal,
                "command": { "type": "string", "minLength": 1, "description": "The command, in one line." },
                "timeout": {
                    "type": "integer", "minimum": 1, "maximum": 600_000,
                    "description": "Milliseconds to wait for its end; 120000 if left out. It goes on after that.",
                },
            }),
            &["command"],
        ),
    };
    vec![read, run]
}

fn schema(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Whether a tool is one of these.
#[must_use]
pub fn has(name: &str) -> bool {
    matches!(name, READ | RUN)
}

/// What they do to the world. A terminal is the people's: no mode lets the agent in without a word.
pub const KIND: (ToolKind, bool) = (ToolKind::Foreign, true);

/// What rules are held against.
#[must_use]
pub fn subject(input: &Value) -> String {
    input["command"].as_str().unwrap_or_default().to_owned()
}

/// A command that is one line: a terminal would take every further line for another command, and a control for a key.
fn one_line(command: &str) -> Result<String, String> {
    let line = command.trim();
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err("give one command, in one line and without control characters".to_owned());
    }
    Ok(line.to_owned())
}

fn ended(command: &Command) -> String {
    let code = command
        .exit
        .map_or("unknown".to_owned(), |code| code.to_string());
    format!("{}\n[exit code {code}]", command.output.trim_end())
}

fn described(shown: &str, reading: &Reading) -> String {
    let mut text = format!("{shown} shows:\n{}\n", reading.screen.join("\n").trim_end());
    // Writing to a string cannot fail.
    let _ = match &reading.last {
        Some(Command {
            line,
            running: true,
            ..
        }) => write!(text, "[{line:?} is running]"),
        Some(Command {
            line,
            exit: Some(code),
            ..
        }) => {
            write!(
                text,
                "[the last command, {line:?}, ended with exit code {code}]"
            )
        }
        _ => Ok(()),
    };
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use uuid::Uuid;

    fn desk(names: &[&str]) -> Desk {
        let desk = Desk::default();
        let (orders, _) = mpsc::channel(1);
        for (n, name) in (1..).zip(names) {
            let number = usize::try_from(n).unwrap();
            desk.put(TerminalId(Uuid::from_u128(n)), number, name, &orders);
        }
        desk
    }

    fn found(desk: &Desk, wanted: Option<&str>) -> Result<String, String> {
        desk.find(wanted).map(|(shown, _)| shown)
    }

    #[test]
    fn a_terminal_is_found_by_name_by_number_or_as_the_newest() {
        let desk = desk(&["", "server"]);
        assert_eq!(found(&desk, None).unwrap(), "terminal 2 (server)");
        assert_eq!(found(&desk, Some("1")).unwrap(), "terminal 1");
        assert_eq!(found(&desk, Some("server")).unwrap(), "terminal 2 (server)");
        let problem = found(&desk, Some("3")).unwrap_err();
        assert!(
            problem.contains("terminal 1, terminal 2 (server)"),
            "{problem}"
        );
        desk.remove(TerminalId(Uuid::from_u128(2)));
        assert_eq!(found(&desk, None).unwrap(), "terminal 1");
        assert!(
            found(&Desk::default(), None)
                .unwrap_err()
                .contains("open one first")
        );
    }

    #[test]
    fn people_are_shown_exactly_what_will_be_typed() {
        let desk = desk(&["server"]);
        let shown = |name: &str, input: Value| match desk.preview(name, &input) {
            Some(Preview::Other { summary }) => summary,
            _ => "refused".to_owned(),
        };
        assert_eq!(
            shown(RUN, json!({"command": " make test "})),
            "types into terminal 1 (server): make test"
        );
        assert_eq!(
            shown(READ, json!({})),
            "reads what terminal 1 (server) shows"
        );
        for wrong in ["a\nb", "\u{3}", "  "] {
            assert_eq!(shown(RUN, json!({"command": wrong})), "refused");
        }
        assert_eq!(shown(READ, json!({"command": "ls"})), "refused");
        assert_eq!(
            shown(RUN, json!({"terminal": "9", "command": "ls"})),
            "refused"
        );
    }
}
