// SPDX-License-Identifier: Apache-2.0
export const title = "A project is opened from a match, answered once, reviewed in five perspectives and approved";

const answer = { "Who leads the work, and for which body?": "The lead of the body that published the need" };

export default async function (t) {
  const { page } = t;
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const next = async (heading) => {
    await press("Save and continue");
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  };
  await t.sign_in("uma");
  await page.getByRole("link", { name: "See who matches your needs and offers" }).click();
  await page.getByRole("link", { name: "Open a project together NHS Kent and Medway" }).click();
  await page.getByLabel("Title", { exact: true }).fill("Inhalers that are kind to the air");
  const parties = page.getByRole("group", { name: /^party \d/ });
  const brings = [["evaluator", "The design of the reviews", "40000"], ["lead", "Practices and their nurses", "60000"]];
  for (const [i, [role, what, value]] of brings.entries()) {
    const party = parties.nth(i);
    await party.getByLabel(/^Its role/).fill(role);
    await party.getByRole("button", { name: "Add: contribution" }).click();
    await party.getByRole("radio", { name: "Skills or a service" }).check();
    await party.getByLabel("What", { exact: true }).fill(what);
    await party.getByLabel("Worth about").fill(value);
  }
  await t.shot("project-parties");
  await t.scan();
  await next("What is it for?");
  await page.getByLabel(/^In plain English/).fill("Many inhalers warm the air. We help people change to ones that do not, if they want to.");
  await page.getByLabel(/^Purpose, in one sentence/).fill("Inhalers with less carbon");
  await page.getByLabel(/^What kind of purpose is it/).selectOption("care");
  await next("What kind of work is it?");
  await page.getByRole("radio", { name: "Evaluation" }).check();
  await page.getByRole("radio", { name: "Records of people, read where they are" }).check();
  await page.getByRole("radio", { name: "The NHS runs the study where the data is" }).check();
  await page.getByRole("radio", { name: "Non commercial" }).check();
  await next("Who benefits?");
  for (const [who, text] of [["Patients", "Inhalers that suit them"], ["The NHS", "Less carbon"], ["The partner", "Knowledge"], ["People in the UK", "Cleaner air"]])
    await page.getByLabel(new RegExp(`^${who} `)).fill(text);
  await next("What does it replace?");
  await page.getByLabel(/^What does the new service cost a year/).fill("20,000");
  await press("Add: cost that ends");
  const line = page.getByRole("group", { name: "cost that ends 1" });
  await line.getByLabel("Short name of the budget line").fill("spacers");
  await line.getByLabel("What ends?").fill("Spacers by post");
  await t.pick(line.getByLabel("Whose budget is it?"), "NHS Kent and Medway");
  await line.getByLabel("What does it cost a year?").fill("twenty");
  await line.getByRole("radio", { name: "Yes" }).check();
  await press("Save and continue");
  await t.see("enter pounds, such as 25000 or 99.50");
  await t.scan();
  await line.getByLabel("What does it cost a year?").fill("25000");
  await next("Working with industry, and models");
  await next("Five Safes, asked once: the people");
  for (const [question, text] of Object.entries(answer)) await page.getByLabel(question).fill(text);
  await t.shot("project-five-safes");
  await t.scan();
  for (const part of ["project", "data", "settings", "outputs"]) await next(`Five Safes, asked once: the ${part}`);
  await next("Check your answers");
  await t.see("Nothing is missing: it can be submitted.");
  await t.see("It is substitutive: it pays for itself by what it ends.");
  await t.see("The contributions are 97% even");
  await page.getByText("The form “five-safes”, filled from your answers").click();
  await t.shot("project-check");
  await t.scan();
  await press("Send");
  await t.see("It is on the register, signed with your key");
  await page.getByRole("link", { name: "Propose its measures" }).click();
  await page.getByLabel("Title", { exact: true }).fill("People with an inhaler that suits them");
  await page.getByRole("radio", { name: "Benefit" }).check();
  await page.getByRole("radio", { name: "Patients" }).check();
  await page.getByLabel("Counted in").fill("people");
  await page.getByRole("radio", { name: "Higher" }).check();
  await press("Send");
  await t.see("It is on the register");
  await page.getByRole("link", { name: "Back to your work" }).click();
  await page.getByRole("link", { name: /^Submit the project: Inhalers that are kind/ }).click();
  await press("Submit the project");
  await t.see("It is on the register");
  await t.sign_out();

  for (const perspective of ["patient", "clinical", "research", "finance", "commercial"]) {
    await t.sign_in(perspective);
    if (perspective === "patient") {
      await page.getByRole("link", { name: /^Accept a measure: People with an inhaler/ }).click();
      await press("Accept a measure");
      await t.see("It is on the register");
      await page.getByRole("link", { name: "Back to your work" }).click();
    }
    await page.getByRole("link", { name: /^Give your verdict: Inhalers that are kind/ }).click();
    await t.see("If you have, it recuses you.");
    if (perspective === "patient") {
      await t.shot("review");
      await t.scan();
    }
    await page.getByRole("radio", { name: "Yes", exact: true }).check();
    await press("Send");
    await t.see("It is on the register");
    await t.sign_out();
  }

  await t.sign_in("lea");
  await page.getByRole("link", { name: /^Approve the project: Inhalers that are kind/ }).click();
  await press("Approve the project");
  await t.see("It is on the register");
  await page.getByRole("link", { name: "See it on the register" }).click();
  await t.see("approved");
  await t.shot("project-actions");
}
