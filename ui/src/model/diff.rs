//! A unified diff, line by line.

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
