// The audit log: what was done and refused is there, filtered, exported and checked. Runs after journey.test.mjs, on the
// same server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { brings, eventually, open, signIn, withPicture } from "./browser.mjs";

const base = process.env.DUPLEX_E2E_URL;
const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/duplex/target");
const duplex = join(target, process.env.DUPLEX_E2E_PROFILE ?? "debug", "duplex");
let browser;
let page;

before(async () => {
  browser = await open(base, { acceptDownloads: true });
  page = browser.page;
  await signIn(page);
});
after(() => browser?.close());

const step = (name, act) => test(name, () => withPicture(page, name.replaceAll(/\W+/g, "-"), act));
const rows = () => page.locator("table.audit tbody tr");
const download = async (id) => {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(id)]);
  return file.path();
};

step("what was done and what was refused are in the log", async () => {
  const { id } = await brings(page, "Mallory");
  const other = await open(base);
  await signIn(other.page, "mallory@example.org");
  const refused = await other.page.evaluate(
    (id) =>
      fetch(`/api/team/people/${id}/role`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ role: "owner" }),
      }).then((response) => response.status),
    id,
  );
  assert.equal(refused, 403);
  await other.page.goto("/audit");
  await other.page.getByText("The audit log could not be loaded").or(other.page.getByText("could not be checked")).first().waitFor();
  await other.close();
  const shown = async () => {
    await page.goto("/audit");
    await rows().first().waitFor();
    return rows().filter({ hasText: "Mallory" }).filter({ hasText: "refused: not_the_owner" }).count();
  };
  await eventually("the refusal", shown, (count) => count > 0);
  await page.getByText("The chain is unbroken up to record").waitFor();
});

step("filters leave what is looked for", async () => {
  await page.getByRole("button", { name: "Refused", exact: true }).click();
  await page.getByLabel("Who").selectOption({ label: "Mallory" });
  await eventually("only refusals of hers", () => rows().allInnerTexts(), (texts) => texts.length > 0 && texts.every((text) => /Mallory[^]*refused/.test(text)));
  await page.getByLabel("Search the audit log").fill("nobody ever did this");
  await page.getByText("Nothing like that is in the audit log.").waitFor();
  await page.getByLabel("Search the audit log").fill("");
  await rows().first().waitFor();
});

step("the table holds what the filters leave", async () => {
  const table = await readFile(await download("#table-audit"), "utf8");
  const [head, ...lines] = table.trim().split(/\r?\n/);
  assert.match(head, /^number,time_utc,who,/);
  assert.ok(lines.length > 0 && lines.every((line) => line.includes(",Mallory,") && line.includes(",refused,")), table);
});

step("the whole export is checked without a server", async () => {
  const file = await download("#export-audit");
  const { stdout } = await promisify(execFile)(duplex, ["verify", "--audit", file]);
  assert.match(stdout, /unbroken/);
});

step("nothing failed unseen", () => assert.deepEqual(browser.problems, []));
