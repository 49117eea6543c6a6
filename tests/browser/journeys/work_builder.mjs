// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const title = "An analyst fills in every kind of analysis as a form; what is wrong is said at the field, and the register takes what is right";

export default async function (t) {
  const { page } = t;
  const kinds = (await (await fetch(`${t.hub}/api/v1/study/kinds`)).json()).items.map((k) => k.kind);
  t.expect(`only ${kinds.length} kinds`, kinds.length >= 18);
  const cohort = JSON.parse(readFileSync(new URL("../../../demo/study.json", import.meta.url), "utf8")).cohorts[0].definition;
  const check = () => page.getByRole("button", { name: "See what each site is asked" }).click();
  const told = () => page.locator(".nhsuk-error-summary li").allInnerTexts();

  await t.sign_in("analyst");
  await page.getByRole("link", { name: "Start a study" }).click();
  for (const name of ["people", "event"]) {
    writeFileSync(join(t.demo, `${name}.json`), JSON.stringify(cohort));
    await page.getByLabel("Upload a cohort from ATLAS").setInputFiles(join(t.demo, `${name}.json`));
    await t.see(`Cohort “${name}”`);
  }
  await page.getByLabel("What does the study ask?").fill("Everything that can be asked");
  for (const kind of kinds) {
    await page.getByLabel("Kind of analysis").selectOption(kind);
    await page.getByRole("button", { name: "Add this analysis" }).click();
  }
  const row = (kind) => page.locator(".accord-row", { has: page.getByText(new RegExp(`^Analysis ${kinds.indexOf(kind) + 1}: `)) });
  await row(kinds.at(-1)).waitFor();
  t.expect("nothing is typed as JSON but in the experts' view", (await page.locator("#analyses textarea:visible").count()) === 0);
  await t.fits();

  await check();
  await t.see("There is a problem");
  t.expect(`examples are right as they are: ${await told()}`, (await told()).join() === "Choose an agreement");

  const cox = row("cox");
  await cox.getByLabel("Effect for each").fill("ten");
  await row("crosstab").getByLabel("Bands begin at").fill("40, sixty");
  await check();
  t.expect(`both are told: ${await told()}`, (await told()).slice(1).join("|") === "Bands begin at: enter numbers with commas between|Effect for each: enter a number");
  await page.getByRole("link", { name: "Effect for each: enter a number" }).click();
  t.expect("the link leads to the field", await cox.getByLabel("Effect for each").evaluate((e) => e === document.activeElement && e.getAttribute("aria-invalid") === "true"));
  await cox.getByLabel("Effect for each").fill("10");
  await row("crosstab").getByLabel("Bands begin at").fill("40, 60");

  await cox.getByRole("button", { name: "Add another: factor" }).click();
  const factor = cox.getByRole("group", { name: "factor 3" });
  await factor.getByLabel("Factor", { exact: true }).selectOption({ label: "Whether a record is there" });
  await factor.getByLabel("Concepts").fill("201826, 320128");
  await factor.getByRole("checkbox", { name: "Choose the days" }).check();
  await factor.getByLabel("From day").fill("-365");
  await check();
  t.expect(`all is right: ${await told()}`, (await told()).join() === "Choose an agreement");

  await cox.getByText("For experts: this analysis as JSON").first().click();
  const json = JSON.parse(await cox.locator("textarea").inputValue());
  t.expect(`the factor: ${JSON.stringify(json.covariates[2])}`, JSON.stringify(json.covariates[2]) === '{"by":"concept","concepts":[201826,320128],"window":[-365,0]}');
  await cox.locator("textarea").fill(JSON.stringify({ ...json, transform: "log" }));
  await cox.getByText("More choices").click();
  t.expect("what an expert writes is in the form", (await cox.getByLabel("Which time does the test").inputValue()) === "log");

  const analyses = await page.locator("#analyses textarea").evaluateAll((all) => all.map((e) => JSON.parse(e.value)));
  const answer = await fetch(`${t.hub}/api/v1/study/check`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title: "all", cohorts: ["people", "event"].map((name) => ({ name, definition: cohort })), analyses }),
  });
  t.expect(`the register takes them: ${await answer.text()}`, answer.ok);
}
