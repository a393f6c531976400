//! `duplex verify --audit`: what was exported is checked without any server, and every way to tamper is named.

use crate::installed::{Installed, refusal};
use duplex_domain::TeamId;
use duplex_domain::Time;
use duplex_domain::audit::{Deed, From, Head, Outcome, Record, Who};
use std::path::{Path, PathBuf};

fn exported(count: u64) -> Vec<String> {
    let mut head = Head::start(Some(TeamId::default()));
    let mut line = |n| {
        let deed = Deed {
            at: Time(n),
            who: Who::default(),
            what: "team.budget".into(),
            on: None,
            from: From::default(),
            outcome: Outcome::Ok,
            code: String::new(),
            count: 1,
            detail: [("pico".to_owned(), n.to_string())].into(),
            trace: String::new(),
        };
        let record = Record::behind(&head, deed);
        head = Head::from(&record);
        record.line()
    };
    (1..)
        .take(usize::try_from(count).unwrap())
        .map(&mut line)
        .collect()
}

fn written(folder: &Path, lines: &[String]) -> PathBuf {
    let file = folder.join("audit.ndjson");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    file
}

/// What somebody does to an export.
type Tamper = fn(&mut Vec<String>);

#[tokio::test]
async fn a_whole_export_is_called_unbroken() {
    let installed = Installed::new();
    let folder = tempfile::tempdir().unwrap();
    let lines = exported(5);
    let file = written(folder.path(), &lines);
    let verify = installed
        .duplex(&["verify", "--audit"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    let hash = Record::read(&lines[4]).unwrap().hash.0;
    assert_eq!(
        String::from_utf8(verify.stdout).unwrap(),
        format!(
            "{}: unbroken up to record 5, whose hash is {hash}\n",
            file.display()
        )
    );
    assert!(verify.status.success());
}

#[tokio::test]
async fn every_way_to_tamper_with_an_export_is_named() {
    let installed = Installed::new();
    let folder = tempfile::tempdir().unwrap();
    let cases: [(Tamper, &str); 6] = [
        (
            |lines| lines[2] = lines[2].replace("\"pico\":\"3\"", "\"pico\":\"4\""),
            "line 3: record 3 was changed: it does not have the hash of what it says",
        ),
        (
            |lines| lines[3].insert(20, '\u{fffd}'),
            "line 4: record 4 was changed: it does not have the hash of what it says",
        ),
        (
            |lines| drop(lines.remove(1)),
            "line 2: records 2 to 2 were removed",
        ),
        (
            |lines| lines.swap(1, 3),
            "line 2: record 4 is out of its order: record 2 belongs here, and comes later",
        ),
        (
            |lines| lines.insert(3, lines[2].clone()),
            "line 4: record 3 was put in: it does not follow the record before it",
        ),
        (
            |lines| drop(lines.drain(..2)),
            "line 1: the beginning was cut off: records 1 to 2 are missing",
        ),
    ];
    for (tamper, told) in cases {
        let mut lines = exported(5);
        tamper(&mut lines);
        let file = written(folder.path(), &lines);
        let verify = installed
            .duplex(&["verify", "--audit"])
            .arg(&file)
            .output()
            .await
            .unwrap();
        let shown = file.display();
        assert_eq!(
            refusal(verify),
            format!("duplex: {shown}: broken in {told}")
        );
    }
}

#[tokio::test]
async fn the_running_audit_log_is_checked_too() {
    let installed = Installed::new();
    let (_up, _) = installed.started().await;
    let options = duplex_eventlog::Options {
        url: installed.told("edge")["DUPLEX_NATS_URL"].clone(),
        monitor: None,
        name: "test",
    };
    let log = duplex_eventlog::Log::connect(&options).await.unwrap();
    let audit = log.audit().await.unwrap();
    let deed = Record::read(&exported(1)[0]).unwrap().deed;
    let team = Some(TeamId::default());
    audit
        .append(team, "a", &[deed.clone(), deed])
        .await
        .unwrap();
    let verify = || {
        installed
            .duplex(&["verify", "--audit", "--data"])
            .arg(installed.data())
            .output()
    };
    let verify = verify().await.unwrap();
    let told = String::from_utf8(verify.stdout).unwrap();
    assert!(
        told.starts_with(&format!(
            "team {}: unbroken up to record 2, ",
            TeamId::default()
        )),
        "{told}"
    );
    assert!(verify.status.success());
}
