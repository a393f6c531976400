//! How a session's tools and terminals are walled in, in words.

/// The layers of a sandbox as its runner names them (`bubblewrap+seccomp+…`): for each one, a line that says what it
/// does. None if there is no sandbox.
#[must_use]
pub fn told(sandbox: &str) -> Option<String> {
    if sandbox == "off" {
        return None;
    }
    let lines: Vec<String> = sandbox.split('+').map(layer).collect();
    Some(lines.join("\n"))
}

fn layer(name: &str) -> String {
    let means = match name {
        "bubblewrap" => "its own view of files and processes",
        "seccomp" => "dangerous system calls are refused",
        "landlock" => "a second wall around files",
        "pids" => "processes are limited",
        "memory" => "memory is limited",
        "own-user" => "a user of its own",
        _ => return name.to_owned(),
    };
    format!("{name}: {means}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_is_told() {
        assert_eq!(
            told("bubblewrap+pids+moat").as_deref(),
            Some(
                "bubblewrap: its own view of files and processes\npids: processes are limited\nmoat"
            )
        );
        assert_eq!(told("off"), None);
    }
}
