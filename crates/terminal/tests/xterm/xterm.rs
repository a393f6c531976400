//! xterm.js without a browser, as a program that shows what it shows.

use duplex_terminal::Size;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What happens to a terminal.
#[derive(Clone, PartialEq)]
pub enum Part {
    Output(Vec<u8>),
    Resized(Size),
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Output(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Resized(size) => write!(f, "{}x{}", size.cols, size.rows),
        }
    }
}

/// What a terminal shows.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Shown {
    pub text: Vec<String>,
    pub looks: Vec<String>,
    pub history: Vec<String>,
    pub history_looks: Vec<String>,
    pub cursor: (usize, usize),
    pub visible: bool,
    pub alternate: bool,
    pub modes: String,
}

impl Shown {
    /// What differs, if anything.
    pub fn same(&self, other: &Self) -> Result<(), String> {
        if self == other {
            return Ok(());
        }
        let (one, other) = (format!("{self:#?}"), format!("{other:#?}"));
        let lines = one.lines().zip(other.lines());
        let differ: Vec<String> = lines
            .filter(|(one, other)| one != other)
            .map(|(one, other)| format!("{one}\n{other}"))
            .collect();
        Err(differ.join("\n"))
    }
}

#[derive(Serialize)]
struct Case {
    cols: u16,
    rows: u16,
    scrollback: usize,
    parts: Vec<Sent>,
}

#[derive(Serialize)]
struct Widths {
    widths: Vec<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Sent {
    Hex(String),
    Size([u16; 2]),
}

pub struct Xterm {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Xterm {
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/xterm");
        assert!(
            folder.join("node_modules/@xterm/headless").exists(),
            "xterm.js is not installed: run `make setup`"
        );
        let mut child = Command::new("node")
            .arg(folder.join("screen.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// What it shows when all that has happened to it.
    pub fn show(&mut self, size: Size, scrollback: usize, parts: &[Part]) -> Shown {
        let case = Case {
            cols: size.cols,
            rows: size.rows,
            scrollback,
            parts: sent(parts),
        };
        self.ask(&case)
    }

    /// How many columns each of these takes.
    pub fn widths(&mut self, chars: &[char]) -> Vec<usize> {
        let widths: Vec<u32> = chars.iter().map(|char| u32::from(*char)).collect();
        self.ask(&Widths { widths })
    }

    fn ask<T: for<'a> Deserialize<'a>>(&mut self, question: &impl Serialize) -> T {
        let mut line = serde_json::to_string(question).unwrap();
        line.push('\n');
        self.input.write_all(line.as_bytes()).unwrap();
        line.clear();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Xterm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sent(parts: &[Part]) -> Vec<Sent> {
    let mut sent = Vec::new();
    for part in parts {
        match (part, sent.last_mut()) {
            (Part::Resized(size), _) => sent.push(Sent::Size([size.cols, size.rows])),
            (Part::Output(bytes), Some(Sent::Hex(hex))) => hex.push_str(&to_hex(bytes)),
            (Part::Output(bytes), _) => sent.push(Sent::Hex(to_hex(bytes))),
        }
    }
    sent
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
