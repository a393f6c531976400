//! What a shell tells of its commands: where each begins and ends, and how it ended.
//!
//! Source of the marks: OSC 133, <https://gitlab.freedesktop.org/Per_Bothner/specifications/blob/master/proposals/semantic-prompts.md>;
//! OSC 633 `E`, <https://code.visualstudio.com/docs/terminal/shell-integration>.

mod clip;

use crate::plain::Plain;
use crate::scan::{Scanner, Token};
use clip::Clip;
use std::collections::VecDeque;

/// What a bash reads at its start: what a login shell reads, and then how it tells of its commands.
const START: &str = concat!(include_str!("start.bash"), include_str!("integration.bash"));

/// A command, and a variable for its environment, that start an interactive bash which tells of its commands. It leaves no
/// file anywhere: the shell reads its first commands from a pipe.
#[must_use]
pub fn bash() -> ([String; 3], (String, String)) {
    let start = r#"exec /bin/bash --rcfile <(builtin printf %s "$DUPLEX_SHELL")"#;
    let argv = ["/bin/bash", "-c", start].map(str::to_owned);
    (argv, ("DUPLEX_SHELL".to_owned(), START.to_owned()))
}

/// How many commands are remembered.
const REMEMBERED: usize = 20;
/// The longest mark that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest command line that is kept, in characters.
const LONGEST_LINE: usize = 4096;

/// A command of a shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Its line.
    pub line: String,
    /// What it put out, as text: at most 64 KiB, head and tail.
    pub output: String,
    /// What it returned; none while it runs, and where the shell did not say.
    pub exit: Option<i32>,
    /// Whether it runs.
    pub running: bool,
}

/// The newest commands of a shell that tells of them.
///
/// Fed with the terminal's output behind the gate. Any split of it gives the same. Memory is bounded.
#[derive(Debug, Default)]
pub struct Commands {
    scanner: Scanner,
    mark: Vec<u8>,
    in_mark: bool,
    stage: Stage,
    done: VecDeque<Command>,
    count: u64,
}

/// What is being put out.
#[derive(Debug, Default)]
enum Stage {
    /// Nothing that is known: no shell has told of anything yet, or it puts out its prompt.
    #[default]
    Other,
    /// The echo of a command line, and the line if the shell told it.
    Line {
        echo: Plain,
        text: Clip,
        told: Option<String>,
    },
    /// A command's output.
    Output {
        line: String,
        plain: Plain,
        text: Clip,
    },
}

impl Commands {
    /// A shell that has told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of output.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut scanner = std::mem::take(&mut self.scanner);
        scanner.feed(bytes, |token, _| self.take(&token));
        self.scanner = scanner;
    }

    /// Whether the shell waits for a command; none if it never told.
    #[must_use]
    pub fn at_prompt(&self) -> Option<bool> {
        match self.stage {
            Stage::Line { .. } => Some(true),
            Stage::Output { .. } => Some(false),
            Stage::Other => (self.count > 0).then_some(false),
        }
    }

    /// Whether nothing stands behind the prompt.
    #[must_use]
    pub fn line_is_blank(&self) -> bool {
        let Stage::Line { echo, text, told } = &self.stage else {
            return false;
        };
        told.is_none() && echo.is_blank() && text.text().trim().is_empty()
    }

    /// How many commands have ended so far.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.count
    }

    /// The newest command, ended or running.
    #[must_use]
    pub fn last(&self) -> Option<Command> {
        match &self.stage {
            Stage::Output { line, text, .. } => Some(Command {
                line: line.clone(),
                output: text.text(),
                exit: None,
                running: true,
            }),
            Stage::Line { .. } | Stage::Other => self.done.back().cloned(),
        }
    }

    fn take(&mut self, token: &Token<'_>) {
        match token {
            Token::Opener(bytes) => {
                self.in_mark = matches!(bytes.last(), Some(b']' | 0x9d));
                self.mark.clear();
            }
            Token::Payload(bytes) if self.in_mark => {
                self.in_mark = self.mark.len() + bytes.len() <= LONGEST;
                self.mark.extend_from_slice(bytes);
            }
            Token::Payload(_) => {}
            Token::Text([crate::scan::BEL]) | Token::Escape(_) if self.in_mark => self.marked(),
            Token::Text(bytes)
            | Token::Escape(bytes)
            | Token::Csi(bytes)
            | Token::Broken(bytes) => {
                self.in_mark = false;
                self.show(bytes);
            }
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        match &mut self.stage {
            Stage::Line { echo, text, .. } => text.push(&echo.feed(bytes)),
            Stage::Output { plain, text, .. } => text.push(&plain.feed(bytes)),
            Stage::Other => {}
        }
    }

    fn marked(&mut self) {
        self.in_mark = false;
        let mark = std::mem::take(&mut self.mark);
        let mark = String::from_utf8_lossy(&mark);
        let parts: Vec<&str> = mark.split(';').collect();
        match parts[..] {
            ["133" | "633", "A", ..] => self.stage = Stage::Other,
            ["133" | "633", "B", ..] => {
                self.stage = Stage::Line {
                    echo: Plain::new(),
                    text: Clip::default(),
                    told: None,
                };
            }
            // A nonce may follow.
            ["633", "E", line, ..] => self.told_line(line),
            ["133" | "633", "C", ..] => self.begin(),
            ["133" | "633", "D", code, ..] => self.end(code),
            ["133" | "633", "D"] => self.end(""),
            _ => {}
        }
    }

    fn told_line(&mut self, escaped: &str) {
        if let Stage::Line { told, .. } = &mut self.stage {
            *told = Some(unescaped(escaped).chars().take(LONGEST_LINE).collect());
        }
    }

    fn begin(&mut self) {
        let Stage::Line {
            mut echo,
            mut text,
            told,
        } = std::mem::take(&mut self.stage)
        else {
            return;
        };
        text.push(&echo.finish());
        let line = told.unwrap_or_else(|| text.text().trim().chars().take(LONGEST_LINE).collect());
        self.stage = Stage::Output {
            line,
            plain: Plain::new(),
            text: Clip::default(),
        };
    }

    fn end(&mut self, code: &str) {
        let Stage::Output {
            line,
            mut plain,
            mut text,
        } = std::mem::take(&mut self.stage)
        else {
            return;
        };
        text.push(&plain.finish());
        self.count += 1;
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(Command {
            line,
            output: text.text(),
            exit: code.parse().ok(),
            running: false,
        });
    }
}

/// A command line as OSC 633 writes it: `\\` and `\xAB`.
fn unescaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let hex = after.strip_prefix('x').and_then(|after| after.get(..2));
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, after.strip_prefix('\\')) {
            (Some(byte), _) => {
                out.push(char::from(byte));
                rest = &after[3..];
            }
            (None, Some(after)) => {
                out.push('\\');
                rest = after;
            }
            (None, None) => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const STORY: &[u8] = b"\x1b]133;A\x07$ \x1b]133;B\x07ls -l\r\n\x1b]633;E;ls -l\\x3b true\x07\x1b]133;C\x07\
\x1b[1mone\x1b[0m\r\ntwo\r\n\x1b]133;D;2\x07\x1b]133;A\x07$ \x1b]133;B\x1b\\slee\x08\x08\x08leep 5\r\n\x1b]133;C\x07wait";

    fn after(bytes: &[u8], cut: usize) -> Commands {
        let mut commands = Commands::new();
        bytes.chunks(cut).for_each(|piece| commands.feed(piece));
        commands
    }

    #[test]
    fn a_command_has_its_line_its_output_and_its_exit_code_at_any_split() {
        for cut in 1..STORY.len() {
            let commands = after(STORY, cut);
            assert_eq!((commands.ended(), commands.at_prompt()), (1, Some(false)));
            let first = commands.done.front().unwrap();
            let expected = Command {
                line: "ls -l; true".to_owned(),
                output: "one\ntwo\n".to_owned(),
                exit: Some(2),
                running: false,
            };
            assert_eq!(*first, expected, "cut every {cut} bytes");
            // The shell did not tell the second line, so its echo is taken.
            let running = commands.last().unwrap();
            assert_eq!((running.line.as_str(), running.running), ("sleep 5", true));
        }
    }

    #[test]
    fn who_tells_nothing_has_no_commands() {
        let commands = after(b"$ ls\r\none\r\n$ ", 3);
        assert_eq!((commands.at_prompt(), commands.last()), (None, None));
    }

    #[test]
    fn a_prompt_without_a_command_ends_none() {
        let commands = after(
            b"\x1b]133;A\x07$ \x1b]133;B\x07^C\r\n\x1b]133;A\x07$ \x1b]133;B\x07",
            4,
        );
        assert_eq!((commands.ended(), commands.at_prompt()), (0, Some(true)));
    }

    #[test]
    fn only_the_newest_commands_and_the_ends_of_long_output_are_kept() {
        let mut commands = Commands::new();
        for n in 0..30 {
            commands.feed(format!("\x1b]133;A\x07\x1b]133;B\x07c{n}\x1b]133;C\x07").as_bytes());
            commands.feed(&b"0123456789abcde\n".repeat(10_000));
            commands.feed(b"\x1b]133;D;0\x07");
        }
        assert_eq!((commands.ended(), commands.done.len()), (30, 20));
        let last = commands.last().unwrap();
        assert_eq!(last.line, "c29");
        assert!(last.output.len() < 70_000, "{}", last.output.len());
        assert!(last.output.contains("left out"));
        assert!(last.output.ends_with("abcde\n"));
    }

    #[test]
    fn a_line_s_escapes_are_read() {
        assert_eq!(unescaped(r"a\x0ab\\x3b \q \x"), "a\nb\\x3b \\q \\x");
    }
}
