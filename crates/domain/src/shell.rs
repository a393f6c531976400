//! A shell's command line, read only as far as it is plain.

/// The words of each command of a chain; none if the line substitutes, escapes or redirects from itself, since then its
/// words are not what they look like.
pub(crate) fn commands(line: &str) -> Option<Vec<Vec<String>>> {
    let mut reader = Reader::default();
    for c in line.chars() {
        reader.take(c)?;
    }
    if reader.quote.is_some() {
        return None;
    }
    reader.end_command()?;
    Some(reader.commands)
}

#[derive(Default)]
struct Reader {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
    quote: Option<char>,
}

impl Reader {
    fn take(&mut self, c: char) -> Option<()> {
        match (self.quote, c) {
            (Some(quote), c) if c == quote => self.quote = None,
            (Some('\''), c) => self.push(c),
            (_, '$' | '`' | '\\') | (None, '(' | ')' | '{' | '}' | '<') => return None,
            (None, '\'' | '"') => {
                self.quote = Some(c);
                self.word.get_or_insert_default();
            }
            (None, ';' | '&' | '|' | '\n') => self.end_command()?,
            (None, c) if c.is_whitespace() => self.end_word(),
            (_, c) => self.push(c),
        }
        Some(())
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) -> Option<()> {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        let Some(program) = words.first() else {
            return Some(());
        };
        // A program named by a pattern may be any.
        if program.contains(['*', '?', '[']) {
            return None;
        }
        self.commands.push(words);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_commands_are_read_and_others_are_not() {
        let words = |line: &str| {
            let commands = commands(line)?;
            let joined = commands.iter().map(|words| words.join("/"));
            Some(joined.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(words("a b|c 'd e' \"f\""), Some("a/b c/d e/f".into()));
        assert_eq!(words("a '' && b"), Some("a/ b".into()));
        for not_read in [
            "a $x", "a `b`", "(a)", "a <b", "a 'b", "a\\ b", "g*", "a \"$b\"",
        ] {
            assert_eq!(words(not_read), None, "{not_read}");
        }
    }
}
