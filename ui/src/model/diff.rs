//! A unified diff, line by line.

use duplex_domain::FileChange;

/// What a line of a diff says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It came in.
    Added,
    /// It went out.
    Removed,
    /// It stayed.
    Same,
    /// It says where in which file.
    Place,
}

/// What a line of a unified diff is.
#[must_use]
pub fn line(text: &str) -> Line {
    match text.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] | [b'@', b'@', ..] => {
            Line::Place
        }
        [b'+', ..] => Line::Added,
        [b'-', ..] => Line::Removed,
        _ => Line::Same,
    }
}

/// Each file with its part of a diff, in which a line `diff --git` begins each part, in the files' order.
/// Lines that only git reads are left out.
#[must_use]
pub fn by_file(files: &[FileChange], diff: &str) -> Vec<(FileChange, String)> {
    let mut parts: Vec<String> = Vec::new();
    for text in diff.split_inclusive('\n') {
        match parts.last_mut() {
            _ if text.starts_with("diff --git ") => parts.push(String::new()),
            Some(part) if !text.starts_with("index ") => part.push_str(text),
            _ => {}
        }
    }
    let mut parts = parts.into_iter();
    let part = |file: &FileChange| (file.clone(), parts.next().unwrap_or_default());
    files.iter().map(part).collect()
}

/// How many lines a diff adds and removes.
#[must_use]
pub fn size(diff: &str) -> (usize, usize) {
    let count = |wanted| diff.lines().filter(|text| line(text) == wanted).count();
    (count(Line::Added), count(Line::Removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_told_file_by_file() {
        let file = |path: &str| FileChange {
            path: path.to_owned(),
            old_path: None,
            status: duplex_domain::FileStatus::Modified,
            added: 1,
            removed: 0,
            binary: false,
        };
        let diff = "diff --git a/x b/x\nindex 1..2\n+one\ndiff --git a/y b/y\n+two\n+three\n";

        let told = by_file(&[file("x"), file("y"), file("z")], diff);

        let parts: Vec<&str> = told.iter().map(|(_, part)| part.as_str()).collect();
        assert_eq!(parts, ["+one\n", "+two\n+three\n", ""]);
    }

    #[test]
    fn lines_are_told_apart() {
        let diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\n+new\n+more\n same";

        let lines: Vec<Line> = diff.lines().map(line).collect();

        assert_eq!(lines[..3], [Line::Place; 3]);
        assert_eq!(
            lines[3..],
            [Line::Removed, Line::Added, Line::Added, Line::Same]
        );
        assert_eq!(size(diff), (2, 1));
    }
}
