//! The command line, which only the runner writes.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Error;

/// Which part of the work is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Stage {
    /// Outside the sandbox, before it is made.
    Enter(Enter),
    /// The first program in it.
    Inner(Inner),
    /// Carries connections from the loopback inside to the proxy's socket.
    Forward(PathBuf),
}

/// `enter [--group FOLDER FILE VALUE]… [--user ID [--show PATH]…] -- COMMAND`
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Enter {
    /// Control groups to join, each with its limits.
    pub groups: Vec<Group>,
    /// The user and group to become; the user stays if there is none.
    pub user: Option<u32>,
    /// What that user is to see wherever it lies, in the order of the places where it is shown.
    pub shown: Vec<PathBuf>,
    /// What to run.
    pub command: Vec<OsString>,
}

/// A control group's folder, a file of limits in it, and what to write there.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's folder.
    pub folder: PathBuf,
    /// The name of the file with the limit.
    pub file: OsString,
    /// The limit.
    pub value: OsString,
}

/// `inner [--write PATH]… [--forward SOCKET] [--report] -- COMMAND`
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inner {
    /// What may be written beneath.
    pub writable: Vec<PathBuf>,
    /// The proxy's socket, if there is a way out.
    pub forward: Option<PathBuf>,
    /// Tell what was reached and run nothing.
    pub report: bool,
    /// What to run.
    pub command: Vec<OsString>,
}

/// Reads the arguments behind the program's name.
pub fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Stage, Error> {
    let stage = args.next().ok_or(Error::NoCommand)?;
    match stage.to_str() {
        Some("enter") => enter(args).map(Stage::Enter),
        Some("inner") => inner(args).map(Stage::Inner),
        Some("forward") => value(&mut args).map(|socket| Stage::Forward(socket.into())),
        _ => Err(Error::Usage(stage)),
    }
}

fn enter(mut args: impl Iterator<Item = OsString>) -> Result<Enter, Error> {
    let mut enter = Enter::default();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--group") => enter.groups.push(Group {
                folder: value(&mut args)?.into(),
                file: value(&mut args)?,
                value: value(&mut args)?,
            }),
            Some("--user") => enter.user = Some(number(&mut args)?),
            Some("--show") => enter.shown.push(value(&mut args)?.into()),
            Some("--") => {
                enter.command = args.collect();
                return Ok(enter);
            }
            _ => return Err(Error::Usage(arg)),
        }
    }
    Err(Error::NoCommand)
}

fn inner(mut args: impl Iterator<Item = OsString>) -> Result<Inner, Error> {
    let mut inner = Inner::default();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--write") => inner.writable.push(value(&mut args)?.into()),
            Some("--forward") => inner.forward = Some(value(&mut args)?.into()),
            Some("--report") => inner.report = true,
            Some("--") => {
                inner.command = args.collect();
                return Ok(inner);
            }
            _ => return Err(Error::Usage(arg)),
        }
    }
    if inner.report {
        return Ok(inner);
    }
    Err(Error::NoCommand)
}

fn value(args: &mut impl Iterator<Item = OsString>) -> Result<OsString, Error> {
    args.next().ok_or(Error::NoCommand)
}

/// A user's id; root is none to become, and the largest number means nobody.
fn number(args: &mut impl Iterator<Item = OsString>) -> Result<u32, Error> {
    let word = value(args)?;
    let id = word.to_str().and_then(|word| word.parse().ok());
    id.filter(|id| !matches!(*id, 0 | u32::MAX))
        .ok_or(Error::Usage(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn parsed(line: &str) -> Result<Stage, Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_command_is_all_that_stands_behind_the_dashes() {
        let inner = Inner {
            writable: vec!["/a".into(), "/b".into()],
            forward: Some("/s".into()),
            report: false,
            command: vec!["ls".into(), "--write".into(), "--".into()],
        };

        let line = "inner --write /a --forward /s --write /b -- ls --write --";
        assert_eq!(parsed(line).unwrap(), Stage::Inner(inner));
    }

    #[test]
    fn nothing_is_run_that_was_not_understood() {
        for line in [
            "",
            "outer -- ls",
            "inner --wrte /a -- ls",
            "inner --write",
            "enter ls",
            "enter --user 0 -- ls",
            "enter --user 4294967295 -- ls",
            "enter --user ada -- ls",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
