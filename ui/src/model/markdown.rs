//! Markdown as a tree, read once more only from its last open block while more of it arrives.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use std::rc::Rc;

/// How deep blocks and spans may nest; deeper ones join what they are in. Hostile text nests thousands.
const DEEPEST: usize = 24;

/// A block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Running text.
    Paragraph(Vec<Inline>),
    /// A heading and its level, from 1.
    Heading(u8, Vec<Inline>),
    /// Code, and the language it names.
    Code {
        /// The language; empty where none is named.
        language: String,
        /// The code.
        text: String,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// A list; a number is where an ordered one begins.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A table: its head, then its rows.
    Table(Vec<Vec<Vec<Inline>>>),
    /// A line across.
    Rule,
}

/// A span of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Words.
    Text(String),
    /// Code.
    Code(String),
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// Struck out.
    Struck(Vec<Inline>),
    /// A link; without an address where the address is not allowed.
    Link(Option<String>, Vec<Inline>),
    /// The box of a task, and whether it is ticked.
    Task(bool),
    /// A new line.
    Break,
}

/// A document that grows at its end.
#[derive(Debug, Default)]
pub struct Document {
    blocks: Vec<Rc<Block>>,
    /// How many of the blocks can change no more, and where in the text the next one begins.
    frozen: (usize, usize),
    seen: String,
    whole: bool,
}

impl Document {
    /// Takes in the text as it is now, and whether no more will come. What was final before stays the same block.
    pub fn update(&mut self, text: &str, done: bool) -> &[Rc<Block>] {
        if self.seen == text && self.whole == done {
            return &self.blocks;
        }
        if done || !text.starts_with(&self.seen) {
            self.frozen = (0, 0);
        }
        self.read(text, done);
        text.clone_into(&mut self.seen);
        self.whole = done;
        &self.blocks
    }

    fn read(&mut self, text: &str, done: bool) {
        let (kept, from) = self.frozen;
        let fresh = parse(&text[from..]);
        // A partial line can still turn into something else; only whole lines decide what is final.
        let line = text.rfind('\n').map_or(0, |at| at + 1);
        if !done && line > from {
            self.freeze(text, from, line);
        }
        let old = self.blocks.split_off(kept.min(self.blocks.len()));
        for (index, (block, _)) in fresh.into_iter().enumerate() {
            let same = old.get(index).filter(|old| ***old == block);
            self.blocks
                .push(same.map_or_else(|| Rc::new(block), Rc::clone));
        }
    }

    fn freeze(&mut self, text: &str, from: usize, line: usize) {
        let whole_lines = parse(&text[from..line]);
        let Some((last, rest)) = whole_lines.split_last() else {
            return;
        };
        if rest.is_empty() {
            return;
        }
        let begins = from + last.1.start;
        let at_line_start = text[..begins].rfind('\n').map_or(0, |at| at + 1);
        if at_line_start > from {
            self.frozen = (self.frozen.0 + rest.len(), at_line_start);
        }
    }
}

/// Reads a text's top-level blocks, each with its place.
#[must_use]
pub fn parse(text: &str) -> Vec<(Block, Range<usize>)> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut builder = Builder::default();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        builder.take(event, range);
    }
    builder.done
}

/// Something open: a tag whose end has not come.
#[derive(Debug)]
enum Open {
    Blocks(Container, Vec<Block>),
    Spans(Span, Vec<Inline>),
    List(Option<u64>, Vec<Vec<Block>>),
    Table(Vec<Vec<Vec<Inline>>>),
    Row(Vec<Vec<Inline>>),
    Code(String, String),
    /// Too deep: what is in it goes to what it is in.
    Nothing,
}

#[derive(Debug)]
enum Container {
    Quote,
    Item,
}

#[derive(Debug)]
enum Span {
    Paragraph,
    Heading(u8),
    Cell,
    Emphasis,
    Strong,
    Struck,
    Link(Option<String>),
    /// Text that stands in a list item or quotation without a paragraph of its own.
    Loose,
}

#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    /// How many of the open ones are not too deep.
    depth: usize,
    done: Vec<(Block, Range<usize>)>,
    top: Range<usize>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.open.is_empty() {
            self.top = range;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) | Event::InlineMath(code) | Event::DisplayMath(code) => {
                self.span(Inline::Code(code.into_string()));
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.span(Inline::Break),
            Event::Rule => {
                self.close_loose();
                self.block(Block::Rule);
            }
            Event::TaskListMarker(ticked) => self.span(Inline::Task(ticked)),
            Event::FootnoteReference(name) => self.text(&name),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let open = match tag {
            Tag::Paragraph | Tag::HtmlBlock => Open::Spans(Span::Paragraph, Vec::new()),
            Tag::Heading { level, .. } => Open::Spans(Span::Heading(level as u8), Vec::new()),
            Tag::CodeBlock(kind) => Open::Code(language(&kind), String::new()),
            Tag::BlockQuote(_) => Open::Blocks(Container::Quote, Vec::new()),
            Tag::Item => Open::Blocks(Container::Item, Vec::new()),
            Tag::List(first) => Open::List(first, Vec::new()),
            Tag::Table(_) => Open::Table(Vec::new()),
            Tag::TableHead | Tag::TableRow => Open::Row(Vec::new()),
            Tag::TableCell => Open::Spans(Span::Cell, Vec::new()),
            Tag::Emphasis => Open::Spans(Span::Emphasis, Vec::new()),
            Tag::Strong => Open::Spans(Span::Strong, Vec::new()),
            Tag::Strikethrough => Open::Spans(Span::Struck, Vec::new()),
            // An image is somebody else's server learning who reads this: a link, until it is clicked.
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                Open::Spans(Span::Link(allowed(&dest_url)), Vec::new())
            }
            _ => Open::Nothing,
        };
        let is_span = matches!(
            open,
            Open::Spans(
                Span::Emphasis | Span::Strong | Span::Struck | Span::Link(_),
                _
            )
        );
        if is_span {
            self.open_loose();
        } else {
            self.close_loose();
        }
        let small = matches!(open, Open::Row(_) | Open::Spans(..));
        let deepest = if small { DEEPEST * 2 } else { DEEPEST };
        if self.depth < deepest && !matches!(open, Open::Nothing) {
            self.push(open);
        } else {
            self.open.push(Open::Nothing);
        }
    }

    fn end(&mut self, end: TagEnd) {
        let is_span = matches!(
            end,
            TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
                | TagEnd::Link
                | TagEnd::Image
        );
        if !is_span {
            self.close_loose();
        }
        self.pop();
    }

    fn push(&mut self, open: Open) {
        self.depth += 1;
        self.open.push(open);
    }

    fn pop(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if !matches!(open, Open::Nothing) {
            self.depth -= 1;
        }
        self.close(open);
    }

    fn close(&mut self, open: Open) {
        match open {
            Open::Blocks(Container::Quote, blocks) => self.block(Block::Quote(blocks)),
            Open::Blocks(Container::Item, blocks) => match self.open.last_mut() {
                Some(Open::List(_, items)) => items.push(blocks),
                _ => blocks.into_iter().for_each(|block| self.block(block)),
            },
            Open::List(first, items) => self.block(Block::List(first, items)),
            Open::Table(rows) => self.block(Block::Table(rows)),
            Open::Row(cells) => {
                if let Some(Open::Table(rows)) = self.open.last_mut() {
                    rows.push(cells);
                }
            }
            Open::Code(language, text) => self.block(Block::Code { language, text }),
            Open::Spans(span, inlines) => self.close_span(span, inlines),
            Open::Nothing => {}
        }
    }

    fn close_span(&mut self, span: Span, inlines: Vec<Inline>) {
        match span {
            Span::Paragraph | Span::Loose => self.block(Block::Paragraph(inlines)),
            Span::Heading(level) => self.block(Block::Heading(level, inlines)),
            Span::Cell => {
                if let Some(Open::Row(cells)) = self.open.last_mut() {
                    cells.push(inlines);
                }
            }
            Span::Emphasis => self.span(Inline::Emphasis(inlines)),
            Span::Strong => self.span(Inline::Strong(inlines)),
            Span::Struck => self.span(Inline::Struck(inlines)),
            Span::Link(address) => self.span(Inline::Link(address, inlines)),
        }
    }

    fn block(&mut self, block: Block) {
        if self.open.is_empty() {
            return self.done.push((block, self.top.clone()));
        }
        let mut within = self.open.iter_mut().rev();
        let home = within.find_map(|open| match open {
            Open::Blocks(_, blocks) => Some(blocks),
            _ => None,
        });
        if let Some(blocks) = home {
            blocks.push(block);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Open::Code(_, code)) = self.open.last_mut() {
            code.push_str(text);
            return;
        }
        self.open_loose();
        if let Some(spans) = self.spans() {
            match spans.last_mut() {
                Some(Inline::Text(before)) => before.push_str(text),
                _ => spans.push(Inline::Text(text.to_owned())),
            }
        }
    }

    fn span(&mut self, inline: Inline) {
        self.open_loose();
        if let Some(spans) = self.spans() {
            spans.push(inline);
        }
    }

    fn spans(&mut self) -> Option<&mut Vec<Inline>> {
        self.open.iter_mut().rev().find_map(|open| match open {
            Open::Spans(_, inlines) => Some(inlines),
            _ => None,
        })
    }

    /// Text directly in a list item or quotation gets a paragraph.
    fn open_loose(&mut self) {
        let mut within = self.open.iter().rev();
        let innermost = within.find(|open| !matches!(open, Open::Nothing));
        if matches!(innermost, Some(Open::Blocks(..))) {
            self.push(Open::Spans(Span::Loose, Vec::new()));
        }
    }

    fn close_loose(&mut self) {
        if matches!(self.open.last(), Some(Open::Spans(Span::Loose, _))) {
            self.pop();
        }
    }
}

fn language(kind: &CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',']).next().unwrap_or("").to_owned(),
        CodeBlockKind::Indented => String::new(),
    }
}

/// The address, if following it can do no more than open a page or a mail.
fn allowed(address: &str) -> Option<String> {
    let scheme = address.split_once(':')?.0.to_ascii_lowercase();
    let known = ["http", "https", "mailto"].contains(&scheme.as_str());
    known.then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use super::*;

    const DOCUMENTS: [&str; 4] = [
        "# Title\n\nSome *soft* and **loud** `code`, [a link](https://a.example/x).\n\n- one\n- two\n\n  more\n- three\n\n```rust\nfn main() {\n}\n```\n\n> quoted\n> > deeper\n\nend",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | **4** |\n\nafter\n\n1. x\n2. y\n   - z\n\n---\n\n    indented\n    code\n\nlast ~~gone~~\n",
        "para one\npara one\nTitle\n=====\n\n- [x] done\n- [ ] open\n\n<div onclick=\"x()\">raw</div>\n\ntext with <b>html</b> in it\n\n![image](http://a.example/i.png)",
        "ünïcode ☃ text\r\n\r\n* a\r\n* b\r\n\r\n~~~\r\ncode\r\n~~~\r\n[late]\n\n[late]: https://a.example\n",
    ];

    fn blocks(text: &str) -> Vec<Block> {
        parse(text).into_iter().map(|(block, _)| block).collect()
    }

    #[test]
    fn a_document_read_piece_by_piece_is_the_document_read_at_once() {
        for text in DOCUMENTS {
            let mut document = Document::default();
            for (end, _) in text.char_indices() {
                let shown: Vec<Block> = document
                    .update(&text[..end], false)
                    .iter()
                    .map(|block| (**block).clone())
                    .collect();
                assert_eq!(shown, blocks(&text[..end]), "after {:?}", &text[..end]);
            }
            let shown: Vec<Block> = document
                .update(text, true)
                .iter()
                .map(|block| (**block).clone())
                .collect();
            assert_eq!(shown, blocks(text));
        }
    }

    #[test]
    fn what_is_final_stays_the_same_block() {
        let mut document = Document::default();
        let first = Rc::clone(&document.update("one\n\ntwo\n\nthr", false)[0]);

        let later = document.update("one\n\ntwo\n\nthree\n\nfour", false);

        assert!(Rc::ptr_eq(&first, &later[0]));
        assert_eq!(later.len(), 4);
    }

    #[test]
    fn hostile_addresses_and_html_are_plain_text() {
        let read =
            blocks("[x](javascript:alert(1)) ![i](data:text/html,x) <script>alert(1)</script>");

        let Block::Paragraph(spans) = &read[0] else {
            panic!("{read:?}")
        };
        assert_eq!(spans[0], Inline::Link(None, vec![Inline::Text("x".into())]));
        assert_eq!(spans[2], Inline::Link(None, vec![Inline::Text("i".into())]));
        assert_eq!(spans[3], Inline::Text(" <script>alert(1)</script>".into()));
    }

    #[test]
    fn deep_nesting_stays_shallow_and_keeps_its_words() {
        let read = blocks(&format!("{} deep", ">".repeat(5000)));

        assert!(format!("{read:?}").contains("deep"));
        assert!(format!("{read:?}").matches("Quote").count() <= DEEPEST);
    }
}
