//! Starts the servers and the three processes, and waits until each is ready.

use crate::config::{NatsSync, anthropic_api_key};
use crate::data::DataFolder;
use crate::named;
use crate::plan::{Plan, program};
use crate::program::{Program, Ready, Running};
use crate::run_file::Run;
use crate::say;
use anyhow::Context as _;
use duplex_eventlog::{Log, Options};
use duplex_local::{NatsOptions, NatsServer, NatsUser, Postgres, PostgresOptions, Sync};
use std::ffi::OsString;
use std::path::PathBuf;

/// Everything that runs. Dropping it ends all of it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) edge: Running,
    pub(crate) runner: Running,
    pub(crate) projector: Running,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) nats: Option<NatsServer>,
    pub(crate) run: Run,
}

/// Where the servers are, ours or not.
struct Addresses {
    nats: Nats,
    monitor: Option<String>,
    postgres: String,
}

/// The log's address, with each user's own name and password where the server is ours.
struct Nats {
    setup: String,
    edge: String,
    runner: String,
    projector: String,
}

impl Nats {
    fn of(server: &NatsServer) -> Self {
        Self {
            setup: server.url_of(NatsUser::Setup),
            edge: server.url_of(NatsUser::Edge),
            runner: server.url_of(NatsUser::Runner),
            projector: server.url_of(NatsUser::Projector),
        }
    }

    /// A server of somebody else's: who may do what there is theirs to say.
    fn given(url: &str) -> Self {
        let [setup, edge, runner, projector] = [(); 4].map(|()| url.to_owned());
        Self {
            setup,
            edge,
            runner,
            projector,
        }
    }
}

type Environment = Vec<(&'static str, OsString)>;

/// Starts all of it, telling people how far it has come.
pub(crate) async fn start(plan: &Plan, data: &DataFolder) -> anyhow::Result<Started> {
    let nats = start_nats(plan, data).await?;
    let postgres = start_postgres(plan, data).await?;
    let addresses = addresses(plan, nats.as_ref(), postgres.as_ref()).await?;
    prepare(&addresses.nats.setup, addresses.monitor.clone()).await?;
    let mut projector = projector(plan, data, &addresses).start().await?;
    let mut runner = runner(plan, data, &addresses).start().await?;
    let mut edge = edge(plan, data, &addresses).start().await?;
    for process in [&mut projector, &mut runner, &mut edge] {
        process.ready().await?;
        say(format_args!("  {} is ready", process.program.name));
    }
    let mut run = noted(plan, &addresses);
    for process in [&projector, &runner, &edge] {
        run.process(process.program.name, process.identity());
    }
    run.processes.extend(
        nats.iter()
            .map(|nats| ("nats".to_owned(), nats.identity().clone())),
    );
    run.processes.extend(
        postgres
            .iter()
            .map(|postgres| ("postgres".to_owned(), postgres.identity().clone())),
    );
    run.pids = run
        .processes
        .iter()
        .map(|(name, process)| (name.clone(), process.pid))
        .collect();
    Ok(Started {
        edge,
        runner,
        projector,
        postgres,
        nats,
        run,
    })
}

async fn start_nats(plan: &Plan, data: &DataFolder) -> anyhow::Result<Option<NatsServer>> {
    if plan.nats.is_some() {
        return Ok(None);
    }
    let sync = match plan.nats_sync {
        NatsSync::Always => Sync::Always,
        NatsSync::Later => Sync::Later,
    };
    let options = NatsOptions {
        sync,
        ..NatsOptions::for_processes(data.nats())
    };
    let server = NatsServer::start(options).await?;
    say(format_args!("  nats-server {} is ready", server.version()));
    Ok(Some(server))
}

/// Makes the streams and buckets that are missing: no process may.
pub(crate) async fn prepare(nats: &str, monitor: Option<String>) -> anyhow::Result<()> {
    let options = Options {
        url: nats.to_owned(),
        monitor,
        name: "setup",
    };
    Log::prepare(&options).await?;
    Ok(())
}

async fn start_postgres(plan: &Plan, data: &DataFolder) -> anyhow::Result<Option<Postgres>> {
    if plan.postgres.is_some() {
        return Ok(None);
    }
    let server = Postgres::start(PostgresOptions::new(data.postgres())).await?;
    say(format_args!("  Postgres {} is ready", server.major()));
    Ok(Some(server))
}

async fn addresses(
    plan: &Plan,
    nats: Option<&NatsServer>,
    postgres: Option<&Postgres>,
) -> anyhow::Result<Addresses> {
    let (own_nats, own_monitor) = (nats.map(Nats::of), nats.map(NatsServer::monitor_url));
    let own_postgres = match postgres {
        Some(server) => Some(server.database("duplex").await?),
        None => None,
    };
    let (given_nats, given_monitor) = plan.nats.clone().unzip();
    let given_nats = given_nats.as_deref().map(Nats::given);
    Ok(Addresses {
        nats: own_nats.or(given_nats).context("there is no NATS server")?,
        monitor: own_monitor.or(given_monitor.flatten()),
        postgres: own_postgres
            .or_else(|| plan.postgres.clone())
            .unwrap_or_default(),
    })
}

fn noted(plan: &Plan, addresses: &Addresses) -> Run {
    let mut run = Run::default();
    run.address("edge", &plan.page());
    run.address("nats", &addresses.nats.setup);
    run.address("postgres", &addresses.postgres);
    if let Some(monitor) = &addresses.monitor {
        run.address("nats_monitor", monitor);
    }
    run
}

/// What all three are told: their folder, where the log is, and how to tell that they are ready.
fn common(data: &DataFolder, name: &str, nats: &str, addresses: &Addresses) -> Environment {
    let mut environment = vec![
        ("DUPLEX_DATA", data.own(name).into()),
        ("DUPLEX_READY_FILE", data.ready_file(name).into()),
        ("DUPLEX_NATS_URL", nats.into()),
    ];
    environment.extend(
        addresses
            .monitor
            .clone()
            .map(|url| ("DUPLEX_NATS_MONITOR_URL", url.into())),
    );
    environment
}

fn projector(plan: &Plan, data: &DataFolder, addresses: &Addresses) -> Program {
    let mut environment = common(data, "projector", &addresses.nats.projector, addresses);
    environment.push(("DUPLEX_POSTGRES_URL", addresses.postgres.clone().into()));
    Program {
        name: "projector",
        path: program(&plan.programs, "projector"),
        environment,
        named: Vec::new(),
        ready: Ready::Makes(data.ready_file("projector")),
        log: data.log("projector"),
    }
}

fn edge(plan: &Plan, data: &DataFolder, addresses: &Addresses) -> Program {
    let mut environment = common(data, "edge", &addresses.nats.edge, addresses);
    environment.extend([
        ("DUPLEX_POSTGRES_URL", addresses.postgres.clone().into()),
        ("DUPLEX_LISTEN", plan.listen.to_string().into()),
        ("DUPLEX_ORIGINS", plan.origins().into()),
    ]);
    let proxies = Some(plan.proxies.clone()).filter(|proxies| !proxies.is_empty());
    environment.extend(proxies.map(|proxies| ("DUPLEX_PROXIES", proxies.into())));
    let mut ready = Ready::Answers(plan.reached_at());
    if let Some((certificate, key)) = &plan.tls {
        environment.push(("DUPLEX_TLS_CERT", certificate.into()));
        environment.push(("DUPLEX_TLS_KEY", key.into()));
        // Its certificate is for a name that this machine may not have.
        ready = Ready::Makes(data.ready_file("edge"));
    }
    Program {
        name: "edge",
        path: program(&plan.programs, "edge"),
        environment,
        named: Vec::new(),
        ready,
        log: data.log("edge"),
    }
}

/// The runner alone is told the provider's key.
fn runner(plan: &Plan, data: &DataFolder, addresses: &Addresses) -> Program {
    let mut environment = common(data, "runner", &addresses.nats.runner, addresses);
    environment.extend([
        ("DUPLEX_ROOTS", plan.roots.clone()),
        ("DUPLEX_SANDBOX", plan.sandbox.to_string().into()),
        ("DUPLEX_PROVIDER_FILE", data.provider_file().into()),
        ("DUPLEX_PROVIDERS_FILE", data.providers_file().into()),
        ("DUPLEX_WORKSPACES_FILE", data.workspaces_file().into()),
    ]);
    // An empty list would read as one folder without a name.
    let workspaces = Some(plan.workspaces.clone()).filter(|folders| !folders.is_empty());
    environment.extend(workspaces.map(|folders| ("DUPLEX_WORKSPACES", folders)));
    environment.extend(anthropic_api_key().map(|key| ("DUPLEX_ANTHROPIC_API_KEY", key)));
    let files = [data.providers_file(), data.workspaces_file()];
    let named = named::variables(&files.each_ref().map(PathBuf::as_path));
    let base_url = plan.anthropic_base_url.clone();
    environment.extend(base_url.map(|url| ("DUPLEX_ANTHROPIC_BASE_URL", url.into())));
    Program {
        name: "runner",
        path: program(&plan.programs, "runner"),
        environment,
        named,
        ready: Ready::Makes(data.ready_file("runner")),
        log: data.log("runner"),
    }
}
