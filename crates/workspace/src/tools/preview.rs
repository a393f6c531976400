//! What a call would do, said before it is done.

use serde_json::Value;

use super::{Context, Fault, bash, blocking, edit, fetch, parse, plan, unified, write};
use crate::Worktree;
use crate::beneath::Beneath;
use crate::names::visible;

/// The longest summary, in characters.
const SUMMARY: usize = 300;

/// What a call would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// A program would run: this very argument list, as given to the sandbox.
    Run {
        /// The program and its arguments; the last one is the command as the model wrote it.
        argv: Vec<String>,
        /// The folder it would start in, absolute.
        cwd: String,
    },
    /// A file would change.
    Edit {
        /// The file's real path in the worktree, with hidden characters written out.
        path: String,
        /// How, as a unified diff, bounded.
        diff: String,
    },
    /// A plan would be followed.
    Plan {
        /// The plan, in Markdown.
        text: String,
    },
    /// Something else.
    Other {
        /// In one line, with hidden characters written out.
        summary: String,
    },
    /// Nothing: the call cannot be carried out as it is, and running it tells the model the same.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What a call would do. Does nothing itself.
pub async fn preview(context: &Context, name: &str, input: &Value) -> Preview {
    let result = match name {
        "bash" => parse(name, input)
            .and_then(|input| bash::plan(context, input))
            .map(|planned| Preview::Run {
                argv: planned.argv,
                cwd: planned.cwd.to_string_lossy().into_owned(),
            }),
        "write" | "edit" => {
            let (worktree, name, input) =
                (context.worktree.clone(), name.to_owned(), input.clone());
            blocking(move || change(&worktree, &name, &input)).await
        }
        "exit_plan" => parse(name, input).and_then(|input: plan::ExitPlan| {
            plan::checked(&input)?;
            Ok(Preview::Plan { text: input.plan })
        }),
        "fetch" => parse(name, input).and_then(|input: fetch::Input| {
            fetch::checked(&input.url)?;
            Ok(summary(&format!("fetch {}", input.url)))
        }),
        other => Ok(summary(&format!("{other} {input}"))),
    };
    result.unwrap_or_else(|fault| Preview::Refused {
        reason: fault.to_string(),
    })
}

fn change(worktree: &Worktree, name: &str, input: &Value) -> Result<Preview, Fault> {
    let tree = Beneath::open(&worktree.tree)?;
    let (asked, old, new) = if name == "write" {
        let input: write::Input = parse(name, input)?;
        let old = write::before(&tree, &input)?.unwrap_or_default();
        (input.path, old, input.content)
    } else {
        let input: edit::Input = parse(name, input)?;
        let edited = edit::edited(&tree, &input)?;
        (input.path, edited.old, edited.new)
    };
    let path = tree.target(&tree.relative(&asked)?)?;
    let path = visible(&path.to_string_lossy());
    let diff = unified(&path, &old, &new);
    Ok(Preview::Edit { path, diff })
}

fn summary(text: &str) -> Preview {
    let mut summary: String = visible(text).chars().take(SUMMARY).collect();
    if summary.len() < text.len() {
        summary.push('…');
    }
    Preview::Other { summary }
}

/// What rules for approvals are held against: the command of bash, the real path of the file for write and edit (so
/// that no link gets round a rule), the address for fetch; empty for all else.
#[must_use]
pub fn subject(context: &Context, name: &str, input: &Value) -> String {
    let field = |field: &str| input[field].as_str().unwrap_or_default().to_owned();
    match name {
        "bash" => field("command"),
        "fetch" => field("url"),
        "write" | "edit" => {
            let asked = field("path");
            real_path(&context.worktree, &asked).unwrap_or(asked)
        }
        _ => String::new(),
    }
}

fn real_path(worktree: &Worktree, asked: &str) -> Option<String> {
    let tree = Beneath::open(&worktree.tree).ok()?;
    let real = tree.target(&tree.relative(asked).ok()?).ok()?;
    real.to_str().map(str::to_owned)
}

/// The path in the worktree that a call is about, as the model gave it: for instructions that lie on the way to it.
#[must_use]
pub fn touched<'a>(name: &str, input: &'a Value) -> Option<&'a str> {
    match name {
        "read" | "write" | "edit" | "grep" | "glob" => input["path"].as_str(),
        _ => None,
    }
}
