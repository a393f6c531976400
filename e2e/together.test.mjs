// Two browsers on one session: answers, the queue, and files that somebody else changed. Runs after journey.test.mjs,
// on the same server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, newSession, open, say, screen, signIn, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let first;
let second;
let page;
let other;

before(async () => {
  [first, second] = await Promise.all([open(base), open(base)]);
  [page, other] = [first.page, second.page];
  await Promise.all([signIn(page), signIn(other)]);
});
after(() => Promise.all([first?.close(), second?.close()]));

const step = (name, act) => test(name, () => withPicture(page, name.replaceAll(/\W+/g, "-"), act));

async function bothOnNewSession() {
  await newSession(page);
  await other.goto(page.url());
  await other.locator("[data-link=ok]").first().waitFor();
}

step("of two answers the first one counts, and both see the same", async () => {
  await bothOnNewSession();
  await page.selectOption("#mode", "ask");
  await eventually("the mode in the other browser", () => other.inputValue("#mode"), (mode) => mode === "ask");
  await say(page, '[[tool bash {"command":"touch one"}]] [[then]] [[say 1]]');
  await Promise.all([page, other].map((each) => each.locator(".approval").waitFor()));
  await other.locator(".approval").getByRole("button", { name: "Deny…" }).click();
  await other.getByLabel("Why not; the agent reads it").fill("too late");
  // Who comes too late may find the button gone, and that is as it should be.
  const clicked = await Promise.allSettled([
    page.locator(".approval").getByRole("button", { name: "Allow", exact: true }).click({ timeout: 5000 }),
    other.locator(".approval").getByRole("button", { name: "Deny", exact: true }).click({ timeout: 5000 }),
  ]);
  assert.ok(clicked.some((click) => click.status === "fulfilled"));
  const verdict = (each) => each.locator(".verdict").innerText();
  await Promise.all([page, other].map((each) => each.locator(".verdict").waitFor()));
  assert.equal(await verdict(page), await verdict(other));
  assert.match(await verdict(page), /^You (allowed this|denied this: too late)$/);
  await Promise.all([page, other].map((each) => each.locator(".turn-end").waitFor()));
});

step("queued messages are withdrawn and put first, and both see their order", async () => {
  await bothOnNewSession();
  await say(page, "[[say 3000 tokens at 60/s]]");
  await page.locator("#interrupt").waitFor();
  for (const word of ["apple", "pear", "plum"]) await say(page, `[[say 1]] ${word}`);
  const queued = (each) => each.locator(".message.queued .bubble").allInnerTexts();
  await eventually("the queue", () => queued(other), (texts) => texts.length === 3);
  await page.locator(".message.queued", { hasText: "pear" }).getByRole("button", { name: "Withdraw" }).click();
  await page.locator(".message.queued", { hasText: "plum" }).getByRole("button", { name: "First" }).click();
  const wanted = ["[[say 1]] plum", "[[say 1]] apple"];
  for (const each of [page, other]) {
    await eventually("the order", () => queued(each), (texts) => JSON.stringify(texts) === JSON.stringify(wanted));
  }
  await page.click("#interrupt");
  for (const each of [page, other]) {
    const said = () => each.locator(".row .message .bubble").allInnerTexts();
    await eventually("the messages", said, (texts) => JSON.stringify(texts.slice(-2)) === JSON.stringify(wanted));
  }
});

step("a restore refuses to overwrite what somebody changed since", async () => {
  await bothOnNewSession();
  await page.selectOption("#mode", "auto");
  await eventually("the mode", () => other.inputValue("#mode"), (mode) => mode === "auto");
  for (const [turn, word] of ["one", "two"].entries()) {
    const input = JSON.stringify({ path: "b.txt", content: `${word}\n` });
    await say(page, `[[tool write ${input}]] [[then]] [[say 1]]`);
    await eventually("the end", () => page.locator(".turn-end").count(), (count) => count === turn + 1);
  }
  await other.goto(`${other.url()}?renderer=dom`);
  await other.click("#open-terminal");
  await eventually("a prompt", () => screen(other), (text) => /[$#%>]\s*$/.test(text));
  await other.locator(".terminal-view").click();
  await other.keyboard.type("echo three > b.txt; echo wri''tten\n");
  await eventually("the change", () => screen(other), (text) => text.includes("\nwritten"));

  await page.click("#changes");
  const panel = page.locator(".dialog.changes");
  await panel.locator("select").selectOption("1");
  await panel.getByRole("button", { name: "Restore these files…" }).click();
  await panel.getByText("Somebody changed these since the last checkpoint, so they are not overwritten: b.txt").waitFor();
  assert.equal(await panel.locator("#restore").isDisabled(), true);
  await panel.getByRole("button", { name: "Cancel" }).click();
  await panel.getByRole("button", { name: "Restore these files…" }).waitFor();
  await other.keyboard.type("cat b.txt\n");
  await eventually("the file", () => screen(other), (text) => text.includes("\nthree"));
});

step("nothing failed unseen", () => {
  // Who answers second is told so.
  const unseen = [...first.problems, ...second.problems].filter((problem) => !/status of 409/.test(problem));
  assert.deepEqual(unseen, []);
});
