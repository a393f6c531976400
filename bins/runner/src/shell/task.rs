//! A shell's task: the one owner of its PTY, its screen and its place in the output.

use super::keys::Typing;
use super::output::Printer;
use super::{Order, Outlets, Over};
use crate::scribe::Lost;
use duplex_domain::{Event, Level, Size, TerminalEnd, TerminalId};
use duplex_terminal::{Command, Exit, Input, Process, Pty};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// Once output has rested for so long, its screen is saved, and commits are looked for.
const REST: Duration = Duration::from_secs(1);

type Reply = oneshot::Sender<Result<Command, String>>;

/// A command that the agent has typed.
struct Errand {
    /// How many commands had ended before it.
    after: u64,
    reply: Reply,
}

pub(super) struct Task {
    terminal: TerminalId,
    outlets: Outlets,
    printer: Printer,
    typing: Typing,
    /// The agent's command at work.
    errand: Option<Errand>,
    /// When somebody typed or something was put out last.
    used: Instant,
    /// Commits on their way into the repository.
    carrying: Option<AbortOnDropHandle<()>>,
}

impl Task {
    pub fn new(terminal: TerminalId, size: Size, outlets: Outlets) -> Self {
        Self {
            terminal,
            printer: Printer::new(terminal, size, &outlets),
            typing: Typing::new(terminal, &outlets),
            outlets,
            errand: None,
            used: Instant::now(),
            carrying: None,
        }
    }

    pub async fn run(mut self, pty: Pty, orders: mpsc::Receiver<Order>) {
        // When the claim is lost the terminal goes with it, without a word: its next holder speaks.
        let Ok(exit) = self.serve(pty, orders).await else {
            return;
        };
        let (terminal, end) = (self.terminal, end(exit));
        if self.finish().await.is_ok() {
            // Without a holder there is nobody to tell.
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
                    Some(out) => {
                        self.used = Instant::now();
                        let more = !pty.output.is_empty();
                        self.printer.print(&input, &out, more).await?;
                        self.look_after_errand();
                    }
                    None => return Ok(exit.wait().await),
                },
                order = orders.recv() => match order {
                    Some(Order::Close) => closing.cancel(),
                    Some(order) => self.obey(&input, order).await?,
                    None => return Err(Lost),
                },
                () = tokio::time::sleep_until(due.into()) => {
                    self.tick(&input).await?;
                    if self.used.elapsed() > self.outlets.idle && !closing.is_cancelled() {
                        self.say_idle().await?;
                        closing.cancel();
                    }
                }
                () = tokio::time::sleep(REST), if self.printer.is_unsaved() => {
                    self.printer.save().await?;
                    self.typing.look(&input).await?;
                    self.carry();
                }
            }
        }
    }

    async fn obey(&mut self, input: &Input, order: Order) -> Result<(), Lost> {
        match order {
            Order::Keys(keys) => {
                self.used = Instant::now();
                self.printer.hurry();
                self.typing.type_keys(input, *keys).await
            }
            Order::Resize(size) => self.printer.resize(input, size).await,
            Order::Private(private) => {
                self.typing.private(private);
                Ok(())
            }
            Order::Forget => {
                self.typing.forget();
                Ok(())
            }
            Order::Read(reply) => {
                // Who asked may be gone.
                let _ = reply.send(self.printer.reading());
                Ok(())
            }
            Order::Run { line, reply } => {
                self.used = Instant::now();
                self.run_errand(input, &line, reply).await;
                Ok(())
            }
            Order::Close => Ok(()),
        }
    }

    /// Types the agent's command, if the shell waits for one.
    async fn run_errand(&mut self, input: &Input, line: &str, reply: Reply) {
        let after = self.printer.commands.ended();
        let typed = if let Some(problem) = self.why_no_errand() {
            Err(problem)
        } else {
            let typed = input.write(format!("{line}\r").into()).await;
            typed.map_err(|_| "the terminal has ended")
        };
        match typed {
            Ok(()) => self.errand = Some(Errand { after, reply }),
            // Who asked may be gone.
            Err(problem) => drop(reply.send(Err(problem.to_owned()))),
        }
    }

    fn why_no_errand(&self) -> Option<&'static str> {
        let commands = &self.printer.commands;
        match commands.at_prompt() {
            None => Some("this shell does not tell when a command ends; use bash instead"),
            Some(false) => Some("a program is running there; read the terminal, or wait"),
            Some(true) if !commands.line_is_blank() => {
                Some("somebody is typing a command there; ask them, or wait")
            }
            Some(true) => {
                let busy = self.errand.as_ref();
                busy.map(|_| "another command of yours is on its way")
            }
        }
    }

    /// Tells the agent that its command has ended.
    fn look_after_errand(&mut self) {
        let ended = self.printer.commands.ended();
        if let Some(errand) = self
            .errand
            .take_if(|errand| errand.after < ended || errand.reply.is_closed())
            && let Some(command) = self.printer.commands.last()
        {
            // Who asked may have stopped to wait.
            let _ = errand.reply.send(Ok(command));
        }
    }

    /// When there will be something to do, if nothing comes.
    fn next_due(&self) -> Instant {
        let idle = self.used + self.outlets.idle + Duration::from_millis(1);
        let others = [self.typing.next_due(), self.printer.next_due()];
        others.into_iter().flatten().fold(idle, Instant::min)
    }

    async fn tick(&mut self, input: &Input) -> Result<(), Lost> {
        self.typing.keep(input).await?;
        self.printer.tick(input).await
    }

    async fn say_idle(&self) -> Result<(), Lost> {
        let hours = self.outlets.idle.as_secs().div_ceil(3600);
        let notice = Event::Notice {
            level: Level::Info,
            code: "terminal_idle".to_owned(),
            text: format!("a terminal was closed: nothing happened in it for {hours} hours"),
        };
        self.outlets.output.write(None, notice).await.map(drop)
    }

    /// Somebody may have committed. Cheap if nobody did; the terminal does not wait for it.
    fn carry(&mut self) {
        let carrying = self.carrying.as_ref();
        if carrying.is_some_and(|task| !task.is_finished()) {
            return;
        }
        let worktree = self.outlets.worktree.clone();
        self.carrying = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = worktree.carry().await {
                warn!("commits of a terminal stay in its session: {error}");
            }
        })));
    }

    /// Writes what is left and waits until it is in the log.
    async fn finish(&mut self) -> Result<(), Lost> {
        self.printer.finish().await?;
        self.typing.finish().await?;
        self.outlets.input.flush().await?;
        self.outlets.output.flush().await
    }
}

/// Owns the program: asked to, it ends it step by step; dropped, at once.
async fn kill_when_asked(process: Process, closing: CancellationToken) {
    closing.cancelled().await;
    process.kill().await;
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
