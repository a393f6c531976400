//! Real programs on real terminals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use bytes::Bytes;
use duplex_terminal::{
    Closed, Echo, Exit, Input, Keeper, Kept, Launch, NotTaken, Pty, Size, SpawnError, spawn,
};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_mins(1);
const SIZE: Size = Size { cols: 80, rows: 24 };

/// A bash with its own empty home.
struct Shell {
    pty: Pty,
    seen: Vec<u8>,
    home: TempDir,
}

fn launch(home: &Path, args: &[&str]) -> Launch {
    let env = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TERM", "xterm-256color"),
        ("PS1", "ready> "),
    ];
    let mut env: Vec<_> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    env.push(("HOME".to_owned(), home.display().to_string()));
    Launch {
        program: "/bin/bash".into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        env,
        cwd: home.to_owned(),
    }
}

impl Shell {
    fn start(args: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let pty = spawn(&launch(home.path(), args), SIZE).unwrap();
        Self {
            pty,
            seen: Vec::new(),
            home,
        }
    }

    async fn interactive() -> Self {
        let mut shell = Self::start(&["--norc", "--noprofile", "-i"]);
        shell.until("ready> ").await;
        shell
    }

    fn runs(script: &str) -> Self {
        Self::start(&["-c", script])
    }

    async fn types(&self, text: &str) {
        self.pty
            .input
            .write(Bytes::copy_from_slice(text.as_bytes()))
            .await
            .unwrap();
    }

    /// Reads until `text` comes; gives what came before it.
    async fn until(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let place = self
                .seen
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(place) = place {
                let rest = self.seen.split_off(place + text.len());
                let seen = std::mem::replace(&mut self.seen, rest);
                return String::from_utf8_lossy(&seen[..place]).into_owned();
            }
            let batch = tokio::time::timeout_at(deadline, self.pty.output.recv()).await;
            let batch = batch.unwrap_or_default();
            let batch = batch.unwrap_or_else(|| unreachable!("no {text:?} in {:?}", self.seen()));
            self.seen.extend_from_slice(&batch);
        }
    }

    /// Reads to the end of the output.
    async fn rest(&mut self) -> Vec<u8> {
        while let Some(batch) = timeout(PATIENCE, self.pty.output.recv()).await.unwrap() {
            assert!(batch.len() <= 128 * 1024);
            self.seen.extend_from_slice(&batch);
        }
        std::mem::take(&mut self.seen)
    }

    async fn exit(&self) -> Exit {
        timeout(PATIENCE, self.pty.exit.wait()).await.unwrap()
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

async fn echo_becomes(input: &Input, echo: Echo) {
    eventually(|| input.echo() == echo).await;
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to be");
        // The condition is looked at again, nothing is assumed of the time.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn code(code: i32) -> Exit {
    Exit {
        code: Some(code),
        signal: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[tokio::test]
async fn a_shell_prompts_echoes_and_answers_in_its_own_folder() {
    let mut shell = Shell::interactive().await;
    shell.types("pwd; echo a''nswer; tty\r").await;
    shell.until("pwd; echo a''nswer").await;
    let home = shell.home.path().display().to_string();
    shell.until(&home).await;
    shell.until("answer").await;
    shell.until("/dev/pts/").await;
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    let mut shell = Shell::runs("env | cut -d= -f1 | sort | tr '\\n' ' '");
    let names = String::from_utf8(shell.rest().await).unwrap();
    // PWD, SHLVL and _ are the shell's own; bash drops PS1 where it does not prompt.
    assert_eq!(names, "HOME PATH PWD SHELL SHLVL TERM _ ");
}

#[tokio::test]
async fn a_resize_reaches_the_program_and_is_clamped() {
    let mut shell = Shell::runs(
        "stty size; trap 'stty size; exit' WINCH; echo waiting; while :; do read -t 1; done",
    );
    shell.until("24 80").await;
    shell.until("waiting").await;
    shell.pty.input.resize(Size {
        cols: 9_999,
        rows: 33,
    });
    shell.until("33 500").await;
}

#[tokio::test]
async fn control_c_stops_a_command_and_control_d_the_shell() {
    let mut shell = Shell::interactive().await;
    shell
        .types("bash -c 'echo sl\"\"eeping; exec sleep 1000'\r")
        .await;
    shell.until("sleeping").await;
    shell.types("\x03").await;
    shell.until("^C").await;
    shell.until("ready> ").await;
    shell.types("echo stopped with $?\r").await;
    shell.until("stopped with 130").await;
    shell.until("ready> ").await;
    shell.types("(exit 5)\r").await;
    shell.until("ready> ").await;
    shell.types("\x04").await;
    assert_eq!(shell.exit().await, code(5));
}

#[tokio::test]
async fn a_binary_burst_of_ten_megabytes_arrives_whole_and_in_order() {
    let script = "stty raw -echo; head -c 10000000 /dev/urandom > burst; echo start; cat burst; sha256sum < burst";
    let mut shell = Shell::runs(script);
    shell.until("start\n").await;
    let output = shell.rest().await;
    let (burst, said) = output.split_at(10_000_000);
    assert_eq!(
        String::from_utf8_lossy(said),
        format!("{}  -\n", hex(&Sha256::digest(burst)))
    );
    assert_eq!(shell.exit().await, code(0));
}

#[tokio::test]
async fn a_paste_of_a_megabyte_arrives_whole_and_in_order() {
    let mut shell =
        Shell::runs("stty raw -echo; echo go; head -c 1000000 > paste; sha256sum < paste");
    shell.until("go\n").await;
    let paste: Vec<u8> = (0..1_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    shell
        .pty
        .input
        .write(Bytes::from(paste.clone()))
        .await
        .unwrap();
    shell.until(&hex(&Sha256::digest(&paste))).await;
}

#[tokio::test]
async fn a_program_whose_output_nobody_takes_is_stopped_and_goes_on_later() {
    let mut shell = Shell::runs("seq 1 3000000; echo the end");
    let stat =
        || std::fs::read_to_string(format!("/proc/{}/stat", shell.pty.process.id())).unwrap();
    assert!(!stat().is_empty());
    // All that may wait: 2 batches, 16 reads, one of each in hand, and what the kernel holds.
    eventually(|| shell.pty.output.len() == 2).await;
    assert_eq!(shell.pty.exit.now(), None);
    let output = shell.rest().await;
    let lines: Vec<_> = (1..=3_000_000).map(|n| format!("{n}\r\n")).collect();
    let expected = lines.concat() + "the end\r\n";
    assert!(
        output == expected.as_bytes(),
        "{} bytes of {}",
        output.len(),
        expected.len()
    );
}

#[tokio::test]
async fn echo_is_told_apart() {
    let mut shell = Shell::interactive().await;
    echo_becomes(&shell.pty.input, Echo::Raw).await;
    shell
        .types("read -s secret; echo \"<$secret>\"; cat\r")
        .await;
    echo_becomes(&shell.pty.input, Echo::Hidden).await;
    shell.types("hunter2\r").await;
    shell.until("<hunter2>").await;
    echo_becomes(&shell.pty.input, Echo::Echo).await;
}

#[tokio::test]
async fn a_program_is_named_by_its_full_path_and_a_folder_must_exist() {
    let home = TempDir::new().unwrap();
    let good = launch(home.path(), &[]);
    let relative = Launch {
        program: "bin/bash".into(),
        ..good.clone()
    };
    let error = spawn(&relative, SIZE).unwrap_err();
    assert!(matches!(&error, SpawnError::RelativeProgram(path) if path == Path::new("bin/bash")));
    assert_eq!(
        error.to_string(),
        "the program bin/bash must be given by its full path"
    );

    let missing = Launch {
        program: home.path().join("none"),
        ..good.clone()
    };
    assert!(matches!(
        spawn(&missing, SIZE),
        Err(SpawnError::Start { .. })
    ));
    for cwd in [PathBuf::from("."), home.path().join("none")] {
        let nowhere = Launch {
            cwd: cwd.clone(),
            ..good.clone()
        };
        assert!(matches!(spawn(&nowhere, SIZE), Err(SpawnError::NoFolder(path)) if path == cwd));
    }
}

#[tokio::test]
async fn a_dropped_terminal_leaves_no_process_not_even_a_background_job() {
    let mut shell = Shell::interactive().await;
    shell
        .types("trap '' HUP TERM; sleep 1000 & echo \"job<$!>\"; echo \"shell<$$>\"; sleep 1001\r")
        .await;
    shell.until("job<").await;
    shell.until("job<").await;
    let job = shell.until(">").await;
    shell.until("shell<").await;
    let bash = shell.until(">").await;
    assert!(alive(&job) && alive(&bash));
    drop(shell);
    eventually(|| !alive(&job) && !alive(&bash)).await;
}

#[tokio::test]
async fn a_program_that_ignores_the_hang_up_is_terminated() {
    let mut shell = Shell::runs("trap '' HUP; echo ready; while :; do sleep 1000; done");
    shell.until("ready").await;
    timeout(PATIENCE, shell.pty.kill()).await.unwrap();
    assert_eq!(
        shell.exit().await,
        Exit {
            code: None,
            signal: Some(15)
        }
    );
    shell.rest().await;
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_grandchild_that_holds_the_terminal() {
    let mut shell =
        Shell::runs("trap '' HUP; setsid sleep 20 & sleep 100 & echo last words; exit 3");
    assert_eq!(shell.exit().await, code(3));
    assert_eq!(shell.rest().await, b"last words\r\n");
}

#[tokio::test]
async fn no_descriptor_is_inherited() {
    let file = std::fs::File::open("/dev/null").unwrap();
    // A copy without close-on-exec, as a careless library might leave one.
    let leaked = rustix::io::dup(&file).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&leaked);
    let mut shell = Shell::runs(&format!("test -e /proc/$$/fd/{number}; echo leaked: $?"));
    assert_eq!(shell.rest().await, b"leaked: 1\r\n");
}

#[tokio::test]
async fn keys_typed_after_the_end_are_refused() {
    let mut shell = Shell::runs("exit 0");
    shell.rest().await;
    shell.exit().await;
    let input = shell.pty.input.clone();
    drop(shell);
    assert_eq!(input.write("x".into()).await, Err(Closed));
    assert_eq!(input.try_write("x".into()), Err(NotTaken::Closed));
}

#[tokio::test]
async fn a_terminal_leaves_no_thread_although_nobody_read_its_keys() {
    let mut shell = Shell::runs("stty raw -echo; echo deaf; exec sleep 1000");
    shell.until("deaf").await;
    let ours = format!("-{}\n", shell.pty.process.id());
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.ends_with(&ours)).count()
    };
    assert_eq!(threads(), 2);
    let input = shell.pty.input.clone();
    while input.try_write(Bytes::from(vec![b'x'; 4096])) != Err(NotTaken::Full) {}
    drop(shell);
    eventually(|| threads() == 0).await;
}

/// Types a line key by key, as the runner does: the echo is read just before each key is written.
async fn types_past(keeper: &mut Keeper, shell: &Shell, keys: &str) {
    for key in keys.bytes() {
        let echo = shell.pty.input.echo();
        shell.types(&char::from(key).to_string()).await;
        keeper.typed(&[key], echo, std::time::Instant::now());
    }
}

/// Everything that may be kept, once the terminal no longer hides keys.
async fn kept(keeper: &mut Keeper, shell: &Shell) -> Vec<Kept> {
    eventually(|| shell.pty.input.echo() != Echo::Hidden).await;
    keeper.saw(shell.pty.input.echo(), std::time::Instant::now());
    keeper.finish()
}

fn only_secret(kept: Vec<Kept>) -> Vec<u32> {
    let count = |kept| match kept {
        Kept::Count(count) => Some(count),
        Kept::Bytes(_) => None,
    };
    kept.into_iter().filter_map(count).collect()
}

fn clear(kept: &[Kept]) -> String {
    let bytes = kept.iter().filter_map(|kept| match kept {
        Kept::Bytes(bytes) => Some(bytes.as_slice()),
        Kept::Count(_) => None,
    });
    String::from_utf8(bytes.collect::<Vec<_>>().concat()).unwrap()
}

/// A prompt as `sudo` and `su` make it: echo off, ask, read a line, echo back; and again after a wrong one.
const ASKS_TWICE: &str = "for try in 1 2; do stty -echo; printf 'Password: '; read -r word; stty echo; echo; \
                          echo \"got $word\"; done";

#[tokio::test]
async fn of_passwords_typed_into_real_prompts_only_rounded_counts_are_kept() {
    let mut shell = Shell::interactive().await;
    let mut keeper = Keeper::new();
    let command = "read -s secret; echo \"<$secret>\"\r";
    types_past(&mut keeper, &shell, command).await;
    echo_becomes(&shell.pty.input, Echo::Hidden).await;
    types_past(&mut keeper, &shell, "hunter2\r").await;
    shell.until("<hunter2>").await;
    shell.until("ready> ").await;
    echo_becomes(&shell.pty.input, Echo::Raw).await;
    types_past(&mut keeper, &shell, "echo after\r").await;
    let kept = kept(&mut keeper, &shell).await;
    // How much was typed within 150 ms of the prompt is up to the machine: that is in the count as well.
    assert!(clear(&kept).ends_with("echo after\r"), "{kept:?}");
    assert!(!clear(&kept).contains("hunter2"), "{kept:?}");
    assert!(only_secret(kept).iter().all(|count| count % 8 == 0));
}

#[tokio::test]
async fn a_prompt_that_asks_again_hides_both_answers() {
    let mut shell = Shell::runs(ASKS_TWICE);
    let mut keeper = Keeper::new();
    for word in ["wrongone", "a much longer second"] {
        shell.until("Password: ").await;
        echo_becomes(&shell.pty.input, Echo::Hidden).await;
        types_past(&mut keeper, &shell, &format!("{word}\r")).await;
        shell.until(&format!("got {word}")).await;
    }
    assert_eq!(keeper.finish(), [Kept::Count(16), Kept::Count(24)]);
}

#[tokio::test]
async fn a_real_su_asks_without_echo_and_its_answer_is_not_kept() {
    // Root is asked nothing, so somebody else asks for root.
    let root = rustix::process::getuid().is_root();
    let mut shell = if root {
        Shell::runs("exec setpriv --reuid 65534 --regid 65534 --clear-groups su root")
    } else {
        Shell::runs("exec su root")
    };
    let mut keeper = Keeper::new();
    shell.until("Password: ").await;
    echo_becomes(&shell.pty.input, Echo::Hidden).await;
    types_past(&mut keeper, &shell, "not the password\r").await;
    shell.rest().await;
    assert_eq!(keeper.finish(), [Kept::Count(24)]);
}

#[tokio::test]
async fn in_private_nothing_typed_into_a_raw_program_is_kept() {
    let mut shell = Shell::runs("stty raw -echo; echo raw; head -c 8 >/dev/null; echo done");
    let mut keeper = Keeper::new();
    shell.until("raw").await;
    assert_eq!(shell.pty.input.echo(), Echo::Raw);
    keeper.private(true, std::time::Instant::now());
    types_past(&mut keeper, &shell, "hunter2\r").await;
    shell.until("done").await;
    assert_eq!(keeper.finish(), [Kept::Count(8)]);
}
