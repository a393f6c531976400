//! The tools as a model is told about them.

use serde::Serialize;
use serde_json::{Value, json};

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

const PATH: &str = "Path of the file, relative to the worktree, or absolute inside it.";

/// All tools, in the order they are offered. The same every time: a model's cached prompt begins with it.
#[must_use]
pub fn catalogue() -> Vec<ToolSpec> {
    vec![read(), write(), edit(), bash()]
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
         the result names. Binary files are refused. To list folders use bash.",
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
        "Runs a command with bash in the worktree and returns its output, standard error included, and its exit \
         code. Each call is a new shell in the worktree's top folder: the working folder, variables and background \
         processes do not outlive it. The command runs in a sandbox: it can change the worktree, its own HOME and \
         /tmp (which is emptied after each call), and usually has no network. There is no input to read and no \
         terminal. Output beyond 2000 lines or 50 KB is cut in the middle.",
        &json!({
            "command": { "type": "string", "minLength": 1, "description": "The command to run." },
            "timeout_ms": {
                "type": "integer", "minimum": 1, "maximum": 600_000,
                "description": "Milliseconds until the command is killed; 120000 if left out, at most 600000.",
            },
            "description": {
                "type": "string",
                "description": "What the command does, in five to ten words, for the people who watch.",
            },
        }),
        &["command"],
    )
}
