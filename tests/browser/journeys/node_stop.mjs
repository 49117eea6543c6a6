// SPDX-License-Identifier: Apache-2.0
import { account, address, restart, signIn, state, submit, until } from "../node.mjs";
export const title = "A run is admitted by a person, its output is returned with a reason, and a site stops everything";

const lead = "kent-and-medway";
const site = "west-yorkshire";

async function admit(t) {
  const asks = t.page.getByRole("region", { name: "Runs that wait" }).getByRole("link");
  await until(async () => {
    await t.open("/", address(t, site));
    return (await asks.count()) > 0;
  }, "a run that asks");
  await asks.first().click();
  await t.see("Who is counted");
  await t.shot("node-run");
  await t.scan();
  await t.page.getByRole("button", { name: "Let it run here" }).click();
}

async function giveBack(t) {
  await signIn(t, lead, account(t, lead, "checker-2"));
  await t.open("/outputs/copd-3", address(t, lead));
  await t.page.getByLabel("Or return it, and say why").fill("The title does not say which year");
  await t.page.getByRole("button", { name: "Return", exact: true }).click();
  await t.see("The title does not say which year");
  await t.shot("node-returned");
  await until(async () => (await state(t, "copd-3")) === "failed", "copd-3 failed");
}

async function stop(t, board) {
  await signIn(t, site, board);
  submit(t, "copd-4");
  await until(async () => /\/runs\/copd-4/.test(await (await t.page.request.get(address(t, site) + "/")).text()), "copd-4 asks");
  await t.page.getByRole("link", { name: "Stop everything" }).click();
  await t.shot("node-stop");
  await t.scan();
  await t.page.getByLabel("Why").fill("A laptop was lost");
  await t.page.getByRole("button", { name: "Stop everything now" }).click();
  await t.see("Everything is stopped at this site");
  await t.open("/stop", address(t, site));
  await t.shot("node-stopped");
  const declined = async () => (await (await fetch(`${t.hub}/api/v1/runs/copd-4`)).text()).includes("A laptop was lost");
  await until(declined, "copd-4 declined");
  await t.page.getByRole("button", { name: "Take runs again" }).click();
  await t.see("No run is waiting");
}

export default async function (t) {
  const board = account(t, site, `board-${site}`);
  await restart(t, site, "person");
  try {
    await signIn(t, site, board);
    submit(t, "copd-3");
    await admit(t);
    await until(async () => (await state(t, "copd-3")) === "held", "copd-3 held");
    t.expect("a controller's account opens no output", (await t.page.request.get(address(t, site) + "/outputs/copd-3")).status() === 403);
    await giveBack(t);
    await stop(t, board);
  } finally {
    await restart(t, site, "automatic");
  }
}
