// What the page must bear: reloads at bad moments, two tabs, long sessions, floods, big pastes, a sign-out elsewhere.
// Runs after journey.test.mjs, on the same server.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { eventually, newSession, open, openTerminal, say, screen, signIn, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let browser;
let page;

before(async () => {
  browser = await open(base);
  page = browser.page;
  await signIn(page);
});
after(() => browser?.close());

const state = (name, act) => test(name, () => withPicture(page, name.replaceAll(/\W+/g, "-"), act));

state("a reload while a tool runs shows it running, and then its end", async () => {
  await newSession(page);
  await say(page, '[[tool bash {"command":"echo begun; sleep 3; echo over"}]] [[then]] [[say 3 tokens at 100/s]]');
  await page.locator(".tool[data-state=live]").waitFor();
  await page.reload();
  await page.locator(".tool[data-state=live]").waitFor();
  await page.locator(".tool[data-state=ok]").waitFor();
  await page.locator(".tool button.fold").click();
  assert.match(await page.locator(".tool-body").innerText(), /begun[\s\S]*over/);
});

state("two tabs show the same terminal, whoever types", async () => {
  await newSession(page);
  await openTerminal(page);
  const other = await browser.context.newPage();
  await other.goto(`${page.url()}?renderer=dom`);
  await eventually("the prompt in the other tab", () => screen(other), (text) => /[$#%>]\s*$/.test(text));
  await page.bringToFront();
  await page.keyboard.type("echo one-$((1+1))\n");
  await eventually("it in the other tab", () => screen(other), (text) => text.includes("one-2"));
  await other.bringToFront();
  await other.locator(".terminal-view").click();
  await other.keyboard.type("echo two-$((1+2))\n");
  await eventually("it in the first tab", () => screen(page), (text) => text.includes("two-3"));
  await eventually("the same screens", async () => (await screen(page)) === (await screen(other)), Boolean);
  await other.close();
});

state("a flood arrives to its last line", async () => {
  await newSession(page);
  await openTerminal(page);
  await page.keyboard.type("seq 1 300000; echo flood-do''ne\n");
  await eventually("the end of the flood", () => screen(page), (text) => /299999\n300000\nflood-done/.test(text));
});

state("a big paste arrives whole", async () => {
  await newSession(page);
  await openTerminal(page);
  const lines = Array.from({ length: 16_384 }, (_, n) => `line ${String(n).padStart(6, "0")} ${"x".repeat(51)}\n`).join("");
  assert.equal(lines.length, 1 << 20);
  await page.keyboard.type("stty -echo; echo re''ady; cat > pasted; stty echo; sha256sum pasted\n");
  // Until the command runs, the shell would have the paste marked as one.
  await eventually("the command", () => screen(page), (text) => text.includes("\nready"));
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(paste);
  }, lines);
  await page.getByRole("dialog", { name: "Paste 16385 lines?" }).getByRole("button", { name: "Paste" }).click();
  await page.keyboard.press("Control+D");
  const expected = createHash("sha256").update(lines).digest("hex");
  await eventually("its checksum", () => screen(page), (text) => text.replaceAll("\n", "").includes(expected));
});

state("older items come when one scrolls up, and the way back is offered", async () => {
  await newSession(page);
  const steps = '[[tool read {"path":"README.md"}]] [[then]] '.repeat(90);
  for (const part of ["first", "second", "third"]) {
    await say(page, `${steps} [[text "the ${part} answer"]]`);
    await page.locator(".row .markdown", { hasText: `the ${part} answer` }).waitFor();
  }
  await page.reload();
  await page.locator(".row .markdown", { hasText: "the third answer" }).waitFor();
  const first = page.locator(".row .markdown", { hasText: "the first answer" });
  await eventually("the first answer", async () => {
    await page.locator(".log").evaluate((list) => list.scrollTo(0, Math.max(0, list.scrollTop - 2000)));
    return first.count();
  }, (count) => count === 1);
  // Its words depend on whether something came meanwhile, such as the end of the turn.
  await page.getByRole("button", { name: /^(Latest|New messages)$/ }).click();
  await page.locator(".row .markdown", { hasText: "the third answer" }).waitFor();
});

state("a sign-out in one tab signs the others out", async () => {
  await newSession(page);
  const other = await browser.context.newPage();
  await other.goto("/");
  await other.click("#account");
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/login/);
  await other.close();
});
