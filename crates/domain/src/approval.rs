//! What the agent may do by itself, what it has to ask for, and what people answer.

use crate::{CallId, Event, Time, UserId, shell};
use serde::{Deserialize, Serialize};

/// How much the agent does without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It reads by itself, and asks before it changes or runs anything.
    Ask,
    /// It also changes files of its worktree by itself.
    AcceptEdits,
    /// It only reads, until its plan is approved.
    Plan,
    /// It does everything by itself that its sandbox lets it do.
    #[default]
    Auto,
}

/// What a tool does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// Looks, or keeps a list; changes nothing.
    Read,
    /// Changes files of the worktree.
    Edit,
    /// Runs a program.
    Run,
    /// Reaches out of the machine.
    Network,
    /// Asks for a plan's approval.
    Plan,
    /// Belongs to a tool server; nobody here knows what it does.
    Foreign,
}

/// What would happen, shown to who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Preview {
    /// A program would run: this very argument list.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The folder it would run in.
        cwd: String,
    },
    /// A file would change.
    Edit {
        /// The file.
        path: String,
        /// How, as a unified diff.
        diff: String,
    },
    /// A plan would be followed.
    Plan {
        /// The plan, as Markdown.
        text: String,
    },
    /// Something else.
    Other {
        /// In a line.
        summary: String,
    },
}

/// A call that waits for somebody's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The tool.
    pub name: String,
    /// What the tool does to the world.
    pub tool: ToolKind,
    /// What would happen.
    pub preview: Preview,
    /// A rule that would allow this and its like; empty if there is none.
    pub rule: String,
    /// Since when it waits.
    pub at: Time,
    /// How many people have to allow it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub people: u8,
    /// Who has allowed it so far, where one word is not enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_by: Vec<UserId>,
}

impl Pending {
    /// The call that an event asks people about, as it waits from then on.
    #[must_use]
    pub(crate) fn asked(event: &Event, at: Time) -> Option<(&CallId, Self)> {
        let Event::ApprovalRequested {
            call,
            name,
            tool,
            preview,
            rule,
            people,
        } = event
        else {
            return None;
        };
        let pending = Self {
            name: name.clone(),
            tool: *tool,
            preview: preview.clone(),
            rule: rule.clone(),
            at,
            people: *people,
            allowed_by: Vec::new(),
        };
        Some((call, pending))
    }

    /// Notes that a person allows it; a person counts once.
    pub(crate) fn allow(&mut self, by: UserId) {
        if !self.allowed_by.contains(&by) {
            self.allowed_by.push(by);
        }
    }
}

/// How many people have to allow a call, as a rule.
pub(crate) const fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(crate) const fn is_one(people: &u8) -> bool {
    *people == 1
}

/// What somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Do it, this once.
    Allow,
    /// Do it, and whatever this rule allows.
    AllowAlways {
        /// A rule such as `bash(git *)`.
        rule: String,
    },
    /// Do not do it.
    Deny {
        /// Why; the model reads it.
        #[serde(default)]
        reason: String,
    },
}

/// Whether a call may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may.
    Nothing,
    /// Somebody has to allow it.
    Approval,
    /// The mode forbids it; the model is told so.
    AnotherMode,
}

/// Whether a call may run. `subject` is what rules are held against: a command line, a path, an address.
#[must_use]
pub fn need(
    mode: Mode,
    sandboxed: bool,
    rules: &[String],
    (kind, tool, subject): (ToolKind, &str, &str),
) -> Need {
    if kind == ToolKind::Plan {
        return Need::Approval;
    }
    if kind == ToolKind::Read {
        return Need::Nothing;
    }
    if mode == Mode::Plan {
        return Need::AnotherMode;
    }
    let by_mode = match mode {
        Mode::Auto => sandboxed,
        Mode::AcceptEdits => kind == ToolKind::Edit,
        Mode::Ask | Mode::Plan => false,
    };
    if by_mode || rules.iter().any(|rule| allows(rule, tool, subject)) {
        return Need::Nothing;
    }
    Need::Approval
}

/// Whether a rule is well formed: a tool's name, or a name and a pattern in brackets, of at most 200 characters. Tools
/// of a tool server can be named together, as in `mcp__github__*`.
#[must_use]
pub fn is_rule(rule: &str) -> bool {
    let (tool, pattern) = parts(rule);
    let tool = together(tool).unwrap_or(tool);
    let named = !tool.is_empty()
        && tool
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let closed = pattern.is_some() || !rule.contains(['(', ')']);
    named && closed && rule.chars().count() <= 200 && !rule.chars().any(char::is_control)
}

/// Whether a rule such as `bash(git *)` allows a call. A pattern's `*` stands for anything; but no pattern reaches
/// over what chains, redirects or substitutes commands in a shell, unless it is `*` alone or the very command.
#[must_use]
pub fn allows(rule: &str, tool: &str, subject: &str) -> bool {
    let (name, pattern) = parts(rule);
    let meant = together(name).map_or(name == tool, |front| tool.starts_with(front));
    if !meant {
        return false;
    }
    let Some(pattern) = pattern else { return true };
    if pattern == "*" || pattern == subject {
        return true;
    }
    let shell = tool == "bash";
    if shell
        && subject.contains([
            ';', '&', '|', '<', '>', '$', '`', '(', ')', '{', '}', '\n', '\\',
        ])
    {
        return false;
    }
    // A path pattern must not climb out of what it names.
    if !shell && subject.split('/').any(|part| part == "..") {
        return false;
    }
    matches(pattern, subject)
}

/// Whether a rule such as `bash(git push *)` concerns a call: the other way round from [`allows`], where there is doubt
/// it does. Each command of a chain is looked at; a chain that substitutes or escapes is not read, and counts.
#[must_use]
pub fn concerns(rule: &str, tool: &str, subject: &str) -> bool {
    let (name, pattern) = parts(rule);
    let meant = together(name).map_or(name == tool, |front| tool.starts_with(front));
    let Some(pattern) = pattern.filter(|_| meant) else {
        return meant;
    };
    if tool != "bash" {
        return matches(pattern, subject) || subject.split('/').any(|part| part == "..");
    }
    let commands = shell::commands(subject);
    commands.is_none_or(|commands| commands.iter().any(|words| is_in(pattern, words)))
}

/// Whether a pattern fits a command from any of its words on: `env X=1 /usr/bin/git push` is a `git push` too.
fn is_in(pattern: &str, words: &[String]) -> bool {
    (0..words.len()).any(|from| {
        let whole = words[from..].join(" ");
        let program = words[from].rsplit('/').next().unwrap_or_default();
        let named = [&[program.to_owned()], &words[from + 1..]]
            .concat()
            .join(" ");
        matches(pattern, &whole) || matches(pattern, &named)
    })
}

/// A rule that allows a call and its like: the program with any arguments, the file itself.
#[must_use]
pub fn rule_for(tool: &str, subject: &str) -> String {
    if tool == "bash" {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        let mut words = subject.split_whitespace();
        let program = words.next().filter(|word| word.chars().all(plain));
        let rule = match (program, words.next()) {
            (Some(program), Some(verb)) if verb.chars().all(plain) && !verb.starts_with('-') => {
                format!("bash({program} {verb} *)")
            }
            (Some(program), Some(_)) => format!("bash({program} *)"),
            (Some(program), None) => format!("bash({program})"),
            (None, _) => String::new(),
        };
        // What chains or redirects is not what its first words say: for that there is no rule but the whole command.
        return if allows(&rule, tool, subject) {
            rule
        } else {
            String::new()
        };
    }
    match subject {
        "" => tool.to_owned(),
        subject if is_rule(&format!("{tool}({subject})")) => format!("{tool}({subject})"),
        _ => String::new(),
    }
}

fn parts(rule: &str) -> (&str, Option<&str>) {
    match rule.split_once('(') {
        Some((tool, rest)) => match rest.strip_suffix(')') {
            Some(pattern) => (tool, Some(pattern)),
            None => ("", None),
        },
        None => (rule, None),
    }
}

/// What names begin with that are named together: only those of one tool server.
fn together(name: &str) -> Option<&str> {
    let front = name.strip_suffix('*')?;
    let server = front.strip_prefix("mcp__")?.strip_suffix("__")?;
    (!server.is_empty()).then_some(front)
}

/// Whether a text fits a pattern in which `*` stands for any run of characters. A pattern that ends in ` *` also fits
/// without arguments.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern.strip_suffix(" *") == Some(text) {
        return true;
    }
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reaches_no_second_command() {
        let rule = "bash(git *)";
        for fine in [
            "git status",
            "git",
            "git log --oneline -3",
            "git commit -m 'a b'",
        ] {
            assert!(allows(rule, "bash", fine), "{fine}");
        }
        for foul in [
            "git status; rm -rf .",
            "git status && curl x",
            "git log | sh",
            "git log > /etc/x",
            "git $(id)",
            "git `id`",
            "git status\nrm x",
            "gitx",
            "rm git ",
            "git log <(id)",
            "git \\\n x",
        ] {
            assert!(!allows(rule, "bash", foul), "{foul}");
        }
        assert!(!allows(rule, "write", "git status"));
    }

    #[test]
    fn patterns_fit_as_one_reads_them() {
        assert!(allows("write(src/*.rs)", "write", "src/a/b.rs"));
        assert!(!allows("write(src/*)", "write", "src/../.env"));
        assert!(!allows("write(src/*.rs)", "write", "src/b.rs.txt"));
        assert!(allows("edit", "edit", "anything"));
        assert!(allows(
            "bash(cargo test * --quiet)",
            "bash",
            "cargo test -p x --quiet"
        ));
        assert!(!allows("bash(a*bc)", "bash", "ab"));
        assert!(allows("bash(*)", "bash", "a; b"));
    }

    #[test]
    fn a_rule_may_name_all_tools_of_a_server() {
        let rule = "mcp__github__*";
        assert!(allows(rule, "mcp__github__create_issue", ""));
        assert!(!allows(rule, "mcp__gitlab__create_issue", ""));
        assert!(!allows(rule, "bash", "mcp__github__x"));
        for foul in [
            "*",
            "mcp__*",
            "mcp____*",
            "bash*",
            "mcp__git*",
            "mcp__a__b*c",
        ] {
            assert!(!is_rule(foul), "{foul}");
        }
    }

    #[test]
    fn what_is_in_doubt_is_a_concern() {
        let rule = "bash(git push *)";
        for concern in [
            "git push",
            "git push origin main",
            "cd x && git  push",
            "env A=1 git push",
            "/usr/bin/git push",
            "ls; git push|cat",
            "$(echo git) push",
            "g\\it push",
            "'git' push",
            "sh -c 'git push'",
            "cat <<X",
            "g?t push",
        ] {
            assert!(concerns(rule, "bash", concern), "{concern}");
        }
        for fine in [
            "git status",
            "ls *.rs",
            "make push",
            "git pull && make",
            "git commit -m 'push; git'",
        ] {
            assert!(!concerns(rule, "bash", fine), "{fine}");
        }
        assert!(concerns("bash", "bash", "ls"));
        assert!(concerns("mcp__deploy__*", "mcp__deploy__start", "x"));
        assert!(concerns("write(infra/*)", "write", "infra/main.tf"));
        assert!(concerns("write(infra/*)", "write", "src/../infra/main.tf"));
        assert!(!concerns("write(infra/*)", "write", "src/main.rs"));
        assert!(!concerns("write(infra/*)", "bash", "infra/main.tf"));
    }

    #[test]
    fn only_whole_rules_are_rules() {
        for fine in [
            "bash",
            "bash(git *)",
            "mcp__files__read",
            "mcp__files__*",
            "write(a b.txt)",
        ] {
            assert!(is_rule(fine), "{fine}");
        }
        for foul in ["", "(x)", "bash(git", "bash)x", "ba sh", "bash(\n)"] {
            assert!(!is_rule(foul), "{foul}");
        }
    }

    #[test]
    fn a_rule_is_offered_for_a_call_and_its_like() {
        assert_eq!(rule_for("bash", "cargo test -p x"), "bash(cargo test *)");
        assert_eq!(rule_for("bash", "ls -la"), "bash(ls *)");
        assert_eq!(rule_for("bash", "make"), "bash(make)");
        assert_eq!(rule_for("bash", "$(x)"), "");
        assert_eq!(rule_for("bash", "git status; id"), "");
        assert_eq!(rule_for("bash", "echo a > b"), "");
        assert_eq!(rule_for("edit", "src/a.rs"), "edit(src/a.rs)");
    }

    #[test]
    fn each_mode_asks_for_what_it_says() {
        let call = |mode, sandboxed, kind| need(mode, sandboxed, &[], (kind, "x", ""));
        assert_eq!(call(Mode::Ask, true, ToolKind::Read), Need::Nothing);
        assert_eq!(call(Mode::Ask, true, ToolKind::Edit), Need::Approval);
        assert_eq!(call(Mode::AcceptEdits, true, ToolKind::Edit), Need::Nothing);
        assert_eq!(call(Mode::AcceptEdits, true, ToolKind::Run), Need::Approval);
        assert_eq!(call(Mode::Plan, true, ToolKind::Edit), Need::AnotherMode);
        assert_eq!(call(Mode::Plan, true, ToolKind::Plan), Need::Approval);
        assert_eq!(call(Mode::Auto, true, ToolKind::Run), Need::Nothing);
        assert_eq!(call(Mode::Auto, false, ToolKind::Run), Need::Approval);
    }
}
