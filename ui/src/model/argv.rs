//! A program's arguments as people read them.

/// What would run, in the words of who wrote it: a shell's last argument is its command.
#[must_use]
pub fn command(argv: &[String]) -> &str {
    argv.last().map_or("", String::as_str)
}

/// Every argument, quoted as a shell reads it.
#[must_use]
pub fn quoted(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|word| quote(word)).collect();
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_as_a_shell_reads_them() {
        let argv = ["/bin/bash", "-c", "echo 'a' $b", ""].map(str::to_owned);
        assert_eq!(quoted(&argv), r"/bin/bash -c 'echo '\''a'\'' $b' ''");
    }

    #[test]
    fn the_command_is_the_last_argument() {
        assert_eq!(command(&["bash".to_owned(), "ls".to_owned()]), "ls");
        assert_eq!(command(&[]), "");
    }
}
