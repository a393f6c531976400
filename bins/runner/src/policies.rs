//! What the operator allows in which workspace: a file of the operator's, never one of the repository's.

use anyhow::Context as _;
use duplex_egress::Policy;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Everything the file says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// What holds in every workspace.
    #[serde(default)]
    default: Section,
    #[serde(default)]
    workspace: Vec<Named>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: PathBuf,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
}

/// What holds in one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// The machines that may be reached.
    pub network: Policy,
    /// Tool calls that need no approval.
    pub rules: Vec<String>,
}

impl Policies {
    /// Reads the file; no file allows nothing.
    ///
    /// # Errors
    /// When it cannot be read or says something that is not understood.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let file = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{file} cannot be read"))?;
        Self::parse(&text).with_context(|| format!("{file} is not right"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        // The parser's own words quote the line, and the line may hold a secret.
        let policies: Self =
            toml::from_str(text).map_err(|error| anyhow::anyhow!("{}", error.message()))?;
        policies.default.check("[default]")?;
        for named in &policies.workspace {
            anyhow::ensure!(
                named.path.is_absolute(),
                "{} is no absolute path: write the workspace's whole path",
                named.path.display()
            );
            named.section().check(&named.path.display().to_string())?;
        }
        Ok(policies)
    }

    /// What holds in the workspace at `path`: what holds everywhere, and its own on top.
    #[must_use]
    pub fn of(&self, path: &Path) -> Allowed {
        let named = self.workspace.iter();
        let own = named.filter(|named| real(&named.path) == real(path));
        let sections: Vec<Section> = std::iter::once(self.default.clone())
            .chain(own.map(Named::section))
            .collect();
        let hosts = sections.iter().flat_map(|section| &section.allow);
        Allowed {
            // Each was read once already.
            network: Policy::parse(hosts.map(String::as_str)).unwrap_or_default(),
            rules: sections
                .iter()
                .flat_map(|section| section.rules.clone())
                .collect(),
        }
    }
}

impl Named {
    fn section(&self) -> Section {
        Section {
            allow: self.allow.clone(),
            rules: self.rules.clone(),
        }
    }
}

impl Section {
    fn check(&self, of: &str) -> anyhow::Result<()> {
        Policy::parse(self.allow.iter().map(String::as_str))
            .with_context(|| format!("`allow` of {of}"))?;
        let wrong = self.rules.iter().find(|rule| !duplex_domain::is_rule(rule));
        wrong.map_or(Ok(()), |wrong| {
            anyhow::bail!(
                "{of}: {wrong:?} is no rule: write a tool's name, or one such as bash(git *)"
            )
        })
    }
}

/// Workspaces are served by where their path truly leads.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const FILE: &str = r#"
        [default]
        rules = ["bash(git status *)"]
        [[workspace]]
        path = "/srv/app"
        allow = ["crates.io", "*.npmjs.org:443"]
        rules = ["bash(make *)"]
    "#;

    #[test]
    fn a_workspace_has_its_own_on_top_of_what_holds_everywhere() {
        let policies = Policies::parse(FILE).unwrap();
        let app = Allowed {
            network: Policy::parse(["crates.io", "*.npmjs.org:443"]).unwrap(),
            rules: vec!["bash(git status *)".into(), "bash(make *)".into()],
        };
        let other = Allowed {
            network: Policy::default(),
            rules: vec!["bash(git status *)".into()],
        };

        assert_eq!(policies.of(Path::new("/srv/app")), app);
        assert_eq!(policies.of(Path::new("/srv/other")), other);
        assert_eq!(
            Policies::default().of(Path::new("/srv/app")),
            Allowed::default()
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (wrong, says) in [
            ("[default]\nallow = [\"10.0.0.1\"]", "`allow` of [default]"),
            ("[default]\nrules = [\"bash(\"]", "is no rule"),
            ("[[workspace]]\npath = \"app\"", "no absolute path"),
            ("[[workspace]]\nallow = []", "missing field `path`"),
            ("[default]\nhosts = []", "unknown field `hosts`"),
        ] {
            let error = Policies::parse(wrong).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
    }
}
