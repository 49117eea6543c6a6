// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";

export const title = "What arrives late takes neither focus nor words from somebody who has gone on, and loses nothing that they chose";

// Holds what is asked at an address until let go.
async function hold(page, pattern) {
  let go;
  const released = new Promise((done) => (go = done));
  await page.route(pattern, async (route) => {
    await released;
    await route.fallback();
  });
  return async () => {
    go();
    await page.unroute(pattern);
  };
}

async function wrongPassword(t) {
  const { page } = t;
  await t.open("/work");
  const password = page.getByLabel("Password");
  await page.getByLabel("Account name").fill("stella");
  await password.fill("not hers");
  await page.getByLabel("Six-digit code").fill("123456");
  const release = await hold(page, /\/api\/v1\/session$/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "One moment…" }).waitFor();
  await password.fill("");
  await password.pressSequentially("three sites");
  await release();
  await t.see("There is a problem");
  await page.keyboard.type(" and one story");
  t.expect("what is typed stays in the field", (await password.inputValue()) === "three sites and one story");
  t.expect("the refusal is all that went wrong", t.troubles.length === 1 && /40[13]/.test(t.troubles[0]));
  t.troubles.length = 0;
}

async function longList(t) {
  const { page } = t;
  const full = Array.from({ length: 1000 }, (_, i) => ({ id: `body-${i}`, title: `Body ${i}` }));
  await page.route(/\/register\/body\?limit=1000&/, (route) => route.fulfill({ json: { items: full } }));
  const release = await hold(page, /\/register\/body\?limit=1000&/);
  await page.getByRole("link", { name: "Record a check of an organisation" }).click();
  const field = page.getByLabel("For which organisation?");
  await field.and(page.locator("select")).waitFor();
  await t.reach("combobox", "For which organisation?");
  await release();
  await field.and(page.locator("input")).waitFor();
  const releaseSearch = await hold(page, /\/api\/v1\/search\?/);
  await page.keyboard.type("NHS West Yorkshire");
  await page.keyboard.press("Enter");
  t.expect("Enter closes the list and sends nothing", (await page.getByText("There is a problem").count()) === 0);
  await page.keyboard.press("Tab");
  await releaseSearch();
  await page.waitForFunction(() => document.querySelector("[role=combobox]").value === "NHS West Yorkshire");
  t.expect("the button keeps the focus", (await page.evaluate(() => document.activeElement.textContent)) === "Save and continue");
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: "Data Security and Protection Toolkit" }).waitFor();
}

async function cohortInWords(t) {
  const { page } = t;
  const study = JSON.parse(readFileSync(new URL("../../../demo/study.json", import.meta.url), "utf8"));
  const file = join(t.demo, "late.json");
  writeFileSync(file, JSON.stringify(study.cohorts[0].definition));
  await page.getByRole("link", { name: "Start a study" }).click();
  await page.getByRole("button", { name: "See what each site is asked" }).click();
  await t.see("There is a problem");
  const release = await hold(page, /\/cohort\/describe$/);
  await page.getByLabel("Upload a cohort from ATLAS").setInputFiles(file);
  const name = page.getByLabel("What does the study ask?");
  await name.pressSequentially("Written mean");
  await release();
  await t.see("Cohort “late”");
  await page.keyboard.type("while");
  t.expect("the title is whole", (await name.inputValue()) === "Written meanwhile");
  await page.getByRole("button", { name: "Remove late" }).click();
  t.expect("who removes something stays at the question", (await page.evaluate(() => document.activeElement.id)) === "cohorts");
}

export default async function (t) {
  await wrongPassword(t);
  await t.sign_in("stella");
  await longList(t);
  await t.scan();
  await t.sign_out();
  await t.sign_in("analyst");
  await cohortInWords(t);
}
