// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "../tests/browser/journey.mjs";

const MOST_BYTES = 100_000;
const MOST_MS = 1000;
const VIEWS = 5;
const all = ["/", "/boards", "/bodies", "/signals", "/projects", "/agreements", "/uses", "/runs", "/artefacts", "/transfers", "/measures",
  "/log", "/log/5", "/downloads", "/bodies/kent-and-medway", "/projects/copd-found", "/agreements/copd", "/runs/copd-1", "/artefacts/copd-1"];

const paths = process.argv.length > 2 ? process.argv.slice(2) : all;

// One first view, nothing cached: bytes on the wire and the end of the load event.
async function view(browser, path) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  let bytes = 0;
  await cdp.send("Network.enable");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  cdp.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  await page.goto(process.env.ACCORD_HUB + path, { waitUntil: "load" });
  await page.waitForTimeout(50);
  const ms = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  await context.close();
  return { bytes, ms };
}

const profile = mkdtempSync(join(tmpdir(), "accord-chromium-"));
const browser = await launch(profile);
let bad = 0;
console.log("page                             kB   median ms  worst ms");
for (const path of paths) {
  const views = [];
  for (let i = 0; i < VIEWS; i++) views.push(await view(browser, path));
  const ms = views.map((v) => v.ms).sort((a, b) => a - b);
  const bytes = Math.max(...views.map((v) => v.bytes));
  const median = ms[Math.floor(VIEWS / 2)];
  if (bytes >= MOST_BYTES || median >= MOST_MS) bad += 1;
  console.log(`${path.padEnd(28)} ${(bytes / 1000).toFixed(1).padStart(7)} ${median.toFixed(0).padStart(10)} ${ms.at(-1).toFixed(0).padStart(9)}`);
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
if (bad) console.log(`${bad} pages are over 100 kB or 1 s`);
process.exitCode = bad ? 1 : 0;
