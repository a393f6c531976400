//! What the `OpenAPI` document says of commands: the domain, whose they are, knows nothing of documents.

use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    /// 32 hexadecimal digits.
    Id,
    Text,
    /// Bytes, as base64.
    Bytes,
    Count,
    /// A count, or null.
    CountOrNull,
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A field: its name, what it holds, and whether it may be left out.
type Field = (&'static str, Kind, Need);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Needed,
    Optional,
}
use Kind::{Bytes, Count, CountOrNull, Flag, Id, Text, Word};
use Need::{Needed, Optional};

const DELIVERY: Kind = Word(&["queue", "steer"]);
const ROLE: Kind = Word(&["viewer", "commenter", "driver", "owner"]);

/// Every command: its type, what it does, and its fields. An answer to a tool call has three shapes.
const COMMANDS: [(&str, &str, &[Field]); 35] = [
    (
        "post_message",
        "Say something to the agent. The command's id becomes the message's.",
        &[("text", Text, Needed), ("delivery", DELIVERY, Optional)],
    ),
    (
        "edit_message",
        "Change a message of one's own that is still queued.",
        &[("message", Id, Needed), ("text", Text, Needed)],
    ),
    (
        "withdraw_message",
        "Take back a queued message.",
        &[("message", Id, Needed)],
    ),
    (
        "choose_delivery",
        "Have a queued message read at another time.",
        &[("message", Id, Needed), ("delivery", DELIVERY, Needed)],
    ),
    (
        "move_message",
        "Move a queued message of one's own before another one, or to the end.",
        &[("message", Id, Needed), ("before", Id, Optional)],
    ),
    (
        "again",
        "Run one more turn without a new message.",
        &[("again", Word(&["retry", "continue"]), Needed)],
    ),
    (
        "compact",
        "Sum the conversation up, to make room in the model's window.",
        &[],
    ),
    (
        "decide",
        "Allow a tool call that waits for it, this once.",
        &[
            ("call", Text, Needed),
            ("verdict", Word(&["allow"]), Needed),
        ],
    ),
    (
        "decide",
        "Allow a tool call, and whatever a rule such as `bash(git *)` allows.",
        &[
            ("call", Text, Needed),
            ("verdict", Word(&["allow_always"]), Needed),
            ("rule", Text, Needed),
        ],
    ),
    (
        "decide",
        "Do not allow a tool call. The model reads the reason.",
        &[
            ("call", Text, Needed),
            ("verdict", Word(&["deny"]), Needed),
            ("reason", Text, Optional),
        ],
    ),
    (
        "choose_mode",
        "Let the agent do more, or less, without asking.",
        &[(
            "mode",
            Word(&["ask", "accept_edits", "plan", "auto"]),
            Needed,
        )],
    ),
    (
        "add_rule",
        "Let calls like these run without approval.",
        &[("rule", Text, Needed)],
    ),
    (
        "remove_rule",
        "Have such calls ask again.",
        &[("rule", Text, Needed)],
    ),
    (
        "set_budget",
        "Limit what the session may cost, in picodollars; without it, no limit.",
        &[("pico", CountOrNull, Optional)],
    ),
    (
        "restore",
        "Put the files back to a checkpoint: first without `tree`, which shows what would change.",
        &[("checkpoint", Count, Needed), ("tree", Text, Optional)],
    ),
    (
        "cancel_restore",
        "Leave the files as they are after all.",
        &[],
    ),
    (
        "commit",
        "Commit the files to the session's branch.",
        &[("message", Text, Needed)],
    ),
    (
        "interrupt",
        "Stop the agent: this turn, or whichever runs.",
        &[("turn", Id, Optional)],
    ),
    (
        "rename",
        "Give the session another title.",
        &[("title", Text, Needed)],
    ),
    (
        "choose_model",
        "Use another model from the next turn on.",
        &[("model", Text, Needed)],
    ),
    (
        "set_member",
        "Let a person in, or change their role.",
        &[
            ("user", Id, Needed),
            ("name", Text, Needed),
            ("role", ROLE, Needed),
        ],
    ),
    (
        "remove_member",
        "Shut a person out.",
        &[("user", Id, Needed)],
    ),
    ("take_control", "Take the keyboard.", &[]),
    (
        "give_control",
        "Give the keyboard to somebody, or put it down for whoever types next.",
        &[("to", Id, Optional)],
    ),
    (
        "rename_terminal",
        "Give a terminal a name, or take it away.",
        &[("terminal", Id, Needed), ("name", Text, Needed)],
    ),
    (
        "set_private_input",
        "Keep nothing of what is typed into a terminal, or keep it again.",
        &[("terminal", Id, Needed), ("on", Flag, Needed)],
    ),
    (
        "forget_keys",
        "Make what was typed in this session unreadable for good, and keep nothing of it from here on.",
        &[],
    ),
    (
        "ask_control",
        "Ask who has the keyboard to give it away.",
        &[],
    ),
    (
        "decline_control",
        "Keep the keyboard that somebody asked for; or, for who asked, need it no more.",
        &[("user", Id, Needed)],
    ),
    (
        "open_terminal",
        "Open a terminal. The command's id becomes the terminal's.",
        &[("cols", Count, Needed), ("rows", Count, Needed)],
    ),
    (
        "type",
        "Type into a terminal.",
        &[("terminal", Id, Needed), ("data", Bytes, Needed)],
    ),
    (
        "resize",
        "Change a terminal's size, for everybody.",
        &[
            ("terminal", Id, Needed),
            ("cols", Count, Needed),
            ("rows", Count, Needed),
        ],
    ),
    (
        "close_terminal",
        "End a terminal's processes.",
        &[("terminal", Id, Needed)],
    ),
    ("end", "End the session.", &[]),
    ("reopen", "Open an ended session again.", &[]),
];

/// What people can ask of a session.
pub(crate) fn command() -> Schema {
    let shapes = COMMANDS.iter();
    let all = shapes.fold(OneOfBuilder::new(), |all, shape| all.item(object(shape)));
    Schema::OneOf(all.description(Some("what to do")).build())
}

fn object((name, does, fields): &(&str, &str, &[Field])) -> Object {
    let kind = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([*name]));
    let start = ObjectBuilder::new()
        .description(Some(*does))
        .property("type", kind)
        .required("type");
    let filled = fields.iter().fold(start, |object, (name, kind, need)| {
        let object = object.property(*name, field(*kind));
        if *need == Needed {
            object.required(*name)
        } else {
            object
        }
    });
    filled.build()
}

fn field(kind: Kind) -> Object {
    let of = |kind| ObjectBuilder::new().schema_type(kind);
    let built = match kind {
        Id => of(Type::String).pattern(Some("^[0-9a-f]{32}$")),
        Text => of(Type::String),
        Bytes => of(Type::String).content_encoding("base64"),
        Count => of(Type::Integer).minimum(Some(0)),
        CountOrNull => ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
            .minimum(Some(0)),
        Flag => of(Type::Boolean),
        Word(words) => of(Type::String).enum_values(Some(words.iter().copied())),
    };
    built.build()
}

#[cfg(test)]
mod tests;
