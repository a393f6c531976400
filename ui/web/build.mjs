// Bundles the page: script, styles, fonts and wasm into dist/, with hashed names, each also compressed.
import { build } from "esbuild";
import { readFile, writeFile, rm, mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";

const dev = process.argv.includes("--dev");
const here = import.meta.dirname;
const dist = join(here, "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.ts", theme: "src/theme.ts", styles: "styles/page.css" },
  outdir: dist,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  alias: { "ui-dom": "./src/dom.ts", "ui-list": "./src/list.ts", "ui-terminal": "./src/terminal.ts" },
  bundle: true,
  format: "esm",
  splitting: true,
  target: ["chrome120", "firefox121", "safari17"],
  loader: { ".wasm": "file", ".woff2": "file", ".woff": "empty" },
  minify: !dev,
  metafile: true,
  publicPath: "/",
  logLevel: "warning",
  // wasm-bindgen writes several asynchronous imports of one module as one key each.
  logOverride: { "duplicate-object-key": "silent" },
});

const outputs = Object.entries(result.metafile.outputs);
const built = (entry) => {
  const found = outputs.find(([, output]) => output.entryPoint === entry);
  if (!found) throw new Error(`esbuild made nothing of ${entry}`);
  return `/${basename(found[0])}`;
};
const asset = (pattern) => {
  const found = outputs.find(([path]) => pattern.test(basename(path)));
  if (!found) throw new Error(`esbuild made no file like ${pattern}`);
  return `/${basename(found[0])}`;
};

const names = {
  theme: built("src/theme.ts"),
  styles: built("styles/page.css"),
  page: built("src/main.ts"),
  wasm: asset(/\.wasm$/),
  font: asset(/^inter-latin-wght-normal-.*\.woff2$/),
};
const template = await readFile(join(here, "index.html"), "utf8");
const index = template.replace(/%([a-z]{3,})%/g, (_, name) => {
  if (!(name in names)) throw new Error(`index.html asks for the unknown file ${name}`);
  return names[name];
});
await writeFile(join(dist, "index.html"), index);

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);
const quality = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: dev ? 3 : 11 } };
for (const name of await readdir(dist)) {
  if (!/\.(html|js|css|wasm|svg)$/.test(name)) continue;
  const path = join(dist, name);
  const bytes = await readFile(path);
  await writeFile(`${path}.br`, await brotli(bytes, quality));
  await writeFile(`${path}.gz`, await gzip(bytes, { level: dev ? 1 : 9 }));
}
