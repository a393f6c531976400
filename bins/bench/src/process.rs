//! What processes cost, from the kernel's own counts.

use anyhow::Context as _;
use std::collections::HashMap;

/// Ticks of processor time a second in `/proc`: fixed at 100 by the kernel's interface (`USER_HZ`, proc(5)).
const TICKS: f64 = 100.0;

/// What a process and everything it started have used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Seconds of processor time, user and system.
    pub cpu: f64,
    /// The most memory each held resident, added up, in MiB. Memory that several share (Postgres) counts in each.
    pub peak: f64,
}

/// One process's line in the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    /// Its own and its waited-for children's processor time.
    ticks: u64,
}

/// All processes as they are now.
pub struct Processes {
    stats: Vec<Stat>,
}

impl Processes {
    /// Looks at every process.
    ///
    /// # Errors
    /// When there is no `/proc`.
    pub fn now() -> anyhow::Result<Self> {
        let folder =
            std::fs::read_dir("/proc").context("there is no /proc to read figures from")?;
        // A process that ends meanwhile is left out.
        let stat = |entry: std::fs::DirEntry| {
            entry.file_name().to_str()?.parse::<u32>().ok()?;
            stat(&std::fs::read_to_string(entry.path().join("stat")).ok()?)
        };
        let stats = folder.flatten().filter_map(stat).collect();
        Ok(Self { stats })
    }

    /// How many processes run with exactly these words as their command.
    ///
    /// # Errors
    /// When there is no `/proc`.
    pub fn named(words: &[&str]) -> anyhow::Result<usize> {
        let folder = std::fs::read_dir("/proc").context("there is no /proc to look into")?;
        let mut line = words.join("\0").into_bytes();
        line.push(0);
        let lines = folder
            .flatten()
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        Ok(lines.filter(|found| *found == line).count())
    }

    /// What a process and all below it have used.
    #[must_use]
    pub fn usage(&self, root: u32) -> Usage {
        let below = self.below(root);
        let stats = self.stats.iter().filter(|stat| below.contains(&stat.pid));
        let ticks: u64 = stats.map(|stat| stat.ticks).sum();
        let peaks = below
            .iter()
            .filter_map(|pid| peak(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?));
        Usage {
            cpu: float(ticks) / TICKS,
            peak: float(peaks.sum()) / 1024.0,
        }
    }

    fn below(&self, root: u32) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for stat in &self.stats {
            children.entry(stat.parent).or_default().push(stat.pid);
        }
        let mut found = vec![root];
        let mut next = 0;
        while let Some(pid) = found.get(next) {
            found.extend(children.remove(pid).unwrap_or_default());
            next += 1;
        }
        found
    }
}

/// How many processors there are, and the load average of the last minute: how noisy the machine is.
#[must_use]
pub fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let build = if cfg!(debug_assertions) {
        ", debug build: these figures mean little"
    } else {
        ""
    };
    format!("{processors} processors, load {load} at the start{build}")
}

/// Reads `/proc/<pid>/stat`. The name in it may hold spaces and brackets, so what follows its last bracket counts.
fn stat(text: &str) -> Option<Stat> {
    let (pid, _) = text.split_once(' ')?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    // Fields 14 to 17 of proc_pid_stat(5), counted from the third.
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>());
    Some(Stat {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks.sum::<Result<_, _>>().ok()?,
    })
}

/// How much memory a process holds resident now, in MiB.
///
/// # Errors
/// When there is no such process.
pub fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kibibytes(&status, "VmRSS:").context("the kernel does not tell the memory")?;
    Ok(float(kib) / 1024.0)
}

/// Reads the peak of resident memory from `/proc/<pid>/status`, in KiB.
fn peak(status: &str) -> Option<u64> {
    kibibytes(status, "VmHWM:")
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "42 (a) b (c)) S 7 42 42 0 -1 4194560 100 0 0 0 10 20 3 4 20 0 1 0 100 1 2 3";

        let expected = Stat {
            pid: 42,
            parent: 7,
            ticks: 37,
        };
        assert_eq!(stat(text), Some(expected));
        assert_eq!(stat("42 (cut"), None);
    }

    #[test]
    fn the_peak_is_found_among_the_rest() {
        assert_eq!(
            peak("Name:\tx\nVmPeak:\t 900 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n"),
            Some(2048)
        );
        assert_eq!(peak("Name:\tkthreadd\n"), None);
        assert!(resident(std::process::id()).unwrap() > 0.0);
    }

    #[test]
    fn a_process_counts_with_all_below_it() {
        let stat = |pid, parent| Stat {
            pid,
            parent,
            ticks: 100,
        };
        let stats = vec![stat(9, 5), stat(5, 2), stat(6, 2), stat(7, 1), stat(2, 1)];
        let processes = Processes { stats };

        let mut below = processes.below(2);
        below.sort_unstable();
        assert_eq!(below, [2, 5, 6, 9]);
    }

    #[test]
    fn this_test_has_used_memory() {
        let usage = Processes::now().unwrap().usage(std::process::id());

        assert!(usage.peak > 0.5, "{usage:?}");
    }
}
