//! Terminals through the whole stack: what goes in and out, what is left of them, and what people may have.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Blob, Command, SessionId, Size, TerminalId, TerminalState};
use duplex_testkit::{Feed, Person, Process, Stack, StackOptions, wait_for};
use duplex_wire::OwnTerminal;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const SIZE: Size = Size { cols: 80, rows: 24 };

struct Scene {
    stack: Stack,
    ada: Person,
    session: SessionId,
    feed: Feed,
}

impl Scene {
    async fn new() -> Self {
        Self::with(StackOptions::default()).await
    }

    async fn with(options: StackOptions) -> Self {
        let stack = Stack::start_with(options).await.unwrap();
        let ada = stack.ada().await.unwrap();
        let session = ada.opens(&stack.workspace).await.unwrap();
        let mut feed = ada.watches(session).await.unwrap();
        feed.draws = true;
        feed.has_drawn().await.unwrap();
        Self {
            stack,
            ada,
            session,
            feed,
        }
    }

    async fn opens_terminal(&mut self) -> TerminalId {
        let open = Command::OpenTerminal { size: SIZE };
        let terminal = TerminalId(self.feed.commands(open).await.unwrap());
        self.prints(terminal, "$").await;
        terminal
    }

    async fn types(&mut self, terminal: TerminalId, keys: &str) {
        let data = Blob(keys.as_bytes().to_vec());
        let command = Command::Type { terminal, data };
        self.feed.commands(command).await.unwrap();
    }

    async fn prints(&mut self, terminal: TerminalId, text: &str) {
        let printed = |feed: &Feed| feed.printed(terminal).contains(text);
        self.feed.sees(text, printed).await.unwrap();
    }
}

/// How many processes were started with this word.
fn running(word: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands =
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let words = commands.map(|command| String::from_utf8_lossy(&command).into_owned());
    words.filter(|command| command.contains(word)).count()
}

/// A process tree's last process is to be gone this soon.
const GONE: Duration = Duration::from_secs(10);

async fn are_gone(word: &str) {
    let gone = wait_for("the processes to be gone", async || {
        Ok((running(word) == 0).then_some(()))
    });
    let gone = tokio::time::timeout(GONE, gone).await;
    gone.unwrap().unwrap();
}

/// Children that leave the shell's session, ignore its hang-up, or lose their parent.
fn escapees(number: &str) -> String {
    format!(
        "setsid sleep {number} & nohup sleep {number} >/dev/null 2>&1 & (sleep {number} &) ; \
         trap '' HUP TERM INT; sleep {number}\n"
    )
}

#[tokio::test]
async fn a_closed_terminal_leaves_no_process() {
    let mut scene = Scene::new().await;
    let terminal = scene.opens_terminal().await;
    let number = "71234501";
    scene.types(terminal, &escapees(number)).await;
    wait_for("four sleepers", async || {
        Ok((running(number) >= 4).then_some(()))
    })
    .await
    .unwrap();

    let close = Command::CloseTerminal { terminal };
    scene.feed.commands(close).await.unwrap();

    let exited =
        |feed: &Feed| feed.picture.session.terminals[&terminal].state != TerminalState::Running;
    scene.feed.sees("its end", exited).await.unwrap();
    are_gone(number).await;
}

#[tokio::test]
async fn an_ended_session_leaves_no_process_even_if_its_runner_died() {
    let mut scene = Scene::new().await;
    let number = "71234502";
    let terminal = scene.opens_terminal().await;
    scene.types(terminal, &escapees(number)).await;
    wait_for("four sleepers", async || {
        Ok((running(number) >= 4).then_some(()))
    })
    .await
    .unwrap();

    scene.stack.kill(Process::Runner).await.unwrap();
    scene
        .ada
        .commands(scene.session, Command::End)
        .await
        .unwrap();

    are_gone(number).await;
}

#[tokio::test]
async fn two_terminals_do_not_mix() {
    let mut scene = Scene::new().await;
    let [one, two] = [scene.opens_terminal().await, scene.opens_terminal().await];
    scene.types(one, "x=one; seq 1 20000; echo e''nd\n").await;
    scene
        .types(two, "y=two; seq 30001 50000; echo e''nd\n")
        .await;
    scene.prints(one, "\nend").await;
    scene.prints(two, "\nend").await;
    scene.types(one, "echo [$x$y]\n").await;
    scene.types(two, "echo [$x$y]\n").await;
    scene.prints(one, "[one]").await;
    scene.prints(two, "[two]").await;

    let numbers = |from: u32, to: u32| {
        let lines: Vec<String> = (from..=to).map(|n| n.to_string()).collect();
        lines.join("\r\n")
    };
    assert!(scene.feed.printed(one).contains(&numbers(1, 20_000)));
    assert!(scene.feed.printed(two).contains(&numbers(30_001, 50_000)));
    assert!(!scene.feed.printed(one).contains("30001"));
}

#[tokio::test]
async fn every_byte_arrives_as_it_was_put_out() {
    let mut scene = Scene::new().await;
    let terminal = scene.opens_terminal().await;
    // Who does not say what is drawn is sent everything, however slow it is.
    scene.feed = scene.ada.watches(scene.session).await.unwrap();
    // Every byte but those that the gate looks into: a question to the terminal, escapes, and their like of one byte.
    // 0x80 to 0x9f come within letters: À to ß.
    let letters = ('\u{c0}'..='\u{df}').collect::<String>();
    let plain: Vec<u8> = (0..=255_u8)
        .filter(|byte| *byte != 0x05 && *byte != 0x1b && !(0x80..=0x9f).contains(byte))
        .chain(letters.into_bytes())
        .collect();
    let bytes = plain.repeat(10_000_000 / plain.len());
    // Others may write the workspace's own folder only through git: the program makes the bytes itself.
    let program = "import sys, tty; tty.setraw(1); \
        plain = bytes(b for b in range(256) if b not in (5, 27) and not 128 <= b <= 159) + bytes(b''.join(b'\\xc3' + bytes([b]) for b in range(128, 160))); \
        sys.stdout.buffer.write(b'<<<' + plain * N + b'>>>')";
    let program = program.replace('N', &(bytes.len() / plain.len()).to_string());
    scene
        .types(
            terminal,
            &format!("python3 -c \"{program}\"; stty sane; echo do''ne\n"),
        )
        .await;
    scene.prints(terminal, "done").await;

    let all = &scene.feed.terminals[&terminal];
    let find = |word: &[u8]| all.windows(word.len()).position(|part| part == word);
    // The command line shows the sign too, but not with what follows it.
    let start = find(b"<<<\x00\x01").unwrap() + 3;
    let told = &all[start..start + bytes.len()];
    let differs = told
        .iter()
        .zip(&bytes)
        .position(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert!(all[start + bytes.len()..].starts_with(b">>>"));
    assert_eq!(scene.feed.picture.session.terminals[&terminal].elided, 0);
}

#[tokio::test]
async fn typed_text_that_looks_like_a_command_is_only_typed() {
    let mut scene = Scene::new().await;
    let terminal = scene.opens_terminal().await;
    scene.types(terminal, "cat\n").await;
    // The shell tells that it runs something; until then it would read what is typed itself.
    scene.prints(terminal, "\x1b]133;C").await;
    let looks = json!({ "type": "command", "id": "0", "session": scene.session.to_string(),
        "command": { "type": "resize", "terminal": terminal.to_string(), "cols": 10, "rows": 5 } });
    scene.types(terminal, "{\"resize\":[1,1]}\n\x04").await;
    scene
        .prints(terminal, "{\"resize\":[1,1]}\r\n{\"resize\":[1,1]}")
        .await;
    let text = looks.to_string();
    scene
        .types(terminal, &format!("echo '{text}' | wc -c; stty size\n"))
        .await;
    scene
        .prints(terminal, &format!("{}\r\n24 80", text.len() + 1))
        .await;
    assert_eq!(scene.feed.picture.session.terminals[&terminal].size, SIZE);
}

#[tokio::test]
async fn a_person_may_have_so_many_terminals_and_no_more() {
    let options = StackOptions {
        variables: vec![("DUPLEX_TERMINALS_PER_PERSON", "2")],
        ..StackOptions::default()
    };
    let mut scene = Scene::with(options).await;
    let first = scene.opens_terminal().await;
    scene.opens_terminal().await;
    let own = async |count: usize| {
        wait_for("the views to know", async || {
            let own: Vec<OwnTerminal> = scene.ada.get("/api/terminals").await?;
            Ok((own.len() == count).then_some(own))
        })
        .await
        .unwrap()
    };
    assert_eq!(own(2).await[0].terminal, first);

    let other = scene.ada.opens(&scene.stack.workspace).await.unwrap();
    let open = json!({ "command": { "type": "open_terminal", "cols": 80, "rows": 24 } });
    let path = format!("/api/sessions/{other}/commands");
    let (status, said) = scene.ada.post_status(&path, &open).await.unwrap();
    assert_eq!(
        (status.as_u16(), said["error"]["code"].as_str()),
        (409, Some("too_many_of_yours"))
    );

    let close = Command::CloseTerminal { terminal: first };
    scene.ada.commands(scene.session, close).await.unwrap();
    own(1).await;
    let (status, _) = scene.ada.post_status(&path, &open).await.unwrap();
    assert!(status.is_success());
}

#[tokio::test]
async fn a_terminal_is_saved_as_text_and_as_a_recording() {
    let mut scene = Scene::new().await;
    let terminal = scene.opens_terminal().await;
    scene
        .types(
            terminal,
            "printf '\\033[31mr''ed\\033[0m\\n'; echo ov''er\n",
        )
        .await;
    scene.prints(terminal, "over").await;
    let path = format!("/api/sessions/{}/terminals/{terminal}", scene.session);
    let saved = async |kind: &str| {
        let request = scene.ada.request(Method::GET, &format!("{path}/{kind}"));
        request.send().await.unwrap().text().await.unwrap()
    };

    let text = saved("text").await;
    assert!(text.contains("\nred\nover\n"), "{text}");
    assert!(!text.contains('\x1b'));

    let cast = saved("cast").await;
    let mut lines = cast.lines().map(|line| serde_json::from_str(line).unwrap());
    let head: serde_json::Value = lines.next().unwrap();
    assert_eq!((&head["version"], &head["width"]), (&json!(2), &json!(80)));
    let events: Vec<(f64, String, String)> = lines
        .map(|line| serde_json::from_value(line).unwrap())
        .collect();
    assert!(events.is_sorted_by(|a, b| a.0 <= b.0));
    let output = events.iter().filter(|event| event.1 == "o");
    let output: String = output.map(|event| event.2.as_str()).collect();
    assert!(output.contains("\x1b[31mred\x1b[0m"), "{output}");

    let stranger = reqwest::get(format!("{}{path}/text", scene.stack.url)).await;
    assert_eq!(stranger.unwrap().status().as_u16(), 401);
}
