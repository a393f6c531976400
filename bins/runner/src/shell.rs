//! One terminal: a shell on a PTY, its screen, and what of both reaches the log.

use crate::scribe::{Lost, Scribe};
use duplex_domain::{Blob, Event, Refusal, Size, TerminalEnd, TerminalId, UserId};
use duplex_eventlog::PressedKey;
use duplex_terminal::{
    Answers, Exit, Gate, Input, Keeper, Kept, Launch, Process, Pty, Screen, SealKey, SpawnError,
    spawn,
};
use duplex_workspace::Worktree;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// How many lines above the screen are remembered.
const SCROLLBACK: usize = 1000;
/// A screen is saved after so many bytes of output.
const SAVE_AFTER: u64 = 256 * 1024;
/// A screen is saved once output has rested for so long.
const SAVE_WHEN_SILENT: Duration = Duration::from_secs(1);
/// The largest piece of output in one event.
const PIECE: usize = 64 * 1024;

/// What the holder tells a shell.
pub enum Order {
    /// Somebody typed, and may.
    Keys(Box<PressedKey>),
    /// The size is another one.
    Resize(Size),
    /// End it.
    Close,
}

/// How a shell ended.
#[derive(Clone, Copy, Debug)]
pub struct Over {
    /// Which terminal.
    pub terminal: TerminalId,
    /// How.
    pub end: TerminalEnd,
}

/// A running shell, as its holder sees it.
pub struct Shell {
    /// Its orders.
    pub orders: mpsc::Sender<Order>,
    /// The size last ordered.
    pub size: Size,
    _task: AbortOnDropHandle<()>,
}

/// Where a shell writes, and with what.
#[derive(Clone)]
pub struct Outlets {
    /// The output lane.
    pub output: Scribe,
    /// The input lane.
    pub input: Scribe,
    /// Seals what was typed.
    pub key: SealKey,
    /// Where its end is told.
    pub over: mpsc::Sender<Over>,
    /// What was committed there is carried into the repository whenever output rests.
    pub worktree: Worktree,
}

impl Shell {
    /// Starts a shell.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        terminal: TerminalId,
        launch: &Launch,
        size: Size,
        outlets: Outlets,
    ) -> Result<Self, SpawnError> {
        let pty = spawn(launch, screen_size(size))?;
        let (orders, incoming) = mpsc::channel(256);
        let task = Task {
            terminal,
            screen: Screen::new(screen_size(size), SCROLLBACK),
            gate: Gate::new(),
            answers: Answers::new(),
            keepers: HashMap::new(),
            outlets,
            offset: 0,
            saved: 0,
            carrying: None,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(task.run(pty, incoming)));
        Ok(Self {
            orders,
            size,
            _task: task,
        })
    }
}

fn screen_size(size: Size) -> duplex_terminal::Size {
    duplex_terminal::Size {
        cols: size.cols,
        rows: size.rows,
    }
}

struct Task {
    terminal: TerminalId,
    screen: Screen,
    gate: Gate,
    answers: Answers,
    /// What each person typed and may be kept.
    keepers: HashMap<UserId, Keeper>,
    outlets: Outlets,
    /// Bytes put out so far.
    offset: u64,
    /// How many of them the newest saved screen contains.
    saved: u64,
    /// Commits on their way into the repository.
    carrying: Option<AbortOnDropHandle<()>>,
}

impl Task {
    async fn run(mut self, pty: Pty, orders: mpsc::Receiver<Order>) {
        // When the claim is lost the terminal goes with it, without a word: its next holder speaks.
        let Ok(exit) = self.serve(pty, orders).await else {
            return;
        };
        let terminal = self.terminal;
        let end = end(exit);
        if self.finish().await.is_ok() {
            let _ = self.outlets.over.send(Over { terminal, end }).await;
        }
    }

    async fn serve(
        &mut self,
        mut pty: Pty,
        mut orders: mpsc::Receiver<Order>,
    ) -> Result<Exit, Lost> {
        let closing = CancellationToken::new();
        let _stopped = closing.clone().drop_guard();
        let (process, input, exit) = (pty.process, pty.input, pty.exit);
        let killer = tokio::spawn(kill_when_asked(process, closing.clone()));
        let _killer = AbortOnDropHandle::new(killer);
        loop {
            let due = self.next_due();
            tokio::select! {
                out = pty.output.recv() => match out {
                    Some(out) => self.print(&input, &out).await?,
                    None => return Ok(exit.wait().await),
                },
                order = orders.recv() => match order {
                    Some(Order::Keys(keys)) => self.type_keys(&input, *keys).await,
                    Some(Order::Resize(size)) => self.resize(&input, size).await?,
                    Some(Order::Close) => closing.cancel(),
                    None => return Err(Lost),
                },
                () = sleep_until(due), if due.is_some() => self.keep(&input).await?,
                () = tokio::time::sleep(SAVE_WHEN_SILENT), if self.saved < self.offset => {
                    self.save().await?;
                    self.carry();
                }
            }
        }
    }

    /// Somebody may have committed. Cheap if nobody did; the terminal does not wait for it.
    fn carry(&mut self) {
        if self
            .carrying
            .as_ref()
            .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        let worktree = self.outlets.worktree.clone();
        self.carrying = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = worktree.carry().await {
                warn!("commits of a terminal stay in its session: {error}");
            }
        })));
    }

    /// Output: through the gate, onto the screen, into the log. Questions in it are answered here, once.
    async fn print(&mut self, input: &Input, out: &[u8]) -> Result<(), Lost> {
        let out = self.gate.feed(out);
        let answer = self.answers.feed(&mut self.screen, &out);
        if !answer.is_empty() {
            // A program that asks and does not read goes without an answer.
            let _ = input.try_write(answer.into());
        }
        self.append(&out).await?;
        if self.offset - self.saved > SAVE_AFTER {
            self.save().await?;
        }
        Ok(())
    }

    async fn append(&mut self, out: &[u8]) -> Result<(), Lost> {
        for piece in out.chunks(PIECE) {
            let printed = Event::Printed {
                terminal: self.terminal,
                offset: self.offset,
                bytes: Blob::from(piece),
            };
            self.offset += piece.len() as u64;
            self.outlets.output.write(None, printed).await?;
        }
        Ok(())
    }

    async fn save(&mut self) -> Result<(), Lost> {
        self.saved = self.offset;
        let saved = Event::ScreenSaved {
            terminal: self.terminal,
            offset: self.offset,
            bytes: Blob(self.screen.dump()),
            elided: false,
        };
        self.outlets.output.write(None, saved).await.map(drop)
    }

    /// From here on output is drawn for another size; a screen is saved with it, so that whoever begins there has it.
    async fn resize(&mut self, input: &Input, size: Size) -> Result<(), Lost> {
        self.screen.resize(screen_size(size));
        input.resize(screen_size(size));
        let sized = Event::TerminalSized {
            terminal: self.terminal,
            offset: self.offset,
            size,
        };
        self.outlets.output.write(None, sized).await?;
        self.save().await
    }

    /// Keys reach the program at most once; only then is it decided what of them may be kept.
    async fn type_keys(&mut self, input: &Input, keys: PressedKey) {
        let echo = input.echo();
        let (user, bytes) = (keys.press.user, keys.press.bytes.clone());
        if input.write(bytes.clone()).await.is_err() {
            return keys.refused(Refusal::NoTerminal).await;
        }
        keys.typed().await;
        let keeper = self.keepers.entry(user).or_default();
        keeper.typed(&bytes, echo, Instant::now());
    }

    fn next_due(&self) -> Option<Instant> {
        self.keepers.values().filter_map(Keeper::next_due).min()
    }

    async fn keep(&mut self, input: &Input) -> Result<(), Lost> {
        let (echo, now) = (input.echo(), Instant::now());
        for keeper in self.keepers.values_mut() {
            keeper.saw(echo, now);
        }
        let due = self.keepers.iter_mut();
        let due: Vec<_> = due.map(|(user, keeper)| (*user, keeper.due(now))).collect();
        self.record(due).await
    }

    async fn record(&mut self, kept: Vec<(UserId, Vec<Kept>)>) -> Result<(), Lost> {
        for (user, kept) in kept {
            for kept in kept {
                let (count, bytes) = match kept {
                    Kept::Count(count) => (count, Blob::default()),
                    Kept::Bytes(bytes) => (length(&bytes), Blob(self.outlets.key.seal(&bytes))),
                };
                let typed = Event::Typed {
                    terminal: self.terminal,
                    user,
                    count,
                    bytes,
                };
                self.outlets.input.write(None, typed).await?;
            }
        }
        Ok(())
    }

    /// Writes what is left and waits until it is in the log.
    async fn finish(&mut self) -> Result<(), Lost> {
        let rest = self.gate.finish();
        self.screen.feed(&rest);
        self.append(&rest).await?;
        let kept = self.keepers.iter_mut();
        let kept: Vec<_> = kept
            .map(|(user, keeper)| (*user, keeper.finish()))
            .collect();
        self.record(kept).await?;
        self.save().await?;
        self.outlets.input.flush().await?;
        self.outlets.output.flush().await
    }
}

/// Owns the program: asked to, it ends it step by step; dropped, at once.
async fn kill_when_asked(process: Process, closing: CancellationToken) {
    closing.cancelled().await;
    process.kill().await;
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due.into()).await;
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn end(exit: Exit) -> TerminalEnd {
    match exit {
        Exit {
            signal: Some(signal),
            ..
        } => TerminalEnd::Signal(signal),
        Exit {
            code: Some(code), ..
        } => TerminalEnd::Code(code),
        Exit { .. } => TerminalEnd::Lost,
    }
}
