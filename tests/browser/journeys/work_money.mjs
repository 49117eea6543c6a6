// SPDX-License-Identifier: Apache-2.0
export const title = "A payment that is due is recorded; a reading that breaches a guardrail is seen, and the paused project is decided on; who has an interest is recused";

export default async function (t) {
  const { page } = t;
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const day = async (question) => {
    const now = new Date();
    const group = page.getByRole("group", { name: question });
    for (const [name, part] of [["Day", now.getUTCDate()], ["Month", now.getUTCMonth() + 1], ["Year", now.getUTCFullYear()]])
      await group.getByLabel(name, { exact: true }).fill(String(part));
  };
  await t.sign_in("lena");
  await page.getByRole("link", { name: /^Mark a payment as disclosed/ }).first().click();
  await press("Mark a payment as disclosed");
  await t.see("It is on the register");
  await t.sign_out();

  await t.sign_in("lea");
  await page.getByRole("link", { name: /^Decide on a paused project: Finding COPD/ }).click();
  await page.getByLabel("Why?").fill("The second clinic is open, so the wait will fall.");
  await press("Send");
  await t.see("It is on the register");
  await t.open("/measures/wait");
  await page.getByRole("link", { name: "Record a reading" }).click();
  await t.see("This is a guardrail");
  await page.getByLabel("The number now").fill("55");
  await day("On which day was it measured?");
  await page.getByLabel("Where does the number come from?").fill("Diagnostic waits, made up for this test");
  await t.shot("reading");
  await t.scan();
  await press("Send");
  await t.see("It is on the register");
  await t.open("/projects/copd-found");
  await t.see("paused");
  await page.getByRole("link", { name: "Ask somebody for a verdict" }).click();
  await page.getByRole("radio", { name: "Finance" }).check();
  await t.pick(page.getByLabel("Who should give it?"), "finn");
  await press("Send");
  await t.see("The register recused this person");
  await t.see("finn declared an interest in breathe");
  await t.shot("recused");
}
