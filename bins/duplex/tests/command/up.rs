//! `duplex up` starts everything, keeps it running, and stops all of it.
use crate::installed::{Installed, signal, until};
use duplex_local::{Identity, NatsUser};
use std::collections::BTreeSet;
use std::time::Duration;

const ALL: [&str; 5] = ["edge", "nats", "postgres", "projector", "runner"];

#[tokio::test]
async fn it_starts_everything_and_stops_all_of_it() {
    let installed = Installed::new();
    let (mut up, run) = installed.started().await;
    let page = format!("http://127.0.0.1:{}", run.ports["edge"]);
    let link = format!("Make the first owner, once:  {page}/setup#secret");
    assert!(installed.said().contains(&link), "{}", installed.said());
    assert_eq!(run.pids.keys().collect::<Vec<_>>(), ALL);
    assert!(run.processes.values().all(Identity::is_running));

    signal("INT", up.id().unwrap()).await;

    assert_eq!(
        up.wait().await.unwrap().code(),
        Some(0),
        "{}",
        installed.said()
    );
    assert!(!run.processes.values().any(Identity::is_running));
    assert!(!installed.data().join("run.json").exists());
}

#[tokio::test]
async fn a_second_start_finds_everything_as_it_was() {
    let installed = Installed::new();
    let (mut up, _) = installed.started().await;
    let kept = |name: &str| std::fs::read_to_string(installed.data().join(name)).unwrap();
    let passwords = || {
        let nats = NatsUser::ALL.map(|user| kept(&format!("nats/passwords/{}", user.name())));
        (nats, kept("postgres/password"))
    };
    let before = passwords();
    signal("TERM", up.id().unwrap()).await;
    up.wait().await.unwrap();
    std::fs::write(installed.data().join("edge/set-up"), "").unwrap();
    std::fs::remove_file(installed.data().join("edge/setup-link")).unwrap();

    let (_up, run) = installed.started().await;

    assert_eq!(passwords(), before);
    let page = format!("Sign in:  http://127.0.0.1:{}", run.ports["edge"]);
    assert!(installed.said().contains(&page), "{}", installed.said());
}

#[tokio::test]
async fn whatever_is_killed_is_started_again_at_the_same_address() {
    let installed = Installed::new();
    let (_up, before) = installed.started().await;
    for name in ALL {
        signal("KILL", before.pids[name]).await;
        let successor = until(name, || {
            let pid = installed.run()?.pids[name];
            (pid != before.pids[name]).then_some(pid)
        });
        successor.await;
    }
    let after = installed.run().unwrap();
    assert_eq!(after.ports, before.ports);
    assert!(after.processes.values().all(Identity::is_running));
}

#[tokio::test]
async fn when_it_is_killed_nothing_stays_and_the_next_start_works() {
    let installed = Installed::new();
    let (mut up, left) = installed.started().await;
    up.kill().await.unwrap();
    for (name, process) in &left.processes {
        assert!(
            process.ended_within(Duration::from_secs(15)).await,
            "{name}"
        );
    }
    let (_up, run) = installed.started().await;
    assert!(run.processes.values().all(Identity::is_running));
}

/// What the edge is told besides what all three are.
const EDGE: [&str; 4] = [
    "DUPLEX_LISTEN",
    "DUPLEX_ORIGINS",
    "DUPLEX_PROXIES",
    "DUPLEX_POSTGRES_URL",
];
const PROJECTOR: [&str; 1] = ["DUPLEX_POSTGRES_URL"];
const RUNNER: [&str; 6] = [
    "DUPLEX_ANTHROPIC_API_KEY",
    "DUPLEX_PROVIDERS_FILE",
    "DUPLEX_PROVIDER_FILE",
    "DUPLEX_ROOTS",
    "DUPLEX_SANDBOX",
    "DUPLEX_WORKSPACES_FILE",
];
const EVERYONE: [&str; 5] = [
    "DUPLEX_DATA",
    "DUPLEX_NATS_MONITOR_URL",
    "DUPLEX_NATS_URL",
    "DUPLEX_PARENT",
    "DUPLEX_READY_FILE",
];

#[tokio::test]
async fn each_process_is_told_what_it_needs_and_the_runner_alone_the_key() {
    let installed = Installed::new();
    std::fs::create_dir_all(installed.data()).unwrap();
    let providers = "[[providers]]\nname = \"local\"\nkind = \"demo\"\nkey_env = \"NAMED_KEY\"\n";
    std::fs::write(installed.data().join("providers.toml"), providers).unwrap();
    let mut command = installed.up();
    command
        .env("ANTHROPIC_API_KEY", "key")
        .env("SECRET_OF_THE_SHELL", "1")
        .env("NAMED_KEY", "named")
        .args([
            "--origin",
            "https://duplex.example.org",
            "--proxy",
            "10.0.0.7",
            "--sandbox",
            "off",
        ]);
    let (_up, run) = installed.started_by(command).await;

    for (process, own) in [
        ("edge", &EDGE[..]),
        ("projector", &PROJECTOR),
        ("runner", &RUNNER),
    ] {
        let told = installed.told(process);
        let ours = told.keys().filter(|name| name.starts_with("DUPLEX_"));
        let ours: BTreeSet<&str> = ours.map(String::as_str).collect();
        assert_eq!(
            ours,
            EVERYONE.iter().chain(own).copied().collect(),
            "{process}"
        );
        assert!(!told.contains_key("SECRET_OF_THE_SHELL"), "{process}");
        let named = told.get("NAMED_KEY").map(String::as_str);
        assert_eq!(named, (process == "runner").then_some("named"), "{process}");
    }
    let port = run.ports["edge"];
    assert_eq!(
        installed.told("edge")["DUPLEX_ORIGINS"],
        format!("https://duplex.example.org,http://127.0.0.1:{port},http://localhost:{port}")
    );
    assert_eq!(installed.told("runner")["DUPLEX_SANDBOX"], "off");
}
