//! compose.yaml, nats.conf and the Dockerfile fit the programs they deploy.

use std::collections::BTreeSet;
use std::path::Path;

fn file(name: &str) -> String {
    let root = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    std::fs::read_to_string(root.join(name)).unwrap()
}

/// Every `DUPLEX_…` in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let word = |letter: char| !(letter.is_ascii_uppercase() || letter == '_');
    text.split(word)
        .filter(|word| word.starts_with("DUPLEX_") && word.len() > 7)
        .collect()
}

/// The sources in which a process reads its environment.
fn read_by(bin: &str) -> String {
    let boot = ["config", "ready", "shutdown", "telemetry"]
        .map(|name| file(&format!("crates/boot/src/{name}.rs")));
    format!(
        "{}{}",
        file(&format!("bins/{bin}/src/config.rs")),
        boot.concat()
    )
}

/// The lines of one service of compose.yaml.
fn service<'a>(compose: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("  {name}:");
    let after = compose.lines().skip_while(|line| *line != head).skip(1);
    after
        .take_while(|line| line.is_empty() || line.starts_with("   "))
        .collect()
}

#[test]
fn compose_sets_every_variable_of_the_one_nats_conf() {
    let (conf, compose) = (file("nats.conf"), file("compose.yaml"));
    let conf = conf + &file("nats-users.conf");
    let settings: String = conf
        .lines()
        .filter(|line| !line.trim().starts_with('#'))
        .collect();
    let nats = service(&compose, "nats").join("\n");
    for variable in variables(&settings) {
        assert!(nats.contains(&format!("{variable}:")), "{variable}");
    }
    assert!(nats.contains("./nats.conf:"), "{nats}");
    assert!(nats.contains("./nats-users.conf:"), "{nats}");
}

#[test]
fn compose_tells_each_process_its_own_password_alone() {
    let compose = file("compose.yaml");
    let users = ["prepare", "edge", "projector", "runner"];
    for (service_name, user) in users
        .into_iter()
        .zip(["setup", "edge", "projector", "runner"])
    {
        let lines = service(&compose, service_name).join("\n");
        let own = format!("DUPLEX_NATS_{}_PASSWORD", user.to_uppercase());
        let told: BTreeSet<&str> = variables(&lines)
            .into_iter()
            .filter(|name| name.starts_with("DUPLEX_NATS_") && name.ends_with("_PASSWORD"))
            .collect();

        assert_eq!(told, BTreeSet::from([own.as_str()]));
        assert!(
            lines.contains(&format!("nats://{user}:${{{own}}}@nats:4222")),
            "{lines}"
        );
    }
}

#[test]
fn every_variable_compose_sets_is_one_its_process_reads() {
    let compose = file("compose.yaml");
    for bin in ["edge", "projector", "runner"] {
        let source = read_by(bin);
        let lines = service(&compose, bin);
        let keys = lines.iter().filter_map(|line| line.trim().split_once(':'));
        let set: Vec<_> = keys
            .map(|(key, _)| key)
            .filter(|key| key.starts_with("DUPLEX_"))
            .collect();
        assert!(!set.is_empty(), "compose.yaml has no service {bin}");
        for variable in set {
            assert!(
                source.contains(&format!("\"{variable}\"")),
                "{bin} does not read {variable}"
            );
        }
    }
}

#[test]
fn the_image_holds_every_program_compose_runs() {
    let (compose, image) = (file("compose.yaml"), file("Dockerfile"));
    for bin in ["edge", "projector", "runner"] {
        let program = format!("duplex-{bin}");
        assert!(compose.contains(&program), "{program}");
        assert!(image.contains(&program), "{program}");
    }
}
