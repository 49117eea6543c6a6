// SPDX-License-Identifier: Apache-2.0
export const title = "Without JavaScript the register can be read all the same";
export const options = { javaScriptEnabled: false };

const pages = ["/", "/bodies", "/signals", "/projects", "/agreements", "/runs", "/transfers", "/measures", "/log"];

export default async function (t) {
  for (const path of pages) {
    await t.open(path);
    t.expect(`${path} has a first paragraph`, (await t.page.locator("main .nhsuk-lede-text").innerText()).length > 40);
    await t.shot(`plain${path === "/" ? "-front" : path.replace("/", "-")}`);
  }
}
