//! What a server's tools are called here: `mcp__server__tool`.

use std::collections::{HashMap, HashSet};

use crate::text::cut;

/// What every such name begins with; no tool of Duplex's own does.
pub const PREFIX: &str = "mcp__";
/// The most bytes a name has: what model providers take for the name of a tool.
pub const NAME_BYTES: usize = 64;

/// What an operator may call a server. Without two underscores inside and none at either end, the first `__` behind
/// the prefix is where the server's name ends, so that no two servers' tools can share a name.
pub(crate) fn is_server(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    (1..=32).contains(&name.len())
        && name.chars().all(legal)
        && !name.contains("__")
        && !name.starts_with('_')
        && !name.ends_with('_')
}

/// The server and the tool that a name names; nothing for a tool that is no server's.
#[must_use]
pub fn parts(name: &str) -> Option<(&str, &str)> {
    let (server, tool) = name.strip_prefix(PREFIX)?.split_once("__")?;
    (is_server(server) && !tool.is_empty()).then_some((server, tool))
}

/// A name for each of a server's own names, in their order; all differ. The same name a second time, and what cannot
/// be told apart, gets none.
///
/// Whoever needs no change keeps its name. Of those that do and would share one, each gets a mark made of its own
/// name, so that a name does not depend on the order in which a server lists its tools: permissions hang on it.
pub(crate) fn names(server: &str, own: &[&str]) -> Vec<Option<String>> {
    let bare: Vec<_> = own.iter().map(|own| bare(server, own)).collect();
    let mut wanted: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (bare, own) in bare.iter().zip(own) {
        wanted.entry(bare).or_default().insert(own);
    }
    let mut taken = HashSet::new();
    let choose = |(bare, own): (&String, &&str)| {
        let alone = wanted.get(bare.as_str()).is_none_or(|all| all.len() == 1);
        let name = if alone || *bare == whole(server, own) {
            bare.clone()
        } else {
            marked(bare, own)
        };
        taken.insert(name.clone()).then_some(name)
    };
    bare.iter().zip(own).map(choose).collect()
}

fn whole(server: &str, own: &str) -> String {
    format!("{PREFIX}{server}__{own}")
}

/// The name with what no provider takes replaced, and cut.
fn bare(server: &str, own: &str) -> String {
    let legal = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '_'
        }
    };
    let own: String = own.chars().take(NAME_BYTES).map(legal).collect();
    let own = if own.is_empty() { "tool" } else { &own };
    cut(&whole(server, own), NAME_BYTES).to_owned()
}

fn marked(bare: &str, own: &str) -> String {
    let mark = format!("_{:08x}", hash(own));
    format!("{}{mark}", cut(bare, NAME_BYTES - mark.len()))
}

/// FNV-1a: the same on every machine and for ever, as permissions are kept.
fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811C_9DC5, step)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn all(server: &str, own: &[&str]) -> Vec<String> {
        names(server, own).into_iter().flatten().collect()
    }

    #[test]
    fn a_plain_name_is_kept() {
        assert_eq!(all("git-hub", &["get_issue"]), ["mcp__git-hub__get_issue"]);
        assert_eq!(
            parts("mcp__git-hub__get_issue"),
            Some(("git-hub", "get_issue"))
        );
    }

    #[test]
    fn no_two_servers_can_share_a_name() {
        assert!(is_server("a") && is_server("a_b-2"));
        for name in ["", "a_", "_a", "a__b", "A", "a.b", "ä", &"a".repeat(33)] {
            assert!(!is_server(name), "{name}");
        }
        // A tool's name may begin with what a server's must not end with.
        assert_eq!(all("a", &["_b"]), ["mcp__a___b"]);
        assert_eq!(parts("mcp__a___b"), Some(("a", "_b")));
        assert_eq!(parts("bash"), None);
        assert_eq!(parts("mcp__a"), None);
    }

    #[test]
    fn names_that_would_fall_together_are_told_apart_in_any_order() {
        let own = ["read file", "read/file", "read_file", "lies"];
        let mut back = own;
        back.reverse();

        let names = all("fs", &own);
        let mut names_back = all("fs", &back);
        names_back.reverse();

        assert_eq!(
            names,
            [
                "mcp__fs__read_file_93f6e711",
                "mcp__fs__read_file_e53a8158",
                "mcp__fs__read_file",
                "mcp__fs__lies",
            ]
        );
        assert_eq!(names, names_back);
    }

    #[test]
    fn the_same_name_twice_counts_once() {
        assert_eq!(
            names("a", &["x", "x"]),
            [Some("mcp__a__x".to_owned()), None]
        );
    }

    #[test]
    fn a_long_name_is_cut_and_an_empty_one_gets_a_word() {
        let (one, two) = ("n".repeat(200) + "1", "n".repeat(200) + "2");

        let names = all("a", &[&one, &two, "", "猫"]);

        assert!(names.iter().all(|name| name.len() <= NAME_BYTES));
        assert_ne!(names[0], names[1]);
        assert_eq!(names[2..], ["mcp__a__tool", "mcp__a___"]);
    }
}
