//! Opening terminals.

use crate::interop::dom;
use crate::net::api::{self, Failure};
use crate::state::{Shared, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, SessionId, Size, Terminal, TerminalId};
use futures_util::StreamExt;

/// A new terminal's size until its pane says which one fits.
const FIRST: Size = Size { cols: 80, rows: 24 };

/// The way to new terminals of a session.
#[derive(Clone, Copy, PartialEq)]
pub struct Opening {
    shared: Shared,
    wanted: Coroutine<Wanted>,
    busy: Signal<bool>,
    /// The server said that the person has too many: in its words.
    pub full: Signal<Option<String>>,
}

/// A terminal to be opened.
struct Wanted {
    size: Size,
    /// Empty for none.
    name: String,
}

/// The way to new terminals of a session, from the pane that holds them; what is opened is chosen.
pub fn use_opening(id: SessionId, chosen: Signal<Option<TerminalId>>) -> Opening {
    let shared = shared();
    let (mut busy, mut full) = (use_signal(|| false), use_signal(|| None));
    let mut chosen = chosen;
    let wanted = use_coroutine(move |mut inbox: UnboundedReceiver<Wanted>| async move {
        while let Some(wanted) = inbox.next().await {
            busy.set(true);
            match open(&shared, id, wanted).await {
                Ok(terminal) => chosen.set(terminal),
                Err(failure) if failure.code == "too_many_of_yours" => {
                    full.set(Some(failure.message));
                }
                Err(failure) => shared.failed(&failure),
            }
            busy.set(false);
        }
    });
    Opening {
        shared,
        wanted,
        busy,
        full,
    }
}

async fn open(
    shared: &Shared,
    id: SessionId,
    wanted: Wanted,
) -> Result<Option<TerminalId>, Failure> {
    let (new, size, name) = (dom::new_id(), wanted.size, wanted.name);
    api::command(id, new.clone(), Command::OpenTerminal { size }).await?;
    let terminal = new.parse().ok();
    if let Some(terminal) = terminal.filter(|_| !name.is_empty()) {
        shared.please(id, Command::RenameTerminal { terminal, name });
    }
    Ok(terminal)
}

impl Opening {
    /// Whether one is being opened.
    pub fn busy(self) -> bool {
        (self.busy)()
    }

    /// Opens a session's first terminal.
    pub fn first(self) {
        self.ask(FIRST, String::new());
    }

    /// Opens one as large as another.
    pub fn another(self, like: TerminalId) {
        let size = self.known(like).map_or(FIRST, |like| like.size);
        self.ask(size, String::new());
    }

    /// Opens one in the place of one that ended: of the same size and name.
    pub fn again(self, before: TerminalId) {
        let known = self.known(before);
        let (size, name) = known.map_or((FIRST, String::new()), |known| (known.size, known.name));
        self.ask(size, name);
    }

    fn ask(self, size: Size, name: String) {
        self.wanted.send(Wanted { size, name });
    }

    fn known(self, terminal: TerminalId) -> Option<Terminal> {
        let session = self.shared.session.peek().clone()?;
        session.0.terminals.get(&terminal).cloned()
    }
}
