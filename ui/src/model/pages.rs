//! Long text from its end, page by page.

/// Lines of one page.
const PAGE: usize = 1_000;

/// So many pages of a text from its end, and how many lines are before them.
#[must_use]
pub fn last(text: &str, pages: usize) -> (&str, usize) {
    let text = text.trim_end_matches('\n');
    let wanted = pages.saturating_mul(PAGE);
    // The break before the first line that is shown.
    let begin = text.rmatch_indices('\n').nth(wanted.saturating_sub(1));
    let begin = begin.map_or(0, |(at, _)| at + 1);
    (&text[begin..], text[..begin].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_from_its_end() {
        let lines: Vec<String> = (1..=2_500).map(|n| n.to_string()).collect();
        let text = lines.join("\n") + "\n";

        let (page, earlier) = last(&text, 1);
        assert!(page.starts_with("1501\n") && page.ends_with("\n2500"));
        assert_eq!(earlier, 1_500);
        let (page, earlier) = last(&text, 3);
        assert_eq!((page.lines().count(), earlier), (2_500, 0));
        assert_eq!(last("", 1), ("", 0));
        assert_eq!(last("one\n", 1), ("one", 0));
    }
}
