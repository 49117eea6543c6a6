// SPDX-License-Identifier: Apache-2.0
export const title = "A citizen reads what this is, finds a released result and checks an entry of the log in the browser";

export default async function (t) {
  await t.open("/");
  await t.shot("front");
  await t.scan();
  await t.open("/artefacts");
  await t.page.locator("main a[href^='/artefacts/']").first().click();
  await t.page.locator("main table").first().waitFor();
  await t.shot("result");
  await t.scan();
  await t.open("/log/5");
  await t.page.getByRole("button", { name: "Check this entry in your browser" }).click();
  await t.see("Checked: this entry is in the log, unchanged.");
  await t.shot("log-entry");
}
