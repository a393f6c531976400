//! What keeps `duplex up` from starting is told as one sentence, with exit code 1.
use crate::installed::{Installed, refusal};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_port_in_use() {
    let installed = Installed::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut up = installed.duplex(&["up", "--listen", &address, "--data"]);
    let output = up.arg(installed.data()).output().await.unwrap();
    assert_eq!(
        refusal(output),
        format!(
            "duplex: {address} is already in use: stop what listens there, or choose another address with --listen"
        )
    );
}

#[tokio::test]
async fn a_data_folder_of_a_newer_version() {
    let installed = Installed::new();
    std::fs::create_dir(installed.data()).unwrap();
    std::fs::write(installed.data().join("version"), "2\n").unwrap();
    let output = installed.up().output().await.unwrap();
    assert_eq!(
        refusal(output),
        format!(
            "duplex: the data folder {} is of version 2, written by a newer Duplex than this one, which knows version 1: \
             install the newer one, or choose another folder with --data",
            installed.data().display()
        )
    );
}

#[tokio::test]
async fn a_data_folder_in_use() {
    let installed = Installed::new();
    let (_up, _run) = installed.started().await;
    let output = installed.up().output().await.unwrap();
    assert_eq!(
        refusal(output),
        format!(
            "duplex: another `duplex up` is using {}: stop it, or choose another folder with --data",
            installed.data().display()
        )
    );
}

#[tokio::test]
async fn a_missing_binary_of_ours() {
    let installed = Installed::new();
    let runner = installed.program("duplex-runner");
    std::fs::remove_file(&runner).unwrap();
    let output = installed.up().output().await.unwrap();
    assert_eq!(
        refusal(output),
        format!(
            "duplex: {} is missing: build all of Duplex with `make build`",
            runner.display()
        )
    );
}

#[tokio::test]
async fn a_missing_nats_server() {
    let installed = Installed::new();
    let mut up = installed.up();
    let output = up
        .env("PATH", "/nowhere")
        .env("HOME", installed.path())
        .output()
        .await
        .unwrap();
    assert_eq!(
        refusal(output),
        "duplex: nats-server was not found: run `make setup`, or name one with DUPLEX_NATS_SERVER"
    );
}

#[tokio::test]
async fn an_old_nats_server() {
    let installed = Installed::new();
    let old = installed.path().join("nats-server");
    std::fs::write(&old, "#!/bin/sh\necho nats-server: v2.9.10\n").unwrap();
    std::fs::set_permissions(&old, PermissionsExt::from_mode(0o755)).unwrap();
    let output = installed
        .up()
        .env("DUPLEX_NATS_SERVER", &old)
        .output()
        .await
        .unwrap();
    assert_eq!(
        refusal(output),
        format!(
            "duplex: {} is version 2.9.10, but 2.14.6 or newer is needed: older ones lose acknowledged events",
            old.display()
        )
    );
}

#[tokio::test]
async fn a_process_that_refuses_to_start() {
    let installed = Installed::new();
    let own = installed.data().join("runner");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("refuse"), "").unwrap();
    let output = installed.up().output().await.unwrap();
    assert_eq!(
        refusal(output),
        "duplex: the runner stopped before it was ready: stand-in: told to refuse"
    );
}

#[tokio::test]
async fn the_doctor_tells_what_is_missing() {
    let installed = Installed::new();
    let mut doctor = installed.duplex(&["doctor"]);
    let output = doctor
        .env("PATH", "/nowhere")
        .env("HOME", installed.path())
        .output()
        .await
        .unwrap();
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        table.contains("nats-server  missing   nats-server was not found"),
        "{table}"
    );
    assert!(refusal(output).starts_with("duplex: not ready to run: nats-server, "));
}

#[tokio::test]
async fn the_doctor_is_content_where_everything_is_installed() {
    let installed = Installed::new();
    let output = installed.duplex(&["doctor"]).output().await.unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert_eq!(table.matches(" ok ").count(), 5, "{table}");
}
