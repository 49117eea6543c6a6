// SPDX-License-Identifier: Apache-2.0
//
// What a journey is told with. begin() gives `t`:
//
//   t.page                    the page (Playwright)
//   t.open(path, base)        goes there and waits for the content; base is the hub unless said otherwise
//   t.shot(name)              screenshots at 1280 and 360 px; nothing may need scrolling sideways at 360 px nor at 400% zoom
//   t.fits()                  the same without pictures
//   t.scan()                  axe must find nothing (WCAG 2.2 AA)
//   t.reach(role, name)       presses Tab until the focus is there
//   t.pick(control, label)    chooses in a list, or in a field with a list to search
//   t.accord(...words)        runs the program; its answer
//   t.key(who)                path of a person's key in the demo
//   t.account(person)         makes an account at the hub: {person, password, secret, key}
//   t.seeded(who)             an account of the demo, as t.account gives one
//   t.sign_in(who)            signs in at the pages with an account of the demo; what is waiting is shown then
//   t.sign_out()              and out again
//   await t.code(secret)      a one-time code that was not used before; the fourth within half a minute waits
//   t.see(text)               waits until the page shows it
//   t.expect(what, truth)     fails with `what` unless it is true
//
// At the end every journey is scanned, and it fails for any console error, any breach of the content security policy and any
// request to another host.
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(new URL("../../ui/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
export const WAIT_MS = 60000; // what is waited for comes; how soon is for bench/ to say
const { ACCORD, ACCORD_HUB, CHROMIUM, DEMO, SCREENSHOTS } = process.env;

export function launch(profile) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
    env: { ...process.env, HOME: profile },
  });
}

// RFC 6238 with a step of 30 s. A step counts once, and the server takes the one before, the present and the next one: who has used
// all three waits for another.
const used = new Map();
async function code(secret) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const now = Date.now();
  const early = now % 30000 < 10000 ? 1 : 0; // else the step before might be over on the way
  const step = Math.max(Math.floor(now / 30000) - early, (used.get(secret) ?? 0) + 1);
  used.set(secret, step);
  await new Promise((done) => setTimeout(done, Math.max(0, (step - 1) * 30000 - now)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

// What is wrong whatever the journey: noted while it goes on.
function watch(page, troubles) {
  const hosts = new Set(["127.0.0.1", "localhost"]);
  page.on("pageerror", (e) => troubles.push(`script error: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && troubles.push(`console: ${m.text()} (${m.location().url})`));
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (/^https?:|^wss?:/.test(url.protocol) && !hosts.has(url.hostname)) troubles.push(`request to another host: ${r.url()}`);
  });
}

async function account(person) {
  const password = `${person} walks home at nine`;
  const answer = await fetch(ACCORD_HUB + "/api/v1/accounts", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ person, password }),
  });
  const made = await answer.json();
  if (!answer.ok) throw new Error(`account ${person}: ${made.detail}`);
  return { person, password, secret: made.totp_secret, key: made.key };
}

export async function begin(browser, journey, options) {
  const scripted = options.javaScriptEnabled !== false;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const troubles = [];
  page.setDefaultTimeout(WAIT_MS);
  watch(page, troubles);
  if (scripted) await page.addInitScript(axe);

  const expect = (what, truth) => {
    if (!truth) throw new Error(what);
  };
  const fits = async (width) => {
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(`${page.url()} needs ${wide} px of width where there are ${width}`, wide <= width);
  };
  const t = {
    page, troubles, code, account, expect,
    hub: ACCORD_HUB,
    demo: DEMO,
    key: (who) => join(DEMO, "keys", who),
    accord: (...words) => execFileSync(ACCORD, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    async open(path, base = ACCORD_HUB) {
      await page.goto(base + path);
      await page.locator("main h1").waitFor();
      await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
    },
    seeded(who) {
      const row = readFileSync(join(DEMO, "accounts.tsv"), "utf8").split("\n").find((l) => l.startsWith(who + "\t"));
      expect(`the demo has no account '${who}'`, row !== undefined);
      return { person: who, password: "three sites and one story", secret: row.split("\t")[2], key: row.split("\t")[1] };
    },
    async sign_in(who) {
      const account = t.seeded(who);
      await t.open("/work");
      await page.getByLabel("Account name").fill(who);
      await page.getByLabel("Password").fill(account.password);
      await page.getByLabel("Six-digit code").fill(await code(account.secret));
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { level: 1, name: "What is waiting for you" }).waitFor();
    },
    async sign_out() {
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Sign in" }).waitFor();
    },
    see: (text) => page.getByText(text).first().waitFor(),
    async scan() {
      expect("a page without scripts cannot be scanned; scan it in a journey with scripts", scripted);
      const found = await page.evaluate((rules) => window.axe.run(document, { runOnly: { type: "tag", values: rules } }), RULES);
      const told = found.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html.slice(0, 200)).join("\n  ")}`);
      expect(`axe at ${page.url()}:\n${told.join("\n")}`, told.length === 0);
    },
    async fits() {
      await fits(320); // 1280 px at 400%
      await fits(360);
      await page.setViewportSize({ width: 1280, height: 900 });
    },
    async shot(name) {
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-1280.png`), fullPage: true });
      await t.fits();
      await page.setViewportSize({ width: 360, height: 900 });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-360.png`), fullPage: true });
      await page.setViewportSize({ width: 1280, height: 900 });
    },
    async reach(role, name) {
      const there = page.getByRole(role, { name }).first();
      await there.waitFor();
      for (let i = 0; i < 200; i++) {
        if (await there.evaluate((e) => e === document.activeElement)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`${role} '${name}' cannot be reached with the Tab key`);
    },
    async pick(control, label) {
      await control.and(page.locator(":not([aria-busy])")).waitFor(); // a list that is on its way may become another control
      if (!(await control.evaluate((e) => e.role === "combobox" || e.getAttribute("role") === "combobox"))) return control.selectOption({ label });
      await control.fill(label);
      await page.getByRole("option", { name: label, exact: true }).waitFor();
      await control.press("ArrowDown");
      await control.press("Enter");
      expect(`'${label}' is chosen`, (await control.inputValue()) === label);
    },
    async end() {
      if (scripted) await t.scan();
      expect(`trouble on the way:\n${troubles.join("\n")}`, troubles.length === 0);
      await context.close();
    },
    async give_up() {
      await page.screenshot({ path: join(SCREENSHOTS, `failed-${journey}.png`), fullPage: true }).catch(() => {});
      await context.close();
    },
  };
  return t;
}
