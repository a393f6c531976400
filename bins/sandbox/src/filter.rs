//! Seccomp: system calls that no build, test or shell needs, and that attacks on the kernel begin with.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use libc::c_long;
use seccompiler::{
    BackendError, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};

use crate::Error;

/// By system call: any of the rules forbids it; none means that it is forbidden whatever its arguments.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Numbers of the x32 interface are those of x86-64 with this bit; a kernel may offer both.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;

/// Refused with EPERM, as they are to an ordinary user.
const FORBIDDEN: &[c_long] = &[
    // Other processes' memory and files.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Large parts of the kernel with a history of holes.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // The machine as a whole.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_vhangup,
];

#[cfg(target_arch = "x86_64")]
const FORBIDDEN_HERE: &[c_long] = &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const FORBIDDEN_HERE: &[c_long] = &[];

/// As if the kernel were older: programs have a second way then. Their arguments lie in memory, where a filter
/// cannot see whether they ask for namespaces.
const UNKNOWN: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_openat2,
];

/// `CLONE_NEWNS`, `…CGROUP`, `…UTS`, `…IPC`, `…USER`, `…PID`, `…NET` (clone(2)).
const NAMESPACES: [u64; 7] = [
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];
/// `CLONE_NEWTIME`, which only unshare(2) takes: in clone(2) these bits are a signal.
const NEW_TIME: u64 = 0x80;
/// Set-user-id and set-group-id.
const SET_ID: [u64; 2] = [0o4000, 0o2000];
/// `O_CREAT`, and the bit of `O_TMPFILE` that is its own.
const MAKING: [u64; 2] = [0o100, 0o20_000_000];

/// Filters everything this process and its children do from now on. Implies that no program gives more rights.
pub fn install() -> Result<(), Error> {
    // Cheapest first in the kernel is the last installed.
    for (rules, errno) in [
        (unknown(), libc::ENOSYS),
        (sockets().map_err(failed)?, libc::EAFNOSUPPORT),
        (forbidden().map_err(failed)?, libc::EPERM),
    ] {
        let filter = compile(rules, errno).map_err(failed)?;
        apply_filter(&filter).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Filter(error.to_string())
}

fn compile(rules: Rules, errno: i32) -> Result<seccompiler::BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, ARCH.try_into()?)?;
    filter.try_into()
}

fn add(rules: &mut Rules, call: c_long, which: Vec<SeccompRule>) {
    #[cfg(target_arch = "x86_64")]
    rules.insert(call | X32, which.clone());
    rules.insert(call, which);
}

fn unknown() -> Rules {
    let mut rules = Rules::new();
    for call in UNKNOWN {
        add(&mut rules, *call, Vec::new());
    }
    rules
}

/// Internet sockets, and the one kind of netlink with which libraries list the network's interfaces. No sockets of
/// the machine (`AF_UNIX`), of its hypervisor or of raw frames. Pairs of connected sockets remain.
fn sockets() -> Result<Rules, BackendError> {
    let not = |family: i32| condition(0, Op::Ne, family.unsigned_abs().into());
    let netlink = libc::AF_NETLINK;
    let other = SeccompRule::new(vec![
        not(libc::AF_INET)?,
        not(libc::AF_INET6)?,
        not(netlink)?,
    ])?;
    let kind = SeccompRule::new(vec![
        condition(0, Op::Eq, netlink.unsigned_abs().into())?,
        condition(2, Op::Ne, libc::NETLINK_ROUTE.unsigned_abs().into())?,
    ])?;
    let mut rules = Rules::new();
    add(&mut rules, libc::SYS_socket, vec![other, kind]);
    Ok(rules)
}

fn forbidden() -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    for call in FORBIDDEN.iter().chain(FORBIDDEN_HERE) {
        add(&mut rules, *call, Vec::new());
    }
    add(&mut rules, libc::SYS_clone, any_bit(0, &NAMESPACES)?);
    let unshared: Vec<u64> = NAMESPACES.into_iter().chain([NEW_TIME]).collect();
    add(&mut rules, libc::SYS_unshare, any_bit(0, &unshared)?);
    let typing = [libc::TIOCSTI, libc::TIOCLINUX];
    let typing =
        typing.map(|request| condition(1, Op::Eq, request).and_then(|c| SeccompRule::new(vec![c])));
    add(
        &mut rules,
        libc::SYS_ioctl,
        typing.into_iter().collect::<Result<_, _>>()?,
    );
    for (call, mode) in set_id_calls() {
        add(&mut rules, call, any_bit(mode, &SET_ID)?);
    }
    add(&mut rules, libc::SYS_openat, set_id_open(2, 3)?);
    #[cfg(target_arch = "x86_64")]
    add(&mut rules, libc::SYS_open, set_id_open(1, 2)?);
    Ok(rules)
}

/// Calls that give a file a mode, and which argument the mode is. A file made inside belongs to a user outside, so
/// that it must not lend anybody that user's rights.
fn set_id_calls() -> Vec<(c_long, u8)> {
    let mut calls = vec![
        (libc::SYS_fchmod, 1),
        (libc::SYS_fchmodat, 2),
        (libc::SYS_fchmodat2, 2),
        (libc::SYS_mknodat, 2),
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        (libc::SYS_chmod, 1),
        (libc::SYS_creat, 1),
        (libc::SYS_mknod, 1),
    ]);
    calls
}

/// The mode counts only where a file is made; otherwise it is whatever the register held.
fn set_id_open(flags: u8, mode: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = Vec::new();
    for making in MAKING {
        for bit in SET_ID {
            rules.push(SeccompRule::new(vec![
                condition(flags, Op::MaskedEq(making), making)?,
                condition(mode, Op::MaskedEq(bit), bit)?,
            ])?);
        }
    }
    Ok(rules)
}

fn any_bit(argument: u8, bits: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |bit: &u64| SeccompRule::new(vec![condition(argument, Op::MaskedEq(*bit), *bit)?]);
    bits.iter().map(rule).collect()
}

/// The kernel looks at the low 32 bits of each of these arguments, and so does the filter: others could hide.
fn condition(argument: u8, op: Op, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Len::Dword, op, value)
}
