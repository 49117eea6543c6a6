// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const title = "An analyst starts a study from an ATLAS cohort, watches it site by site, and the public reads the result";

export default async function (t) {
  const cohort = JSON.parse(readFileSync(new URL("../../../demo/study.json", import.meta.url), "utf8")).cohorts[0].definition;
  // Other persons than those whom the demo's own study counted: the differencing guard has nothing to ask.
  const set = cohort.ConceptSets[0];
  set.name = "Diabetes mellitus";
  set.expression.items[0].concept = { CONCEPT_ID: 201826 };
  const file = join(t.demo, "diabetic-adults.json");
  writeFileSync(file, JSON.stringify(cohort));
  await t.sign_in("analyst");
  await t.page.getByRole("link", { name: "Start a study" }).click();
  await t.page.getByRole("button", { name: "See what each site is asked" }).click();
  await t.see("There is a problem");
  await t.scan();
  await t.page.getByLabel("Under which agreement?").selectOption({ label: "Undiagnosed COPD" });
  await t.page.getByLabel("What does the study ask?").fill("Adults with diabetes, by sex alone");
  await t.page.getByLabel("Upload a cohort from ATLAS").setInputFiles(file);
  await t.see("Cohort “diabetic_adults”");
  await t.see("first ever condition occurrence of 'Diabetes mellitus'");
  await t.page.getByLabel("Kind of analysis").selectOption("crosstab");
  await t.page.getByRole("button", { name: "Add this analysis" }).click();
  await t.page.getByRole("button", { name: "Remove breakdown 3" }).click();
  await t.page.getByRole("button", { name: "Remove breakdown 2" }).click();
  await t.shot("study");
  await t.scan();
  await t.page.getByRole("button", { name: "See what each site is asked" }).click();
  await t.page.getByRole("heading", { level: 1, name: "What each site is asked" }).waitFor();
  await t.see("NHS West Yorkshire");
  await t.shot("study-asked");
  await t.scan();
  await t.page.getByRole("button", { name: "Send it to the sites" }).click();
  await t.see("has sent its masked part");
  await t.see("The result is held at the lead site");
  await t.page.getByRole("img", { name: /Masked parts that each site has sent, over time\. .*NHS West Yorkshire: 1/ }).waitFor();
  t.expect("the chart is drawn", await t.page.locator(".accord-progress canvas").evaluate((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((x) => x !== 0)));
  await t.shot("run");
  await t.scan();

  const run = new URL(t.page.url()).pathname.split("/").pop();
  await t.sign_out();
  for (const checker of ["checker-1", "checker-2"])
    t.accord("node", "output", "approve", run, "--data", join(t.demo, "kent-and-medway", "node"), "--key", t.key(checker));
  t.accord("run", "wait", run, "--hub", t.hub);
  await t.open(`/runs/${run}`);
  await t.page.locator("main table", { hasText: "female" }).first().waitFor();
  await t.see("Adults with diabetes, by sex alone");
}
