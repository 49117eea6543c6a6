// SPDX-License-Identifier: Apache-2.0
export const title = "Without JavaScript the register can be read all the same";
export const options = { javaScriptEnabled: false };

const pages = ["/", "/boards", "/bodies", "/signals", "/projects", "/agreements", "/uses", "/runs", "/artefacts", "/transfers",
  "/measures", "/log", "/log/5", "/downloads", "/projects/copd-found", "/agreements/copd", "/runs/copd-1", "/artefacts/copd-1"];

export default async function (t) {
  for (const path of pages) {
    await t.open(path);
    t.expect(`${path} has a first paragraph`, (await t.page.locator("main .nhsuk-lede-text").innerText()).length > 40);
    await t.fits();
  }
  await t.open("/signals");
  await t.page.getByLabel("Needs or offers").selectOption("need");
  await t.page.getByRole("button", { name: "Show" }).click();
  await t.see("Inhalers with less carbon");
  t.expect("the filter leaves offers out", (await t.page.getByText("Spirometry where it is missing").count()) === 0);
}
