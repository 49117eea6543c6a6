// SPDX-License-Identifier: Apache-2.0
export const title = "A citizen reads what this is, follows a project from need to impact, and checks the log in the browser";

const shots = { front: "/", boards: "/boards", needs: "/signals", project: "/projects/copd-found", agreement: "/agreements/copd", result: "/artefacts/copd-1" };
const others = ["/uses", "/runs/copd-1", "/transfers", "/measures", "/log", "/bodies/kent-and-medway"];

export default async function (t) {
  for (const [name, path] of Object.entries(shots)) {
    await t.open(path);
    await t.scan();
    await t.shot(`public-${name}`);
  }
  for (const path of others) {
    await t.open(path);
    await t.scan();
  }
  await t.open("/projects/copd-found");
  await t.see("The result was released");
  await t.page.getByRole("button", { name: "Check this entry in your browser" }).click();
  await t.see("Checked: this entry is in the log, unchanged.");
  await t.open("/artefacts/copd-1");
  for (const picture of await t.page.locator("main img").all()) {
    await picture.scrollIntoViewIfNeeded();
    await t.page.waitForFunction((e) => e.complete, await picture.elementHandle());
    t.expect("every picture is drawn", await picture.evaluate((e) => e.naturalWidth > 0));
    t.expect("every picture is told in words", ((await picture.getAttribute("alt")) ?? "").length > 60);
    t.expect("a wide page has the wide picture", await picture.evaluate((e) => !e.currentSrc.includes(".narrow")));
  }
  await t.shot("public-result-pictures");
  for (const name of ["attrition", "copd_by_deprivation_groups", "networks_ratios", "after_diagnosis_curve", "new_copd", "treatments"])
    t.expect(`there is a picture of ${name}`, (await t.page.locator(`main img[src$="/${name}.svg"]`).count()) === 1);
  await t.page.setViewportSize({ width: 360, height: 740 });
  const first = t.page.locator("main img").first();
  await t.page.waitForFunction((e) => e.complete && e.currentSrc.endsWith(".narrow.svg"), await first.elementHandle());
}
