// The team: somebody joins by a link, is given roles, shut out and let in; what is one's own; the way to a new password.
// Runs after journey.test.mjs, on the same server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, open, PASSWORD, signIn, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
let ada;
let hal;
let page;
let other;

before(async () => {
  [ada, hal] = await Promise.all([open(base), open(base)]);
  [page, other] = [ada.page, hal.page];
  await signIn(page);
});
after(() => Promise.all([ada?.close(), hal?.close()]));

let failed = false;
const step = (name, act) =>
  test(name, async () => {
    assert.ok(!failed, "an earlier step failed");
    failed = true;
    const picture = name.replaceAll(/\W+/g, "-");
    await withPicture(other, `${picture}-hal`, () => withPicture(page, picture, act));
    failed = false;
  });
const hals = () => page.locator(".entry", { hasText: "hal@example.org" });
const shut = () => other.getByText("Sign in to Duplex").first().waitFor();

/** Takes the secret that is shown once out of its dialog. */
async function once(title) {
  const secret = await page.getByLabel(title).and(page.locator("input")).inputValue();
  await page.getByRole("button", { name: "Done" }).click();
  return secret;
}

async function confirms(action) {
  await page.getByRole("dialog").getByRole("button", { name: action, exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

step("an owner invites, and the invited joins", async () => {
  await page.goto("/people");
  await page.fill("input[name=note]", "Hal, from the ship");
  await page.selectOption("select[name=role]", "guest");
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = await once("Invitation link");
  await page.locator(".entry", { hasText: "Hal, from the ship" }).getByText("guest").waitFor();
  await other.goto(link);
  await other.getByText("invites you as guest").waitFor();
  await other.fill("input[name=name]", "Hal");
  await other.fill("input[name=email]", "hal@example.org");
  await other.fill("input[name=password]", "short");
  await other.getByRole("button", { name: "Join" }).click();
  await other.locator("[aria-invalid=true][name=password]").waitFor();
  await other.fill("input[name=password]", PASSWORD);
  await other.getByRole("button", { name: "Join" }).click();
  await other.getByRole("heading", { name: "Sessions" }).waitFor();
  assert.equal(await other.getByRole("link", { name: "Costs" }).count(), 0);
  await other.goto(link);
  await other.getByText("This link cannot be used").waitFor();
  await page.reload();
  await hals().waitFor();
});

step("a new role signs them out, and holds when they are back", async () => {
  await other.goto("/");
  await other.getByRole("heading", { name: "Sessions" }).waitFor();
  await hals().getByLabel("Role of Hal").selectOption("member");
  await confirms("Change");
  await shut();
  await signIn(other, "hal@example.org");
  await other.getByRole("link", { name: "Costs" }).waitFor();
  // A question that is not answered with yes changes nothing, and shows nothing.
  await hals().getByLabel("Role of Hal").selectOption("owner");
  await confirms("Cancel");
  await eventually("the role", () => hals().getByLabel("Role of Hal").inputValue(), (role) => role === "member");
});

step("who is shut out is out at once, and who is let in again comes back", async () => {
  await page.getByRole("button", { name: "Shut out Hal" }).click();
  await confirms("Shut out");
  await shut();
  await other.goto("/login");
  await other.fill("input[name=email]", "hal@example.org");
  await other.fill("input[name=password]", PASSWORD);
  await other.click("button[type=submit]");
  await other.getByRole("alert").waitFor();
  await hals().getByText("shut out", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Let Hal in again" }).click();
  await page.getByRole("button", { name: "Shut out Hal" }).waitFor();
  await signIn(other, "hal@example.org");
});

step("an owner's link leads to a new password, and works once", async () => {
  await page.getByRole("button", { name: "New password for Hal" }).click();
  const link = await once("Link for a new password");
  await other.goto(link);
  await other.getByText("For Hal, hal@example.org").waitFor();
  await other.fill("input[name=password]", `${PASSWORD} again`);
  await other.getByRole("button", { name: "Set the password" }).click();
  await other.locator("#new-session").waitFor();
  await other.goto(link);
  await other.getByText("This link cannot be used").waitFor();
});

step("one changes one's password, and the other browsers are out", async () => {
  const third = await open(base);
  await third.page.goto("/login");
  await third.page.fill("input[name=email]", "hal@example.org");
  await third.page.fill("input[name=password]", `${PASSWORD} again`);
  await third.page.click("button[type=submit]");
  await third.page.locator("#new-session").waitFor();
  await other.goto("/settings");
  const browsers = other.locator("section[aria-labelledby=browsers] .entry");
  await eventually("two browsers", () => browsers.count(), (count) => count === 2);
  await other.fill("input[name=current]", "a wrong guess");
  await other.fill("input[name=password]", PASSWORD);
  await other.getByRole("button", { name: "Change", exact: true }).click();
  await other.locator("[aria-invalid=true][name=current]").waitFor();
  await other.fill("input[name=current]", `${PASSWORD} again`);
  await other.getByRole("button", { name: "Change", exact: true }).click();
  await third.page.getByText("Sign in to Duplex").first().waitFor();
  await eventually("one browser", () => browsers.count(), (count) => count === 1);
  await browsers.getByText("this one").waitFor();
  await third.close();
});

step("a token is made, shown once, used by a program and revoked", async () => {
  await other.getByLabel("New token, for").fill("nightly build");
  await other.getByRole("button", { name: "Make a token" }).click();
  const token = await other.getByLabel("Your new token").and(other.locator("input")).inputValue();
  assert.match(token, /^dpx_/);
  await other.getByRole("button", { name: "Done" }).click();
  const asks = async (method, path) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    return (await fetch(new URL(path, base), { method, headers, body: method === "GET" ? undefined : "{}" })).status;
  };
  assert.deepEqual([await asks("GET", "/api/sessions"), await asks("POST", "/api/sessions")], [200, 403]);
  const entry = other.locator(".entry", { hasText: "nightly build" });
  await entry.getByText("never used").or(entry.getByText("used just now")).waitFor();
  await other.getByRole("button", { name: "Revoke nightly build" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await other.getByText("You have no tokens.").waitFor();
  assert.equal(await asks("GET", "/api/sessions"), 401);
});

step("one leaves, and is gone from the list", async () => {
  await other.getByRole("button", { name: /^Leave / }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  await shut();
  await page.reload();
  await page.getByRole("heading", { name: "People", level: 2 }).waitFor();
  await page.locator(".entry", { hasText: "ada@example.org" }).waitFor();
  assert.equal(await hals().count(), 0);
  // Of a team's last owner nobody would be left to let people in.
  await page.goto("/settings");
  await page.getByRole("button", { name: /^Leave / }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  await page.getByText("a team needs an owner who is not shut out").waitFor();
  await page.goto("/people");
  await page.locator(".entry", { hasText: "ada@example.org" }).getByText("you", { exact: true }).waitFor();
});

step("nothing failed unseen", () => {
  // What was refused above was meant to be.
  const meant = /status of (403|409|410|422)/;
  const problems = [...ada.problems, ...hal.problems];
  assert.deepEqual(problems.filter((problem) => !meant.test(problem)), []);
});
