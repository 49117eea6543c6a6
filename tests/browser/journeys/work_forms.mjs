// SPDX-License-Identifier: Apache-2.0
export const title = "Every verb that a person may do has a form, made from the permission table, that axe finds nothing wrong with";

export default async function (t) {
  const { page } = t;
  const ask = async (path) => (await (await fetch(`${t.hub}/api/v1${path}`)).json()).items;
  const follow = (path) =>
    page.evaluate((href) => {
      const link = document.createElement("a");
      link.href = href;
      document.body.append(link);
      link.click();
      link.remove();
    }, path);
  const some = new Map();
  await t.sign_in("stella");
  const verbs = (await ask("/verbs")).filter((v) => !v.roles.every((r) => r === "hub" || r === "node"));
  t.expect(`only ${verbs.length} verbs`, verbs.length > 60);
  for (const { verb, from, about } of verbs) {
    const noun = verb.split(".")[0];
    if (!some.has(noun)) some.set(noun, (await ask(`/register/${noun}?limit=1`))[0]?.id);
    const onItem = from !== "" && !from.split("|").includes("new");
    if (onItem && some.get(noun) === undefined) continue;
    await follow(`/work/do/${verb}${onItem ? "/" + encodeURIComponent(some.get(noun)) : ""}`);
    await page.locator(`main form[data-verb="${verb}"]`).waitFor();
    t.expect(`${verb}: a heading in words`, (await page.locator("main h1").innerText()) !== about);
    await t.scan();
  }
}
