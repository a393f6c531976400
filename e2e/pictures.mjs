// Takes pictures of every page in both themes, wide and narrow: `npm run pictures --prefix e2e`, then look at e2e/artifacts.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually, open, say } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
const folder = join(import.meta.dirname, "artifacts");
await mkdir(folder, { recursive: true });
const { page, close } = await open(base);

const SIZES = { wide: [1400, 900], narrow: [390, 844] };
async function pictures(name) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${size}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 1440, height: 900 });
}

await page.goto(process.env.DUPLEX_E2E_SETUP_LINK);
await page.locator("input[name=name]").waitFor();
await pictures("setup");
await page.fill("input[name=name]", "Ada");
await page.fill("input[name=email]", "ada@example.org");
await page.fill("input[name=password]", "correct horse battery");
await page.click("button[type=submit]");
await page.getByText("No sessions yet").waitFor();
await pictures("empty");

await page.click("#new-session");
await eventually("a workspace", () => page.inputValue("select[name=workspace]"), (value) => value.length === 32);
await pictures("new-session");
await page.selectOption("select[name=model]", "demo");
await page.getByRole("button", { name: "Create session" }).click();
await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
await pictures("fresh");
await say(page, "What is in this repository? Please leave me a short greeting in it.");
await page.locator(".turn-end").first().waitFor({ timeout: 60_000 });
await page.click("#open-terminal");
await page.locator(".terminal-view .xterm").waitFor();
await page.waitForTimeout(1500);
await page.locator(".terminal-view").click();
await page.keyboard.type("ls -la --color && git status\n");
await page.waitForTimeout(1500);
await say(page, "Tell me something long about it.");
await page.waitForTimeout(2500);
await say(page, "And then something short.");
await page.waitForTimeout(1000);
await pictures("working");
await page.locator("#interrupt").click();
await page.waitForTimeout(1500);
await page.locator(".tool button.fold").first().click();
await pictures("session");
await page.locator("#changes").click();
await page.locator(".dialog.changes .file .fold").first().click();
await pictures("changes");
await page.keyboard.press("Escape");

await page.goto("/");
await page.click("#new-session");
await eventually("a workspace", () => page.inputValue("select[name=workspace]"), (value) => value.length === 32);
await page.selectOption("select[name=model]", "claude-haiku-4-5");
await page.getByText("asks before it changes or runs anything").click();
await page.fill("textarea[name=message]", `[[think 30 at 200/s]] [[say 30]] ${"A long description of the task. ".repeat(1500)}`);
await page.getByRole("button", { name: "Create session" }).click();
await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
await page.locator(".turn-end").first().waitFor();
const items = ["Look around", "Write the failing test first", "Mend the fold", "Tell what was done"];
const plan = items.map((text, at) => ({ text, status: ["completed", "in_progress", "pending", "pending"][at] }));
await say(page, `[[tool todo ${JSON.stringify({ items: plan })}]] [[tool bash {"command":"git log --oneline | head"}]] [[tool write {"path":"src/fold.rs","content":"//! The fold.\\n\\npub fn fold() {}\\n"}]] [[then]] [[http 429 times 1 retry-after 60]]`);
await page.locator(".approval").first().waitFor();
await page.locator(".plan .fold").click();
await pictures("approval");
await page.getByRole("button", { name: /Always allow/ }).first().click();
await page.click("#rules");
await page.locator(".rules li").waitFor();
await pictures("rules");
await page.keyboard.press("Escape");
await page.locator(".approval").focus();
await page.keyboard.press("n");
await page.keyboard.type("not this file");
await page.keyboard.press("Enter");
await page.getByText(/attempt 2 in/).waitFor();
await pictures("retry");
await page.click("#interrupt");
await page.locator(".turn-end").nth(1).waitFor();
await page.click("#money");
await page.fill(".dialog input[name=budget]", "0.01");
await page.press(".dialog input[name=budget]", "Enter");
await page.locator(".asking.spent").waitFor();
await pictures("money");
await page.keyboard.press("Escape");
await pictures("spent");
await page.goto("/costs");
await page.getByText("spent; there is no limit").waitFor();
await page.fill("input[name=budget]", "2");
await page.getByRole("button", { name: "Set budget" }).click();
await page.locator("#team-limit").waitFor();
await page.getByRole("button", { name: "Session", exact: true }).click();
await page.locator(".costs tbody a").first().waitFor();
await pictures("costs");
await page.goto("/");
await page.waitForTimeout(800);
await pictures("sessions");
await page.goto("/nowhere");
await page.waitForTimeout(500);
await pictures("not-found");
await close();
