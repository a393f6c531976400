//! What the operator allows in which workspace: a file of the operator's, never one of the repository's.

use anyhow::Context as _;
use duplex_domain::is_rule;
use duplex_egress::Policy;
use duplex_mcp::{ServerConfig, Written};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What holds in each workspace, checked.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// What holds in every one.
    everywhere: Allowed,
    /// What holds in one besides.
    own: Vec<(PathBuf, Allowed)>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    two_people: Vec<String>,
    #[serde(default)]
    readable: Vec<PathBuf>,
    keep_keys: Option<bool>,
    #[serde(default)]
    mcp: Written,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: PathBuf,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    two_people: Vec<String>,
    #[serde(default)]
    readable: Vec<PathBuf>,
    keep_keys: Option<bool>,
    #[serde(default)]
    mcp: Written,
}

/// Everything the file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    default: Section,
    #[serde(default)]
    workspace: Vec<Named>,
}

/// What holds in one workspace.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// The machines that may be reached.
    pub network: Policy,
    /// Tool calls that need no approval.
    pub rules: Vec<String>,
    /// Tool calls that two people have to allow, whatever the mode and the rules say.
    pub two_people: Vec<String>,
    /// Folders of the machine that may be read in the sandbox, besides the system's.
    pub readable: Vec<PathBuf>,
    /// Whether what is typed into terminals is kept, sealed; if it is not said, it is.
    pub keep_keys: Option<bool>,
    /// Tool servers.
    pub servers: Vec<ServerConfig>,
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
        // A name that is set to nothing is as good as missing.
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::parse(&text, variable).with_context(|| format!("{file} is not right"))
    }

    fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        // The parser's own words quote the line, and the line may hold a secret.
        let file: File =
            toml::from_str(text).map_err(|error| anyhow::anyhow!("{}", error.message()))?;
        let everywhere = file.default.check("[default]", &variable)?;
        let named = file.workspace.into_iter();
        let own = named.map(|named| named.check(&variable));
        Ok(Self {
            everywhere,
            own: own.collect::<anyhow::Result<_>>()?,
        })
    }

    /// What holds in the workspace at `path`: what holds everywhere, and its own on top.
    #[must_use]
    pub fn of(&self, path: &Path) -> Allowed {
        let mut allowed = self.everywhere.clone();
        let own = self.own.iter().filter(|(own, _)| real(own) == real(path));
        for (_, own) in own {
            allowed.add(own);
        }
        allowed
    }
}

impl Allowed {
    fn add(&mut self, other: &Self) {
        self.network.rules.extend(other.network.rules.clone());
        self.rules.extend(other.rules.clone());
        self.two_people.extend(other.two_people.clone());
        self.readable.extend(other.readable.clone());
        self.keep_keys = other.keep_keys.or(self.keep_keys);
        // A workspace's own server goes before one of the same name that is everywhere.
        let named = |name: &str| other.servers.iter().any(|server| server.name == name);
        self.servers.retain(|server| !named(&server.name));
        self.servers.extend(other.servers.clone());
    }
}

impl Named {
    fn check(
        self,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<(PathBuf, Allowed)> {
        let of = self.path.display().to_string();
        anyhow::ensure!(
            self.path.is_absolute(),
            "{of} is no absolute path: write the workspace's whole path"
        );
        let section = Section {
            allow: self.allow,
            rules: self.rules,
            two_people: self.two_people,
            readable: self.readable,
            keep_keys: self.keep_keys,
            mcp: self.mcp,
        };
        Ok((self.path, section.check(&of, variable)?))
    }
}

impl Section {
    fn check(
        self,
        of: &str,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Allowed> {
        let network = Policy::parse(self.allow.iter().map(String::as_str));
        let network = network.with_context(|| format!("`allow` of {of}"))?;
        let mut rules = self.rules.iter().chain(&self.two_people);
        if let Some(wrong) = rules.find(|rule| !is_rule(rule)) {
            anyhow::bail!(
                "{of}: {wrong:?} is no rule: write a tool's name, or one such as bash(git *)"
            );
        }
        if let Some(wrong) = self.readable.iter().find(|folder| !folder.is_dir()) {
            let wrong = wrong.display();
            anyhow::bail!("`readable` of {of}: {wrong} is no folder of this machine");
        }
        let servers = self.mcp.check(variable).with_context(|| of.to_owned())?;
        Ok(Allowed {
            network,
            rules: self.rules,
            two_people: self.two_people,
            readable: self.readable,
            keep_keys: self.keep_keys,
            servers,
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
        keep_keys = false
        [default.mcp.files]
        command = ["files"]
        [default.mcp.issues]
        url = "https://issues.test/mcp"
        [[workspace]]
        path = "/srv/app"
        allow = ["crates.io", "*.npmjs.org:443"]
        rules = ["bash(make *)", "mcp__files__*"]
        two_people = ["bash(git push *)"]
        readable = ["/usr"]
        keep_keys = true
        [workspace.mcp.files]
        command = ["files", "--all"]
        env = { TOKEN = { env = "FILES_TOKEN" } }
    "#;

    fn parse(text: &str) -> anyhow::Result<Policies> {
        Policies::parse(text, |name| {
            (name == "FILES_TOKEN").then(|| "t0ken".to_owned())
        })
    }

    #[test]
    fn a_workspace_has_its_own_on_top_of_what_holds_everywhere() {
        let policies = parse(FILE).unwrap();

        let app = policies.of(Path::new("/srv/app"));
        let network = Policy::parse(["crates.io", "*.npmjs.org:443"]).unwrap();
        assert_eq!(app.network, network);
        assert_eq!(
            app.rules,
            ["bash(git status *)", "bash(make *)", "mcp__files__*"]
        );
        assert_eq!(app.two_people, ["bash(git push *)"]);
        assert_eq!(app.readable, [PathBuf::from("/usr")]);
        assert_eq!(app.keep_keys, Some(true));
        let servers = app.servers.iter().map(|server| server.name.as_str());
        assert_eq!(servers.collect::<Vec<_>>(), ["issues", "files"]);
        assert!(format!("{:?}", app.servers[1]).contains("--all"));

        let other = policies.of(Path::new("/srv/other"));
        assert_eq!((other.network.is_empty(), other.rules.len()), (true, 1));
        assert_eq!((other.servers.len(), other.keep_keys), (2, Some(false)));
        assert!(
            Policies::default()
                .of(Path::new("/srv/app"))
                .rules
                .is_empty()
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (wrong, says) in [
            ("[default]\nallow = [\"10.0.0.1\"]", "`allow` of [default]"),
            ("[default]\nrules = [\"bash(\"]", "is no rule"),
            ("[default]\ntwo_people = [\"(x)\"]", "is no rule"),
            (
                "[default]\nreadable = [\"/nowhere\"]",
                "/nowhere is no folder",
            ),
            ("[default.mcp.a__b]\ncommand = [\"x\"]", "mcp.a__b"),
            ("[[workspace]]\npath = \"app\"", "no absolute path"),
            ("[[workspace]]\nallow = []", "missing field `path`"),
            ("[default]\nhosts = []", "unknown field `hosts`"),
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let policies = parse(FILE).unwrap();
        assert!(!format!("{policies:?}").contains("t0ken"));
        let error = parse("[default.mcp.x]\nenv = { A = \"t0ken\" ").unwrap_err();
        assert!(!format!("{error:?}").contains("t0ken"), "{error:?}");
    }
}
