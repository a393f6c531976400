// Starts a whole server with the scripted provider, runs the browser tests against it, and leaves nothing behind.
import { execFileSync, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/duplex/target");
const programs = join(target, process.env.DUPLEX_E2E_PROFILE ?? "debug");
const PATIENCE = 60_000;

/** Starts a program; `line(pattern)` waits for a line of its output. */
function start(name, args, env = {}) {
  const child = spawn(join(programs, name), args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = [];
  const waiting = [];
  const look = () => waiting.forEach((wait) => lines.some((line) => wait.found(line.match(wait.pattern))));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    look();
  });
  const line = (pattern) =>
    new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${name} ${why} before ${pattern}:\n${lines.join("\n")}`));
      const timer = setTimeout(() => fail("was silent"), PATIENCE);
      child.once("error", (error) => fail(`could not be started (${error.message}; run \`make test\`)`));
      child.once("exit", () => fail("ended"));
      const found = (match) => {
        if (match) {
          clearTimeout(timer);
          resolve(match[1]);
        }
        return Boolean(match);
      };
      waiting.push({ pattern, found });
      look();
    });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once("exit", resolve);
      child.kill("SIGINT");
    });
  return { line, stop };
}

async function repository(path) {
  await mkdir(path);
  await writeFile(join(path, "README.md"), "# app\n");
  const git = (...args) => execFileSync("git", args, { cwd: path });
  git("init", "-qb", "main");
  git("add", ".");
  git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Begin");
}

/** Models of every kind: priced, unpriced, with a small window, without a key. */
const models = (address, key) => `
[[providers]]
name = "scripted"
kind = "anthropic"
base_url = "${address}"
key_file = "${key}"

[[providers]]
name = "keyless"
kind = "anthropic"
base_url = "${address}"

[[models]]
id = "claude-sonnet-5-5"
label = "Scripted"
provider = "scripted"
context = 1000000
max_output = 64000
thinking = { kind = "adaptive" }

[[models]]
id = "claude-haiku-4-5"
label = "Scripted, small"
provider = "scripted"
context = 20000
max_output = 8000

[[models]]
id = "homegrown"
label = "Scripted, unpriced"
provider = "scripted"
context = 100000
max_output = 8000

[[models]]
id = "claude-opus-5-5"
label = "Scripted, no key"
provider = "keyless"
context = 1000000
max_output = 64000
`;

const folder = await mkdtemp(join(tmpdir(), "duplex-e2e-"));
// Postgres runs as a user of its own and must be able to pass through.
await chmod(folder, 0o711);
const running = [];
let status = 1;
try {
  await repository(join(folder, "app"));
  const provider = start("duplex-provider-double", ["--listen", "127.0.0.1:0"]);
  running.push(provider);
  const address = await provider.line(/(http:\S+)/);
  const [data, key] = [join(folder, "data"), join(folder, "key")];
  await mkdir(data);
  await writeFile(key, "scripted");
  await writeFile(join(data, "providers.toml"), models(address, key));
  await writeFile(join(data, "workspaces.toml"), '[default]\ntwo_people = ["bash(launch *)"]\n');
  const server = start(
    "duplex",
    ["up", "--data", data, "--listen", "127.0.0.1:0", "--root", folder, "--workspace", join(folder, "app")],
    { DUPLEX_LOG: "warn" },
  );
  running.unshift(server);
  const link = await server.line(/first owner, once:\s+(\S+)/);
  const env = { ...process.env, DUPLEX_E2E_URL: new URL(link).origin, DUPLEX_E2E_SETUP_LINK: link };
  const failed = [];
  // One run for each file: a single one would sort them by name, and the first of them makes the first owner.
  for (const file of process.argv.slice(2)) {
    const tests = spawn(process.execPath, ["--test", "--test-timeout=180000", file], { env, stdio: "inherit" });
    if (await new Promise((resolve) => tests.once("exit", resolve))) failed.push(file);
  }
  if (failed.length) console.error(`Failed: ${failed.join(", ")}`);
  status = failed.length ? 1 : 0;
} finally {
  for (const program of running) await program.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(status);
