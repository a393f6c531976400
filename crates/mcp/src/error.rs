//! What can go wrong with a tool server, worded for the person and the model who read it.

use std::time::Duration;

use crate::line::LINE_BYTES;

/// Why a server or one of its tools could not be used. Each text names the server and holds no secret given for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    /// It could not be reached, or did not speak the protocol.
    #[error("the tool server {server} cannot be used: {problem}{last}", last = words(last))]
    Start {
        /// The server's name in the configuration.
        server: String,
        /// What is wrong.
        problem: String,
        /// The last line it wrote on standard error, or nothing.
        last: String,
    },
    /// It did not list its tools in time.
    #[error(
        "the tool server {server} did not list its tools within {seconds} s: try its command by hand, or give it more time with `start`{last}",
        seconds = time.as_secs_f32(), last = words(last)
    )]
    Slow {
        /// The server's name.
        server: String,
        /// How long was waited.
        time: Duration,
        /// The last line it wrote on standard error, or nothing.
        last: String,
    },
    /// Its end of the connection is gone. It has to be connected anew.
    #[error("the tool server {server} has ended{last}", last = words(last))]
    Ended {
        /// The server's name.
        server: String,
        /// The last line it wrote on standard error, or nothing.
        last: String,
    },
    /// A message of it had no end. It has to be connected anew.
    #[error(
        "the tool server {server} sent a message of more than {} MiB and was given up: ask for less at once",
        LINE_BYTES / (1024 * 1024)
    )]
    Flooded {
        /// The server's name.
        server: String,
    },
    /// No answer came in time. The server was told to stop.
    #[error(
        "{tool} of the tool server {server} did not answer within {} s: ask for less, or give the server more time with `time`",
        time.as_secs_f32()
    )]
    TimedOut {
        /// The server's name.
        server: String,
        /// The tool's own name.
        tool: String,
        /// How long was waited.
        time: Duration,
    },
    /// The caller cancelled. The server was told to stop; whether it did is its own affair.
    #[error("{tool} of the tool server {server} was interrupted: part of its work may be done")]
    Cancelled {
        /// The server's name.
        server: String,
        /// The tool's own name.
        tool: String,
    },
    /// The server has no tool of this name, or it is not offered.
    #[error("the tool server {server} has no tool {tool}")]
    Unknown {
        /// The server's name.
        server: String,
        /// The name that was asked for.
        tool: String,
    },
    /// A tool's input is always an object.
    #[error("the input of {tool} is not an object: give its arguments by name")]
    Input {
        /// The name that was asked for.
        tool: String,
    },
    /// The server answered with an error of the protocol rather than with a result.
    #[error("the tool server {server} answered with an error: {message}")]
    Refused {
        /// The server's name.
        server: String,
        /// What it said.
        message: String,
    },
    /// The request did not get through, or what came back is no result.
    #[error("the call to the tool server {server} failed: {problem}")]
    Failed {
        /// The server's name.
        server: String,
        /// What went wrong.
        problem: String,
    },
}

fn words(last: &str) -> String {
    if last.is_empty() {
        String::new()
    } else {
        format!("; the last it wrote on standard error: {last}")
    }
}

impl McpError {
    /// A short, stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Start { .. } => "mcp_start",
            Self::Slow { .. } => "mcp_slow",
            Self::Ended { .. } => "mcp_ended",
            Self::Flooded { .. } => "mcp_flooded",
            Self::TimedOut { .. } => "mcp_timed_out",
            Self::Cancelled { .. } => "mcp_cancelled",
            Self::Unknown { .. } => "mcp_unknown_tool",
            Self::Input { .. } => "mcp_input",
            Self::Refused { .. } => "mcp_refused",
            Self::Failed { .. } => "mcp_failed",
        }
    }
}
