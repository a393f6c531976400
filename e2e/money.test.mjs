// What it costs, how full the model's window is, what may always run, and what the tab says. Runs after
// journey.test.mjs, on the same server.
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
const ends = (count) => eventually("the turn's end", () => page.locator(".turn-end").count(), (now) => now === count);
const view = () => page.evaluate(async () => (await fetch(`/api/sessions/${location.pathname.slice(3)}`)).json());

/** Picodollars as the page writes them. */
function dollars(pico) {
  const [whole, decimals] = [BigInt(pico) / 10n ** 12n, String(BigInt(pico) % 10n ** 12n).padStart(12, "0")];
  return `$${whole}.${decimals.replace(/0+$/, "").padEnd(2, "0")}`;
}

async function setBudget(amount) {
  await page.fill(".dialog input[name=budget]", amount);
  await page.press(".dialog input[name=budget]", "Enter");
}

step("a session opens with a mode and a model, of which both are explained", async () => {
  await page.goto("/");
  await page.click("#new-session");
  const dialog = page.locator("dialog");
  const model = dialog.locator("select[name=model]");
  await eventually("a model", () => model.inputValue(), (value) => value !== "");
  await dialog.getByText("$2.00 in and $10.00 out for a million tokens; a window of 1M tokens").waitFor();
  const keyless = model.locator("option[value=claude-opus-5-5]");
  assert.match(await keyless.innerText(), /not available: no API key/);
  assert.equal(await keyless.isDisabled(), true);
  await model.selectOption("homegrown");
  await dialog.getByText("unpriced: what it costs is not counted").waitFor();
  await model.selectOption("claude-sonnet-5-5");
  await dialog.getByText("only reads until its plan is approved").click();
  await eventually("a workspace", () => page.inputValue("select[name=workspace]"), (value) => value.length === 32);
  await dialog.getByRole("button", { name: "Create session" }).click();
  await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
  await eventually("the mode", () => page.inputValue("#mode").catch(() => ""), (mode) => mode === "plan");
  await page.selectOption("#mode", "auto");
});

step("the cost is shown to its last digit, for the turn and for the session", async () => {
  await say(page, "[[say 20 tokens at 200/s]]");
  await ends(1);
  const { session } = await view();
  const exact = dollars(session.cost.pico);
  assert.ok(session.cost.pico > 0);
  assert.ok((await page.locator(".turn-end").innerText()).includes(exact));
  assert.ok((await page.getAttribute("#money", "title")).includes(`Cost: ${exact}`));
  await page.click("#money");
  assert.equal(await page.innerText("#exact-cost"), exact);
});

step("a budget warns, stops, explains, and is raised by the owner", async () => {
  const spent = (await view()).session.cost.pico;
  await setBudget("two");
  await page.getByText("an amount of dollars such as 2.50").waitFor();
  await setBudget(dollars(Math.floor(spent * 1.1)));
  await page.locator("#money[data-level=warning]").waitFor();
  await setBudget(dollars(spent));
  await page.getByText(`The budget of ${dollars(spent)} is used up`).waitFor();
  await page.locator("dialog").getByRole("button", { name: "Close" }).click();
  await eventually("the tab's title", () => page.title(), (title) => title.startsWith("● Budget used up – "));

  await say(page, "[[say 3]] after the budget");
  await page.locator(".message.pending[data-failed=true]", { hasText: "budget" }).waitFor();
  await page.getByRole("button", { name: "Raise budget" }).click();
  await setBudget("5");
  await page.locator(".asking.spent").waitFor({ state: "detached" });
  await page.locator("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Send again" }).click();
  await ends(2);
  assert.match(await page.innerText("#money"), /\/ \$5\.00/);
});

step("a model without a price is never shown as free", async () => {
  await page.selectOption("#model", "homegrown");
  await eventually("the model", async () => (await view()).session.model, (model) => model === "homegrown");
  await say(page, "[[say 3]]");
  await ends(3);
  assert.equal(await page.locator(".turn-end").last().locator(".number").nth(1).innerText(), "unpriced");
  assert.match(await page.innerText("#cost"), /^\$0\.\d+ \+ unpriced$/);
});

step("the gauge speaks up as the window fills, until the conversation is summed up", async () => {
  await newSession(page);
  await page.selectOption("#model", "claude-haiku-4-5");
  await eventually("the model", async () => (await view()).session.model, (model) => model === "claude-haiku-4-5");
  await say(page, "[[say 3]]");
  await ends(1);
  await page.locator("#context").waitFor();
  const { session } = await view();
  assert.ok((await page.getAttribute("#money", "title")).includes(`Context: ${session.context} of 20000 tokens; /compact makes room`));
  const fill = (percent) => "x".repeat(Math.max(0, (percent / 100) * 20_000 - session.context) * 4);
  if (session.context < 12_000) assert.equal(await page.getAttribute("#context", "data-level"), "quiet");
  await say(page, `[[say 1]] ${fill(90)}`);
  await page.locator("#context[data-level=warning]").waitFor();
  await page.locator("#interrupt").waitFor({ state: "detached" });
  await say(page, "[[text \"room again\"]]");
  await page.locator(".row .markdown", { hasText: "room again" }).waitFor();
  await page.getByRole("button", { name: /Summed up to make room/ }).click();
  await page.locator(".compacted .markdown").waitFor();
});

step("what is always allowed is listed, and asks again once it is removed", async () => {
  await newSession(page);
  await page.selectOption("#mode", "ask");
  await page.locator("#rules").waitFor();
  const call = '[[tool bash {"command":"git log --oneline"}]] [[then]] [[say 1]]';
  await say(page, call);
  await page.getByRole("button", { name: /Always allow/ }).click();
  await ends(1);
  await say(page, call);
  await ends(2);
  assert.match(await page.innerText("#rules"), /1/);
  await page.click("#rules");
  await page.getByRole("button", { name: /^Remove bash\(git log/ }).click();
  await page.getByText("No call is always allowed yet").waitFor();
  await page.locator("dialog").getByRole("button", { name: "Close" }).click();
  await say(page, call);
  await page.getByText("A call waits for an answer").waitFor();
});

step("the tab says that the agent waits, works or failed", async () => {
  const picture = () => page.getAttribute("link[rel=icon]", "href");
  await eventually("the question", () => page.title(), (title) => title.startsWith("● Waits for you – "));
  assert.match(await picture(), /circle/);
  await page.locator(".approval").focus();
  await page.keyboard.press("y");
  await ends(3);
  await eventually("calm", () => page.title(), (title) => !/^[●◌✕]/.test(title));
  assert.doesNotMatch(await picture(), /circle/);
  await say(page, "[[say 3000 tokens at 100/s]]");
  await eventually("work", () => page.title(), (title) => title.startsWith("◌ Works – "));
  await page.click("#interrupt");
  await ends(4);
  await say(page, "[[http 400]]");
  await page.locator(".error-card").waitFor();
  await eventually("the failure", () => page.title(), (title) => title.startsWith("✕ Failed – "));
  await page.locator(".error-card").getByRole("button", { name: "Retry" }).waitFor();
});

step("a failed model call waits in sight and is made again", async () => {
  await newSession(page);
  await say(page, "[[http 429 times 1 retry-after 3]] [[say 3]]");
  await page.getByText(/attempt 2 in \d s/).waitFor();
  await ends(1);
  await page.getByText(/attempt 2$/).waitFor();
});

step("the sandbox is named in the session's head", async () => {
  assert.equal(await page.innerText("#sandbox"), "sandbox");
  assert.match(await page.getAttribute("#sandbox", "title"), /^bubblewrap: [^]*\nseccomp: /);
});

step("all costs are listed, told apart in five ways, and their sum is that of the sessions", async () => {
  // Turns that earlier steps left running cost something until they end.
  const sum = () => page.evaluate(async () => (await (await fetch("/api/costs?by=session")).json()).total.cost.pico);
  await page.goto("/");
  await page.getByRole("link", { name: "Costs" }).click();
  await page.waitForURL(/\/costs$/);
  const total = () => page.innerText("#total-cost").catch(() => "");
  for (const by of ["Day", "Session", "Person", "Workspace", "Model"]) {
    await page.getByRole("button", { name: by, exact: true }).click();
    await page.getByRole("columnheader", { name: by }).waitFor();
    const both = async () => [await total(), `${dollars(await sum())} + unpriced`];
    await eventually(`the sum by ${by}`, both, ([shown, meant]) => shown === meant);
  }
  await page.locator(".costs td", { hasText: "homegrown" }).waitFor();
  assert.equal(await page.locator(".costs tr", { hasText: "homegrown" }).locator("td").last().innerText(), "unpriced");
  await page.getByRole("button", { name: "Session", exact: true }).click();
  await page.locator(".costs tbody a").first().click();
  await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
});

step("the team's budget is shown, set and lifted by its owner", async () => {
  await page.goto("/costs");
  await page.getByText("spent; there is no limit").waitFor();
  await page.fill("input[name=budget]", "0.000001");
  await page.getByRole("button", { name: "Set budget" }).click();
  await page.getByText("The agents of the team do nothing more this month").waitFor();
  await page.getByRole("button", { name: "No budget" }).click();
  await page.getByText("spent; there is no limit").waitFor();
});

step("nothing failed unseen", () => assert.deepEqual(browser.problems, []));
