// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../node.mjs";

export const title = "Somebody links their account to their organisation's sign-in, and signs in with it from then on; a stranger is not let in";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const freePort = () =>
  new Promise((done) => {
    const s = createServer().listen(0, "localhost", () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });

// The real provider, on localhost: another site than the hub on 127.0.0.1, as in life.
async function provider(t, who) {
  const modules = execFileSync("bash", [here("../../api/oidc/install.sh")], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  const port = await freePort();
  const child = spawn("node", [join(modules, "provider.mjs"), String(port), `${t.hub}/sign-in/callback`, who, "localhost"], { stdio: "ignore" });
  child.unref(); // it keeps no test waiting, and ends with it
  process.on("exit", () => child.kill());
  await until(() => fetch(`http://localhost:${port}/.well-known/openid-configuration`).then((r) => r.ok, () => false), "the provider");
  return `http://localhost:${port}`;
}

// The demo's hub again at its address, now with the provider.
async function hubWith(t, issuer) {
  const secret = join(t.demo, "client-secret");
  const settings = join(t.demo, "sign-in.yaml");
  writeFileSync(secret, "a client's +secret/ of some length\n");
  chmodSync(secret, 0o600);
  writeFileSync(settings, `issuer: ${issuer}\nclient_id: accord\nclient_secret_file: ${secret}\npublic_url: ${t.hub}\nalgorithm: RS256\nname: Northwick sign-in\n`);
  const old = Number(readFileSync(join(t.demo, "pids"), "utf8").split("\n")[0]);
  process.kill(old);
  const gone = () => fetch(t.hub).then(() => false, () => true);
  await until(gone, "the end of the hub");
  const child = spawn(process.env.ACCORD, ["hub", "--data", join(t.demo, "hub"), "--listen", new URL(t.hub).host, "--sign-in", settings], { stdio: "ignore" });
  child.unref();
  process.on("exit", () => child.kill());
  await until(async () => !(await gone()), "the hub");
}

export default async function (t) {
  const { page } = t;
  const who = join(t.demo, "who-signs-in");
  writeFileSync(who, "uma@northwick");
  await hubWith(t, await provider(t, who));

  await t.open("/work");
  await page.getByRole("link", { name: "Sign in with Northwick sign-in" }).waitFor();
  await t.shot("sign-in");
  await t.scan();
  await t.sign_in("uma");
  await page.getByRole("button", { name: "Link it" }).click();
  await t.see("is linked");
  await t.scan();
  await t.open("/work");
  await t.see("Your account is linked to Northwick sign-in.");
  await t.sign_out();

  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await page.getByRole("link", { name: "Sign in with Northwick sign-in" }).click();
  await page.getByRole("heading", { level: 1, name: "What is waiting for you" }).waitFor();
  await t.see("Signed in as uma");
  const cookies = await page.context().cookies(t.hub);
  const session = cookies.find((c) => c.name === "accord_session");
  t.expect(`the session's cookie: ${JSON.stringify(cookies.map((c) => [c.name, c.sameSite, c.httpOnly]))}`, session?.sameSite === "Strict" && session.httpOnly);
  await t.scan();
  await page.getByRole("button", { name: "End the link" }).click();
  await page.getByRole("button", { name: "Link it" }).waitFor();
  await t.sign_out();

  writeFileSync(who, "stranger@elsewhere");
  await page.context().clearCookies();
  await t.open("/work");
  const answer = page.waitForResponse((r) => r.url().includes("/sign-in/callback"));
  await page.getByRole("link", { name: "Sign in with Northwick sign-in" }).click();
  t.expect("a stranger is refused", (await answer).status() === 403);
  await t.see("not linked");
  t.expect("the refusal is all that went wrong", t.troubles.length === 1 && t.troubles[0].includes("403"));
  t.troubles.length = 0;
  await t.open("/");
}
