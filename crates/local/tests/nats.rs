//! A private nats-server starts, restarts, is killed, and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use duplex_local::{NatsOptions, NatsServer, StartError, Sync, scratch_dir};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A client's connection that has logged in.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(server: &NatsServer) -> Self {
        let address = ("127.0.0.1", server.port());
        let mut client = Self(BufReader::new(TcpStream::connect(address).unwrap()));
        assert!(client.line().starts_with("INFO "));
        let url = server.url();
        let password = url.split([':', '@']).nth(2).unwrap();
        client.say(&format!(
            "CONNECT {{\"user\":\"duplex\",\"pass\":\"{password}\",\"verbose\":false}}\r\nPING\r\n"
        ));
        assert_eq!(client.line(), "PONG");
        client
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// One request to the server's own interface.
    fn request(&mut self, subject: &str, body: &str) -> String {
        let length = body.len();
        self.say(&format!(
            "SUB answers 1\r\nPUB {subject} answers {length}\r\n{body}\r\nUNSUB 1 1\r\n"
        ));
        let head = self.line();
        let length: usize = head.rsplit(' ').next().unwrap().parse().unwrap();
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).unwrap();
        assert_eq!(self.line(), "");
        String::from_utf8(answer).unwrap()
    }
}

fn monitor(server: &NatsServer, path: &str) -> String {
    let address = server.monitor_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn script(folder: &Path, prints: &str) -> PathBuf {
    let path = folder.join("nats-server");
    std::fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn it_syncs_every_append_and_asks_for_the_password() {
    let folder = scratch_dir().unwrap();
    let server = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();

    assert!(monitor(&server, "/varz").contains("\"sync_always\": true"));
    let mut stranger = BufReader::new(TcpStream::connect(("127.0.0.1", server.port())).unwrap());
    let mut line = String::new();
    stranger.read_line(&mut line).unwrap();
    stranger
        .get_mut()
        .write_all(b"CONNECT {}\r\nPING\r\n")
        .unwrap();
    line.clear();
    stranger.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "-ERR 'Authorization Violation'");
}

#[tokio::test]
async fn syncing_later_is_there_to_measure_against() {
    let folder = scratch_dir().unwrap();
    let options = NatsOptions {
        sync: Sync::Later,
        ..NatsOptions::new(folder.path())
    };
    let server = NatsServer::start(options).await.unwrap();
    assert!(!monitor(&server, "/varz").contains("\"sync_always\": true"));
}

#[tokio::test]
async fn a_kill_and_a_restart_keep_the_ports_and_what_was_stored() {
    let folder = scratch_dir().unwrap();
    let mut server = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();
    let before = (server.url(), server.monitor_url());
    let mut client = Client::connect(&server);
    let made = client.request(
        "$JS.API.STREAM.CREATE.KEPT",
        r#"{"name":"KEPT","subjects":["kept"],"storage":"file","num_replicas":1,"retention":"limits"}"#,
    );
    assert!(made.contains("\"created\""), "{made}");
    let stored = client.request("kept", "hello");
    assert!(stored.contains("\"seq\":1"), "{stored}");

    server.kill9().await.unwrap();
    server.restart().await.unwrap();

    assert_eq!((server.url(), server.monitor_url()), before);
    let state = Client::connect(&server).request("$JS.API.STREAM.INFO.KEPT", "");
    assert!(state.contains("\"messages\":1"), "{state}");
}

#[tokio::test]
async fn dropping_it_leaves_no_process() {
    let folder = scratch_dir().unwrap();
    let server = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();
    let process = server.identity().clone();
    assert!(process.is_running());
    drop(server);
    assert!(!process.is_running());
}

#[tokio::test]
async fn stopping_it_is_told_as_a_success() {
    let folder = scratch_dir().unwrap();
    let server = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();
    let process = server.identity().clone();
    let status = server.stop().await.unwrap();
    assert!(!process.is_running());
    assert!(status.code().is_some(), "{status}");
}

#[tokio::test]
async fn one_left_running_is_ended_by_the_next_start() {
    let folder = scratch_dir().unwrap();
    let left = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();
    let process = left.identity().clone();

    let next = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();

    assert!(process.ended_within(Duration::from_secs(5)).await);
    assert!(next.identity().is_running());
}

#[tokio::test]
async fn another_process_with_a_noted_number_is_left_alone() {
    let folder = scratch_dir().unwrap();
    let mut other = tokio::process::Command::new("sleep")
        .arg("60")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let note = format!(
        r#"{{"pid":{},"started":1,"boot":"another"}}"#,
        other.id().unwrap()
    );
    std::fs::write(folder.path().join("nats-server.pid.json"), note).unwrap();

    let _server = NatsServer::start(NatsOptions::new(folder.path()))
        .await
        .unwrap();

    assert_eq!(other.try_wait().unwrap(), None);
    other.kill().await.unwrap();
}

#[tokio::test]
async fn an_old_server_is_refused_with_the_reason() {
    let folder = scratch_dir().unwrap();
    let path = script(folder.path(), "nats-server: v2.9.10");
    let options = NatsOptions {
        binary: Some(path.clone()),
        ..NatsOptions::new(folder.path())
    };
    let error = NatsServer::start(options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is version 2.9.10, but 2.14.6 or newer is needed: older ones lose acknowledged events",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_the_servers_words() {
    let folder = scratch_dir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = NatsOptions {
        port: Some(taken.local_addr().unwrap().port()),
        ..NatsOptions::new(folder.path())
    };
    let error = NatsServer::start(options).await.unwrap_err();
    let StartError::Stopped { server, last, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(server, "nats-server");
    assert!(last.contains("address already in use"), "{last}");
}
