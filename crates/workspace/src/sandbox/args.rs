//! Bubblewrap's arguments while they are put together, for the server's user or another one.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where the outer stage shows its user what lies where that user could not reach it, by number.
const PLACES: &str = "/tmp";

/// The arguments so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Args {
    /// Bubblewrap's own.
    pub(super) words: Vec<OsString>,
    user: Option<u32>,
    shown: Vec<PathBuf>,
}

impl Args {
    /// For bubblewrap as this user, or as the server's.
    pub(super) fn new(user: Option<u32>) -> Self {
        Self {
            user,
            ..Self::default()
        }
    }

    pub(super) fn flag(&mut self, flag: impl AsRef<OsStr>) -> &mut Self {
        self.words.push(flag.as_ref().to_owned());
        self
    }

    pub(super) fn flags<const N: usize>(&mut self, flags: [&str; N]) -> &mut Self {
        self.words.extend(flags.map(OsString::from));
        self
    }

    /// For flags that hold no blanks.
    pub(super) fn words(&mut self, flags: &str) -> &mut Self {
        self.words
            .extend(flags.split_whitespace().map(OsString::from));
        self
    }

    /// A mount at the path it has outside, so that a path means the same on both sides.
    pub(super) fn same(&mut self, how: &str, path: &Path) -> &mut Self {
        self.mount(how, path, path)
    }

    /// A mount at another path than the one it has outside.
    pub(super) fn mount(&mut self, how: &str, source: &Path, target: &Path) -> &mut Self {
        let source = self.shown(source);
        self.flag(how).flag(source).flag(target)
    }

    /// What lies beneath this folder is reached through it.
    pub(super) fn shows(&mut self, folder: &Path) {
        self.shown(folder);
    }

    /// Where bubblewrap finds this: where it lies, or where it is shown to the user that bubblewrap runs as. Programs of
    /// the system are everybody's. A link in the path is followed here, where nobody but the server can have made it.
    pub(super) fn shown(&mut self, path: &Path) -> PathBuf {
        if self.user.is_none() || path.starts_with("/usr") {
            return path.to_owned();
        }
        let known = |top: &PathBuf| path.strip_prefix(top).ok().map(Path::to_owned);
        let mut tops = self.shown.iter().enumerate();
        let found = tops.find_map(|(number, top)| Some((number, known(top)?)));
        let (number, rest) = found.unwrap_or_else(|| {
            let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            self.shown.push(real);
            (self.shown.len() - 1, PathBuf::new())
        });
        let place = Path::new(PLACES).join(number.to_string());
        if rest.as_os_str().is_empty() {
            place
        } else {
            place.join(rest)
        }
    }

    /// The outer stage's arguments for it.
    pub(super) fn become_user(&self) -> Vec<OsString> {
        let mut args = Vec::new();
        if let Some(user) = self.user {
            args.extend(["--user".into(), user.to_string().into()]);
            for path in &self.shown {
                args.extend(["--show".into(), path.clone().into()]);
            }
        }
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_finds_each_folder_once_and_what_lies_in_it() {
        let mut args = Args::new(Some(7));
        args.shows(Path::new("/data/x"));
        args.same("--bind", Path::new("/data/x/tree"))
            .same("--ro-bind", Path::new("/objects"))
            .same("--ro-bind", Path::new("/data/x/tree/.git"));

        assert_eq!(
            args.words.join(OsStr::new(" ")),
            "--bind /tmp/0/tree /data/x/tree --ro-bind /tmp/1 /objects \
             --ro-bind /tmp/0/tree/.git /data/x/tree/.git"
        );
        assert_eq!(
            args.become_user().join(OsStr::new(" ")),
            "--user 7 --show /data/x --show /objects"
        );
    }

    #[test]
    fn the_servers_user_finds_everything_where_it_lies() {
        let mut args = Args::new(None);
        args.same("--bind", Path::new("/data/x"));

        assert_eq!(args.words.join(OsStr::new(" ")), "--bind /data/x /data/x");
        assert_eq!(args.become_user(), Vec::<OsString>::new());
    }
}
