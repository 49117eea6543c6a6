// SPDX-License-Identifier: Apache-2.0
// Every journey of journeys/, in one browser, each in a context of its own: run.mjs [name]. A journey is a file with a title
// and a function of what journey.mjs gives it.
import { readdirSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { begin, launch } from "./journey.mjs";

const folder = new URL("journeys/", import.meta.url);
const wanted = process.argv[2];
const names = readdirSync(folder).map((f) => f.replace(/\.mjs$/, "")).sort().filter((n) => !wanted || n === wanted);
if (names.length === 0) throw new Error(`there is no journey '${wanted}'`);
if (!wanted) rmSync(process.env.SCREENSHOTS, { recursive: true, force: true });
mkdirSync(process.env.SCREENSHOTS, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "accord-chromium-"));
const browser = await launch(profile);
let failed = 0;
for (const name of names) {
  const journey = await import(new URL(`${name}.mjs`, folder));
  const t = await begin(browser, name, journey.options ?? {});
  const from = Date.now();
  try {
    await journey.default(t);
    await t.end();
    console.log(`${((Date.now() - from) / 1000).toFixed(1)} s  ${journey.title}`);
  } catch (e) {
    failed += 1;
    await t.give_up();
    console.log(`FAILED ${name} (${journey.title}) at ${t.page.url()}\n${e.stack}\n${t.troubles.join("\n")}`);
  }
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
process.exitCode = failed ? 1 : 0;
