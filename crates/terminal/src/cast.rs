//! A terminal's output as an asciicast, which asciinema and its players show.
//!
//! Source: <https://docs.asciinema.org/manual/asciicast/v2/>. One JSON value a line: a header, then events of a time in
//! seconds, a code and a text.

use crate::Size;
use crate::text::Decoder;
use serde_json::json;

/// Writes an asciicast line by line.
#[derive(Debug)]
pub struct Cast {
    /// The moment of the first event, in milliseconds.
    began: u64,
    /// The newest moment: time never runs backwards.
    latest: u64,
    decoder: Decoder,
}

impl Cast {
    /// Begins a recording at a moment, in milliseconds since 1970 UTC, and gives its header.
    #[must_use]
    pub fn begin(size: Size, title: &str, at: u64) -> (Self, String) {
        let header = json!({
            "version": 2,
            "width": size.cols,
            "height": size.rows,
            "timestamp": at / 1000,
            "title": title,
            "env": { "TERM": "xterm-256color", "SHELL": "/bin/bash" },
        });
        let cast = Self {
            began: at,
            latest: at,
            decoder: Decoder::default(),
        };
        (cast, format!("{header}\n"))
    }

    /// Output. A character that is cut in two is held back until it is whole; none if nothing is left then.
    pub fn output(&mut self, bytes: &[u8], at: u64) -> Option<String> {
        let text = self.decoder.feed(bytes);
        (!text.is_empty()).then(|| self.event("o", &text, at))
    }

    /// The terminal has another size from here on.
    pub fn resize(&mut self, size: Size, at: u64) -> String {
        self.event("r", &format!("{}x{}", size.cols, size.rows), at)
    }

    /// A place with a name, which players show.
    pub fn marker(&mut self, label: &str, at: u64) -> String {
        self.event("m", label, at)
    }

    fn event(&mut self, code: &str, data: &str, at: u64) -> String {
        self.latest = self.latest.max(at);
        let passed = self.latest - self.began;
        let (seconds, milliseconds) = (passed / 1000, passed % 1000);
        format!(
            "[{seconds}.{milliseconds:03}000, {}, {}]\n",
            json!(code),
            json!(data)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_the_format_says() {
        let size = Size { cols: 80, rows: 24 };
        let (mut cast, header) = Cast::begin(size, "a \"title\"", 1_700_000_000_500);
        let header: serde_json::Value = serde_json::from_str(&header).unwrap_or_default();
        assert_eq!(header["version"], 2);
        assert_eq!(
            (&header["width"], &header["height"]),
            (&json!(80), &json!(24))
        );
        assert_eq!(header["timestamp"], 1_700_000_000);
        assert_eq!(header["title"], "a \"title\"");

        let said = cast.output(b"\x1b[1mhi\r\n", 1_700_000_001_750);
        assert_eq!(
            said.as_deref(),
            Some("[1.250000, \"o\", \"\\u001b[1mhi\\r\\n\"]\n")
        );
        let size = Size {
            cols: 100,
            rows: 30,
        };
        assert_eq!(
            cast.resize(size, 1_700_000_002_000),
            "[1.500000, \"r\", \"100x30\"]\n"
        );
        // A clock that was set back does not turn the recording around.
        assert_eq!(
            cast.marker("gap", 1_600_000_000_000),
            "[1.500000, \"m\", \"gap\"]\n"
        );
    }

    #[test]
    fn a_cut_character_comes_whole_and_broken_bytes_are_replaced() {
        let (mut cast, _) = Cast::begin(Size { cols: 80, rows: 24 }, "", 0);
        assert_eq!(cast.output(b"\xc3", 0), None);
        assert_eq!(
            cast.output(b"\xa9", 0).as_deref(),
            Some("[0.000000, \"o\", \"é\"]\n")
        );
        assert_eq!(
            cast.output(b"\xff", 0).as_deref(),
            Some("[0.000000, \"o\", \"\u{fffd}\"]\n")
        );
    }
}
