// SPDX-License-Identifier: Apache-2.0
export const title = "Every public page begins in plain English, fits at 400% zoom, prints on paper, and asks nobody else; a reader goes from board to need by keyboard alone";

// What the menu and the downloads lead to, and one item of each noun.
async function pages(t) {
  await t.open("/");
  const menu = await t.page.locator("nav a").evaluateAll((all) => all.map((a) => new URL(a.href).pathname));
  t.expect(`the menu has ${menu.length} entries`, menu.length >= 10);
  const nouns = { bodies: "body", signals: "signal", projects: "project", agreements: "agreement", runs: "run", artefacts: "artefact", transfers: "transfer", measures: "measure" };
  const items = [];
  for (const [path, noun] of Object.entries(nouns)) {
    const first = (await (await fetch(`${t.hub}/api/v1/register/${noun}?limit=1`)).json()).items[0];
    t.expect(`the demo has a ${noun}`, first !== undefined);
    items.push(`/${path}`, `/${path}/${encodeURIComponent(first.id)}`);
  }
  return [...new Set([...menu, ...items, "/log/5", "/runs/copd-1/result"])];
}

// Printed: the head and the buttons are gone, the text is there, and nothing is wider than the paper (A4 less margins, 96 dpi).
async function prints(t, path) {
  const { page } = t;
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 718, height: 1000 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  t.expect(`${path} is ${wide} px wide on paper`, wide <= 718);
  t.expect(`${path}: the menu is printed`, !(await page.locator(".nhsuk-header").isVisible()));
  t.expect(`${path}: the title is not printed`, await page.locator("main h1").isVisible());
  const pdf = await page.pdf({ format: "A4" });
  t.expect(`${path}: ${pdf.length} bytes of PDF`, pdf.length > 5000 && pdf.subarray(0, 4).toString() === "%PDF");
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

export default async function (t) {
  const { page } = t;
  for (const path of await pages(t)) {
    await t.open(path);
    const lead = await page.locator("main .nhsuk-lede-text").first().innerText();
    t.expect(`${path} begins with: ${lead}`, lead.length > 40 && /[.!?]$/.test(lead));
    t.expect(`${path}: more than one first heading`, (await page.locator("h1").count()) === 1);
    await t.fits();
    await prints(t, path);
  }

  await t.open("/");
  await page.keyboard.press("Tab");
  t.expect("the first stop leads past the menu", (await page.evaluate(() => document.activeElement.textContent)) === "Skip to main content");
  await t.reach("link", "NHS boards");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "NHS boards and their leads" }).waitFor();
  await t.reach("link", /^Kent 1 lead, 2 needs/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "NHS Kent and Medway" }).waitFor();
  await t.reach("link", "COPD that nobody has diagnosed");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "COPD that nobody has diagnosed" }).waitFor();
}
