//! Checkpoints, what differs between them, restores and commits, with real repositories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::{Place, SESSION, git};
use duplex_workspace::checkpoint::{LARGEST, Status};
use duplex_workspace::{Author, CommitError, RestoreError, Worktree};
use proptest::prelude::*;

/// Every file of a tree with its kind and bytes, `.git` aside.
fn picture(tree: &Path) -> BTreeMap<PathBuf, (char, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(tree).unwrap().to_owned();
            if name == Path::new(".git") {
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                all.insert(name, ('l', target.as_os_str().as_bytes().to_vec()));
            } else if meta.is_dir() {
                folders.push(path);
            } else {
                let kind = if meta.permissions().mode() & 0o100 == 0 {
                    'f'
                } else {
                    'x'
                };
                all.insert(name, (kind, fs::read(&path).unwrap()));
            }
        }
    }
    all
}

fn put(worktree: &Worktree, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    let path = worktree.tree.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

async fn desk() -> (Place, Worktree) {
    let place = Place::with_project();
    let worktree = place.worktree(SESSION).await;
    (place, worktree)
}

async fn back(worktree: &Worktree, to: &str) {
    let preview = worktree.restore_preview(to).await.unwrap();
    assert_eq!(preview.conflicts, Vec::<PathBuf>::new());
    worktree.restore(to, &preview.now).await.unwrap();
}

fn ada() -> Author {
    Author {
        name: "Ada".into(),
        email: "ada@example.org".into(),
    }
}

#[tokio::test]
async fn a_checkpoint_leaves_index_head_branch_and_stash_alone() {
    let (_place, worktree) = desk().await;
    put(&worktree, "staged", "s");
    git(&worktree.tree, &["add", "staged"]);
    put(&worktree, "hello.txt", "changed\n");
    put(&worktree, "new", "n");
    let before = fs::read(worktree.entry.join("index")).unwrap();
    let head = git(&worktree.tree, &["rev-parse", "HEAD"]);

    let checkpoint = worktree.checkpoint("turn 1").await.unwrap();

    assert_eq!(fs::read(worktree.entry.join("index")).unwrap(), before);
    assert_eq!(git(&worktree.tree, &["rev-parse", "HEAD"]), head);
    assert_eq!(worktree.base().await.unwrap(), head);
    assert_eq!(git(&worktree.tree, &["stash", "list"]), "");
    let files = git(
        &worktree.tree,
        &["ls-tree", "--name-only", &checkpoint.tree],
    );
    assert_eq!(files, "hello.txt\nnew\nstaged");
    let kept = git(
        &worktree.repository,
        &["rev-parse", &format!("refs/duplex/{SESSION}/1")],
    );
    assert_eq!(kept, checkpoint.commit);
}

#[tokio::test]
async fn a_checkpoint_of_nothing_new_is_the_one_before() {
    let (_place, worktree) = desk().await;
    put(&worktree, "new", "n");
    let first = worktree.checkpoint("one").await.unwrap();

    let second = worktree.checkpoint("two").await.unwrap();

    assert!(!first.unchanged && second.unchanged);
    assert_eq!((first.tree, first.commit), (second.tree, second.commit));
    let refs = git(
        &worktree.repository,
        &["for-each-ref", "--format=%(refname)", "refs/duplex"],
    );
    assert_eq!(
        refs,
        format!("refs/duplex/{SESSION}/1\nrefs/duplex/{SESSION}/head")
    );
}

#[tokio::test]
async fn ignored_large_and_nested_things_are_left_out_and_stay() {
    let (_place, worktree) = desk().await;
    put(&worktree, ".gitignore", "target/\n");
    let start = worktree.checkpoint("start").await.unwrap();
    put(&worktree, "target/out", "o");
    fs::File::create(worktree.tree.join("large"))
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    fs::create_dir(worktree.tree.join("inner")).unwrap();
    git(&worktree.tree.join("inner"), &["init", "-q"]);
    put(&worktree, "inner/file", "f");
    put(&worktree, "plain", "p");

    let checkpoint = worktree.checkpoint("now").await.unwrap();
    back(&worktree, &start.commit).await;

    assert_eq!(checkpoint.left_out.large, [PathBuf::from("large")]);
    assert_eq!(checkpoint.left_out.nested, [PathBuf::from("inner")]);
    assert!(!worktree.tree.join("plain").exists());
    for kept in ["target/out", "large", "inner/file", "inner/.git"] {
        assert!(worktree.tree.join(kept).exists(), "{kept}");
    }
}

#[tokio::test]
async fn odd_names_links_modes_and_line_ends_come_back_byte_for_byte() {
    let (_place, worktree) = desk().await;
    put(
        &worktree,
        ".gitattributes",
        "* text=auto eol=lf ident\n*.u16 working-tree-encoding=UTF-16\n",
    );
    put(&worktree, "crlf.txt", "a\r\nb\r\n$Id$\n");
    put(&worktree, "odd.u16", b"\xff\xfea\0");
    put(&worktree, "new\nline", "1");
    put(&worktree, "-rf", "2");
    put(&worktree, "back\\slash \"quoted\"", "3");
    put(&worktree, OsStr::from_bytes(b"latin\xe9"), b"\0\xff");
    put(&worktree, "a/b/c/tool", "#!/bin/sh\n");
    let tool = worktree.tree.join("a/b/c/tool");
    fs::set_permissions(tool, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/etc/passwd", worktree.tree.join("link")).unwrap();
    symlink("nowhere", worktree.tree.join("a/dangling")).unwrap();
    let all = picture(&worktree.tree);
    let full = worktree.checkpoint("full").await.unwrap();

    back(&worktree, &worktree.base().await.unwrap()).await;
    assert_eq!(picture(&worktree.tree).len(), 1);
    back(&worktree, &full.commit).await;

    assert_eq!(picture(&worktree.tree), all);
}

#[tokio::test]
async fn a_restore_can_be_undone() {
    let (_place, worktree) = desk().await;
    put(&worktree, "folder/file", "1");
    let first = worktree.checkpoint("1").await.unwrap();
    fs::remove_dir_all(worktree.tree.join("folder")).unwrap();
    put(&worktree, "folder", "now a file");
    worktree.checkpoint("2").await.unwrap();
    let then = picture(&worktree.tree);
    let preview = worktree.restore_preview(&first.commit).await.unwrap();

    let restored = worktree.restore(&first.commit, &preview.now).await.unwrap();
    assert_eq!(restored.after.tree, first.tree);
    assert_eq!(fs::read(worktree.tree.join("folder/file")).unwrap(), b"1");
    back(&worktree, &restored.before.commit).await;

    assert_eq!(picture(&worktree.tree), then);
}

#[tokio::test]
async fn what_others_changed_since_is_not_overwritten() {
    let (_place, worktree) = desk().await;
    put(&worktree, "agent", "1");
    let first = worktree.checkpoint("1").await.unwrap();
    put(&worktree, "agent", "2");
    put(&worktree, "other", "o");
    worktree.checkpoint("2").await.unwrap();
    put(&worktree, "agent", "mine");

    let preview = worktree.restore_preview(&first.commit).await.unwrap();
    let refused = worktree
        .restore(&first.commit, &preview.now)
        .await
        .unwrap_err();

    assert_eq!(preview.conflicts, [PathBuf::from("agent")]);
    assert!(matches!(refused, RestoreError::Conflicts(paths) if paths == preview.conflicts));
    assert_eq!(fs::read(worktree.tree.join("agent")).unwrap(), b"mine");
    assert!(worktree.tree.join("other").exists());
}

#[tokio::test]
async fn a_large_file_in_a_restored_ones_place_is_not_overwritten() {
    let (_place, worktree) = desk().await;
    put(&worktree, "data", "small");
    let first = worktree.checkpoint("1").await.unwrap();
    fs::remove_file(worktree.tree.join("data")).unwrap();
    worktree.checkpoint("2").await.unwrap();
    fs::File::create(worktree.tree.join("data"))
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();

    let preview = worktree.restore_preview(&first.commit).await.unwrap();

    assert_eq!(preview.conflicts, [PathBuf::from("data")]);
}

#[tokio::test]
async fn a_restore_of_another_state_than_the_shown_one_is_refused() {
    let (_place, worktree) = desk().await;
    let first = worktree.checkpoint("1").await.unwrap();
    put(&worktree, "file", "2");
    worktree.checkpoint("2").await.unwrap();
    let preview = worktree.restore_preview(&first.commit).await.unwrap();
    put(&worktree, "late", "x");

    let refused = worktree
        .restore(&first.commit, &preview.now)
        .await
        .unwrap_err();

    assert!(matches!(refused, RestoreError::Changed { .. }), "{refused}");
    assert!(worktree.tree.join("file").exists() && worktree.tree.join("late").exists());
}

#[tokio::test]
async fn a_restore_that_was_cut_off_is_finished_by_asking_again() {
    let (_place, worktree) = desk().await;
    let first = worktree.checkpoint("1").await.unwrap();
    for file in ["a", "b", "c"] {
        put(&worktree, file, file);
    }
    let second = worktree.checkpoint("2").await.unwrap();
    // As a crash leaves it: the note is written, one file is gone, git's lock is still there.
    let beside = worktree.tree.parent().unwrap().join("git");
    let note = format!("{} {} {}", first.tree, second.tree, second.commit);
    fs::write(beside.join("duplex.restoring"), note).unwrap();
    fs::write(beside.join("duplex.index.lock"), "").unwrap();
    fs::remove_file(worktree.tree.join("a")).unwrap();

    let restored = worktree.restore(&first.commit, &second.tree).await.unwrap();

    assert_eq!(
        (restored.before.tree, restored.after.tree),
        (second.tree, first.tree)
    );
    assert_eq!(picture(&worktree.tree).len(), 1);
    assert!(!beside.join("duplex.restoring").exists());
}

#[tokio::test]
async fn changes_tell_what_happened_to_each_file() {
    let (_place, worktree) = desk().await;
    put(&worktree, "long name", "one\ntwo\nthree\nfour\n");
    put(&worktree, "gone", "x\n");
    let from = worktree.checkpoint("from").await.unwrap();
    fs::rename(worktree.tree.join("long name"), worktree.tree.join("moved")).unwrap();
    fs::remove_file(worktree.tree.join("gone")).unwrap();
    put(&worktree, "hello.txt", "hello\nthere\nworld\n");
    put(&worktree, "binary", b"\0\x01");

    let changes = worktree.changes_now(&from.commit).await.unwrap();

    let told: Vec<_> = changes
        .files
        .iter()
        .map(|file| {
            let old = file.old_path.as_ref().map(|path| path.to_str().unwrap());
            (
                file.path.to_str().unwrap(),
                old,
                file.status,
                file.added,
                file.removed,
                file.binary,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("binary", None, Status::Added, 0, 0, true),
            ("gone", None, Status::Deleted, 0, 1, false),
            ("hello.txt", None, Status::Modified, 1, 0, false),
            ("moved", Some("long name"), Status::Renamed, 0, 0, false),
        ]
    );
    let parts = changes
        .diff
        .lines()
        .filter(|line| line.starts_with("diff --git "));
    assert_eq!(parts.count(), 4);
    assert!(changes.diff.contains("\n+there\n"), "{}", changes.diff);
}

#[tokio::test]
async fn a_long_diff_is_cut_with_a_line_that_says_so() {
    let (_place, worktree) = desk().await;
    put(&worktree, "a", "line\n".repeat(100_000));
    put(&worktree, "b", "short\n");
    let base = worktree.base().await.unwrap();

    let changes = worktree.changes_now(&base).await.unwrap();

    assert!(changes.diff.len() < 200_000);
    assert!(
        changes
            .diff
            .contains("[the rest of this file's diff is left out: it is too long]\n")
    );
    assert!(
        changes.diff.ends_with("+short\n"),
        "{}",
        changes.files.len()
    );
    assert_eq!(changes.files[0].added, 100_000);
}

#[tokio::test]
async fn a_commit_takes_all_files_or_the_chosen_ones() {
    let (_place, worktree) = desk().await;
    let base = worktree.base().await.unwrap();
    put(&worktree, "one", "1");
    put(&worktree, "two", "2");
    put(&worktree, "staged", "s");
    git(&worktree.tree, &["add", "staged"]);

    let some = worktree
        .commit("add one", &ada(), Some(&["one".into()]))
        .await
        .unwrap();

    assert_eq!(git(&worktree.tree, &["rev-parse", worktree.branch()]), some);
    assert_eq!(
        git(&worktree.tree, &["log", "-1", "--format=%P %an <%ae> %s"]),
        format!("{base} Ada <ada@example.org> add one")
    );
    assert_eq!(
        git(&worktree.tree, &["status", "--porcelain"]),
        "A  staged\n?? two"
    );
    worktree.commit("the rest", &ada(), None).await.unwrap();
    assert_eq!(git(&worktree.tree, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn an_empty_commit_and_an_empty_message_are_refused() {
    let (_place, worktree) = desk().await;

    let nothing = worktree.commit("why", &ada(), None).await.unwrap_err();
    put(&worktree, "one", "1");
    let silent = worktree.commit(" \n", &ada(), None).await.unwrap_err();
    git(&worktree.tree, &["switch", "-q", "-c", "elsewhere"]);
    let elsewhere = worktree.commit("x", &ada(), None).await.unwrap_err();

    assert!(matches!(nothing, CommitError::Nothing), "{nothing}");
    assert!(matches!(silent, CommitError::NoMessage), "{silent}");
    assert!(matches!(elsewhere, CommitError::OtherBranch(name) if name == "elsewhere"));
}

#[tokio::test]
async fn a_commit_keeps_what_is_in_a_submodules_place() {
    let (place, worktree) = desk().await;
    let inner = place.unborn("inner");
    fs::write(inner.join("file"), "f").unwrap();
    git(&inner, &["add", "."]);
    git(
        &inner,
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@x",
            "commit",
            "-qm",
            "inner",
        ],
    );
    let inner = inner.to_str().unwrap();
    git(
        &worktree.tree,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "-q",
            inner,
            "sub",
        ],
    );
    git(
        &worktree.tree,
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@x",
            "commit",
            "-qm",
            "submodule",
        ],
    );
    put(&worktree, "sub/file", "changed inside");
    put(&worktree, "new", "n");
    let before = worktree.checkpoint("before").await.unwrap();

    worktree.commit("beside it", &ada(), None).await.unwrap();
    back(&worktree, &worktree.base().await.unwrap()).await;
    back(&worktree, &before.commit).await;

    assert!(git(&worktree.tree, &["ls-tree", "HEAD", "sub"]).starts_with("160000 commit"));
    assert_eq!(
        fs::read(worktree.tree.join("sub/file")).unwrap(),
        b"changed inside"
    );
}

/// Settings that name a program.
const PROGRAMS: [&str; 17] = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.editor",
    "core.pager",
    "core.askPass",
    "gpg.program",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "merge.evil.driver",
    "sequence.editor",
    "credential.helper",
    "core.alternateRefsCommand",
    "uploadpack.packObjectsHook",
];

/// A program that leaves its name in the file `evil`, named by every setting, attribute and hook there is.
fn set_traps(place: &Place, evil: &Path) {
    let project = place.path("roots/project");
    let program = place.path("evil.sh");
    fs::write(
        &program,
        format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", evil.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let run = program.to_str().unwrap();
    fs::write(
        project.join(".gitattributes"),
        "* filter=evil diff=evil merge=evil\n",
    )
    .unwrap();
    git(&project, &["add", "."]);
    git(
        &project,
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@x",
            "commit",
            "-qm",
            "attributes",
        ],
    );
    for name in PROGRAMS {
        git(&project, &["config", name, run]);
    }
    git(&project, &["config", "commit.gpgSign", "true"]);
    git(&project, &["config", "filter.evil.required", "true"]);
    let hooks = project.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "post-checkout",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
    ] {
        fs::copy(&program, hooks.join(hook)).unwrap();
    }
    fs::write(
        project.join(".git/info/attributes"),
        "* filter=evil diff=evil\n",
    )
    .unwrap();
}

/// E18: each trap would leave a file behind if git stepped into it.
#[tokio::test]
async fn nothing_a_hostile_repository_names_is_run() {
    let place = Place::with_project();
    let evil = place.path("evil");
    set_traps(&place, &evil);

    let worktree = place.worktree(SESSION).await;
    put(&worktree, "hello.txt", "changed\n");
    put(&worktree, "new", "n\n");
    let first = worktree.checkpoint("1").await.unwrap();
    let base = worktree.base().await.unwrap();
    worktree.changes(&base, &first.commit).await.unwrap();
    back(&worktree, &base).await;
    back(&worktree, &first.commit).await;
    worktree.commit("all", &ada(), None).await.unwrap();

    let ran = fs::read_to_string(&evil).unwrap_or_default();
    assert_eq!(ran, "");
    assert_eq!(fs::read(worktree.tree.join("new")).unwrap(), b"n\n");
    // The traps do work: git as people run it steps into them.
    let status = std::process::Command::new("git")
        .current_dir(&worktree.repository)
        .arg("status")
        .output();
    status.unwrap();
    assert!(evil.exists());
}

#[tokio::test]
async fn words_that_are_no_ids_are_refused() {
    let (_place, worktree) = desk().await;

    for word in ["HEAD", "--output=x", "", "main"] {
        let error = worktree.changes_now(word).await.unwrap_err();
        assert!(error.to_string().contains("not the id"), "{error}");
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Write(u8, Vec<u8>),
    Remove(u8),
    Link(u8),
    Mode(u8),
}

fn place_of(worktree: &Worktree, number: u8) -> PathBuf {
    let names = [
        "a",
        "b",
        "dir/a",
        "dir/b",
        "dir/deep/c",
        "other/-x",
        "hello.txt",
        "b/inner",
    ];
    worktree.tree.join(names[usize::from(number) % names.len()])
}

fn clear(path: &Path) {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        fs::remove_dir_all(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
}

fn edit(worktree: &Worktree, edit: &Edit) {
    let (Edit::Write(at, _) | Edit::Remove(at) | Edit::Link(at) | Edit::Mode(at)) = edit;
    let path = place_of(worktree, *at);
    let parent = path.parent().unwrap();
    if fs::symlink_metadata(parent).is_ok_and(|meta| !meta.is_dir()) {
        clear(parent);
    }
    match edit {
        Edit::Mode(_) => {
            if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        Edit::Remove(_) => clear(&path),
        Edit::Write(_, bytes) => {
            clear(&path);
            fs::create_dir_all(parent).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        Edit::Link(_) => {
            clear(&path);
            fs::create_dir_all(parent).unwrap();
            symlink("a", &path).unwrap();
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    let one = prop_oneof![
        3 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(at, bytes)| Edit::Write(at, bytes)),
        1 => any::<u8>().prop_map(Edit::Remove),
        1 => any::<u8>().prop_map(Edit::Link),
        1 => any::<u8>().prop_map(Edit::Mode),
    ];
    prop::collection::vec(prop::collection::vec(one, 1..6), 2..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn restores_give_back_exactly_what_was_there(rounds in edits()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_place, worktree) = desk().await;
            let mut states = Vec::new();
            for round in &rounds {
                for change in round {
                    edit(&worktree, change);
                }
                let checkpoint = worktree.checkpoint("round").await.unwrap();
                states.push((checkpoint.commit, picture(&worktree.tree)));
            }
            for (commit, state) in states.iter().chain(states.iter().rev()) {
                back(&worktree, commit).await;
                assert_eq!(&picture(&worktree.tree), state);
            }
        });
    }
}

#[tokio::test]
async fn a_repository_with_long_ids_and_no_commit_works_as_well() {
    let place = Place::empty();
    let project = place.path("roots/project");
    fs::create_dir_all(&project).unwrap();
    git(&project, &["init", "-q", "--object-format=sha256"]);
    let worktree = place.worktree(SESSION).await;
    put(&worktree, "file", "f");
    let first = worktree.checkpoint("1").await.unwrap();
    fs::remove_file(worktree.tree.join("file")).unwrap();
    worktree.checkpoint("2").await.unwrap();

    back(&worktree, &first.commit).await;
    worktree.commit("file", &ada(), None).await.unwrap();

    assert_eq!(first.commit.len(), 64);
    assert_eq!(fs::read(worktree.tree.join("file")).unwrap(), b"f");
    assert_eq!(git(&worktree.tree, &["status", "--porcelain"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_swapped_for_a_link_while_it_is_recorded_brings_nothing_in_from_elsewhere() {
    let (place, worktree) = desk().await;
    place.file("elsewhere/file", "of somebody else");
    let [real, link, spare] = ["d", "link", "spare"].map(|name| worktree.tree.join(name));
    put(&worktree, "d/file", "mine");
    symlink(place.path("elsewhere"), &link).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);

    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for (from, to) in [
                    (&real, &spare),
                    (&link, &real),
                    (&real, &link),
                    (&spare, &real),
                ] {
                    fs::rename(from, to).unwrap();
                }
            }
        });
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for _ in 0..10 {
                    // Files that come and go may well be an error; what is elsewhere never comes.
                    let _ = worktree.checkpoint("turn").await;
                }
            });
        });
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });

    let id = git(&place.root, &["hash-object", "elsewhere/file"]);
    let have = std::process::Command::new("git")
        .current_dir(&worktree.repository)
        .args(["cat-file", "-e", &id])
        .output();
    assert!(!have.unwrap().status.success());
}
