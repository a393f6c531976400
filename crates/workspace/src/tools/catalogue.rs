//! The tools as a model is told about them.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, Network};

/// One tool as it is offered to a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolSpec {
    /// The name it is called by.
    pub name: &'static str,
    /// What it does and when to use it, for the model.
    pub description: &'static str,
    /// The JSON schema of its input.
    pub input_schema: Value,
}

/// What a tool does to the world: what approvals go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Looks, or keeps a list; of what the agent itself did not start it changes nothing.
    Read,
    /// Changes files of the worktree.
    Edit,
    /// Runs a program.
    Run,
    /// Reaches out of the machine.
    Network,
    /// Asks for a plan's approval.
    Plan,
}

/// The kind of a tool; none if there is no such tool.
#[must_use]
pub fn kind(name: &str) -> Option<Kind> {
    match name {
        "read" | "grep" | "glob" | "jobs" | "todo" => Some(Kind::Read),
        "write" | "edit" => Some(Kind::Edit),
        "bash" => Some(Kind::Run),
        "fetch" => Some(Kind::Network),
        "exit_plan" => Some(Kind::Plan),
        _ => None,
    }
}

const PATH: &str = "Path of the file, relative to the worktree's top, or absolute inside it.";

/// All tools there are in this context, in the order they are offered. The same every time for the same context: a
/// model's cached prompt begins with it.
#[must_use]
pub fn catalogue(context: &Context) -> Vec<ToolSpec> {
    let mut tools = vec![
        read(),
        write(),
        edit(),
        bash(),
        jobs(),
        grep(),
        glob(),
        todo(),
        exit_plan(),
    ];
    if matches!(context.network, Network::Through(_)) {
        tools.push(fetch());
    }
    tools
}

fn spec(
    name: &'static str,
    description: &'static str,
    properties: &Value,
    required: &[&str],
) -> ToolSpec {
    let input_schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    ToolSpec {
        name,
        description,
        input_schema,
    }
}

fn read() -> ToolSpec {
    spec(
        "read",
        "Reads a text file of the worktree. Each line comes with its number and a tab before it. At most 2000 lines \
         or 50 KB are returned and very long lines are cut; to read on, call again with the offset the last line of \
         the result names. A png, jpeg, gif or webp picture of up to 5 MB is shown to you. Other binary files are \
         refused. It also takes the path of a long output that a result names, like ~/outputs/0001.txt. To list \
         folders use glob.",
        &json!({
            "path": { "type": "string", "description": PATH },
            "offset": { "type": "integer", "minimum": 1, "description": "First line to read, counted from 1." },
            "limit": { "type": "integer", "minimum": 1, "description": "How many lines to read, at most 2000." },
        }),
        &["path"],
    )
}

fn write() -> ToolSpec {
    spec(
        "write",
        "Writes a file of the worktree, replacing it whole if it exists and making missing folders. To change part \
         of an existing file use edit.",
        &json!({
            "path": { "type": "string", "description": PATH },
            "content": { "type": "string", "description": "The whole new content of the file." },
        }),
        &["path", "content"],
    )
}

fn edit() -> ToolSpec {
    spec(
        "edit",
        "Replaces text in a file of the worktree. old_string must be in the file exactly as given, with its spaces \
         and line ends and without the line numbers that read shows, and only once; give more of the surrounding \
         lines to make it unique, or set replace_all to replace every occurrence.",
        &json!({
            "path": { "type": "string", "description": PATH },
            "old_string": { "type": "string", "minLength": 1, "description": "The text to replace." },
            "new_string": { "type": "string", "description": "The text to put in its place." },
            "replace_all": { "type": "boolean", "description": "Replace every occurrence; false if left out." },
        }),
        &["path", "old_string", "new_string"],
    )
}

fn bash() -> ToolSpec {
    spec(
        "bash",
        "Runs a command with bash and returns its output, standard error included, and its exit code. Each call is a \
         new shell; it starts in the folder the last one ended in, as long as that is in the worktree, and you are \
         told when the folder changes. Variables do not outlive a call, and neither do processes, but for a command \
         started with background, which goes on until you stop it with jobs or the session ends; you are told when \
         it ends by itself. The command runs in a sandbox: it can change the worktree, its own HOME and /tmp (which \
         is emptied after each call), and usually has no network. There is no input to read and no terminal. Output \
         beyond 2000 lines or 50 KB is cut in the middle; the result then names a file with all of it. A command \
         that does not stop printing is stopped.",
        &json!({
            "command": { "type": "string", "minLength": 1, "description": "The command to run." },
            "timeout": {
                "type": "integer", "minimum": 1, "maximum": 600_000,
                "description": "Milliseconds until the command is killed; 120000 if left out, at most 600000. In \
                                the background there is no limit.",
            },
            "background": {
                "type": "boolean",
                "description": "Leave the command running and return at once, for a server or a watcher.",
            },
            "description": {
                "type": "string",
                "description": "What the command does, in five to ten words, for the people who watch.",
            },
        }),
        &["command"],
    )
}

fn jobs() -> ToolSpec {
    spec(
        "jobs",
        "Looks after the commands that bash started in the background: list shows them all, read returns what one \
         put out since you last looked and whether it still runs, stop ends one with all its processes.",
        &json!({
            "action": {
                "type": "string", "enum": ["list", "read", "stop"], "description": "What to do.",
            },
            "id": {
                "type": "integer", "minimum": 1,
                "description": "The job's number, for read and stop.",
            },
        }),
        &["action"],
    )
}

fn grep() -> ToolSpec {
    spec(
        "grep",
        "Searches files of the worktree line by line for a regular expression (Rust's, without look-around and \
         back-references) and returns path:line:text for each line that fits. Files that git ignores, binary files \
         and links are left out. At most 2000 lines or 50 KB are returned, and it says so if there is more.",
        &json!({
            "pattern": { "type": "string", "minLength": 1, "description": "The regular expression." },
            "path": { "type": "string", "description": "File or folder to search; the whole worktree if left out." },
            "glob": { "type": "string", "description": "Only files whose name fits, like *.rs or src/**/*.ts." },
            "ignore_case": { "type": "boolean", "description": "Take capitals and small letters as the same." },
            "context": {
                "type": "integer", "minimum": 0, "maximum": 20,
                "description": "Lines to show before and after each line that fits.",
            },
        }),
        &["pattern"],
    )
}

fn glob() -> ToolSpec {
    spec(
        "glob",
        "Finds files of the worktree by name and returns their paths, the last changed first. Files that git ignores \
         and links are left out. At most 200 are returned, and it says so if there are more.",
        &json!({
            "pattern": {
                "type": "string", "minLength": 1,
                "description": "Like **/*.rs or src/*.{ts,tsx}; without a slash it fits names in any folder.",
            },
            "path": { "type": "string", "description": "Folder to look in; the whole worktree if left out." },
        }),
        &["pattern"],
    )
}

fn todo() -> ToolSpec {
    spec(
        "todo",
        "Shows the people who watch what you are going to do and how far you are. Use it for work of three steps or \
         more: give the whole list each time, set one item in_progress before you begin with it, and completed as \
         soon as it is done.",
        &json!({
            "items": {
                "type": "array", "maxItems": 100, "description": "The whole list, in order.",
                "items": {
                    "type": "object",
                    "properties": {
                        "text": { "type": "string", "minLength": 1, "description": "What is to be done, in a line." },
                        "status": {
                            "type": "string", "enum": ["pending", "in_progress", "completed"],
                            "description": "How far it is.",
                        },
                    },
                    "required": ["text", "status"],
                    "additionalProperties": false,
                },
            },
        }),
        &["items"],
    )
}

fn exit_plan() -> ToolSpec {
    spec(
        "exit_plan",
        "Asks for approval of your plan. Use it only in plan mode, once you know enough to say what you would do: \
         the people read the plan, and you may begin when the call returns that it is approved.",
        &json!({
            "plan": {
                "type": "string", "minLength": 1,
                "description": "What you would do, in Markdown: which files, which steps, how you would check it.",
            },
        }),
        &["plan"],
    )
}

fn fetch() -> ToolSpec {
    spec(
        "fetch",
        "Gets what is at a web address and returns it as text; a page comes without its markup. Only hosts that the \
         workspace allows can be reached. At most 50 KB are returned; the result then names a file with all of it.",
        &json!({
            "url": { "type": "string", "description": "The address, beginning with https:// or http://." },
        }),
        &["url"],
    )
}
