//! Landlock: the second wall around files, in case the first has a hole.

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};

/// The newest interface whose rights are used here; the kernel may know fewer (6 came with Linux 6.12).
const KNOWN: ABI = ABI::V6;

/// Everything may be read and executed, what lies beneath `writable` may be written as well. Signals and abstract
/// sockets do not leave the sandbox. Says why where nothing of it could be had.
pub fn build(writable: &[PathBuf]) -> Result<(), String> {
    match restrict(writable) {
        Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced) => Ok(()),
        Ok(RulesetStatus::NotEnforced) => Err("the kernel has no Landlock".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn restrict(writable: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    let mut writable: Vec<&Path> = writable.iter().map(PathBuf::as_path).collect();
    if stdin().is_terminal() {
        // The terminal lies outside; without this `echo >/dev/stderr` would be refused.
        writable.push(Path::new("/proc/self/fd/0"));
    }
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(writable, AccessFs::from_all(KNOWN)))?;
    Ok(rules.restrict_self()?.ruleset)
}
