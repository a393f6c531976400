// The terminals' pane: tabs, the keyboard's way from hand to hand, pastes, links, search, what goes to the chat, what is
// saved, and what hostile output must not do. Runs after journey.test.mjs, on the same server.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { brings, eventually, newSession, open, openTerminal, say, screen, signIn, type, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let browser;
let page;

before(async () => {
  browser = await open(base, { acceptDownloads: true });
  page = browser.page;
  await browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  await signIn(page);
});
after(() => browser?.close());

const step = (name, act) => test(name, () => withPicture(page, name.replaceAll(/\W+/g, "-"), act));
const tabs = (of = page) => of.getByRole("tablist", { name: "Terminals" }).getByRole("tab");
const names = (of = page) => tabs(of).allInnerTexts();
const shows = (what, pattern, of = page) => eventually(what, () => screen(of), (text) => pattern.test(text));
const chooses = async (name) => {
  await page.getByRole("button", { name: "More for this terminal" }).click();
  await page.getByRole("menuitem", { name }).click();
};

const putsDown = async () => {
  await page.getByRole("button", { name: "You have the keyboard" }).click();
  await page.getByRole("menuitem", { name: "Put the keyboard down" }).click();
};

/** Asks something of the session as the page does. */
const command = (command) =>
  page.evaluate(async (command) => {
    const session = location.pathname.split("/").at(-1);
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`/api/sessions/${session}/commands`, { method: "POST", headers, body: JSON.stringify({ command }) });
    return answer.status;
  }, command);

step("terminals have names, and tabs that keys move along", async () => {
  await newSession(page);
  await openTerminal(page);
  await page.getByRole("button", { name: "Open another terminal" }).click();
  await eventually("two tabs", names, (all) => all.join() === "Terminal 1,Terminal 2");
  await tabs().nth(0).dblclick();
  await page.getByLabel("The terminal's name").fill("server");
  await page.keyboard.press("Enter");
  await eventually("its name", names, (all) => all.join() === "server,Terminal 2");
  await tabs().nth(0).focus();
  await page.keyboard.press("ArrowRight");
  await page.locator("[role=tab][aria-selected=true]", { hasText: "Terminal 2" }).waitFor();
  await page.keyboard.press("F2");
  await page.keyboard.type("te");
  await page.keyboard.press("Escape");
  await eventually("the old name", names, (all) => all.join() === "server,Terminal 2");
  await page.locator("[role=tab]:focus").waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.locator("[role=tab][aria-selected=true]", { hasText: "server" }).waitFor();
  await page.reload();
  await eventually("the names after a reload", names, (all) => all.join() === "server,Terminal 2");
  await tabs().nth(1).click();
  await tabs().nth(1).focus();
  await page.keyboard.press("Delete");
  await page.getByRole("dialog", { name: /Close “Terminal 2”/ }).getByRole("button", { name: "Close terminal" }).click();
  await eventually("one tab", names, (all) => all.join() === "server");
});

step("an ended program tells its exit code and starts again under its name", async () => {
  await type(page, "exit 3\n");
  await page.getByText("This terminal exited with code 3.").waitFor();
  await page.getByRole("button", { name: "Start again" }).click();
  await eventually("the name again", names, (all) => all.join() === "server");
  await shows("a prompt", /[$#%>]\s*$/);
  await chooses(/Look at server/);
  await page.getByText("This terminal exited with code 3.").waitFor();
  await shows("its last screen", /exit 3/);
});

step("the keyboard is taken by typing, given, asked for and put down", async () => {
  await newSession(page);
  await openTerminal(page);
  await putsDown();
  await page.getByText("Nobody types").waitFor();
  await type(page, "echo fir''st\n");
  await shows("the first command, whole", /\$\s+echo fir''st\nfirst\n/);
  await page.getByRole("button", { name: "You have the keyboard" }).waitFor();
  const { id } = await brings(page, "Bob");
  assert.equal(await command({ type: "set_member", user: id, name: "Bob", role: "driver" }), 200);
  await page.getByRole("button", { name: "You have the keyboard" }).click();
  await page.getByRole("menuitem", { name: "Give it to Bob" }).click();
  await page.getByText("Bob types").waitFor();
  await type(page, "x");
  await page.getByText("Bob has the keyboard; take it to type").waitFor();
  await page.getByRole("button", { name: "Take the keyboard" }).click();
  await page.getByRole("button", { name: "You have the keyboard" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("Nobody types").waitFor();
  await type(page, "echo aga''in\n");
  await shows("all of it, and none of what was refused", /\$\s+echo aga''in\nagain\n/);
});

step("who types decides the size, from the first command on", async () => {
  const other = await browser.context.newPage();
  await other.setViewportSize({ width: 1000, height: 600 });
  await other.goto(`${page.url()}?renderer=dom`);
  await shows("the screen", /again/, other);
  await page.bringToFront();
  await putsDown();
  await other.bringToFront();
  await other.getByText("Nobody types").waitFor();
  await type(other, "clear; stty size\n");
  const seen = await eventually("a size", () => screen(other), (text) => /^\d+ \d+\n/.test(text));
  const rows = await other.locator(".terminal-slot:not([hidden]) .xterm-rows > div").count();
  assert.equal(Number(seen.split(" ")[0]), rows, "the command found the typist's size");
  await page.bringToFront();
  await shows("the same screen, scaled", new RegExp(`^${rows} `));
  const view = await page.locator(".terminal-view").boundingBox();
  await page.mouse.click(view.x + view.width - 30, view.y + view.height - 10);
  await page.locator(".xterm-helper-textarea:focus").waitFor();
  await eventually("as many rows", () => page.locator(".xterm-rows > div").count(), (count) => count === rows);
  await other.close();
});

step("everybody sees that what is typed is hidden or private", async () => {
  await newSession(page);
  await openTerminal(page);
  await type(page, "read -s secret; echo got-${#secret}\n");
  await page.locator(".tabs .private").waitFor();
  await page.keyboard.type("hunter2\n");
  await shows("its end", /got-7/);
  await page.locator(".tabs .private").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Private input" }).click();
  await page.getByRole("button", { name: "Private input", pressed: true }).waitFor();
  await page.locator(".tabs .private").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Private input", pressed: true }).click();
  await page.getByRole("button", { name: "Private input", pressed: false }).waitFor();
});

async function paste(text) {
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

step("a large paste is asked about, and carries no keys", async () => {
  await type(page, "clear; cat -v\n");
  await shows("the command", /^(?![\s\S]*\$ )/);
  const lines = Array.from({ length: 8 }, (_, n) => `line ${n}`).join("\n");
  await paste(lines);
  await page.getByRole("dialog", { name: "Paste 8 lines?" }).getByRole("button", { name: "Cancel" }).click();
  await paste("small\x1b[201~\x03 one\n");
  await shows("the small one", /small\[201~ one/);
  assert.doesNotMatch(await screen(page), /line 7/);
  await paste(lines);
  await page.getByRole("dialog", { name: "Paste 8 lines?" }).getByRole("button", { name: "Paste" }).click();
  await shows("the lines", /line 6\nline 7/);
  await page.keyboard.press("Control+C");
  await shows("a prompt", /\$\s*$/);
});

step("a link is opened only after its address was shown", async () => {
  await type(page, "clear; printf '\\e]8;;https://example.org/re''al?a=1\\e\\\\https://bank.example\\e]8;;\\e\\\\\\n'\n");
  const link = page.locator(".xterm-rows > div", { hasText: "https://bank.example" }).last();
  await shows("the link", /\nhttps:\/\/bank|^https:\/\/bank/);
  const box = await link.boundingBox();
  await page.mouse.move(box.x + 20, box.y + box.height / 2, { steps: 4 });
  await page.mouse.click(box.x + 20, box.y + box.height / 2);
  const dialog = page.getByRole("dialog", { name: "Open this link?" });
  await dialog.getByText("https://example.org/real?a=1").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(browser.context.pages().length, 1);
});

step("text is found, and counted", async () => {
  await type(page, "clear; for n in 1 2 3; do echo needle-$n; done\n");
  await shows("the text", /needle-3/);
  await page.keyboard.press("Control+Shift+F");
  await page.getByRole("searchbox", { name: "Find in terminal" }).fill("needle-");
  await page.locator(".terminal-search").getByText(/^\d of 3$/).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.locator(".terminal-search").waitFor({ state: "hidden" });
  await type(page, "echo back\n");
  await shows("the terminal's focus", /\nback\n/);
});

step("a selection and the last command go to the chat's draft", async () => {
  await page.fill("#composer", "look at this:");
  await type(page, "ls /nowhere-at-all\n");
  await shows("the error", /No such file[\s\S]*\$\s*$/);
  await chooses("Send the last command to the chat");
  const draft = await page.inputValue("#composer");
  assert.match(draft, /^look at this:\n\nFrom Terminal 1:\n```\n\$ ls \/nowhere-at-all\n[\s\S]*No such file[\s\S]*\n\[exit code 2\]\n```\n$/);
  await page.fill("#composer", "");
  const row = page.locator(".xterm-rows > div", { hasText: "No such file" }).first();
  const box = await row.boundingBox();
  await page.mouse.dblclick(box.x + 12, box.y + box.height / 2);
  await page.getByRole("button", { name: "Send to chat" }).click();
  assert.match(await page.inputValue("#composer"), /^From Terminal 1:\n```\nls:?\n```\n$/);
  await page.fill("#composer", "");
});

step("the agent reads a terminal once it may", async () => {
  await page.selectOption("#mode", "ask");
  await type(page, "clear; echo for-the-ag''ent\n");
  await shows("the output", /for-the-agent/);
  await say(page, '[[tool terminal_read {}]] [[then]] [[say 1]]');
  await page.locator(".approval", { hasText: "reads what terminal 1 shows" }).waitFor();
  await page.locator(".approval").getByRole("button", { name: "Allow", exact: true }).click();
  await page.locator(".turn-end").waitFor();
  await page.locator(".tool button.fold").last().click();
  await page.locator(".tool-body", { hasText: "for-the-agent" }).waitFor();
});

const saved = async (name) => {
  const [download] = await Promise.all([page.waitForEvent("download"), chooses(name)]);
  return readFile(await download.path(), "utf8");
};

step("a terminal is saved as text and as a recording", async () => {
  const text = await saved("Save as text");
  assert.match(text, /needle-1\nneedle-2\nneedle-3\n/);
  assert.doesNotMatch(text, /\x1b/);
  const [head, ...events] = (await saved(/Save as a recording/)).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(head.version, 2);
  assert.ok(events.every(([time, kind, data]) => time >= 0 && "or".includes(kind) && typeof data === "string"));
  assert.match(events.filter(([, kind]) => kind === "o").map(([, , data]) => data).join(""), /needle-2/);
});

step("letters grow, shrink and stay over a reload", async () => {
  const size = () => page.locator(".xterm-rows").evaluate((rows) => Number.parseFloat(getComputedStyle(rows).fontSize));
  await page.locator(".terminal-view").click();
  const usual = await size();
  await page.keyboard.press("Control+=");
  await eventually("larger letters", size, (now) => now === usual + 1);
  await page.reload();
  await shows("the screen", /for-the-agent/);
  await eventually("as large", size, (now) => now === usual + 1);
  await page.locator(".terminal-view").click();
  await page.keyboard.press("Control+0");
  await eventually("usual letters", size, (now) => now === usual);
});

step("colours follow the page's theme", async () => {
  const colour = () => page.locator(".xterm-rows").evaluate((rows) => getComputedStyle(rows).color);
  const dark = await colour();
  await page.emulateMedia({ colorScheme: "light" });
  await eventually("dark letters", colour, (now) => now !== dark);
  await page.emulateMedia({ colorScheme: "dark" });
  await eventually("light letters", colour, (now) => now === dark);
});

step("a reload in the middle of output loses nothing", async () => {
  await type(page, "clear; for n in $(seq 1 150); do echo n$n; sleep 0.02; done; echo fi''n\n");
  await shows("some output", /n5\n/);
  await page.reload();
  await shows("its end", /n149\nn150\nfin/);
  await page.locator(".terminal-view").click();
  const seen = new Set();
  const scrolled = async () => {
    for (const line of (await screen(page)).split("\n")) seen.add(line);
    await page.keyboard.press("Shift+PageUp");
    return Array.from({ length: 150 }, (_, n) => `n${n + 1}`).filter((line) => !seen.has(line));
  };
  await eventually("every line before", scrolled, (missing) => missing.length === 0);
});

step("what no screen remembers is read from the log, page by page", async () => {
  await type(page, "clear; seq 10001 12500; echo cou''nted\n");
  await shows("its end", /12500\ncounted/);
  await chooses("All output…");
  const output = page.getByRole("dialog", { name: "All output" });
  await output.getByText("counted").waitFor();
  assert.doesNotMatch(await output.innerText(), /\n10001\n/);
  while (!/\n10001\n10002\n/.test(await output.innerText())) await output.getByRole("button", { name: /^Earlier lines/ }).click();
  await page.keyboard.press("Escape");
  await output.waitFor({ state: "detached" });
});

/** Each would keep xterm.js busy for hours. */
const HANGING = "LMSTbIZ";

step("sequences that hang other terminals do nothing here, live and after a reload", async () => {
  await page.locator(".terminal-view").click();
  for (const final of HANGING) await type(page, `printf 'a\\e[2147483647${final}'\n`);
  // On a screen without history, erasing up to the last corner throws in xterm.js, which draws no more then.
  await type(page, "printf '\\e[?1049h\\e[999;999H\\e[1J\\e[?1049l'\n");
  await type(page, "echo ali''ve\n");
  await shows("the page goes on", /alive/);
  await page.reload();
  await shows("it does after a reload", /alive/);
  await type(page, "echo stil''l\n");
  await shows("and takes keys", /still/);
});

step("the page holds even if the server lets them through", async () => {
  let passed = 0;
  await page.routeWebSocket(/\/api\/feed/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (typeof message === "string") return socket.send(message);
      // As long as what it stands for: offsets stay true.
      for (const final of HANGING) {
        const sign = Buffer.from(`@${"=".repeat(11)}${final}`);
        for (let at = message.indexOf(sign); at >= 0; at = message.indexOf(sign)) {
          message.write(`\x1b[2147483647${final}`, at, "latin1");
          passed++;
        }
      }
      socket.send(message);
    });
  });
  await page.reload();
  await shows("the screen", /still/);
  await page.locator(".terminal-view").click();
  for (const final of HANGING) await type(page, `printf '@%s%s\\n' ====''======= ${final}\n`);
  await type(page, "echo unhu''rt\n");
  await shows("the page goes on", /unhurt/);
  assert.ok(passed >= HANGING.length, `${passed} sequences went through`);
  await page.unrouteAll();
});

test("a phone has the keys that its keyboard lacks", async () => {
  const phone = await open(base, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  try {
    await withPicture(phone.page, "phone-keys", async () => {
      await signIn(phone.page);
      await phone.page.goto(`${page.url()}?renderer=dom`);
      const show = phone.page.getByRole("button", { name: "Show the terminal" });
      if (await show.isVisible()) await show.tap();
      const keys = phone.page.getByRole("toolbar", { name: "Keys" });
      await keys.waitFor();
      await phone.page.locator(".terminal-view").tap();
      await phone.page.keyboard.type("cat\n");
      await keys.getByRole("button", { name: "Ctrl" }).tap();
      await phone.page.keyboard.type("c");
      await shows("Ctrl and a letter", /\^C/, phone.page);
      await keys.getByRole("button", { name: "Up" }).tap();
      await shows("the line before", /\$ cat\s*$/, phone.page);
    });
    assert.deepEqual(phone.problems, []);
  } finally {
    await phone.close();
  }
});

test("nothing failed unseen", () => {
  assert.deepEqual(browser.problems, []);
});
