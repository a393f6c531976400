//! Markdown as elements; raw HTML stays text.

use crate::components::icon::icon;
use crate::interop::dom;
use crate::model::markdown::{Block, Document, Inline};
use dioxus::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// A block that is compared by identity.
#[derive(Clone)]
struct Same(Rc<Block>);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A text in Markdown, read on from where it was while it grows.
#[component]
pub fn MarkdownView(text: String, done: bool, caret: bool) -> Element {
    let document = use_hook(|| Rc::new(RefCell::new(Document::default())));
    let blocks: Vec<Same> = {
        let mut document = document.borrow_mut();
        let blocks = document.update(&text, done);
        blocks.iter().map(|block| Same(Rc::clone(block))).collect()
    };
    rsx! {
        div { class: "markdown", "data-live": caret, aria_busy: !done,
            for (index , block) in blocks.into_iter().enumerate() {
                BlockView { key: "{index}", block }
            }
        }
    }
}

#[component]
fn BlockView(block: Same) -> Element {
    block_element(&block.0)
}

fn block_element(block: &Block) -> Element {
    match block {
        Block::Paragraph(spans) => rsx! { p { {inlines(spans)} } },
        Block::Heading(level, spans) => rsx! {
            div { class: "heading h{level}", role: "heading", "aria-level": "{level + 2}", {inlines(spans)} }
        },
        Block::Code { language, text } => rsx! {
            Code { language: language.clone(), text: text.clone() }
        },
        Block::Quote(blocks) => rsx! {
            blockquote { for block in blocks.iter() { {block_element(block)} } }
        },
        Block::List(None, items) => rsx! {
            ul { for item in items.iter() { li { {item_element(item)} } } }
        },
        Block::List(Some(first), items) => rsx! {
            ol { start: "{first}", for item in items.iter() { li { {item_element(item)} } } }
        },
        Block::Table(rows) => table(rows),
        Block::Rule => rsx! { hr {} },
    }
}

/// A list item that is one paragraph needs no paragraph.
fn item_element(blocks: &[Block]) -> Element {
    match blocks {
        [Block::Paragraph(spans)] => inlines(spans),
        [Block::Paragraph(spans), rest @ ..] => rsx! {
            {inlines(spans)}
            for block in rest.iter() { {block_element(block)} }
        },
        _ => rsx! { for block in blocks.iter() { {block_element(block)} } },
    }
}

fn table(rows: &[Vec<Vec<Inline>>]) -> Element {
    let Some((head, body)) = rows.split_first() else {
        return rsx! {};
    };
    rsx! {
        div { class: "table-scroll",
            table {
                thead {
                    tr { for cell in head.iter() { th { scope: "col", {inlines(cell)} } } }
                }
                tbody {
                    for row in body.iter() {
                        tr { for cell in row.iter() { td { {inlines(cell)} } } }
                    }
                }
            }
        }
    }
}

fn inlines(spans: &[Inline]) -> Element {
    rsx! {
        for span in spans.iter() { {inline(span)} }
    }
}

fn inline(span: &Inline) -> Element {
    match span {
        Inline::Text(text) => rsx! { "{text}" },
        Inline::Code(code) => rsx! { code { "{code}" } },
        Inline::Emphasis(spans) => rsx! { em { {inlines(spans)} } },
        Inline::Strong(spans) => rsx! { strong { {inlines(spans)} } },
        Inline::Struck(spans) => rsx! { s { {inlines(spans)} } },
        Inline::Link(Some(address), spans) => rsx! {
            a { href: "{address}", target: "_blank", rel: "noopener noreferrer nofollow", {inlines(spans)} }
        },
        Inline::Link(None, spans) => inlines(spans),
        Inline::Task(ticked) => rsx! {
            input { r#type: "checkbox", disabled: true, checked: *ticked, aria_label: if *ticked { "done" } else { "to do" } }
        },
        Inline::Break => rsx! { br {} },
    }
}

#[component]
fn Code(language: String, text: String) -> Element {
    let label = if language.is_empty() {
        "code"
    } else {
        &language
    };
    rsx! {
        div { class: "code",
            div { class: "code-head",
                span { "{label}" }
                CopyButton { text: text.clone() }
            }
            pre { class: "mono", code { "{text}" } }
        }
    }
}

/// Copies a text, and says for a moment that it did.
#[component]
pub fn CopyButton(text: String) -> Element {
    let mut word = use_signal(|| "Copy");
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small",
            onclick: move |_| {
                let text = text.clone();
                spawn(async move {
                    word.set(if dom::copy_text(&text).await { "Copied" } else { "Not allowed" });
                    dom::sleep(1_500).await;
                    word.set("Copy");
                });
            },
            {icon("copy")}
            "{word}"
        }
    }
}

/// JSON as it came, under a title.
#[component]
pub fn Raw(title: String, json: String) -> Element {
    let pretty = crate::model::tool::pretty(&json);
    rsx! {
        details { class: "raw",
            summary { "{title}" }
            pre { class: "mono", "{pretty}" }
        }
    }
}
