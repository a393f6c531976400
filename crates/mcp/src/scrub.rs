//! Secrets that the operator gave for a server, taken out of whatever it says.

/// Shorter ones are no secrets, and would take words out of every text.
const SHORTEST: usize = 6;

/// What must not be shown. Its own debug text does not show it either.
#[derive(Clone, Default)]
pub(crate) struct Scrub(Vec<String>);

impl Scrub {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let long = secrets.into_iter().filter(|text| text.len() >= SHORTEST);
        let mut secrets: Vec<_> = long.collect();
        // The whole before its parts.
        secrets.sort_by_key(|text| std::cmp::Reverse(text.len()));
        secrets.dedup();
        Self(secrets)
    }

    pub(crate) fn text(&self, text: &str) -> String {
        let found = self.0.iter().filter(|secret| text.contains(*secret));
        found.fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[secret]")
        })
    }
}

impl std::fmt::Debug for Scrub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_whole_and_a_short_word_stays() {
        let scrub = Scrub::new(["Bearer abcdef", "abcdef", "on"].map(str::to_owned));

        assert_eq!(
            scrub.text("sent Bearer abcdef, so abcdef is on"),
            "sent [secret], so [secret] is on"
        );
        assert_eq!(format!("{scrub:?}"), "2 secrets");
    }
}
