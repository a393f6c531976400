// Takes pictures of every page in both themes, wide and narrow: `npm run pictures --prefix e2e`, then look at e2e/artifacts.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually, open, say } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
const folder = join(import.meta.dirname, "artifacts");
await mkdir(folder, { recursive: true });
const { page, close } = await open(base);

const SIZES = { wide: [1440, 900], narrow: [420, 860] };
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
await page.goto("/");
await page.waitForTimeout(800);
await pictures("sessions");
await page.goto("/nowhere");
await page.waitForTimeout(500);
await pictures("not-found");
await close();
