//! Open files of the server that a command must not inherit.

use std::fs;

use nix::unistd::close as close_number;

use crate::Error;

/// Closes everything above standard error: what a process was started with may be a key, a log or a socket.
pub fn close() -> Result<(), Error> {
    let open = fs::read_dir("/proc/self/fd").map_err(Error::doing("list open files"))?;
    let numbers: Vec<i32> = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // One of them was the list itself, which is closed by now.
        let _ = close_number(number);
    }
    Ok(())
}
