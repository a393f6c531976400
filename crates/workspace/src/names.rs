//! Names as they are shown to people: nothing in them hides, breaks a line or turns the reading order round.

use std::fmt::Write as _;

/// The text with what cannot be seen, or moves what can, written as `\u{…}`; a backslash is doubled, so that no two
/// names look the same.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            c if hidden(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Control characters, line and paragraph separators, marks of the reading order, characters without width, and tags.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_deceive_is_shown_as_what_it_is() {
        assert_eq!(
            visible("src/\u{202E}sr.niam\u{2069}\n\t\u{1B}[2J\u{200B}\\x"),
            "src/\\u{202e}sr.niam\\u{2069}\\u{a}\\u{9}\\u{1b}[2J\\u{200b}\\\\x"
        );
        assert_eq!(visible("zwölf 猫 a b.txt"), "zwölf 猫 a b.txt");
    }
}
