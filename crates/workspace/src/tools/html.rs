//! A web page as plain text: simple, bounded by the page's length, and no more than the words.

/// Elements whose content nobody reads.
const SILENT: [&str; 7] = [
    "script", "style", "noscript", "template", "svg", "iframe", "object",
];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "table",
    "title",
    "tr",
    "ul",
];
/// The longest name of a character that is looked for.
const LONGEST_NAME: usize = 10;

/// The words of a page. What is in `pre` keeps its spaces.
pub(super) fn text(page: &str) -> String {
    let mut out = Out::default();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        out.words(&rest[..at]);
        rest = markup(&rest[at..], &mut out);
    }
    out.words(rest);
    out.text.trim().to_owned()
}

/// Takes one piece of markup off the front, and what it silences.
fn markup<'a>(rest: &'a str, out: &mut Out) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return after(comment, "-->");
    }
    let inner = &rest[1..];
    let closing = inner.starts_with('/');
    let name = inner.trim_start_matches('/');
    let length = name.find(|c: char| !c.is_ascii_alphanumeric());
    let name = name[..length.unwrap_or(name.len())].to_ascii_lowercase();
    if name.is_empty() && !closing && !inner.starts_with(['!', '?']) {
        out.words("<");
        return inner;
    }
    let rest = after_tag(inner);
    if SILENT.contains(&name.as_str()) && !closing {
        return after_closing(rest, &name);
    }
    out.element(&name, closing);
    rest
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// Behind the `>` that is not in quotes.
fn after_tag(tag: &str) -> &str {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return &tag[at + 1..],
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed was none.
    after(tag, ">")
}

fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let here = rest.as_bytes().get(..name.len());
        if here.is_some_and(|here| here.eq_ignore_ascii_case(name.as_bytes())) {
            return after(rest, ">");
        }
    }
    ""
}

#[derive(Default)]
struct Out {
    text: String,
    /// How deep in `pre`.
    verbatim: usize,
}

impl Out {
    fn element(&mut self, name: &str, closing: bool) {
        if name == "pre" {
            self.verbatim = if closing {
                self.verbatim.saturating_sub(1)
            } else {
                self.verbatim + 1
            };
            self.new_line();
        } else if matches!(name, "td" | "th") {
            self.blank();
        } else if BLOCKS.contains(&name) {
            self.new_line();
            match name {
                "li" if !closing => self.text.push_str("- "),
                "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.empty_line(),
                _ => {}
            }
        }
    }

    fn words(&mut self, raw: &str) {
        for c in decoded(raw).chars() {
            if self.verbatim == 0 && c.is_whitespace() && c != '\u{A0}' {
                self.blank();
            } else if c != '\r' {
                self.text.push(if c == '\u{A0}' { ' ' } else { c });
            }
        }
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn new_line(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn empty_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// The text with `&…;` read.
fn decoded(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest
            .bytes()
            .take(LONGEST_NAME)
            .position(|byte| byte == b';');
        match end.and_then(|end| Some((end, character(&rest[..end])?))) {
            Some((end, c)) => {
                text.push(c);
                rest = &rest[end + 1..];
            }
            None => text.push('&'),
        }
    }
    text.push_str(rest);
    text
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(number).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        "copy" => '©',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "rarr" => '→',
        "times" => '×',
        "euro" => '€',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_page_becomes_its_words() {
        let page = "<!doctype html><html><head><title>A &amp; B</title><style>p > a {}</style>\
                    <script>if (1 < 2) document.write('</p>');</script></head><body>\
                    <!-- <p>no</p> --><h1>One\n  <em>two</em></h1><p>5&nbsp;&lt; 7 &#x732B; &bogus; a&b</p>\
                    <ul><li>x<li>y</ul><pre>  a\n    b</pre><a title=\"x > y\" href='/z'>link</a></body>";

        assert_eq!(
            text(page),
            "A & B\n\nOne two\n\n5 < 7 猫 &bogus; a&b\n\n- x\n- y\n  a\n    b\nlink"
        );
    }

    #[test]
    fn broken_markup_ends() {
        for page in [
            "<",
            "<a",
            "</",
            "<!--",
            "a < b",
            "<script>x",
            "<p title=\"x>y",
            "&",
            "&#0;",
        ] {
            let _ = text(page);
        }
        assert_eq!(text("a < b"), "a < b");
        assert_eq!(text("<p title=\"x>y"), "y");
    }
}
