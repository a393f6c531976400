//! The command line of `duplex`, and the one place where it reads the environment.

use clap::{Args, Parser, Subcommand, ValueEnum};
use duplex_boot::config::{http_url, listen, nats_url, network, origin, postgres_url};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A team server for live coding-agent sessions.
///
/// Start everything on this machine with `duplex up`, and open the address it prints.
#[derive(Debug, Parser)]
#[command(name = "duplex", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run Duplex on this machine: the log, the database, and the three processes
    ///
    /// At the first start it prints a link that makes the first owner. Everything is kept in the data folder, and the
    /// next start finds it as it was. Ctrl-C stops all of it.
    Up(Box<Up>),
    /// Make the log's streams and buckets on a NATS server, before the processes that may not
    ///
    /// `duplex up` does it by itself. To be done again with each new version, before its processes start.
    Prepare(Prepare),
    /// Check that everything Duplex needs is installed
    Doctor,
    /// Check that the views in Postgres are what the log says, or that nobody changed the audit log
    ///
    /// Folds every session again from its log, up to where its view stands, and compares. Exit code 1 if any differs.
    Verify(Verify),
}

const UP_EXAMPLES: &str = "\
Examples:
  duplex up
      everything on this machine, at http://127.0.0.1:7700
  ANTHROPIC_API_KEY=… duplex up --workspace ~/code/shop
      with a key for the agent, offering one repository
  duplex up --origin https://duplex.example.org --proxy 127.0.0.1
      behind a proxy on this machine that ends TLS under that name
  duplex up --listen 0.0.0.0:443 --origin https://duplex.example.org --tls-cert cert.pem --tls-key key.pem
      for everybody, with a certificate
  duplex up --nats nats://10.0.0.5:4222 --postgres postgres://duplex:secret@10.0.0.6/duplex
      with servers that run already

The data folder:
  version         which layout this is          lock      held while `duplex up` runs
  nats/           the log: the truth            run.json  processes and addresses while it runs
  postgres/       views (they can be rebuilt from the log) and accounts (they cannot)
  edge/ projector/ runner/                      each process' own; runner/ holds the worktrees
  logs/           what the processes say        provider.toml  yours: [anthropic] api_key, base_url
  providers.toml, workspaces.toml                 yours: models; what is allowed in which workspace
Copy all of it while Duplex is stopped for a backup.";

/// What `duplex prepare` is told.
#[derive(Clone, Debug, Args)]
pub struct Prepare {
    /// The NATS server, with the user that may make streams: `setup` in nats-users.conf
    #[arg(long, env = "DUPLEX_NATS_URL", value_name = "URL", value_parser = nats_url, hide_env_values = true)]
    pub nats: String,
}

/// What `duplex verify` is told.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// The data folder of a running `duplex up` [default: ~/.local/share/duplex, or /var/lib/duplex for root]
    #[arg(long, value_name = "DIR", conflicts_with = "nats")]
    pub data: Option<PathBuf>,
    /// The NATS server, where it is not `duplex up`'s own
    #[arg(long, value_name = "URL", value_parser = nats_url, requires = "postgres")]
    pub nats: Option<String>,
    /// The Postgres database, where it is not `duplex up`'s own
    #[arg(long, value_name = "URL", value_parser = postgres_url, requires = "nats")]
    pub postgres: Option<String>,
    /// Empty the views instead; the running projector then builds them anew from the log
    #[arg(long)]
    pub rebuild: bool,
    /// Check the audit log instead: this exported file, without any server, or else the running log
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["rebuild", "sessions"])]
    pub audit: Option<Option<PathBuf>>,
    /// Only these sessions
    #[arg(value_name = "SESSION")]
    pub sessions: Vec<duplex_domain::SessionId>,
}

/// What `duplex up` is told.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = UP_EXAMPLES)]
pub struct Up {
    /// Where everything is kept [default: ~/.local/share/duplex, or /var/lib/duplex for root]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where people reach the page; port 0 takes a free one
    #[arg(long, env = "DUPLEX_LISTEN", value_name = "IP:PORT", default_value = "127.0.0.1:7700", value_parser = listen)]
    pub listen: SocketAddr,
    /// Where browsers see the page, if not at the address above; may be given several times
    #[arg(long = "origin", env = "DUPLEX_ORIGINS", value_name = "URL", value_delimiter = ',', value_parser = origin)]
    pub origins: Vec<String>,
    /// A certificate in PEM, with which the page is served encrypted; read again when it changes
    #[arg(
        long,
        env = "DUPLEX_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(
        long,
        env = "DUPLEX_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// A proxy that encrypts, by address or network: what it tells of who asks counts; may be given several times
    #[arg(long = "proxy", env = "DUPLEX_PROXIES", value_name = "IP[/BITS]", value_delimiter = ',', value_parser = network)]
    pub proxies: Vec<String>,
    /// Use this NATS server instead of a private one
    #[arg(long, value_name = "URL", value_parser = nats_url)]
    pub nats: Option<String>,
    /// That server's monitoring address, to check that it syncs to disk
    #[arg(long, value_name = "URL", requires = "nats", value_parser = http_url)]
    pub nats_monitor: Option<String>,
    /// Use this Postgres database instead of a private one
    #[arg(long, value_name = "URL", value_parser = postgres_url)]
    pub postgres: Option<String>,
    /// Sessions may open git repositories below this folder; may be given several times [default: your home]
    #[arg(long = "root", value_name = "DIR")]
    pub roots: Vec<PathBuf>,
    /// Offer this git repository on the sessions page; may be given several times
    #[arg(long = "workspace", value_name = "DIR")]
    pub workspaces: Vec<PathBuf>,
    /// How agents and terminals are kept apart from this machine
    #[arg(long, value_enum, default_value_t = Sandbox::Bubblewrap)]
    pub sandbox: Sandbox,
    /// Another address that speaks Anthropic's Messages API
    #[arg(long, env = "DUPLEX_ANTHROPIC_BASE_URL", value_name = "URL", value_parser = http_url)]
    pub anthropic_base_url: Option<String>,
    /// When the private NATS server syncs: `later` is only for measuring what `always` costs
    #[arg(long, env = "DUPLEX_NATS_SYNC", value_enum, default_value_t = NatsSync::Always, hide = true)]
    pub nats_sync: NatsSync,
}

/// How agents and terminals are kept apart from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// In bubblewrap: the worktree writable, the rest read-only or hidden
    Bubblewrap,
    /// Not at all: they may do what you may
    Off,
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bubblewrap => "bubblewrap",
            Self::Off => "off",
        })
    }
}

/// When the private NATS server syncs an append to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NatsSync {
    /// Before it acknowledges
    Always,
    /// Within two minutes
    #[value(alias = "2m")]
    Later,
}

/// The key for Anthropic's API. It has no flag, because others on the machine can read command lines.
#[must_use]
pub fn anthropic_api_key() -> Option<OsString> {
    ["DUPLEX_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"]
        .into_iter()
        .find_map(|name| std::env::var_os(name).filter(|key| !key.is_empty()))
}

/// This user's home.
#[must_use]
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

/// Where everything is kept unless `--data` says otherwise. Root's home is closed to the user Postgres runs as.
#[must_use]
pub fn default_data() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/duplex"));
    }
    let shared = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let shared = shared.or_else(|| Some(home()?.join(".local/share")))?;
    Some(shared.join("duplex"))
}

/// The variables every process inherits; nothing else of our environment reaches them.
pub fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    [
        "PATH",
        "HOME",
        "LANG",
        "DUPLEX_LOG",
        "DUPLEX_LOG_FORMAT",
        "DUPLEX_SESSION_USERS",
        "DUPLEX_TERMINALS_PER_PERSON",
        "DUPLEX_TERMINAL_IDLE_HOURS",
        "DUPLEX_TERMINAL_BURST_MIB",
        "DUPLEX_SOCKETS_PER_PERSON",
        "DUPLEX_SOCKETS_PER_NETWORK",
        "DUPLEX_REQUESTS_PER_PERSON",
        "DUPLEX_REQUESTS_PER_NETWORK",
        "DUPLEX_WRONG_TRIES_PER_NETWORK",
        "DUPLEX_CONNECTIONS",
        "DUPLEX_CONNECTIONS_PER_NETWORK",
    ]
    .into_iter()
    .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_made() {
        Cli::command().debug_assert();
    }
}
