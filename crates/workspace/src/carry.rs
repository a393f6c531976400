//! Carrying a session's branch from its own git folder, which its commands write, into the repository.
//!
//! The server never opens the session's git folder with git. Git reads it in the session's sandbox and puts out a pack,
//! which is checked whole before the repository sees it; then one reference moves, if it is as it was left.

mod import;
pub(crate) mod names;

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStdout;

use crate::beneath::Beneath;
use crate::checkpoint::{Places, read, write};
use crate::{WorkspaceError, Worktree, git, inside};

const DOING: &str = "take over the session's commits";

/// What a session commits between two looks is packed in less.
const PATIENCE: Duration = Duration::from_mins(2);

/// Bytes of a reference's file that are looked at.
const REFERENCE: u64 = 512;
/// Bytes of the lines before a pack.
const HEADER: u64 = 2048;

/// Says where the branch and HEAD are, and puts out a pack of what the repository does not have. Objects that are in
/// the repository, or in one it borrows from, are left out.
const EXPORT: &str = r#"
tip=$(git rev-parse --verify --quiet "refs/heads/$1^{commit}") || tip=
head=$(git rev-parse --verify --quiet "HEAD^{commit}") || head=
on=$(git symbolic-ref --quiet HEAD) || on=
printf '%s\n' "${tip:--}" "${head:--}" "${on:--}"
{ printf '%s\n' $tip $head; cat; } |
  git -c core.bigFileThreshold=64m -c pack.threads=1 pack-objects -q --revs --stdout --local --thin --delta-base-offset
"#;

/// What the repository has of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The newest commit of the session's branch; nothing if the branch is gone.
    pub(crate) tip: Option<String>,
    /// The commit the session's files are on.
    pub(crate) head: Option<String>,
    /// The reference that HEAD names, in full.
    pub(crate) on: Option<String>,
    /// What the references' files held before.
    seen: Option<String>,
}

impl Worktree {
    /// Brings the session's branch in the repository up to date with what was committed inside. Nothing else of the
    /// session's git folder comes over. Cheap when nothing was committed.
    ///
    /// # Errors
    /// When what is inside is no sound history, is too much, or the branch in the repository was moved by others. The
    /// repository is as it was then, and the next call tries again.
    pub async fn carry(&self) -> Result<(), WorkspaceError> {
        let _alone = self.alone().await?;
        self.bring(false).await.map(|_| ())
    }

    /// The same, for who is alone already. `anew`: also if nothing seems to have changed.
    pub(crate) async fn bring(&self, anew: bool) -> Result<Carried, WorkspaceError> {
        let known = self.carried().await;
        let seen = fingerprint(self);
        if !anew && seen.is_some() && known.seen == seen {
            return Ok(known);
        }
        let mut carried = inside::within(self, DOING, PATIENCE, self.fetch(&known)).await?;
        self.keep_head(&carried).await?;
        let places = Places::of(self);
        let Some(tip) = carried.tip.clone() else {
            carried.tip = known.tip;
            write(&places.carried, &carried.line()).await?;
            let lost = format!(
                "the branch {} is gone or broken in the session",
                self.branch
            );
            return Err(inside::failed(self, DOING, &lost));
        };
        self.move_branch(known.tip.as_deref(), &tip).await?;
        carried.seen = seen;
        write(&places.carried, &carried.line()).await?;
        Ok(carried)
    }

    /// What was carried last.
    pub(crate) async fn carried(&self) -> Carried {
        let line = read(&Places::of(self).carried).await;
        Carried::parse(&line.unwrap_or_default())
    }

    /// The commit the files were on when the session's git was last heard.
    pub(crate) async fn head(&self) -> Result<String, WorkspaceError> {
        match self.carried().await.head {
            Some(head) => Ok(head),
            None => self.base().await,
        }
    }

    async fn fetch(&self, known: &Carried) -> Result<Carried, WorkspaceError> {
        let base = self.base().await?;
        let mut child = inside::start(self, &["/bin/sh", "-c", EXPORT, "sh", &self.branch])?;
        let mut had = String::new();
        let ids = [Some(&base), known.tip.as_ref(), known.head.as_ref()];
        for id in ids.into_iter().flatten() {
            let _ = writeln!(had, "^{id}");
        }
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(had.as_bytes()).await;
        }
        let stdout = child.stdout.take().map(BufReader::new);
        let mut stdout = stdout.ok_or_else(|| inside::failed(self, DOING, "no answer"))?;
        // It ends the pipe when it gives up, so that who writes there ends too.
        let receive = async move {
            let carried = header(&mut stdout).await;
            let carried = carried.ok_or_else(|| inside::failed(self, DOING, "no sound answer"))?;
            import::receive(self, &carried, &mut stdout).await?;
            Ok::<_, WorkspaceError>(carried)
        };
        let (received, complaints) = tokio::join!(receive, inside::complaints(&mut child));
        match received {
            // What went wrong inside comes first: the rest follows from it.
            Err(error) if complaints.is_empty() => Err(error),
            Err(_) => Err(inside::failed(self, DOING, &complaints)),
            Ok(carried) => {
                inside::end(self, child, &complaints, DOING).await?;
                import::accept(self).await?;
                Ok(carried)
            }
        }
    }

    /// The commit that the files are on may be on no branch of the repository's.
    async fn keep_head(&self, carried: &Carried) -> Result<(), WorkspaceError> {
        let Some(head) = &carried.head else {
            return Ok(());
        };
        let mut git = git::on_origin(self);
        let name = format!("refs/duplex/{}/head", self.session());
        git.args(["update-ref", &name, head]);
        git::run(git, DOING, &self.repository).await.map(|_| ())
    }

    /// Moves the branch in the repository, unless others did or are at work on it.
    async fn move_branch(&self, before: Option<&str>, tip: &str) -> Result<(), WorkspaceError> {
        let name = format!("refs/heads/{}", self.branch);
        let mut ask = git::on_origin(self);
        let format = "--format=%(objectname) %(worktreepath)";
        ask.args(["for-each-ref", "--count=1", format, &name]);
        let now = git::run(ask, DOING, &self.repository).await?;
        let (now, checked_out) = now.split_once(' ').unwrap_or((&now, ""));
        if now == tip {
            return Ok(());
        }
        if !checked_out.is_empty() {
            return Err(WorkspaceError::BranchInUse(self.branch.clone()));
        }
        let own = now.is_empty() || before == Some(now) || self.is_older(now, tip).await;
        if !own {
            return Err(WorkspaceError::BranchMoved(self.branch.clone()));
        }
        let old = if now.is_empty() {
            "0".repeat(tip.len())
        } else {
            now.to_owned()
        };
        let mut git = git::on_origin(self);
        git.args(["update-ref", "-m", "session", &name, tip, &old]);
        git::run(git, DOING, &self.repository).await.map(|_| ())
    }

    async fn is_older(&self, old: &str, new: &str) -> bool {
        let mut git = git::on_origin(self);
        git.args(["merge-base", "--is-ancestor", old, new]);
        git::run(git, DOING, &self.repository).await.is_ok()
    }
}

impl Carried {
    /// One line, as it is kept.
    fn line(&self) -> String {
        let words = [&self.tip, &self.head, &self.on, &self.seen];
        let words = words.map(|word| word.as_deref().unwrap_or("-"));
        words.join(" ")
    }

    fn parse(line: &str) -> Self {
        let mut words = line.splitn(4, ' ').map(known);
        Self {
            tip: words.next().flatten(),
            head: words.next().flatten(),
            on: words.next().flatten(),
            seen: words.next().flatten(),
        }
    }
}

fn known(word: &str) -> Option<String> {
    (!matches!(word, "" | "-")).then(|| word.to_owned())
}

/// The three lines before a pack: two ids or `-`, and a reference or `-`.
async fn header(stdout: &mut BufReader<ChildStdout>) -> Option<Carried> {
    let mut limited = stdout.take(HEADER);
    let mut lines = Vec::new();
    for _ in 0..3 {
        let mut line = String::new();
        limited.read_line(&mut line).await.ok()?;
        lines.push(line.strip_suffix('\n')?.to_owned());
    }
    let [tip, head, on] = <[String; 3]>::try_from(lines).ok()?;
    let sound = |word: &String| word == "-" || is_id(word);
    let named = !on.contains(|c: char| c.is_whitespace() || c.is_control());
    (sound(&tip) && sound(&head) && named).then(|| Carried {
        tip: known(&tip),
        head: known(&head),
        on: known(&on),
        seen: None,
    })
}

fn is_id(word: &str) -> bool {
    matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the files of HEAD, its branch and the session's branch hold, if each is a file of its own: as long as they stay
/// the same, nothing was committed. They are read as what they are, somebody else's: no link leads the way.
fn fingerprint(worktree: &Worktree) -> Option<String> {
    let common = Beneath::open(&worktree.common).ok()?;
    let head = small(&common, "worktrees/tree/HEAD")?;
    let branch = small(&common, &format!("refs/heads/{}", worktree.branch))?;
    let on = match head.strip_prefix("ref: ") {
        Some(name) => small(&common, name)?,
        None => String::new(),
    };
    let all = format!("{head} {branch} {on}");
    (!all.contains(char::is_control)).then_some(all)
}

fn small(folder: &Beneath, path: &str) -> Option<String> {
    let file = folder.read_plain(Path::new(path)).ok()?;
    let mut text = String::new();
    file.take(REFERENCE).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_carried_is_remembered_in_a_line() {
        let carried = Carried {
            tip: Some("a".into()),
            head: None,
            on: Some("refs/heads/x".into()),
            seen: Some("ref: refs/heads/x b c".into()),
        };

        assert_eq!(Carried::parse(&carried.line()), carried);
        assert_eq!(Carried::parse(""), Carried::default());
    }
}
