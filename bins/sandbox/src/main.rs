//! The program that closes a sandbox around a command, from inside; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let error = match duplex_sandbox::run(std::env::args_os().skip(1)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    eprintln!("duplex-sandbox: {error}");
    ExitCode::from(error.exit_code())
}
