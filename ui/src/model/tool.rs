//! A tool call in one line, and its input as people read it.

use serde_json::Value;

/// A tool call in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What is done.
    pub verb: String,
    /// To what; empty while that is not known.
    pub target: String,
}

/// What a call of a tool does, from its name and its input's JSON (which may be incomplete).
#[must_use]
pub fn summary(name: &str, input: &str) -> Summary {
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    let field = |name: &str| input[name].as_str().unwrap_or_default();
    let (verb, target) = match name {
        "bash" => ("Run", first_line(field("command"))),
        "read" => ("Read", field("path").to_owned()),
        "write" => ("Write", field("path").to_owned()),
        "edit" => ("Edit", field("path").to_owned()),
        "grep" => ("Search for", field("pattern").to_owned()),
        "glob" => ("Find", field("pattern").to_owned()),
        "fetch" => ("Fetch", field("url").to_owned()),
        "todo" => ("Plan", String::new()),
        other => (other, any_text(&input)),
    };
    Summary {
        verb: verb.to_owned(),
        target,
    }
}

fn first_line(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first.to_owned(),
    }
}

fn any_text(input: &Value) -> String {
    let mut values = input
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    values
        .find_map(Value::as_str)
        .map(first_line)
        .unwrap_or_default()
}

/// JSON with a line for each field; what is no JSON (yet) stays as it is.
#[must_use]
pub fn pretty(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| json.to_owned())
}

/// The first `most` characters, if there are more.
#[must_use]
pub fn cut(text: &str, most: usize) -> Option<&str> {
    text.char_indices().nth(most).map(|(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, input: &str) -> String {
        let Summary { verb, target } = summary(name, input);
        format!("{verb} {target}")
    }

    #[test]
    fn a_call_is_told_in_one_line() {
        assert_eq!(
            told("bash", r#"{"command":"cargo test\necho done"}"#),
            "Run cargo test …"
        );
        assert_eq!(
            told("read", r#"{"path":"src/main.rs"}"#),
            "Read src/main.rs"
        );
        assert_eq!(
            told("search", r#"{"limit":3,"query":"fold"}"#),
            "search fold"
        );
        assert_eq!(told("edit", r#"{"path":"src/ma"#), "Edit ");
    }

    #[test]
    fn input_is_formatted_only_when_it_is_whole() {
        assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(pretty(r#"{"a":"#), r#"{"a":"#);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), Some("äö"));
        assert_eq!(cut("äöü", 3), None);
    }
}
