// People at one session: links, visitors, who is here, following, the keyboard asked for, what was missed. Runs after
// journey.test.mjs, on the same server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { brings, eventually, newSession, open, openTerminal, say, screen, signIn, type, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let ada;
let eve;
let page;
let other;

before(async () => {
  [ada, eve] = await Promise.all([open(base), open(base)]);
  [page, other] = [ada.page, eve.page];
  await signIn(page);
});
after(() => Promise.all([ada?.close(), eve?.close()]));

let failed = false;
const step = (name, act) =>
  test(name, async () => {
    assert.ok(!failed, "an earlier step failed");
    failed = true;
    await withPicture(other, `${name.replaceAll(/\W+/g, "-")}-eve`, () =>
      withPicture(page, name.replaceAll(/\W+/g, "-"), act),
    );
    failed = false;
  });
const dialog = () => page.locator("dialog.people");

let url;

async function makeLink(kind) {
  await page.click("#people");
  await dialog().getByLabel("What they may do").selectOption(kind);
  await page.click("#make-link");
  return page.inputValue("#made-link");
}

step("a link lets somebody in without an account", async () => {
  await newSession(page);
  url = page.url();
  const link = await makeLink("driver");
  assert.match(link, /\/share#[\w-]{43}$/);
  await page.keyboard.press("Escape");
  await other.goto(link);
  await other.getByText("You come as a driver").waitFor();
  await other.fill("input[name=name]", "Eve Moneypenny");
  await other.click("button[type=submit]");
  await other.waitForURL(url);
  await other.locator("[data-link=ok]").first().waitFor();
  assert.equal((await other.context().cookies()).some((cookie) => cookie.name === "duplex_session"), false);
});

step("each sees that the other is here, where, and whether they type", async () => {
  await page.locator("#people .face", { hasText: "EM" }).waitFor();
  await other.locator("#composer").pressSequentially("I wonder");
  await page.locator("#typists", { hasText: "Eve Moneypenny (visitor) is typing…" }).waitFor();
  await page.locator("#typists").waitFor({ state: "detached" });
  await other.fill("#composer", "");
  await page.click("#people");
  await dialog().locator(".member", { hasText: "Eve Moneypenny" }).getByText("is in the chat").waitFor();
  await dialog().locator(".member", { hasText: "Ada" }).getByText("(you)").waitFor();
  await page.keyboard.press("Escape");
});

step("the keyboard is asked for, refused, asked for again and given", async () => {
  await openTerminal(page);
  await type(page, "echo mine\n");
  await other.goto(`${url}?renderer=dom`);
  await other.locator("#ask-keyboard").click();
  await page.locator(".terminal-ask", { hasText: "Eve Moneypenny" }).waitFor();
  await page.getByRole("button", { name: "Not now" }).click();
  await eventually("nothing is asked", () => other.locator("#ask-keyboard").getAttribute("aria-pressed"), (pressed) => pressed === "false");
  await other.locator("#ask-keyboard").click();
  await page.click("#give-keyboard");
  await other.locator("#driver", { hasText: "You type" }).waitFor();
  await type(other, "echo hers-$((40+2))\n");
  await eventually("what she typed", () => screen(page), (text) => text.includes("hers-42"));
  await page.locator("#people .face[data-here=true]").waitFor();
  await page.getByRole("button", { name: "Take the keyboard" }).click();
});

step("who is followed leads, until the follower goes their own way", async () => {
  await say(page, "[[say 3 paragraphs]] [[say 900 tokens at 3000/s]]");
  await page.locator(".turn-end").waitFor();
  await say(page, "[[say 1200 tokens at 3000/s]]");
  await eventually("two turns", () => page.locator(".turn-end").count(), (count) => count >= 1);
  await other.locator("#composer").click();
  await page.click("#people");
  await dialog().getByRole("button", { name: "Follow" }).click();
  await page.locator(".following", { hasText: "You follow Eve Moneypenny" }).waitFor();
  await other.locator("#log").evaluate((log) => log.scrollTo(0, 0));
  await other.mouse.move(300, 300);
  await other.mouse.wheel(0, -5000);
  await eventually("the same place", () => page.locator("#log").evaluate((log) => log.scrollTop), (top) => top < 400);
  await page.mouse.move(300, 400);
  await page.mouse.wheel(0, 200);
  await page.locator(".following").waitFor({ state: "detached" });
});

step("a visitor sees nothing else", async () => {
  const status = (path) => other.evaluate(async (path) => (await fetch(path)).status, path);
  assert.deepEqual(await Promise.all(["/api/sessions", "/api/models", "/api/costs"].map(status)), [403, 403, 403]);
});

step("a link that is taken back shuts its visitor out at once", async () => {
  await page.click("#people");
  await dialog().getByRole("button", { name: "Take back" }).click();
  await dialog().getByText("works no more").waitFor();
  await dialog().locator(".member", { hasText: "Eve" }).waitFor({ state: "detached" });
  await other.getByText("This session cannot be shown").or(other.getByText("Sign in to Duplex")).first().waitFor();
  await page.keyboard.press("Escape");
});

step("a link to the past shows what was, and nothing after it", async () => {
  await newSession(page);
  await say(page, "[[say 3]] one");
  await page.locator(".turn-end").waitFor();
  const link = await makeLink("past");
  await page.keyboard.press("Escape");
  await say(page, "[[say 3]] two");
  await eventually("two turns", () => page.locator(".turn-end").count(), (count) => count === 2);
  await other.goto(link);
  await other.fill("input[name=name]", "Eve");
  await other.getByRole("button", { name: "Read it" }).click();
  await other.getByText("[[say 3]] one").first().waitFor();
  assert.equal(await other.getByText("[[say 3]] two").count(), 0);
  assert.equal(await other.locator("#composer").count(), 0);
});

step("who was away is told what they missed, and led to the first of it", async () => {
  url = page.url();
  const id = url.split("/").pop();
  const digest = (each) => each.evaluate(async (id) => (await fetch(`/api/sessions/${id}/digest`)).json(), id);
  await eventually("all is read", () => digest(page), ({ read, digest }) => read && digest.first === undefined);
  await page.goto("/");
  await page.locator("#new-session").waitFor();
  // Being away for long is told from when they last read; the test cannot wait for that, so the page's clock goes on.
  const say = (text) =>
    other.evaluate(
      ([id, text]) =>
        fetch(`/api/sessions/${id}/commands`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ command: { type: "post_message", text } }),
        }).then((response) => response.status),
      [id, text],
    );
  await signIn(other);
  assert.equal(await say("[[say 4]] while you were away"), 200);
  await eventually("the turn's end", () => digest(other), ({ digest }) => digest.finished === 1);
  await page.clock.install({ time: Date.now() + 600_000 });
  await page.goto(url);
  const missed = page.locator(".meanwhile");
  await missed.getByText("You wrote 1 message, the agent finished 1 turn").waitFor();
  await page.click("#first-new");
  await page.locator(".row[data-first-new=true]", { hasText: "while you were away" }).waitFor();
});

step("a colleague is added, and a risky call takes them both", async () => {
  const { email } = await brings(page, "Grace");
  await newSession(page);
  url = page.url();
  await page.click("#people");
  await dialog().getByLabel("Whom to add").selectOption({ label: "Grace" });
  await dialog().getByLabel("As what").selectOption("driver");
  await page.click("#add-member");
  await dialog().locator(".member", { hasText: "Grace" }).getByLabel(/role/i).waitFor();
  await page.keyboard.press("Escape");
  await other.context().clearCookies();
  await signIn(other, email);
  await other.goto(url);
  await other.locator("[data-link=ok]").first().waitFor();
  await say(page, `[[tool bash {"command":"launch rocket; echo la''unched"}]] [[then]] [[say 2]]`);
  const asked = (each) => each.locator(".approval", { hasText: "launch rocket" });
  await asked(other).getByRole("button", { name: "Allow", exact: true }).click();
  await asked(page).getByText("Grace").waitFor();
  assert.equal(await page.locator(".turn-end").count(), 0);
  assert.equal(await asked(other).getByRole("button", { name: "You allowed it" }).isEnabled(), false);
  await asked(page).getByRole("button", { name: "Allow", exact: true }).click();
  await page.locator(".turn-end").waitFor();
  await page.locator(".tool button.fold").last().click();
  await page.locator(".tool-body", { hasText: "launched" }).waitFor();
});

step("a colleague leaves, and comes back only if let in", async () => {
  await other.click("#people");
  await other.click("#leave");
  await other.getByRole("button", { name: "Leave session" }).click();
  await other.locator("#new-session").waitFor();
  await other.goto(url);
  await other.getByText("This session cannot be shown").waitFor();
  await page.click("#people");
  await dialog().locator(".member", { hasText: "Ada" }).waitFor();
  assert.equal(await dialog().locator(".member", { hasText: "Grace" }).count(), 0);
  await page.keyboard.press("Escape");
});

step("no page complained", () => {
  assert.deepEqual([...ada.problems, ...eve.problems.filter((problem) => !/status of 403/.test(problem))], []);
});
