//! The people at a session, as they are shown.

use duplex_domain::{Digest, Role, Session, UserId};
use duplex_wire::{Pane, Present};

/// Somebody at a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Their name in one or two letters.
    pub initials: String,
    /// A hue for them, in degrees; the same on every page.
    pub hue: u16,
    /// What they do, to stand behind the name; empty for who is not here.
    pub doing: String,
    /// Whether they type.
    pub typing: bool,
    /// Whether they have the session on a page that is on the screen.
    pub here: bool,
}

/// Everybody at a session but the reader; who is here comes first.
#[must_use]
pub fn others(session: &Session, present: &[Present], me: Option<UserId>) -> Vec<Face> {
    let present = present.iter().filter(|other| Some(other.user) != me);
    let mut faces: Vec<Face> = present.map(|other| face(session, other)).collect();
    faces.sort_by_key(|face| !face.here);
    faces
}

/// A member's face, here or not.
#[must_use]
pub fn member(session: &Session, present: &[Present], user: UserId) -> Face {
    let here = present.iter().find(|present| present.user == user);
    match here {
        Some(here) => face(session, here),
        None => bare(session, user),
    }
}

fn face(session: &Session, present: &Present) -> Face {
    let typing = present.here.typing;
    let (doing, here) = match present.here.pane {
        Pane::Away => ("is away".to_owned(), false),
        Pane::Chat if typing => ("is typing".to_owned(), true),
        Pane::Chat => ("is in the chat".to_owned(), true),
        Pane::Terminal { terminal } => {
            let does = if typing { "types in" } else { "is in" };
            (format!("{does} {}", session.terminal_name(terminal)), true)
        }
    };
    Face {
        doing,
        typing: typing && here,
        here,
        ..bare(session, present.user)
    }
}

fn bare(session: &Session, user: UserId) -> Face {
    let member = session.members.get(&user);
    let name = member.map_or_else(|| "Somebody".to_owned(), |member| member.name.clone());
    let hue = u16::try_from(user.0.as_u128() % 360).unwrap_or_default();
    Face {
        user,
        initials: initials(&name),
        name,
        hue,
        doing: String::new(),
        typing: false,
        here: false,
    }
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let plain = name.trim_end_matches("(visitor)");
    let mut words = plain.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    let letters = first.into_iter().chain(last);
    letters.flat_map(char::to_uppercase).collect()
}

/// Who types in the chat, as a sentence; none if nobody does.
#[must_use]
pub fn typists(session: &Session, present: &[Present], me: Option<UserId>) -> Option<String> {
    let typing = present.iter().filter(|other| {
        Some(other.user) != me && other.here.typing && other.here.pane == Pane::Chat
    });
    let names: Vec<String> = typing.map(|other| bare(session, other.user).name).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is typing…")),
        [one, other] => Some(format!("{one} and {other} are typing…")),
        [one, more @ ..] => Some(format!("{one} and {} others are typing…", more.len())),
    }
}

/// What somebody missed, in one sentence.
#[must_use]
pub fn missed(session: &Session, digest: &Digest, me: Option<UserId>) -> String {
    let mut parts = Vec::new();
    for (user, count) in &digest.messages {
        let name = if Some(*user) == me {
            "you".to_owned()
        } else {
            bare(session, *user).name
        };
        parts.push(format!("{name} wrote {}", counted(*count, "message")));
    }
    if digest.finished > 0 {
        parts.push(format!(
            "the agent finished {}",
            counted(digest.finished, "turn")
        ));
    }
    if digest.unfinished > 0 {
        let turns = counted(digest.unfinished, "turn");
        parts.push(format!("{turns} ended otherwise"));
    }
    if digest.calls > 0 {
        let failed = match digest.failed {
            0 => String::new(),
            failed => format!(" ({failed} failed)"),
        };
        parts.push(format!("it used {}{failed}", counted(digest.calls, "tool")));
    }
    if digest.edits > 0 {
        parts.push(format!("edited files {}", times(digest.edits)));
    }
    if digest.commits > 0 {
        parts.push(format!("{} made", counted(digest.commits, "commit")));
    }
    if parts.is_empty() {
        parts.push("something was noted".to_owned());
    }
    let mut sentence = parts.join(", ");
    if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
        sentence.replace_range(..1, &first);
    }
    sentence
}

fn counted(count: u32, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        more => format!("{more} {thing}s"),
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// What a role lets somebody do, in a word.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Commenter => "commenter",
        Role::Driver => "driver",
        Role::Owner => "owner",
    }
}

/// The same in a sentence.
#[must_use]
pub fn role_means(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads along",
        Role::Commenter => "also sends messages to the agent",
        Role::Driver => "also approves, interrupts and types in terminals",
        Role::Owner => "also shares and ends the session",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use duplex_domain::{Member, TerminalId};
    use duplex_wire::Here;

    fn user(number: u32) -> UserId {
        format!("{number:032x}").parse().unwrap()
    }

    fn ada() -> UserId {
        user(1)
    }

    fn bob() -> UserId {
        user(362)
    }

    fn session() -> Session {
        let mut session = Session::default();
        for (user, name) in [(ada(), "Ada Lovelace"), (bob(), "Bob (visitor)")] {
            let (name, role) = (name.to_owned(), Role::Driver);
            session.members.insert(user, Member { name, role });
        }
        session
    }

    fn at(user: UserId, pane: Pane, typing: bool) -> Present {
        let here = Here {
            pane,
            typing,
            top: None,
        };
        Present { user, here }
    }

    #[test]
    fn who_is_on_the_screen_comes_first_with_what_they_do() {
        let terminal = TerminalId::default();
        let present = [
            at(ada(), Pane::Away, true),
            at(bob(), Pane::Terminal { terminal }, true),
        ];
        let faces = others(&session(), &present, None);
        let told: Vec<_> = faces
            .iter()
            .map(|face| (face.initials.as_str(), face.doing.as_str(), face.typing))
            .collect();
        let told_bob = ("B", "types in Terminal 1", true);
        assert_eq!(told, [told_bob, ("AL", "is away", false)]);
        assert_eq!(faces[0].hue, 2);
        assert_eq!(others(&session(), &present, Some(bob())).len(), 1);
        assert_eq!(member(&session(), &[], ada()).doing, "");
    }

    #[test]
    fn only_who_types_in_the_chat_is_told_there() {
        let terminal = TerminalId::default();
        let typing = |users: &[Present]| typists(&session(), users, None);
        assert_eq!(
            typing(&[at(bob(), Pane::Terminal { terminal }, true)]),
            None
        );
        let both = [at(ada(), Pane::Chat, true), at(bob(), Pane::Chat, true)];
        let told = "Ada Lovelace and Bob (visitor) are typing…";
        assert_eq!(typing(&both), Some(told.to_owned()));
    }

    #[test]
    fn what_was_missed_is_one_sentence() {
        let digest = Digest {
            messages: [(bob(), 2)].into(),
            finished: 1,
            calls: 9,
            failed: 1,
            edits: 2,
            ..Digest::default()
        };
        let told = "Bob (visitor) wrote 2 messages, the agent finished 1 turn, it used 9 tools (1 failed), \
                    edited files twice";
        assert_eq!(missed(&session(), &digest, Some(ada())), told);
    }
}
