// What a person does with Duplex, in a real browser on a real server with the scripted provider.
//
// DUPLEX_E2E_URL         the server's address
// DUPLEX_E2E_SETUP_LINK  the one-time link it printed
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, open, say, screen, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
const link = process.env.DUPLEX_E2E_SETUP_LINK;
if (!base || !link) throw new Error("DUPLEX_E2E_URL and DUPLEX_E2E_SETUP_LINK say which server to test");

const OWNER = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };

let browser;
let page;

before(async () => {
  browser = await open(base);
  page = browser.page;
});

after(() => browser?.close());

// Each step stands on those before it: after a failure the rest would only wait in vain.
let failed = false;
const step = (name, act) =>
  test(name, async () => {
    assert.ok(!failed, "an earlier step failed");
    failed = true;
    await withPicture(page, name.replaceAll(/\W+/g, "-"), act);
    failed = false;
  });
const lastText = () => page.locator(".row .markdown").last().innerText();
const tokens = (text) => text.match(/tok\d+/g)?.length ?? 0;

step("without a session of one's own there is only the sign-in page", async () => {
  await page.goto("/s/00000000000070008000000000000000");
  await page.waitForURL(/\/login\?back=/);
  await page.fill("input[name=email]", "nobody@example.org");
  await page.fill("input[name=password]", "not the password");
  await page.click("button[type=submit]");
  await page.locator(".problem").waitFor();
});

step("the set-up link makes the first owner", async () => {
  await page.goto(link);
  await page.fill("input[name=name]", OWNER.name);
  await page.fill("input[name=email]", OWNER.email);
  await page.fill("input[name=password]", "short");
  await page.click("button[type=submit]");
  await page.getByText("Use at least ten characters", { exact: false }).first().waitFor();
  await page.fill("input[name=password]", OWNER.password);
  await page.click("button[type=submit]");
  await page.getByText("No sessions yet").waitFor();
});

step("a session is created on the workspace offered", async () => {
  await page.click("#new-session");
  await eventually("a workspace is chosen", () => page.inputValue("select[name=workspace]"), (value) => /^[0-9a-f]{32}$/.test(value));
  await eventually("a model is chosen", () => page.inputValue("select[name=model]"), (value) => value !== "");
  await page.getByRole("button", { name: "Create session" }).click();
  await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
  await page.locator("[data-link=ok]").first().waitFor();
  const short = page.url().slice(-8);
  await eventually("the title to name the session", () => page.title(), (title) => title.includes(short));
});

step("an answer streams in, and its cost is counted", async () => {
  await say(page, "[[think 10 at 100/s]] [[say 120 tokens at 60/s]]");
  await page.locator(".message .bubble", { hasText: "[[say 120" }).first().waitFor();
  const some = await eventually("tokens", async () => tokens(await lastText().catch(() => "")), (count) => count > 0 && count < 120);
  await eventually("more tokens", async () => tokens(await lastText()), (count) => count > some);
  await eventually("all tokens", async () => tokens(await lastText()), (count) => count === 120);
  await page.locator(".turn-end", { hasText: "Done" }).waitFor();
  await eventually("cost", () => page.innerText("#cost"), (cost) => cost !== "$0.00");
  await page.getByText(/Thought for/).waitFor();
});

step("a tool call is one line that unfolds to its input and result", async () => {
  await say(page, '[[tool bash {"command":"echo from-the-tool"}]] [[then]] [[say 5 tokens at 100/s]]');
  const tool = page.locator(".tool").last();
  await tool.locator(".target", { hasText: "echo from-the-tool" }).waitFor();
  const fold = tool.locator("button.fold");
  assert.equal(await fold.getAttribute("aria-expanded"), "false");
  await page.locator(".tool[data-state=ok]").last().waitFor();
  await fold.click();
  assert.equal(await fold.getAttribute("aria-expanded"), "true");
  const body = await tool.locator(".tool-body").innerText();
  assert.match(body, /"command": "echo from-the-tool"/);
  assert.match(body, /Result[\s\S]*from-the-tool/);
  await eventually("the turns are done", () => page.locator(".turn-end").count(), (count) => count === 2);
});

step("Interrupt stops the answer and keeps what there is", async () => {
  await say(page, "[[say 2000 tokens at 40/s]]");
  await eventually("tokens", async () => tokens(await lastText()), (count) => count > 10 && count < 2000);
  await page.click("#interrupt");
  await page.locator(".turn-end", { hasText: "Interrupted" }).waitFor();
  const kept = tokens(await lastText());
  assert.ok(kept > 10 && kept < 2000, `${kept} tokens were kept`);
  await page.locator("#interrupt").waitFor({ state: "detached" });
});

step("a message sent while the agent works waits, can be edited, and starts the next turn", async () => {
  await say(page, "[[say 1000 tokens at 50/s]]");
  await page.locator("#interrupt").waitFor();
  assert.equal(await page.innerText("#send"), "Queue");
  await say(page, "[[say 3]] as first written");
  const queued = page.locator(".message.queued", { hasText: "as first written" });
  await queued.getByRole("button", { name: "Edit" }).click();
  await page.locator(".editing textarea").fill("[[say 3]] as edited");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".message.queued", { hasText: "as edited" }).waitFor();
  await page.focus("#composer");
  await page.keyboard.press("Escape");
  await page.locator(".row .message .bubble", { hasText: "as edited" }).waitFor();
  await eventually("the queue is empty", () => page.locator(".message.queued").count(), (count) => count === 0);
  await page.locator("#interrupt").waitFor({ state: "detached" });
});

step("a reload in the middle of an answer shows it all the same", async () => {
  await say(page, "[[say 300 tokens at 60/s]]");
  await eventually("tokens", async () => tokens(await lastText()), (count) => count > 5 && count < 200);
  await page.reload();
  await eventually("all tokens", async () => tokens(await lastText().catch(() => "")), (count) => count === 300);
  const text = await lastText();
  const numbers = [...text.matchAll(/tok(\d+)/g)].map((match) => Number(match[1]));
  assert.deepEqual(numbers, numbers.map((_, index) => index), "every token once, in order");
});

step("hostile Markdown stays text", async () => {
  const text = "<img src=x onerror=\"window.pwned=1\"> [click](javascript:window.pwned=1) ![i](http://a.example/i.png) **bold**";
  await say(page, `[[text ${JSON.stringify(text)}]]`);
  await page.locator(".row .markdown strong", { hasText: "bold" }).last().waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator(".markdown img").count(), 0);
  assert.equal(await page.locator(".markdown a[href^=javascript]").count(), 0);
});

step("a real shell runs beside the chat and survives a reload", async () => {
  await page.goto(`${page.url()}?renderer=dom`);
  await page.click("#open-terminal");
  await page.locator(".terminal-view .xterm-rows").waitFor();
  await eventually("a prompt", () => screen(page), (text) => /[$#%>]\s*$/.test(text));
  await page.locator(".terminal-view").click();
  await page.keyboard.type("marker=kept; echo out-$((40+2))\n");
  await eventually("the output", () => screen(page), (text) => text.includes("out-42"));
  await page.keyboard.type("stty size\n");
  const wide = await eventually("the size", () => screen(page), (text) => /\n\d+ \d+\n/.test(text));
  const [, rows, cols] = wide.match(/\n(\d+) (\d+)\n/);
  await page.setViewportSize({ width: 1100, height: 700 });
  await page.waitForFunction(() => document.querySelectorAll(".xterm-rows > div").length < 40);
  // The window's new width and height may arrive one after the other: each asks the shell anew.
  const ask = async () => {
    await page.keyboard.type("clear; stty size\n");
    return eventually("a size", () => screen(page), (text) => /^\d+ \d+\n[\s\S]*[$#%>]\s*$/.test(text));
  };
  await eventually("a smaller size", ask, (text) => {
    const size = text.match(/^(\d+) (\d+)/);
    return Number(size[1]) < Number(rows) && Number(size[2]) < Number(cols);
  });
  await page.reload();
  await eventually("the same screen", () => screen(page), (text) => text.includes("stty size") || /\d+ \d+/.test(text));
  await page.locator(".terminal-view").click();
  await page.keyboard.type("echo still-$marker\n");
  await eventually("the same shell", () => screen(page), (text) => text.includes("still-kept"));
  await page.keyboard.type("sh -c 'echo sl''eeping; exec sleep 100'\n");
  // Before it runs, Ctrl-C would be the shell's.
  await eventually("the command", () => screen(page), (text) => text.includes("\nsleeping"));
  await page.keyboard.press("Control+C");
  // What is typed before the shell has the terminal back is thrown away with the command.
  await eventually("the prompt again", () => screen(page), (text) => /\^C[\s\S]*[$#%>]\s*$/.test(text));
  await page.keyboard.type("echo after-$((1+1))\n");
  await eventually("Ctrl-C", () => screen(page), (text) => text.includes("after-2"));
  await page.keyboard.press("Control+D");
  await page.getByText("This terminal exited with code").waitFor();
  await page.getByRole("button", { name: "Start again" }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
});

step("the divider moves by keys and pointer, and is kept over a reload", async () => {
  const separator = page.getByRole("separator");
  const value = async () => Number(await separator.getAttribute("aria-valuenow"));
  assert.equal(await value(), 45);
  await separator.press("ArrowRight");
  assert.equal(await value(), 50);
  await separator.press("End");
  assert.equal(await value(), 85);
  await separator.press("Home");
  assert.equal(await value(), 15);
  const box = await separator.boundingBox();
  await page.mouse.move(box.x, 300);
  await page.mouse.down();
  await page.mouse.move(720, 300, { steps: 5 });
  await page.mouse.up();
  assert.equal(await value(), 50);
  await page.reload();
  await eventually("the kept place", value, (now) => now === 50);
  await page.getByRole("button", { name: "Hide the terminal" }).click();
  assert.equal(await value(), 100);
  await page.getByRole("button", { name: "Show the terminal" }).click();
  assert.equal(await value(), 50);
  await separator.dblclick();
  assert.equal(await value(), 45);
});

step("a draft is kept, and a message written while the server is away is sent when it is back", async () => {
  await page.fill("#composer", "a draft");
  await page.reload();
  await eventually("the draft", () => page.inputValue("#composer"), (text) => text === "a draft");
  // Nothing may still be loading when the network goes.
  await page.locator("#model").waitFor();
  await browser.context.setOffline(true);
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await page.locator("[data-link=bad]").first().waitFor();
  await say(page, "[[say 2]] written while away");
  await page.locator(".message.pending", { hasText: "waiting for the connection" }).waitFor();
  await browser.context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.locator(".row .message .bubble", { hasText: "written while away" }).waitFor();
  assert.equal(await page.locator(".message.pending").count(), 0);
  await page.locator("#interrupt").waitFor({ state: "detached" });
});

step("an ended session is read-only and keeps its history", async () => {
  await page.click("#end-session");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.click("#end-session");
  await page.locator("dialog").getByRole("button", { name: "End session" }).click();
  await page.waitForURL(`${base}/`);
  await page.getByRole("link", { name: "View" }).first().click();
  await page.getByText("This session has ended").waitFor();
  assert.equal(await page.locator("#composer").count(), 0);
  assert.equal(await page.locator(".terminal-view").count(), 0);
  await page.locator(".row .message .bubble", { hasText: "written while away" }).waitFor();
});

step("nothing failed unseen", () => {
  assert.deepEqual(browser.problems, []);
});
