//! A real bash tells of its commands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use duplex_terminal::{Command, Commands, Exit, Gate, Launch, Pty, Size, bash, spawn};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

struct Shell {
    pty: Pty,
    gate: Gate,
    commands: Commands,
    printed: Vec<u8>,
}

impl Shell {
    /// A shell at its first prompt, whose user has a prompt and a `PROMPT_COMMAND` of their own.
    async fn start(home: &Path) -> Self {
        let own = "PS1='me> '\nPROMPT_COMMAND='mine=\"$mine.\"'\nHISTCONTROL=ignorespace\n";
        std::fs::write(home.join(".bash_profile"), own).unwrap();
        let (argv, start) = bash();
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let launch = Launch {
            program: argv[0].clone().into(),
            args: argv[1..].to_vec(),
            env: vec![
                start,
                variable("HOME", home.to_str().unwrap()),
                variable("PATH", "/usr/bin:/bin"),
                variable("TERM", "xterm-256color"),
            ],
            cwd: home.to_owned(),
        };
        let mut shell = Self {
            pty: spawn(&launch, Size { cols: 80, rows: 24 }).unwrap(),
            gate: Gate::new(),
            commands: Commands::new(),
            printed: Vec::new(),
        };
        shell.until("the first prompt", Self::waits).await;
        shell
    }

    fn waits(&self) -> bool {
        self.commands.at_prompt() == Some(true)
    }

    async fn until(&mut self, what: &str, there: impl Fn(&Self) -> bool) {
        let reading = async {
            while !there(self) {
                let out = self.pty.output.recv().await.expect("the shell ended");
                let out = self.gate.feed(&out);
                self.commands.feed(&out);
                self.printed.extend(out);
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        let printed = String::from_utf8_lossy(&self.printed);
        assert!(read.is_ok(), "waited in vain for {what}: {printed:?}");
    }

    async fn types(&self, keys: &str) {
        let keys = keys.as_bytes().to_vec();
        self.pty.input.write(keys.into()).await.unwrap();
    }

    async fn runs(&mut self, line: &str) -> Command {
        let before = self.commands.ended();
        self.types(&format!("{line}\r")).await;
        self.until(line, |shell| {
            shell.commands.ended() > before && shell.waits()
        })
        .await;
        self.commands.last().unwrap()
    }
}

fn command(line: &str, output: &str, exit: i32) -> Command {
    Command {
        line: line.to_owned(),
        output: output.to_owned(),
        exit: Some(exit),
        running: false,
    }
}

#[tokio::test]
async fn lines_output_and_exit_codes_of_commands_are_known() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = Shell::start(home.path()).await;

    let said = shell.runs("echo one; echo two").await;
    assert_eq!(said, command("echo one; echo two", "one\ntwo\n", 0));
    assert_eq!(shell.runs("false").await, command("false", "", 1));
    // The code is still there for who asks, and the user's own commands ran at each prompt.
    assert_eq!(shell.runs("echo $?").await.output, "1\n");
    assert_eq!(shell.runs("echo $mine").await.output, "....\n");
    let sub = shell.runs("(exit 42)").await;
    assert_eq!((sub.exit, sub.output.as_str()), (Some(42), ""));
    assert!(String::from_utf8_lossy(&shell.printed).contains("me> "));
}

#[tokio::test]
async fn a_line_of_several_lines_is_told_whole() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = Shell::start(home.path()).await;

    let before = shell.commands.ended();
    shell.types("echo 'a;b\\\r").await;
    shell.types("c'\r").await;
    shell
        .until("both lines", |shell| {
            shell.commands.ended() > before && shell.waits()
        })
        .await;

    let said = shell.commands.last().unwrap();
    assert_eq!(said, command("echo 'a;b\\\nc'", "a;b\\\nc\n", 0));
}

#[tokio::test]
async fn what_the_history_does_not_take_is_read_from_the_echo() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = Shell::start(home.path()).await;
    shell.runs("echo kept").await;

    let said = shell.runs(" echo hidden").await;

    assert_eq!(said, command("echo hidden", "hidden\n", 0));
}

#[tokio::test]
async fn an_interrupted_line_is_no_command_and_exit_ends_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = Shell::start(home.path()).await;
    shell.types("echo nev\x03").await;
    shell
        .until("a new prompt", |shell| {
            let printed = String::from_utf8_lossy(&shell.printed).into_owned();
            printed
                .split("^C")
                .nth(1)
                .is_some_and(|rest| rest.contains("me> "))
        })
        .await;
    assert_eq!(shell.commands.ended(), 0);
    assert_eq!(shell.runs("echo then").await.output, "then\n");

    shell.types("exit 3\r").await;
    let exit = tokio::time::timeout(PATIENCE, shell.pty.exit.wait()).await;
    let expected = Exit {
        code: Some(3),
        signal: None,
    };
    assert_eq!(exit, Ok(expected));
}
