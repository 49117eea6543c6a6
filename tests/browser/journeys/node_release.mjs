// SPDX-License-Identifier: Apache-2.0
import { account, address, signIn, state, submit, until } from "../node.mjs";
export const title = "Two checkers read a held output at the node, beside what would leave, and release it";

const site = "kent-and-medway";

export default async function (t) {
  const [first, second] = ["checker-1", "checker-2"].map((who) => account(t, site, who));
  submit(t, "copd-2");
  await until(async () => (await state(t, "copd-2")) === "held", "copd-2 held");

  await signIn(t, site, first);
  await t.shot("node-waiting");
  await t.scan();
  await t.page.getByRole("link", { name: /COPD/ }).first().click();
  await t.page.getByText("at risk", { exact: true }).first().waitFor();
  await t.shot("node-output");
  await t.scan();
  await t.page.getByRole("button", { name: "Approve" }).click();
  await t.see("You have approved this output");
  t.expect("one approval does not release", (await state(t, "copd-2")) === "held");
  t.expect("the first checker is not offered a second approval", (await t.page.getByRole("button", { name: "Approve" }).count()) === 0);

  await signIn(t, site, second);
  await t.open("/outputs/copd-2", address(t, site));
  await t.page.getByRole("button", { name: "Approve" }).click();
  await until(async () => (await state(t, "copd-2")) === "released", "copd-2 released");
  await t.open("/outputs/copd-2", address(t, site));
  await t.see("what was worked out only for its checkers is deleted");
}
