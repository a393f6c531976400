//! Builds the page: wasm by cargo, its JavaScript by wasm-bindgen, the bundle by esbuild.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

mod stamp;

const USAGE: &str = "usage: cargo run -p xtask -- page [--dev] [--locked]";

/// What the page's wasm shall weigh at most, compressed by brotli, in bytes.
const GOAL: u64 = 350 * 1024;
/// What it may weigh until it is there: a build that is heavier fails, so that it only gets lighter.
const HEAVIEST: u64 = 520 * 1024;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    ensure!(args.next().as_deref() == Some("page"), USAGE);
    let mut build = Build {
        root: root()?,
        dev: false,
        locked: false,
    };
    for arg in args {
        match arg.as_str() {
            "--dev" => build.dev = true,
            "--locked" => build.locked = true,
            other => bail!("unknown option {other}; {USAGE}"),
        }
    }
    build.page()
}

/// The workspace's folder, as cargo says it now: checkouts that share a target folder share this program too.
fn root() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run it by `cargo run -p xtask`")?;
    let root = Path::new(&here)
        .parent()
        .context("xtask lies in no workspace")?;
    Ok(root.to_owned())
}

/// One build of the page.
struct Build {
    root: PathBuf,
    dev: bool,
    locked: bool,
}

impl Build {
    fn page(&self) -> Result<()> {
        let stamp = self.web().join("pkg").join(".stamp");
        let inputs = stamp::of(&self.root, self.profile())?;
        let index = self.web().join("dist").join("index.html");
        if index.exists() && std::fs::read_to_string(&stamp).is_ok_and(|built| built == inputs) {
            println!("the page is up to date");
            return Ok(());
        }
        self.wasm()?;
        self.bindgen()?;
        self.node_modules()?;
        self.bundle()?;
        if !self.dev {
            self.weigh()?;
        }
        std::fs::write(&stamp, inputs).context("the stamp could not be written")
    }

    fn web(&self) -> PathBuf {
        self.root.join("ui").join("web")
    }

    fn profile(&self) -> &'static str {
        if self.dev { "web-dev" } else { "web" }
    }

    fn wasm(&self) -> Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(&self.root).args([
            "build",
            "-p",
            "duplex-ui",
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            self.profile(),
        ]);
        if self.locked {
            build.arg("--locked");
        }
        run(&mut build)
    }

    fn bindgen(&self) -> Result<()> {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), PathBuf::from);
        let wasm = target
            .join("wasm32-unknown-unknown")
            .join(self.profile())
            .join("duplex-ui.wasm");
        wasm_bindgen_cli_support::Bindgen::new()
            .input_path(&wasm)
            .out_name("ui")
            .web(true)?
            .typescript(true)
            .omit_default_module_path(true)
            .remove_name_section(!self.dev)
            .remove_producers_section(true)
            .generate(self.web().join("pkg"))
            .with_context(|| format!("wasm-bindgen could not read {}", wasm.display()))
    }

    /// Installs what the lock file names, unless it is there already.
    fn node_modules(&self) -> Result<()> {
        let modified = |path: &str| std::fs::metadata(self.web().join(path))?.modified();
        let installed = modified("node_modules/.package-lock.json").ok();
        if installed >= Some(modified("package-lock.json").context("no package-lock.json")?) {
            return Ok(());
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        run(install.current_dir(self.web()))
    }

    fn bundle(&self) -> Result<()> {
        let mut bundle = Command::new("node");
        bundle.arg("build.mjs").args(self.dev.then_some("--dev"));
        run(bundle.current_dir(self.web()))
    }

    fn weigh(&self) -> Result<()> {
        let mut total = 0;
        for entry in std::fs::read_dir(self.web().join("dist"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(".wasm.br") {
                total += entry.metadata()?.len();
            }
        }
        println!(
            "the page's wasm weighs {} KB (brotli); the goal is {} KB",
            total / 1024,
            GOAL / 1024
        );
        ensure!(
            total <= HEAVIEST,
            "the page's wasm weighs {total} bytes; {HEAVIEST} is the most"
        );
        Ok(())
    }
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("{name} could not be started; is it installed?"))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}
