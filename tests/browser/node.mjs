// SPDX-License-Identifier: Apache-2.0
// A site's node in a journey: its pages, its accounts, and its runs.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WAIT_MS } from "./journey.mjs";

function lines(t, site) {
  return readFileSync(join(t.demo, `node-${site}.log`), "utf8").split("\n").filter((l) => l.startsWith("{")).map((l) => JSON.parse(l));
}
export const address = (t, site) => lines(t, site).filter((l) => l.event === "node.pages").at(-1).url;
const folder = (t, site) => join(t.demo, site, "node");

// An account of the node that the demo made.
export function account(t, site, person) {
  const rows = readFileSync(join(t.demo, "node-accounts.tsv"), "utf8").split("\n").map((l) => l.split("\t"));
  const row = rows.find((r) => r[0] === `${site}/${person}`);
  return { person, password: "three sites and one story", secret: row[2] };
}

export async function signIn(t, site, who) {
  await t.page.context().clearCookies();
  await t.open("/sign-in", address(t, site));
  await t.page.getByLabel("Name of your account").fill(who.person);
  await t.page.getByLabel("Password").fill(who.password);
  await t.page.getByLabel("Six digits").fill(await t.code(who.secret));
  await t.page.getByRole("button", { name: "Sign in" }).click();
  await t.see("You are signed in as");
}

// Starts the node again, so that it asks a person about every run (or does not).
export async function restart(t, site, admission) {
  const policy = join(folder(t, site), "node.yaml");
  writeFileSync(policy, readFileSync(policy, "utf8").replace(/^admission: \w+/m, `admission: ${admission}`));
  const command = `node run --data ${folder(t, site)} `;
  execFileSync("pkill", ["-TERM", "-f", command]);
  await until(() => spawnSync("pgrep", ["-f", command]).status !== 0, `the end of the node of ${site}`);
  const old = lines(t, site).length;
  const log = join(t.demo, `node-${site}.log`);
  const words = ["-c", `exec "$0" node run --data "$1" --store "$2" --listen 127.0.0.1:0 >> "$3" 2>&1`, process.env.ACCORD, folder(t, site), join(t.demo, site, "store"), log];
  const child = spawn("bash", words, { stdio: "ignore" });
  child.unref();
  process.on("exit", () => child.kill());
  await until(() => lines(t, site).slice(old).some((l) => l.event === "node.serving"), `node of ${site}`);
}

export async function until(what, name) {
  for (const from = Date.now(); Date.now() - from < WAIT_MS; ) {
    if (await what()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${name}: not after ${WAIT_MS / 1000} s`);
}

export function submit(t, run) {
  t.accord("run", "submit", fileURLToPath(new URL("../../demo/study.json", import.meta.url)), "--agreement", "copd", "--id", run, "--key", t.key("analyst"), "--hub", t.hub, "--quiet");
}
export const state = async (t, run) => (await (await fetch(`${t.hub}/api/v1/runs/${run}`)).json()).state;
