//! What closes a sandbox from inside: descriptors, limits, Landlock and seccomp, and then the command in its place.
//! Outside, before there is a sandbox, it joins the session's control groups and becomes the session's user.
//!
//! Bubblewrap makes namespaces, and this is the first program in them. It is a program of its own because each of
//! these steps holds for the process that takes it, and because between a fork and an exec there is no safe code.

mod descriptors;
mod error;
mod filter;
mod forward;
mod group;
mod limits;
mod options;
mod user;
mod wall;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub use error::Error;
use options::{Enter, Inner, Stage};

/// Where the forwarder listens inside a sandbox that may use the network.
pub const PROXY: &str = "127.0.0.1:3128";

/// Does what the arguments say. Where that ends in another program, this returns only when it could not be started.
///
/// # Errors
/// When a wall could not be built: the command is not started then.
pub fn run(args: impl Iterator<Item = OsString>) -> Result<(), Error> {
    match options::parse(args)? {
        Stage::Enter(enter) => self::enter(&enter),
        Stage::Inner(inner) => self::inner(&inner),
        Stage::Forward(socket) => forward::run(&socket),
    }
}

/// Outside, before bubblewrap: joins the session's control groups, then becomes the session's user.
fn enter(enter: &Enter) -> Result<(), Error> {
    for group in &enter.groups {
        group::join(group)?;
    }
    if let Some(id) = enter.user {
        user::show(&enter.shown)?;
        user::become_user(id)?;
    }
    exec(&enter.command)
}

/// Inside, as the first program.
fn inner(inner: &Inner) -> Result<(), Error> {
    descriptors::close()?;
    limits::set()?;
    if let Some(socket) = &inner.forward {
        forward::start(socket)?;
    }
    let wall = wall::build(&inner.writable);
    filter::install()?;
    if inner.report {
        return report(&wall);
    }
    exec(&inner.command)
}

/// One line a layer: its name, a tab, and `on` or why not.
fn report(wall: &Result<(), String>) -> Result<(), Error> {
    let landlock = wall.as_ref().err().map_or("on", String::as_str);
    let lines = format!("seccomp\ton\nlandlock\t{landlock}\n");
    std::io::stdout()
        .write_all(lines.as_bytes())
        .map_err(Error::doing("write the report"))
}

fn exec(command: &[OsString]) -> Result<(), Error> {
    let (program, args) = command.split_first().ok_or(Error::NoCommand)?;
    let source = Command::new(program).args(args).exec();
    Err(Error::Exec {
        program: program.clone(),
        source,
    })
}
