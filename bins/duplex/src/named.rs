//! The variables that the operator's files name: the runner alone is given them.

use std::ffi::OsString;
use std::path::Path;
use toml::Value;

/// Variables that change what a program is rather than what it knows are not handed on, whatever a file names.
const NEVER: [&str; 4] = ["PATH", "HOME", "LD_", "DUPLEX_"];

/// What this process has of the variables that the files name, as `key_env = "NAME"` or `{ env = "NAME" }`. A file that
/// is not there or not right names none: the runner says what is wrong with it.
pub(crate) fn variables(files: &[&Path]) -> Vec<(String, OsString)> {
    let texts = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let mut names: Vec<String> = texts.flat_map(|text| names(&text)).collect();
    names.sort_unstable();
    names.dedup();
    let found = names.into_iter().filter_map(|name| {
        let value = std::env::var_os(&name)?;
        Some((name, value))
    });
    found.collect()
}

fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(file) = toml::from_str::<Value>(text) {
        collect(&file, &mut names);
    }
    names.retain(|name| fit(name));
    names
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                match value {
                    Value::String(name) if key == "key_env" || key == "env" => {
                        names.push(name.clone());
                    }
                    other => collect(other, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

fn fit(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let special = NEVER.iter().any(|never| match never.strip_suffix('_') {
        Some(_) => name.starts_with(never),
        None => name == *never,
    });
    !name.is_empty() && name.chars().all(plain) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_a_file_may_name_them() {
        let text = r#"
            [[providers]]
            key_env = "LOCAL_KEY"
            [default.mcp.issues]
            headers = { Authorization = { env = "ISSUES_TOKEN" } }
            [[workspace]]
            path = "/srv/app"
            [workspace.mcp.files]
            env = { TOKEN = { env = "FILES_TOKEN" }, PLAIN = "text" }
            [[providers]]
            key_env = "LD_PRELOAD"
            [[providers]]
            key_env = "DUPLEX_DATA"
            [[providers]]
            key_env = "PATH"
        "#;

        let mut found = names(text);
        found.sort_unstable();

        assert_eq!(found, ["FILES_TOKEN", "ISSUES_TOKEN", "LOCAL_KEY"]);
        assert_eq!(names("not toml ["), Vec::<String>::new());
    }
}
