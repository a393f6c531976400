//! What one command may use of the machine.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::Error;

/// Sizes in bytes. Processes are counted for the user inside; the kernel does not count those of root, for whom a
/// control group is the only limit.
const LIMITS: [(Resource, u64); 5] = [
    (Resource::Core, 0),
    (Resource::Nofile, 4096),
    (Resource::Fsize, 2 << 30),
    (Resource::Nproc, 1024),
    // Data, not address space: runtimes with garbage collection reserve far more of that than they use.
    (Resource::Data, 4 << 30),
];

/// Lowers each limit, for good.
pub fn set() -> Result<(), Error> {
    for (resource, most) in LIMITS {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit).map_err(Error::doing("set the limits"))?;
    }
    Ok(())
}
