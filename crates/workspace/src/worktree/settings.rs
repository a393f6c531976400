//! The settings of a session's git folder: those of the repository that are harmless and hold no secret.

use std::fmt::Write as _;

use crate::{WorkspaceError, Worktree, git};

/// None of these names a program, a file or somebody who signs in. A star stands for any name.
const KEPT: [&str; 27] = [
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.quotepath",
    "core.abbrev",
    "core.whitespace",
    "core.commentchar",
    "core.longpaths",
    "core.protecthfs",
    "core.protectntfs",
    "user.name",
    "user.email",
    "branch.*.remote",
    "branch.*.merge",
    "branch.*.rebase",
    "remote.*.url",
    "remote.*.fetch",
    "pull.rebase",
    "pull.ff",
    "merge.conflictstyle",
    "diff.algorithm",
    "diff.renames",
    "push.default",
];

/// The text of the session's `config`.
pub(super) async fn of(worktree: &Worktree, format: &str) -> Result<String, WorkspaceError> {
    let mut text = "[core]\n\tbare = true\n\tlogAllRefUpdates = true\n".to_owned();
    if format == "sha1" {
        text.push_str("\trepositoryFormatVersion = 0\n");
    } else {
        text.push_str("\trepositoryFormatVersion = 1\n[extensions]\n");
        let _ = writeln!(text, "\tobjectFormat = {format}");
    }
    let mut git = git::on_origin(worktree);
    git.args(["config", "--local", "--null", "--list"]);
    let list = git::output(git, "read the repository's settings", &worktree.repository).await?;
    for setting in String::from_utf8_lossy(&list).split('\0') {
        if let Some((name, value)) = setting.split_once('\n') {
            text.push_str(&line(name, value).unwrap_or_default());
        }
    }
    Ok(text)
}

/// A setting as git reads it, if it is to be kept. `name` is as git lists it: section and key in small letters.
fn line(name: &str, value: &str) -> Option<String> {
    let (section, rest) = name.split_once('.')?;
    let (middle, key) = match rest.rsplit_once('.') {
        Some((middle, key)) => (Some(middle), key),
        None => (None, rest),
    };
    let shape = match middle {
        Some(_) => format!("{section}.*.{key}"),
        None => format!("{section}.{key}"),
    };
    let secret = value.contains("://") && value.contains('@');
    if !KEPT.contains(&shape.as_str()) || secret || value.contains('\n') {
        return None;
    }
    let middle = middle.map(|middle| format!(" {}", quoted(middle)));
    let middle = middle.unwrap_or_default();
    Some(format!(
        "[{section}{middle}]\n\t{key} = {}\n",
        quoted(value)
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_settings_are_kept() {
        assert_eq!(
            line("remote.or\"igin.url", "/srv/a b").as_deref(),
            Some("[remote \"or\\\"igin\"]\n\turl = \"/srv/a b\"\n")
        );
        assert_eq!(
            line("core.autocrlf", "true").as_deref(),
            Some("[core]\n\tautocrlf = \"true\"\n")
        );
        for (name, value) in [
            ("core.fsmonitor", "evil"),
            ("core.hookspath", "/x"),
            ("core.worktree", "/x"),
            ("filter.x.clean", "evil"),
            ("include.path", "/x"),
            ("extensions.worktreeconfig", "true"),
            ("remote.origin.url", "https://ada:secret@host/x"),
            ("remote.origin.uploadpack", "evil"),
            ("http.extraheader", "Authorization: x"),
        ] {
            assert_eq!(line(name, value), None, "{name}");
        }
    }
}
