// A real Chromium on the page of a running server.
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, request } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long the page may take for anything, in milliseconds. */
export const PATIENCE = 20_000;

/** Opens a browser with a profile of its own, gone when it is closed. */
export async function open(base, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), "duplex-e2e-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    baseURL: base,
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = context.pages()[0] ?? (await context.newPage());
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    const expected = /GPU stall|401 \(Unauthorized\)|status of 40[14]|WebSocket connection to/;
    if (message.type() === "error" && !expected.test(message.text())) problems.push(message.text());
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, page, problems, close };
}

/** Fails with a picture of the page. */
export async function withPicture(page, name, step) {
  try {
    return await step();
  } catch (error) {
    const folder = join(import.meta.dirname, "artifacts");
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
    throw error;
  }
}

/** Waits until a value read from the page is what is wanted. */
export async function eventually(what, read, wanted) {
  const until = Date.now() + PATIENCE;
  let value;
  for (;;) {
    value = await read();
    if (wanted(value)) return value;
    if (Date.now() > until) throw new Error(`${what}: still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The text on the terminal's screen (only with elements as its renderer). */
export async function screen(page) {
  const rows = await page.locator(".terminal-slot:not([hidden]) .xterm-rows > div").allTextContents();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
}

/** Writes a message to the agent and sends it. */
export async function say(page, text) {
  await page.fill("#composer", text);
  await page.press("#composer", "Enter");
}

/** The password of everybody in the tests. */
export const PASSWORD = "correct horse battery";

/** Signs in, as the owner that journey.test.mjs made unless told otherwise. */
export async function signIn(page, email = "ada@example.org") {
  await page.goto("/login");
  await page.fill("input[name=email]", email);
  await page.fill("input[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.locator("#new-session").waitFor();
}

/** Who is signed in on a page invites somebody into the team, who joins elsewhere; gives their id and e-mail address. */
export async function brings(page, name, role = "member") {
  const headers = { "content-type": "application/json", origin: new URL(page.url()).origin };
  const read = async (answer) => {
    if (!answer.ok()) throw new Error(`${answer.url()}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  };
  const { secret } = await read(await page.request.post("/api/team/invitations", { headers, data: { role } }));
  const email = `${name.toLowerCase()}@example.org`;
  const elsewhere = await request.newContext({ baseURL: headers.origin });
  const joined = await read(await elsewhere.post("/api/join", { headers, data: { secret, name, email, password: PASSWORD } }));
  await elsewhere.dispose();
  return { id: joined.id, email };
}

/** Opens a session on the first workspace. */
export async function newSession(page) {
  await page.goto("/");
  await page.click("#new-session");
  await eventually("a workspace is chosen", () => page.inputValue("select[name=workspace]"), (value) => value.length === 32);
  await page.getByRole("button", { name: "Create session" }).click();
  await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
  await page.locator("[data-link=ok]").first().waitFor();
}

/** Opens a session's first terminal, drawn with elements, so that its text can be read. */
export async function openTerminal(page) {
  await page.goto(`${page.url()}?renderer=dom`);
  await page.click("#open-terminal");
  await eventually("a prompt", () => screen(page), (text) => /[$#%>]\s*$/.test(text));
  await page.locator(".terminal-slot:not([hidden]) .terminal-view").click();
}

/** Types into the terminal in front. */
export async function type(page, keys) {
  await page.locator(".terminal-slot:not([hidden]) .xterm-helper-textarea").focus();
  await page.keyboard.type(keys);
}
