//! Finding files by name, and lines by what is in them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs::{File, FileTimes};
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

async fn desk() -> Desk {
    Desk::new(SandboxMode::Off).await
}

impl Desk {
    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.tree().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Files of one age come in the order of their names.
    fn age(&self, path: &str, seconds: u64) {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 - seconds);
        let file = File::options().write(true).open(self.tree().join(path));
        let times = FileTimes::new().set_modified(then);
        file.unwrap().set_times(times).unwrap();
    }

    async fn grep(&self, input: Value) -> String {
        let outcome = self.tool("grep", input).await;
        assert!(!outcome.is_error, "{}", outcome.content);
        outcome.content
    }
}

#[tokio::test]
async fn files_are_found_by_name_newest_first() {
    let desk = desk().await;
    for (path, age) in [
        ("a.rs", 9),
        ("src/b.rs", 3),
        ("src/deep/c.rs", 6),
        (".hidden/d.rs", 12),
    ] {
        desk.put(path, "");
        desk.age(path, age);
    }
    let glob = async |input: Value| desk.tool("glob", input).await;

    let all = "src/b.rs\nsrc/deep/c.rs\na.rs\n.hidden/d.rs\n";
    assert_eq!(glob(json!({"pattern": "*.rs"})).await, ok(all));
    assert_eq!(
        glob(json!({"pattern": "**/*.rs", "path": "."})).await,
        ok(all)
    );
    assert_eq!(glob(json!({"pattern": "src/*.rs"})).await, ok("src/b.rs\n"));
    assert_eq!(
        glob(json!({"pattern": "*.rs", "path": "src/deep"})).await,
        ok("src/deep/c.rs\n")
    );
    assert_eq!(
        glob(json!({"pattern": "{a,b}.rs"})).await,
        ok("src/b.rs\na.rs\n")
    );
    assert_eq!(glob(json!({"pattern": "*.py"})).await, ok("no file fits\n"));
    assert_eq!(
        glob(json!({"pattern": "*", "path": "a.rs"})).await,
        failed("a.rs is a file: give a folder, or read it")
    );
    assert!(
        glob(json!({"pattern": "[a"}))
            .await
            .content
            .starts_with("the pattern cannot be read")
    );
}

#[tokio::test]
async fn more_files_than_are_shown_are_counted() {
    let desk = desk().await;
    for number in 0..250 {
        desk.put(&format!("many/{number:03}"), "");
        desk.age(&format!("many/{number:03}"), 5);
    }

    let found = desk
        .tool("glob", json!({"pattern": "many/*"}))
        .await
        .content;

    let lines: Vec<_> = found.lines().collect();
    assert_eq!(
        (lines.len(), lines[0], lines[199]),
        (201, "many/000", "many/199")
    );
    assert_eq!(
        lines[200],
        "[the newest 200 of 250 files: narrow the pattern down]"
    );
}

#[tokio::test]
async fn what_git_ignores_is_left_out_unless_asked_for_by_its_folder() {
    let desk = desk().await;
    desk.put(
        ".gitignore",
        "target/\n*.log\n!keep.log\n/only-top\n[broken\n",
    );
    desk.put("sub/.gitignore", "!noted.log\nprivate\n");
    std::fs::write(desk.context.worktree.origin.join("info/exclude"), "*.swp\n").unwrap();
    for path in [
        "target/x.txt",
        "a.log",
        "keep.log",
        "only-top",
        "sub/only-top",
        "sub/noted.log",
        "sub/private",
        "sub/inner/private",
        "b.swp",
        "private",
    ] {
        desk.put(path, "needle\n");
    }

    let found = desk.grep(json!({"pattern": "needle"})).await;
    let inside = desk
        .grep(json!({"pattern": "needle", "path": "target"}))
        .await;

    let lines =
        "keep.log:1:needle\nprivate:1:needle\nsub/noted.log:1:needle\nsub/only-top:1:needle\n";
    assert_eq!(found, lines);
    assert_eq!(inside, "target/x.txt:1:needle\n");
}

#[tokio::test]
async fn lines_are_found_with_those_around_them() {
    let desk = desk().await;
    desk.put("a.txt", "1\n2\nFind me\r\n4\n5\n6\n7\nfind too\n9");
    desk.put("b.rs", "fn find() {}\n");
    std::fs::write(desk.tree().join("binary"), b"find\0").unwrap();

    assert_eq!(
        desk.grep(json!({"pattern": "^find"})).await,
        "a.txt:8:find too\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "^find", "ignore_case": true, "context": 1}))
            .await,
        "a.txt-2-2\na.txt:3:Find me\na.txt-4-4\n--\na.txt-7-7\na.txt:8:find too\na.txt-9-9\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "[Ff]ind", "context": 2, "path": "a.txt"}))
            .await,
        "a.txt-1-1\na.txt-2-2\na.txt:3:Find me\na.txt-4-4\na.txt-5-5\na.txt-6-6\na.txt-7-7\na.txt:8:find too\na.txt-9-9\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "find", "glob": "*.rs"})).await,
        "b.rs:1:fn find() {}\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "me$"})).await,
        "a.txt:3:Find me\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "nowhere"})).await,
        "no line fits\n"
    );
    let bad = desk.tool("grep", json!({"pattern": "(("})).await;
    assert!(
        bad.is_error && bad.content.contains("no regular expression"),
        "{bad:?}"
    );
}

#[tokio::test]
async fn more_lines_than_are_shown_are_said_to_be_there() {
    let desk = desk().await;
    desk.put("many", "needle\n".repeat(10_000));
    desk.put("wide", format!("needle{}\n", "é".repeat(100_000)));

    let many = desk
        .grep(json!({"pattern": "needle", "path": "many"}))
        .await;
    let wide = desk
        .grep(json!({"pattern": "needle", "path": "wide"}))
        .await;

    assert!(many.lines().count() <= 2000 && many.len() <= 50 * 1024);
    assert!(many.ends_with("\n[there is more: narrow it down with pattern, path or glob]\n"));
    assert_eq!(
        wide,
        format!(
            "wide:1:needle{} [line cut, 200006 bytes long]\n",
            "é".repeat(247)
        )
    );
}

#[tokio::test]
async fn a_search_follows_no_link_and_leaves_the_worktree_by_no_path() {
    let desk = desk().await;
    desk.place.file("secret/key", "hush");
    symlink(desk.place.path("secret"), desk.tree().join("folder")).unwrap();
    symlink(desk.place.path("secret/key"), desk.tree().join("file")).unwrap();
    // A rule file that is a link would tell by what it hides what is in the file behind it.
    symlink(
        desk.place.path("secret/key"),
        desk.tree().join(".gitignore"),
    )
    .unwrap();
    desk.put("hush", "hush\n");
    desk.put("inner/real", "hush\n");
    symlink("inner", desk.tree().join("alias")).unwrap();
    let secret = desk.place.path("secret").display().to_string();

    assert_eq!(
        desk.grep(json!({"pattern": "hush"})).await,
        "hush:1:hush\ninner/real:1:hush\n"
    );
    assert_eq!(
        desk.grep(json!({"pattern": "hush", "path": "alias"})).await,
        "inner/real:1:hush\n"
    );
    for path in [
        "..",
        "../..",
        "folder",
        "file",
        "folder/key",
        "/",
        &secret,
        "/proc/self/root",
    ] {
        for (tool, pattern) in [("grep", "hush"), ("glob", "*")] {
            let outcome = desk
                .tool(tool, json!({"pattern": pattern, "path": path}))
                .await;
            assert!(
                outcome.is_error && outcome.content.contains("leads outside"),
                "{tool} {path}: {outcome:?}"
            );
        }
    }
    let above = desk.tool("glob", json!({"pattern": "../**"})).await;
    assert_eq!(above, ok("no file fits\n"));
}

#[tokio::test]
async fn folders_too_deep_to_name_are_survived() {
    let desk = desk().await;
    let deep = "mkdir -p $(printf 'd/%.0s' {1..1000}); cd $(printf 'd/%.0s' {1..1000}); \
                mkdir -p $(printf 'e/%.0s' {1..1500}); cd $(printf 'e/%.0s' {1..1500}); echo needle > far";
    assert!(!desk.bash(&format!("({deep})")).await.is_error);
    desk.put("near", "needle\n");

    assert_eq!(
        desk.grep(json!({"pattern": "needle"})).await,
        "near:1:needle\n"
    );
}

#[tokio::test]
async fn a_search_is_bounded_in_time() {
    let mut desk = desk().await;
    desk.put("hay", "x\n");
    desk.context.limits.time = Duration::ZERO;

    let late = desk.grep(json!({"pattern": "x"})).await;

    assert_eq!(
        late,
        "no line fits\n[not all files were searched: give a path or a glob]\n"
    );
}

#[tokio::test]
async fn a_search_is_interrupted() {
    let desk = desk().await;
    // Seconds of work, should nobody end it.
    desk.put("hay", "x\n".repeat(10_000_000));
    let cancel = CancellationToken::new();
    let input = json!({"pattern": "(a|b)+$"});
    let output = mpsc::channel(1).0;
    let call = tools::run(&desk.context, "grep", &input, output, cancel.clone());

    let interrupt = async { cancel.cancel() };
    let (stopped, ()) = tokio::join!(biased; call, interrupt);

    assert_eq!(stopped, failed("the search was interrupted"));
}
