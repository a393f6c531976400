//! How a holder opens, resizes and ends shells, and passes keys to them.

use super::{Holder, Note};
use crate::shell::{Order, Outlets, Over, Shell};
use duplex_domain::{
    Event, Level, Refusal, Size, State, TerminalEnd, TerminalId, TerminalState, work,
};
use duplex_eventlog::PressedKey;
use duplex_terminal::Launch;
use duplex_workspace::Worktree;
use std::ffi::OsString;

impl Holder {
    pub(super) async fn tend_shells(&mut self) {
        let terminals = self.session().terminals.clone();
        let ended = self.session().state == State::Ended;
        let forgets = self.session().keys_forgotten;
        self.key.take_if(|_| forgets);
        for (number, (id, terminal)) in (1..).zip(terminals) {
            if terminal.state != TerminalState::Running {
                self.shells.remove(&id);
                self.desk.remove(id);
                continue;
            }
            let over = |note: &Note| matches!(note, Note::ShellOver(over) if over.terminal == id);
            let Some(shell) = self.shells.get_mut(&id) else {
                let ending = self.stopping || self.is_behind() || self.notes.iter().any(over);
                if !ending && !ended {
                    self.open_shell(id, terminal.size).await;
                }
                continue;
            };
            self.desk.put(id, number, &terminal.name, &shell.orders);
            if shell.size != terminal.size {
                shell.size = terminal.size;
                order(shell, Order::Resize(terminal.size)).await;
            }
            if shell.private != terminal.private {
                shell.private = terminal.private;
                order(shell, Order::Private(terminal.private)).await;
            }
            if forgets && !shell.forgets {
                shell.forgets = true;
                order(shell, Order::Forget).await;
            }
            if terminal.closing || ended {
                order(shell, Order::Close).await;
            }
        }
    }

    pub(super) async fn open_shell(&mut self, id: TerminalId, size: Size) {
        let opened = match self.worktree().await {
            Ok(worktree) => self.spawn_shell(id, size, &worktree),
            Err(error) => Err(error.to_string()),
        };
        match opened {
            Ok(shell) => {
                self.shells.insert(id, shell);
            }
            Err(problem) => self.no_shell(id, problem).await,
        }
    }

    pub(super) fn spawn_shell(
        &self,
        id: TerminalId,
        size: Size,
        worktree: &Worktree,
    ) -> Result<Shell, String> {
        let (shell, start) = duplex_terminal::bash();
        let env = [
            start,
            ("COLORTERM".to_owned(), "truecolor".to_owned()),
            ("PS1".to_owned(), prompt(worktree)),
        ];
        let launch = self
            .sandbox
            .launch(worktree, &shell, &env, &worktree.tree, true);
        let args = launch.args.into_iter();
        let args = args.map(OsString::into_string).collect();
        let launch = Launch {
            program: launch.program,
            args: Result::map_err(args, |_| "a path is not UTF-8".to_owned())?,
            env: launch.env,
            cwd: launch.cwd,
        };
        let outlets = Outlets {
            output: self.output.clone(),
            input: self.input.clone(),
            key: self.key.clone(),
            secrets: self.secrets.clone(),
            allowance: self.runner.terminal_allowance,
            idle: self.runner.terminal_idle,
            over: self.over.0.clone(),
            worktree: worktree.clone(),
        };
        Shell::start(id, &launch, size, outlets).map_err(|error| error.to_string())
    }

    pub(super) async fn no_shell(&mut self, terminal: TerminalId, problem: String) {
        let notice = Event::Notice {
            level: Level::Error,
            code: "no_terminal".to_owned(),
            text: format!("the terminal could not be opened: {problem}"),
        };
        // A lost lane ends the holder by itself.
        let _ = self.output.write(None, notice).await;
        let end = TerminalEnd::Lost;
        self.notes
            .push_back(Note::ShellOver(Over { terminal, end }));
    }

    /// Passes on the keys whose permission is part of the picture by now, in order. A size that was given before them has
    /// been ordered before them.
    pub(super) async fn pass_keys(&mut self) {
        let now = self.session().fact;
        while let Some(keys) = self.early.pop_front_if(|keys| keys.press.after <= now) {
            self.pass(keys).await;
        }
    }

    /// Keys go on to their shell if their author may type there.
    async fn pass(&mut self, keys: PressedKey) {
        let (user, terminal) = (keys.press.user, keys.press.terminal);
        if let Err(refusal) = work::may_type(self.session(), user, terminal) {
            return keys.refused(refusal).await;
        }
        match self.shells.get(&terminal) {
            // The shell answers. A full queue means that it does not read: the edge's patience ends then.
            Some(shell) => drop(shell.orders.try_send(Order::Keys(Box::new(keys)))),
            None => keys.refused(Refusal::NoTerminal).await,
        }
    }
}

async fn order(shell: &Shell, order: Order) {
    // A shell that is over takes no orders; its end is on its way.
    let _ = shell.orders.send(order).await;
}

/// The project's name and the folder: the whole path of a worktree says little and fills the line.
fn prompt(worktree: &Worktree) -> String {
    let project = worktree.repository.file_name().unwrap_or_default();
    format!(r"\[\e[1;34m\]{}:\W\[\e[0m\]\$ ", project.display())
}
