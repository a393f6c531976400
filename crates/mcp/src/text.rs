//! Text of servers, made fit to be shown: bounded, and with nothing in it that cannot be seen.

/// At most `bytes` bytes, cut between two characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The text without control characters (but for line breaks and tabs) and without what cannot be seen or turns the
/// reading order round: a person approves what they read, and the model must not read more than they do.
pub(crate) fn clean(text: &str) -> String {
    let seen = |c: &char| matches!(c, '\n' | '\t') || !hidden(*c);
    text.chars().filter(seen).collect()
}

/// Cleaned, on one line and bounded.
pub(crate) fn line(text: &str, bytes: usize) -> String {
    let text = clean(cut(text, bytes.saturating_mul(4)));
    let words: Vec<_> = text.split_whitespace().collect();
    let text = words.join(" ");
    let short = cut(&text, bytes);
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short}{more}")
}

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
    fn what_cannot_be_seen_is_taken_out() {
        let tags = "Adds\u{1B}[2J two\u{200B}\u{202E} numbers\u{E0041}\u{E0042}\n\tzwölf 猫\0";

        assert_eq!(clean(tags), "Adds[2J two numbers\n\tzwölf 猫");
        assert_eq!(line(tags, 12), "Adds[2J two …");
        assert_eq!(line("a\n  b\r\n", 12), "a b");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("猫猫", 4), "猫");
        assert_eq!(cut("猫", 9), "猫");
    }
}
