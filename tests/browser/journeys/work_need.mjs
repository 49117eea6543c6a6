// SPDX-License-Identifier: Apache-2.0
export const title = "By keyboard alone, an ICB's lead signs in, publishes a need, and sees who matches it and why";

export default async function (t) {
  const keys = t.page.keyboard;
  const type = async (label, text) => {
    await t.reach("textbox", label);
    await keys.type(text);
  };
  const press = async (name) => {
    await t.reach("button", name);
    await keys.press("Enter");
  };
  const account = t.seeded("lea");
  await t.open("/work");
  await t.shot("sign-in");
  await t.scan();
  await type("Account name", account.person);
  await type("Password", account.password);
  await type("Six-digit code", await t.code(account.secret));
  await press("Sign in");
  await t.see("What is waiting for you");
  await t.see("Decide on a paused project");
  await t.shot("waiting");
  await t.scan();

  await t.reach("link", "Publish a need or an offer");
  await keys.press("Enter");
  await t.see("page 1 of 3");
  await press("Save and continue");
  await t.see("There is a problem");
  await t.shot("need-errors");
  await t.scan();
  await t.reach("radio", "A need");
  await keys.press("Space");
  await type("Title", "People who miss their annual asthma review");
  await t.reach("radio", "Skills or a service");
  await keys.press("Space");
  await type("In plain English", "One in three people with asthma is not seen in a year.");
  await press("Save and continue");

  await t.see("page 2 of 3");
  await t.page.locator("summary", { hasText: "Conditions" }).focus();
  await keys.press("Enter");
  await t.reach("checkbox", "Chronic obstructive pulmonary disease");
  await keys.press("Space");
  await t.shot("need-codes");
  await press("Save and continue");
  await t.see("page 3 of 3");
  await type("How important is this need?", "7");
  await type("How many people is it about?", "40,000");
  await press("Save and continue");
  await t.see("Check your answers");
  await t.shot("need-check");
  await t.scan();
  await press("Send");
  await t.see("It is on the register, signed with your key");
  await t.reach("link", "See who matches it");
  await keys.press("Enter");
  await t.see("100% of what the need is about is in the offer");
  await t.see("the need has rank 7");
  await t.shot("matches");
  await t.scan();
  await t.sign_out();
  await t.open("/signals");
  await t.see("People who miss their annual asthma review");
}
