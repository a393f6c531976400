//! The repository's branches and tags, which a session has copies of: brought up to date where the session left them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::checkpoint::{Places, write};
use crate::{WorkspaceError, Worktree, git, inside};

const DOING: &str = "show the session the repository's branches";

/// Branches of sessions; each knows its own.
const SESSIONS: &str = "refs/heads/duplex/";

/// The name HEAD stands for, and then all names.
const LIST: &str = r#"
git symbolic-ref --quiet HEAD || echo -
git for-each-ref --format="%(objectname) %(refname)" refs/heads refs/tags refs/remotes
"#;

/// References by name.
pub(crate) type Names = BTreeMap<String, String>;

/// The repository's own.
pub(crate) async fn of_origin(worktree: &Worktree) -> Result<Names, WorkspaceError> {
    let mut git = git::on_origin(worktree);
    git.args(["for-each-ref", "--format=%(objectname) %(refname)"]);
    git.args(["refs/heads", "refs/tags", "refs/remotes"]);
    let list = git::run(git, DOING, &worktree.repository).await?;
    Ok(parse(&list))
}

/// Git's file of packed references that holds these.
pub(crate) fn packed(names: &Names) -> String {
    let mut text = String::new();
    for (name, id) in names {
        let _ = writeln!(text, "{id} {name}");
    }
    text
}

fn parse(list: &str) -> Names {
    list.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, name)| !name.starts_with(SESSIONS))
        .map(|(id, name)| (name.to_owned(), id.to_owned()))
        .collect()
}

impl Worktree {
    /// Tells the session's git where the repository's branches and tags are by now. What the session moved itself, and
    /// the branch it is on, stay.
    pub(crate) async fn tell_names(&self) -> Result<(), WorkspaceError> {
        let places = Places::of(self);
        let now = of_origin(self).await?;
        let given = tokio::fs::read_to_string(&places.given).await;
        let given = parse(&given.unwrap_or_default());
        if now == given {
            return Ok(());
        }
        let list = inside::script(self, LIST, &[], DOING).await?;
        let list = String::from_utf8_lossy(&list).into_owned();
        let (on, list) = list.split_once('\n').unwrap_or_default();
        let changes = changes(&given, &now, &parse(list), on);
        if !changes.is_empty() {
            let args = ["update-ref", "--stdin"];
            inside::git(self, &args, changes.as_bytes(), DOING).await?;
        }
        write(&places.given, &packed(&now)).await
    }
}

/// As `git update-ref --stdin` reads it.
fn changes(given: &Names, now: &Names, inside: &Names, on: &str) -> String {
    let mut lines = String::new();
    for (name, id) in now {
        let own = inside.get(name);
        if own != Some(id) && own == given.get(name) && name != on {
            let zeros = "0".repeat(id.len());
            let _ = writeln!(lines, "update {name} {id} {}", own.unwrap_or(&zeros));
        }
    }
    for (name, id) in given {
        if !now.contains_key(name) && inside.get(name) == Some(id) && name != on {
            let _ = writeln!(lines, "delete {name} {id}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Names {
        parse(&list.replace(';', "\n"))
    }

    #[test]
    fn what_the_session_moved_itself_stays() {
        let given = names("1 refs/heads/a;1 refs/heads/b;1 refs/heads/c;1 refs/heads/gone");
        let now = names("2 refs/heads/a;2 refs/heads/b;2 refs/heads/c;2 refs/tags/new");
        let inside = names("1 refs/heads/a;9 refs/heads/b;1 refs/heads/c;1 refs/heads/gone");

        assert_eq!(
            changes(&given, &now, &inside, "refs/heads/c"),
            "update refs/heads/a 2 1\nupdate refs/tags/new 2 0\ndelete refs/heads/gone 1\n"
        );
    }

    #[test]
    fn branches_of_other_sessions_are_not_shown() {
        assert_eq!(
            names("1 refs/heads/duplex/x;2 refs/heads/x"),
            names("2 refs/heads/x")
        );
    }
}
