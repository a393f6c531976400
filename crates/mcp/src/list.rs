//! The tools a server offers, as a model may be told of them.

use rmcp::model::{PaginatedRequestParams, Tool as Said, ToolAnnotations};
use rmcp::service::ServiceError;
use rmcp::{Peer, RoleClient};
use serde_json::{Map, Value};

use crate::config::ServerConfig;
use crate::name::names;
use crate::text::{clean, cut, line};

/// The most tools that are offered of one server.
pub const LIST_TOOLS: usize = 256;
/// The most bytes of a tool's description.
pub const DESCRIPTION_BYTES: usize = 4096;
/// The most bytes of a tool's schema.
pub const SCHEMA_BYTES: usize = 64 * 1024;
/// The most bytes of all that a model is told of one server's tools.
pub const LIST_BYTES: usize = 512 * 1024;
/// The most tools of a list that are looked at.
const LOOKED_AT: usize = 20_000;
/// The most bytes of a list that are looked at.
const LOOKED_AT_BYTES: usize = 16 * 1024 * 1024;
const PAGES: usize = 200;

/// A tool of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name for the model, people and rules: `mcp__server__tool`, of letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// Its name at the server, which may hold anything.
    pub own: String,
    /// What it does, in the server's words, without what cannot be seen.
    pub description: String,
    /// Its input: a JSON schema of an object.
    pub input_schema: Value,
    /// Whether it may be taken to change nothing: the server says so and the operator believes it.
    pub read_only: bool,
}

/// What is offered of all that a server lists, and a sentence about each thing that is not.
pub(crate) fn offered(config: &ServerConfig, said: Vec<Said>) -> (Vec<Tool>, Vec<String>) {
    let mut notes = Vec::new();
    let said = wanted(config, said, &mut notes);
    let own: Vec<_> = said.iter().map(|tool| tool.name.as_ref()).collect();
    let names = names(&config.name, &own);
    let mut tools = Vec::new();
    let (mut bytes, mut over) = (0, 0_usize);
    for (said, name) in said.iter().zip(names) {
        let tool = match name {
            Some(name) => tool(name, said, config.read_only),
            None => Err("is listed twice: the first is offered"),
        };
        match tool {
            Err(why) => notes.push(format!("its tool {} {why}", line(&said.name, 80))),
            Ok(_) if tools.len() == LIST_TOOLS || bytes > LIST_BYTES => over += 1,
            Ok(tool) => {
                bytes += tool.description.len() + size(&tool.input_schema);
                tools.push(tool);
            }
        }
    }
    if over > 0 {
        notes.push(format!(
            "{over} more of its tools are not offered: name the ones to offer with `tools`"
        ));
    }
    // One sentence too many tells nothing; a server may list thousands of wrong ones.
    notes.truncate(16);
    (tools, notes)
}

/// Those the operator named, or all.
fn wanted(config: &ServerConfig, mut said: Vec<Said>, notes: &mut Vec<String>) -> Vec<Said> {
    let Some(wanted) = &config.tools else {
        return said;
    };
    for name in wanted {
        if !said.iter().any(|tool| tool.name == *name) {
            notes.push(format!(
                "it has no tool {}, which `tools` names",
                line(name, 80)
            ));
        }
    }
    said.retain(|tool| wanted.iter().any(|name| tool.name == *name));
    said
}

fn tool(name: String, said: &Said, believed: bool) -> Result<Tool, &'static str> {
    let input_schema = schema(&said.input_schema)?;
    let title = said.title.as_deref();
    let text = said.description.as_deref().or(title).unwrap_or_default();
    let description = clean(cut(text, DESCRIPTION_BYTES));
    let hint = said.annotations.as_ref().and_then(hint);
    Ok(Tool {
        name,
        own: said.name.to_string(),
        description,
        input_schema,
        read_only: believed && hint == Some(true),
    })
}

fn hint(annotations: &ToolAnnotations) -> Option<bool> {
    annotations.read_only_hint
}

fn schema(said: &Map<String, Value>) -> Result<Value, &'static str> {
    let mut schema = said.clone();
    match schema.get("type") {
        None => drop(schema.insert("type".to_owned(), "object".into())),
        Some(Value::String(kind)) if kind == "object" => {}
        Some(_) => return Err("takes no object: it is not offered"),
    }
    let mut schema = Value::Object(schema);
    if size(&schema) > SCHEMA_BYTES {
        return Err("has a schema of more than 64 KiB: it is not offered");
    }
    tidy(&mut schema);
    Ok(schema)
}

fn size(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// Takes what cannot be seen out of the texts that explain; what the server compares with stays as it is.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    Value::String(text) if matches!(&**key, "description" | "title") => {
                        *text = clean(text);
                    }
                    value => tidy(value),
                }
            }
        }
        _ => {}
    }
}

/// All pages of a server's list, and whether that was all.
pub(crate) async fn everything(peer: &Peer<RoleClient>) -> Result<(Vec<Said>, bool), ServiceError> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    let mut cursor = None;
    for _ in 0..PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
        let page = peer.list_tools(Some(params)).await?;
        for tool in page.tools {
            bytes += serde_json::to_vec(&tool).map_or(0, |json| json.len());
            if all.len() == LOOKED_AT || bytes > LOOKED_AT_BYTES {
                return Ok((all, false));
            }
            all.push(tool);
        }
        match page.next_cursor {
            None => return Ok((all, true)),
            same if same == cursor => return Ok((all, false)),
            next => cursor = next,
        }
    }
    Ok((all, false))
}
