//! What protects a session here, layer by layer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::groups::Groups;

/// The layers, as the probe found them. Recorded with a session and shown on its page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `bubblewrap` or `off`.
    pub tier: String,
    /// Every layer there is, present or not.
    pub layers: Vec<Layer>,
}

/// One wall of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// A short, stable name.
    pub name: String,
    /// Whether it stands.
    pub state: State,
}

/// Whether a layer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does.
    On,
    /// It does not, and why.
    Off(String),
}

impl State {
    fn new(outcome: Result<(), String>) -> Self {
        outcome.map_or_else(Self::Off, |()| Self::On)
    }
}

impl Report {
    pub(super) fn off() -> Self {
        Self {
            tier: "off".to_owned(),
            layers: Vec::new(),
        }
    }

    /// From the lines of the inner stage, `name<tab>on` or `name<tab>why not`.
    pub(super) fn bubblewrap(inside: &str, own_user: Result<(), String>, groups: &Groups) -> Self {
        // Bubblewrap fails without these two, so that its success says that they are there.
        let mut layers = vec![
            layer("namespaces", State::On),
            layer("no_new_privileges", State::On),
            layer("own-user", State::new(own_user)),
        ];
        for (name, said) in inside.lines().filter_map(|line| line.split_once('\t')) {
            let state = match said {
                "on" => State::On,
                why => State::Off(why.to_owned()),
            };
            layers.push(layer(name, state));
        }
        layers.push(layer("pids", State::new(groups.pids())));
        layers.push(layer("memory", State::new(groups.memory())));
        Self {
            tier: "bubblewrap".to_owned(),
            layers,
        }
    }

    /// The names of the optional layers that are off, each with its reason.
    #[must_use]
    pub fn missing(&self) -> Vec<(&str, &str)> {
        let missing = |layer: &'_ Layer| matches!(layer.state, State::Off(_));
        let layers = self.layers.iter().filter(|layer| missing(layer));
        layers
            .map(|layer| match &layer.state {
                State::Off(why) => (layer.name.as_str(), why.as_str()),
                State::On => (layer.name.as_str(), ""),
            })
            .collect()
    }
}

/// A stable line for the log and the page, such as `bubblewrap+own-user+seccomp+landlock+pids`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tier)?;
        for layer in &self.layers {
            let shown = !matches!(layer.name.as_str(), "namespaces" | "no_new_privileges");
            if shown && layer.state == State::On {
                write!(f, "+{}", layer.name)?;
            }
        }
        Ok(())
    }
}

fn layer(name: &str, state: State) -> Layer {
    Layer {
        name: name.to_owned(),
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_one_line_and_names_what_is_missing() {
        let groups = Groups::none("no cgroup here");
        let report = Report::bubblewrap(
            "seccomp\ton\nlandlock\tthe kernel has no Landlock\n",
            Ok(()),
            &groups,
        );

        assert_eq!(report.to_string(), "bubblewrap+own-user+seccomp");
        assert_eq!(Report::off().to_string(), "off");
        assert_eq!(
            report.missing(),
            [
                ("landlock", "the kernel has no Landlock"),
                ("pids", "no cgroup here"),
                ("memory", "no cgroup here"),
            ]
        );
    }
}
