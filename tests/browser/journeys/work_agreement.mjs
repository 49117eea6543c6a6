// SPDX-License-Identifier: Apache-2.0
export const title = "An agreement is built from a template with its quote and payments, certified, summarised in public and signed by all";

export default async function (t) {
  const { page } = t;
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const day = async (question, parts) => {
    const group = page.getByRole("group", { name: question });
    for (const [i, name] of ["Day", "Month", "Year"].entries()) await group.getByLabel(name, { exact: true }).fill(parts[i]);
  };
  const party = async (n, body, role) => {
    await page.getByRole("button", { name: /party$/ }).last().click();
    const row = page.getByRole("group", { name: `party ${n}` });
    await t.pick(row.getByLabel("Organisation"), body);
    await row.getByRole("radio", { name: role, exact: true }).check();
  };
  const now = new Date();
  const today = [now.getUTCDate(), now.getUTCMonth() + 1, now.getUTCFullYear()].map(String);
  const later = [today[0] === "29" && today[1] === "2" ? "28" : today[0], today[1], String(now.getUTCFullYear() + 1)];

  await t.sign_in("sid");
  await page.getByRole("link", { name: "Draft an agreement" }).click();
  await page.getByLabel("Title of the agreement").fill("Asthma reviews, counted");
  await page.getByLabel("Template").selectOption({ label: "SDE data access agreement, version 8.0" });
  await party(1, "NHS Kent and Medway", "Lead site");
  await party(2, "Breathe Analytics Ltd", "Partner");
  await page.getByLabel("Purpose, in one sentence").fill("Find who misses their asthma review");
  await page.getByRole("radio", { name: "Commercial", exact: true }).check();
  await page.getByRole("radio", { name: "The NHS runs the study where the data is" }).check();
  await day("In force from", today);
  await day("In force until", later);
  await t.shot("agreement-who");
  await t.scan();
  await press("Save and continue");
  await page.getByRole("heading", { level: 1, name: "What may be asked of the data?" }).waitFor();
  await page.getByRole("checkbox", { name: /^Count: / }).check();
  await page.getByLabel("Which studies?").fill("any");
  await press("Save and continue");
  await page.getByRole("heading", { level: 1, name: "What does it cost, and what does the NHS get?" }).waitFor();
  await press("Add: line of the quote");
  await page.getByLabel("Service").selectOption({ label: "New application, £1,431" });
  await page.getByLabel("How many?").fill("1");
  await press("Add: value term");
  const term = page.getByRole("group", { name: "value term 1" });
  await term.getByRole("radio", { name: "Paid at intervals" }).check();
  await t.pick(term.getByLabel("Who gives?"), "Breathe Analytics Ltd");
  await t.pick(term.getByLabel("Who receives?"), "NHS Kent and Medway");
  await term.getByLabel(/^Amount/).fill("12000");
  await term.getByLabel(/^Every how many months/).fill("6");
  await page.getByLabel(/^The NHS's share of the value/).fill("30");
  await t.shot("agreement-money");
  await t.scan();
  await press("Save and continue");
  await page.getByLabel(/^How does it end/).fill("It ends with its term; nothing is kept but what was released.");
  await press("Save and continue");
  await t.see("Payments that it promises");
  await t.see("£1,431");
  await t.see("The NHS receives 30% of the value.");
  t.expect("three half-yearly payments and the quote are promised", (await page.locator("li", { hasText: "→" }).count()) === 4);
  await t.shot("agreement-check");
  await t.scan();
  await press("Send");
  await t.see("It is on the register");
  await t.sign_out();

  await t.sign_in("cerys");
  await page.getByRole("link", { name: "Certify an agreement: Asthma reviews, counted" }).click();
  await t.see("What you sign");
  await press("Certify an agreement");
  await t.see("It is on the register");
  await t.sign_out();

  await t.sign_in("board-kent-and-medway");
  await page.getByRole("link", { name: "Publish its summary: Asthma reviews, counted" }).click();
  await page.getByLabel("Public summary").fill("NHS Kent and Medway and Breathe Analytics count who misses their asthma review.");
  await press("Send");
  await t.see("It is on the register");
  await page.getByRole("link", { name: "Back to your work" }).click();
  await page.getByRole("link", { name: "Sign an agreement: Asthma reviews, counted" }).click();
  await t.see("You sign the terms with this fingerprint:");
  await t.shot("agreement-sign");
  await t.scan();
  await press("Sign an agreement");
  await t.see("It is on the register");
  await t.sign_out();
  await t.sign_in("sid");
  await page.getByRole("link", { name: "Sign an agreement: Asthma reviews, counted" }).click();
  await press("Sign an agreement");
  await t.see("It is on the register");
  await page.getByRole("link", { name: "See it on the register" }).click();
  await t.see("in force");
}
