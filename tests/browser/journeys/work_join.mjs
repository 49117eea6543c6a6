// SPDX-License-Identifier: Apache-2.0
export const title = "Somebody new makes an account with a second factor, registers a body; the steward accepts it and records its checks";

export default async function (t) {
  const { page } = t;
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  await t.open("/work");
  await page.getByRole("link", { name: "I have no account yet" }).click();
  await press("Make the account");
  await t.see("There is a problem");
  await t.scan();
  await page.getByLabel("Account name").fill("wren");
  await page.getByLabel("Password", { exact: true }).fill("a wren sings in the hedge");
  await page.getByLabel("Password again").fill("a wren sings in the hedge");
  await press("Make the account");
  await t.see("Set up your second factor");
  t.expect("the QR code is drawn", (await page.locator("svg.accord-qr path").getAttribute("d")).length > 500);
  await t.shot("second-factor");
  await t.scan();
  const secret = (await page.locator("code.accord-secret").innerText()).replace(/\s/g, "");
  await page.getByLabel("Enter a code to check that it works").fill(await t.code(secret));
  await press("Check and sign in");
  await t.see("Tell the register who you are");
  await t.shot("register");
  await t.scan();
  await page.getByLabel("Your name").fill("Wren Hollis");
  await press("Register");
  await t.see("You have no role yet");

  await page.getByRole("link", { name: "Register an organisation" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Hedgerow Health CIC");
  await page.getByLabel("What kind of organisation is it?").selectOption("charity");
  await t.shot("apply");
  await press("Send");
  await t.see("The steward has been asked to accept it.");
  await t.sign_out();

  await t.sign_in("stella");
  await page.getByRole("link", { name: "Accept an organisation: Hedgerow Health CIC" }).click();
  await press("Accept an organisation");
  await t.see("It is on the register");
  await page.getByRole("link", { name: "Back to your work" }).click();
  // As if there were more organisations than a list holds: the register is asked for the others while one types.
  const full = Array.from({ length: 1000 }, (_, i) => ({ id: `body-${i}`, title: `Body ${i}` }));
  await page.route(/\/register\/body\?limit=1000&/, (route) => route.fulfill({ json: { items: full } }));
  await page.getByRole("link", { name: "Record a check of an organisation" }).click();
  const which = page.getByLabel("For which organisation?").and(page.locator("input")); // a plain list until they are here
  await which.fill("zzz");
  await page.getByRole("status").getByText("Nothing is found.").waitFor();
  await press("Save and continue");
  await t.see("There is a problem");
  t.expect("what was never taken goes away", (await which.inputValue()) === "");
  await which.fill("body 99");
  await page.getByRole("option").first().waitFor();
  await t.scan();
  await which.press("Escape");
  await t.pick(page.getByLabel("For which organisation?"), "Hedgerow Health CIC");
  await press("Save and continue");
  await page.getByRole("radio", { name: "Data Security and Protection Toolkit" }).check();
  for (const [part, value] of [["Day", "30"], ["Month", "6"], ["Year", "2027"]]) await page.getByLabel(part, { exact: true }).fill(value);
  await t.shot("check");
  await t.scan();
  await press("Send");
  await t.see("It is on the register");
  await t.sign_out();
  await t.open("/bodies/hedgerow-health-cic");
  await t.see("30 June 2027");
}
