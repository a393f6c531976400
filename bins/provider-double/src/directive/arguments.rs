//! The arguments of a directive, taken one by one.

use super::{Directive, Fault, Http, Spoken};

/// The words of a directive not yet understood.
pub(super) struct Arguments<'a>(pub Vec<&'a str>);

impl<'a> Arguments<'a> {
    pub fn word(&mut self) -> Result<&'a str, String> {
        if self.0.is_empty() {
            return Err("a directive lacks its argument".to_owned());
        }
        Ok(self.0.remove(0))
    }

    pub fn number(&mut self) -> Result<u64, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("{word} is not a number"))
    }

    pub fn optional_number(&mut self) -> Result<Option<u64>, String> {
        if self.0.is_empty() {
            Ok(None)
        } else {
            self.number().map(Some)
        }
    }

    /// The word behind a name, wherever it stands.
    fn named(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(place) = self.0.iter().position(|word| *word == name) else {
            return Ok(None);
        };
        self.0.remove(place);
        if place == self.0.len() {
            return Err(format!("{name} lacks its value"));
        }
        Ok(Some(self.0.remove(place)))
    }

    pub fn keyed(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(word) = self.named(name)? else {
            return Ok(None);
        };
        word.trim_end_matches("/s")
            .parse()
            .map(Some)
            .map_err(|_| format!("{name} {word} is not a number"))
    }

    pub fn spoken(&mut self) -> Result<Spoken, String> {
        let rate = self.keyed("at")?.map(|rate| rate.max(1));
        let tokens = self.number()?;
        self.0.retain(|word| *word != "tokens");
        Ok(Spoken { tokens, rate })
    }

    fn status(&mut self) -> Result<u16, String> {
        let number = self.number()?;
        u16::try_from(number)
            .ok()
            .filter(|status| (400..600).contains(status))
            .ok_or_else(|| format!("{number} is not the status of an error"))
    }

    pub fn http(&mut self) -> Result<Http, String> {
        Ok(Http {
            retry_after: self.keyed("retry-after")?,
            code: self.named("code")?.map(str::to_owned),
            times: self.keyed("times")?,
            status: self.status()?,
        })
    }

    pub fn error(&mut self) -> Result<Directive, String> {
        let Some(after) = self.keyed("after")? else {
            return self.http().map(Directive::Http);
        };
        Ok(Directive::Fault {
            fault: Fault::Error(self.status()?),
            after,
        })
    }

    pub fn finish(&self, word: &str) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some(odd) => Err(format!("[[{word}]] does not understand {odd}")),
        }
    }
}
