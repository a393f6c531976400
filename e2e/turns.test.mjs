// Turns that people trust and steer: approvals, modes, steering, going on. Runs after journey.test.mjs, on the same server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, newSession, open, say, signIn, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let browser;
let page;

before(async () => {
  browser = await open(base);
  page = browser.page;
  await signIn(page);
});
after(() => browser?.close());

const step = (name, act) => test(name, () => withPicture(page, name.replaceAll(/\W+/g, "-"), act));
const TWO_CALLS =
  '[[tool write {"path":"a.txt","content":"one\\n"}]] [[tool bash {"command":"git status --short"}]] [[then]] [[say 3 tokens at 100/s]]';

step("nothing runs before it is allowed, and everybody sees who allowed it", async () => {
  await newSession(page);
  await page.selectOption("#mode", "ask");
  await eventually("the mode", () => page.inputValue("#mode"), (mode) => mode === "ask");
  await say(page, TWO_CALLS);
  await page.getByText("2 calls wait for an answer").waitFor();
  assert.match(await page.locator(".approval").first().innerText(), /Change a\.txt\?[\s\S]*\+one/);
  assert.match(await page.locator(".approval").last().innerText(), /Run this\?[\s\S]*git status --short/);
  await page.reload();
  await page.getByText("2 calls wait for an answer").waitFor();
  await page.screenshot({ path: new URL("artifacts/approvals.png", import.meta.url).pathname });

  await page.click("#answer");
  await page.keyboard.press("y");
  await page.getByText("A call waits for an answer").waitFor();
  await page.getByRole("button", { name: /Always allow/ }).click();
  await page.locator(".turn-end").waitFor();
  const verdicts = await page.locator(".verdict").allInnerTexts();
  assert.deepEqual(verdicts, ["You allowed this", "You allowed bash(git status *) for this session"]);
});

step("a denial and its reason reach the agent", async () => {
  await say(page, '[[tool bash {"command":"touch b"}]] [[then]] [[say 1 tokens at 100/s]]');
  await page.locator(".approval").focus();
  await page.keyboard.press("n");
  await page.getByLabel("Why not; the agent reads it").fill("not now");
  await page.keyboard.press("Enter");
  await page.getByText("You denied this: not now").waitFor();
  await eventually("the end", () => page.locator(".turn-end").count(), (count) => count === 2);
});

step("a message is slipped in behind the tool that runs", async () => {
  await newSession(page);
  await say(page, '[[tool bash {"command":"sleep 2"}]] [[then]] [[say 1 tokens at 100/s]]');
  await page.locator(".tool[data-state=live]").waitFor();
  await page.fill("#composer", '[[text "steered there"]]');
  await page.press("#composer", "Control+Enter");
  await page.getByText("after the tool that runs").waitFor();
  await page.locator(".row .markdown", { hasText: "steered there" }).waitFor();
  assert.equal(await page.locator(".turn-end").count(), 1);
});

step("an interrupted turn goes on when asked", async () => {
  await newSession(page);
  await say(page, "[[say 400 tokens at 50/s]]");
  await page.locator(".row .markdown", { hasText: "tok3" }).waitFor();
  await page.click("#interrupt");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("asked the agent to go on").waitFor();
  await eventually("the end", () => page.locator(".turn-end").count(), (count) => count === 2);
});

step("the plan is shown and how far it is", async () => {
  await newSession(page);
  const items = [
    { text: "look around", status: "completed" },
    { text: "write the test", status: "in_progress" },
  ];
  await say(page, `[[tool todo ${JSON.stringify({ items })}]] [[then]] [[say 1 tokens at 100/s]]`);
  await page.locator(".plan .fold").click();
  assert.match(await page.locator(".plan").innerText(), /1\/2[\s\S]*write the test/);
});

step("what changed can be seen, restored and committed", async () => {
  await newSession(page);
  for (const [turn, word] of ["one", "two"].entries()) {
    const input = JSON.stringify({ path: "a.txt", content: `${word}\n` });
    await say(page, `[[tool write ${input}]] [[then]] [[say 1 tokens at 100/s]]`);
    await eventually("the end", () => page.locator(".turn-end").count(), (count) => count === turn + 1);
  }
  await page.click("#changes");
  const panel = page.locator(".dialog.changes");
  await panel.locator(".file .fold").click();
  await panel.getByText("+two").waitFor();
  await page.screenshot({ path: new URL("artifacts/changes.png", import.meta.url).pathname });

  await eventually("the second turn's files", () => panel.locator("select option").count(), (count) => count === 4);
  await panel.locator("select").selectOption("1");
  await panel.getByRole("button", { name: "Restore these files…" }).click();
  await panel.getByText("This changes 1 files").waitFor();
  await panel.locator("#restore").click();
  await page.getByText("The files are those of checkpoint 1 again").waitFor({ state: "attached" });

  await panel.locator("select").selectOption("");
  await panel.locator("input[name=message]").fill("Add a");
  await panel.getByRole("button", { name: "Commit" }).click();
  await page.getByText("Committed: Add a").waitFor({ state: "attached" });
  await panel.getByRole("button", { name: "Close" }).click();
  await panel.waitFor({ state: "detached" });
});

step("nothing failed unseen", () => assert.deepEqual(browser.problems, []));
