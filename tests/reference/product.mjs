// SPDX-License-Identifier: Apache-2.0
// Every profile x way to print x public table: released by the gate, then attacked from the document alone, by `accord disclose audit` and
// by glpsol on programmes that are written here. No cell of 1 to minimum - 1 may be found exactly or to an interval without 1 or minimum - 1.
//   node product.mjs ACCORD INSTANCES FOLDER CELLS NAME...     CELLS: how many hidden cells of each release glpsol is asked for
// Tables are those of the instances with their counts (of magnitudes, the contributors'). Of levels that are in two groupings the first is kept.
// NAME/crosstabs is the first way of a three-way instance by each of the two others, without any total: the tables share a margin that neither prints.
// NAME/ways is its first two ways, each by itself: the tables share their sum.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [accord, instances, folder, cellsAsked, ...names] = process.argv.slice(2);
const profiles = { "sde-10": 10, "nhs-hes": 8, opensafely: 8, "ons-10-5": 10, "gel-5": 5 };
const methods = {
  none: "rounding: none", nearest: "rounding: nearest\nbase: 5", nearest_even: "rounding: nearest_even\nbase: 5",
  midpoint: "rounding: midpoint\nbase: 6", controlled: "rounding: controlled\nbase: 5",
  cell_key: "rounding: cell_key\nnoise_most: 5\nnoise_variance: 3\nnoise_skip: 2",
};
const fail = (text) => { console.log(text); process.exit(1); };

// --- the tables ---------------------------------------------------------------------------------------------------
const keyOf = (labels) => { let h = 2166136261; for (const c of labels.join("\t")) h = Math.imul(h ^ c.charCodeAt(0), 16777619) >>> 0; return h; };

function dimension(name, d) {
  const levels = [{ label: d.total }], index = new Map([[d.total, 0]]), parted = new Set();
  for (const [total, parts] of d.sums) {
    if (!index.has(total) || parted.has(total) || parts.some((p) => index.has(p))) continue; // another grouping
    parted.add(total);
    for (const part of parts) { index.set(part, levels.length); levels.push({ label: part, parent: index.get(total) }); }
  }
  return { name, levels, index };
}

const table = (i, title, dimensions, cells) => ({ name: `t${i}`, title, unit: "persons", type: "count", dimensions, cells });

function withoutTotals(instance, title, ways) {
  const [whole] = resultOf(instance).tables, isLeaf = (d, l) => !d.levels.some((x) => x.parent === l);
  const leaves = whole.dimensions.map((d) => d.levels.flatMap((_, l) => (isLeaf(d, l) ? [l] : [])));
  const inner = whole.cells.filter((c) => c.at.every((l, d) => isLeaf(whole.dimensions[d], l)));
  const tables = ways.map((way, i) => {
    const counted = new Map();
    for (const c of inner) {
      const at = way.map((d) => leaves[d].indexOf(c.at[d])), persons = (counted.get(String(at))?.persons ?? 0) + c.persons;
      counted.set(String(at), { at, persons, key: persons ? keyOf([String(way), ...at.map(String)]) : 0 });
    }
    return table(i, title, way.map((d) => ({ name: whole.dimensions[d].name, levels: leaves[d].map((l) => ({ label: whole.dimensions[d].levels[l].label })) })), [...counted.values()]);
  });
  return { format: "accord-result-1", title, tables };
}

function resultOf(name) {
  const [source, form] = name.split("/"), forms = { crosstabs: [[0, 1], [0, 2]], ways: [[0], [1]] };
  if (form) return withoutTotals(source, name, forms[form]);
  const instance = JSON.parse(readFileSync(`${instances}/${name}.json`));
  const tables = instance.tables.map((t, i) => {
    const [head, ...rows] = readFileSync(`${instances}/${t.cells}`, "utf8").trim().split("\n").map((l) => l.split(","));
    const dims = t.vars.map((v) => dimension(v, instance.dims[v])), freq = head.indexOf("freq");
    const cells = rows.flatMap((row) => {
      const labels = t.vars.map((v) => row[head.indexOf(v)]), at = labels.map((l, d) => dims[d].index.get(l));
      const persons = Number(row[freq]);
      return at.includes(undefined) ? [] : [{ at, persons, key: persons ? keyOf(labels.filter((l, d) => l !== dims[d].levels[0].label)) : 0 }];
    });
    return table(i, name, dims.map(({ name, levels }) => ({ name, levels })), cells);
  });
  return { format: "accord-result-1", title: name, tables };
}

// --- glpsol -------------------------------------------------------------------------------------------------------
function range(p, method, minimum) {
  let r = { none: [p, p], nearest: [p - 2, p + 2], nearest_even: [p - 2, p + 2], midpoint: p ? [p - 2, p + 3] : [0, 0], controlled: [p - 5, p + 5],
            cell_key: p ? [p - 5, p + 5] : [0, 0] }[method];
  if (p === 0) return [0, r[1] < minimum ? 0 : r[1]];
  return [Math.max(r[0], minimum), r[1]];
}

// All tables as one system: cells of one place are one variable, a table without a dimension is at its total there, and two tables have the same sums
// over what they share (where both print such a sum, it is one variable).
function margins(a, b, variable) {
  const sums = new Map(), shared = a.dimensions.map((d) => d.name).filter((n) => b.dimensions.some((d) => d.name === n));
  for (const [t, sign] of [[a, "+"], [b, "-"]]) for (const c of t.cells) {
    if (!t.dimensions.every((d, i) => shared.includes(d.name) || d.levels[c.at[i]].parent == null)) continue;
    const labels = shared.map((n) => { const i = t.dimensions.findIndex((d) => d.name === n); return t.dimensions[i].levels[c.at[i]].label; }).join("\t");
    const sum = sums.get(labels) ?? { "+": [], "-": [] };
    sum[sign].push(variable(t, c.at));
    sums.set(labels, sum);
  }
  return [...sums.values()].filter((s) => s["+"].length && s["-"].length && !s["+"].some((x) => s["-"].includes(x)))
    .map((s) => [...s["+"].map((x) => `+ ${x}`), ...s["-"].map((x) => `- ${x}`)].join(" "));
}

function programme(released, method, minimum) {
  const total = {}, bounds = new Map(), rows = [], number = new Map();
  for (const t of released.tables) for (const d of t.dimensions) total[d.name] ||= d.levels.some((l) => l.parent === 0) ? d.levels[0].label : "";
  const dims = Object.keys(total).sort();
  const place = (t, at) => dims.map((d) => { const i = t.dimensions.findIndex((x) => x.name === d); return i < 0 ? total[d] : t.dimensions[i].levels[at[i]].label; }).join("\t");
  for (const t of released.tables) for (const c of t.cells) {
    const key = place(t, c.at), r = c.hidden ? [0, Infinity] : range(c.value, method, minimum), known = bounds.get(key) ?? [0, Infinity];
    bounds.set(key, [Math.max(r[0], known[0]), Math.min(r[1], known[1])]);
    if (!number.has(key)) number.set(key, `x${number.size}`);
  }
  for (const t of released.tables) for (const c of t.cells) t.dimensions.forEach((d, i) => {
    const parts = d.levels.flatMap((l, k) => (l.parent === c.at[i] ? [place(t, c.at.with(i, k))] : [])).filter((k) => number.has(k));
    if (d.levels.some((l) => l.parent === c.at[i])) rows.push(`r${rows.length}: ${parts.map((k) => `+ ${number.get(k)}`).join(" ")} - ${number.get(place(t, c.at))} = 0`);
  });
  released.tables.forEach((a, i) => released.tables.slice(i + 1).forEach((b) =>
    margins(a, b, (t, at) => number.get(place(t, at))).forEach((sum) => rows.push(`r${rows.length}: ${sum} = 0`))));
  const limits = [...bounds].map(([k, [low, high]]) => ` ${low} <= ${number.get(k)}${high === Infinity ? "" : ` <= ${high}`}`);
  return { place, number, text: (side, x) => `${side}imize\n obj: ${x}\nsubject to\n ${rows.join("\n ")}\nbounds\n${limits.join("\n")}\nend\n` };
}

function bound(lp, side, x) {
  writeFileSync(`${folder}/model.lp`, lp.text(side, x));
  execFileSync("glpsol", ["--nopresol", "--lp", `${folder}/model.lp`, "-o", `${folder}/out`], { stdio: "ignore" });
  const out = readFileSync(`${folder}/out`, "utf8");
  if (/^Status:.*UNBOUNDED/m.test(out)) return side === "max" ? Infinity : fail(`glpsol: no least value of ${x}`);
  if (!/^Status:.*OPTIMAL/m.test(out)) fail(`glpsol has no answer: ${out.slice(0, 200)}`);
  return Number(/^Objective:.*= *(\S+)/m.exec(out)[1]);
}

// --- the product --------------------------------------------------------------------------------------------------
const haveGlpsol = spawnSync("glpsol", ["--version"]).status === 0;
let releases = 0, refused = 0, small = 0, asked = 0, sums = 0;

function attack(what, result, released, method, minimum) {
  const audit = spawnSync(accord, ["disclose", "audit", `${folder}/released.json`, "--format", "csv"], { encoding: "utf8", maxBuffer: 1 << 28 });
  const found = new Map(), protectedCells = [];
  for (const line of audit.stdout.trim().split("\n").slice(1)) {
    const f = /^([^,]*),("(?:[^"]|"")*"|[^,]*),([a-z]+)/.exec(line);
    found.set(`${f[1]}\t${f[2].replace(/^"|"$/g, "")}`, f[3]);
  }
  result.tables.forEach((t, i) => {
    const out = new Map(released.tables[i].cells.map((c) => [String(c.at), c]));
    for (const c of t.cells) {
      const cell = out.get(String(c.at));
      if (c.persons < 1 || c.persons >= minimum) continue;
      if (!cell.hidden) fail(`${what}: a count of ${c.persons} is printed`);
      const verdict = found.get(`${t.name}\t${c.at.map((l, d) => t.dimensions[d].levels[l].label).join(", ")}`);
      if (verdict !== "safe") fail(`${what}: the audit finds ${c.at} of ${t.name} (${c.persons}) ${verdict}`);
      protectedCells.push([released.tables[i], c.at]);
      small++;
    }
    if (method === "controlled") sums += checkSums(what, released.tables[i]);
  });
  const lp = programme(released, method, minimum), step = Math.max(1, Math.floor(protectedCells.length / cellsAsked));
  for (let i = 0; haveGlpsol && i < protectedCells.length && i < step * cellsAsked; i += step) {
    const [t, at] = protectedCells[i], x = lp.number.get(lp.place(t, at)), low = bound(lp, "min", x), high = bound(lp, "max", x);
    if (low > 1 + 1e-6 || high < minimum - 1 - 1e-6) fail(`${what}: glpsol finds ${at} within ${low} and ${high}`);
    asked++;
  }
}

function checkSums(what, t) {
  const value = new Map(t.cells.map((c) => [String(c.at), c.value]));
  let n = 0;
  for (const c of t.cells) t.dimensions.forEach((d, i) => {
    const parts = d.levels.flatMap((l, k) => (l.parent === c.at[i] ? [String(c.at.with(i, k))] : []));
    if (c.hidden || !parts.length || parts.some((k) => value.has(k) && value.get(k) === undefined)) return;
    n++;
    if (parts.reduce((s, k) => s + (value.get(k) ?? 0), 0) !== c.value) fail(`${what}: ${c.at} is not the sum of its parts`);
  });
  return n;
}

for (const name of names) {
  const result = resultOf(name);
  writeFileSync(`${folder}/result.json`, JSON.stringify(result));
  for (const [profile, minimum] of Object.entries(profiles)) for (const [method, rules] of Object.entries(methods)) {
    const what = `${name}, ${profile}, ${method}`;
    writeFileSync(`${folder}/policy.yaml`, `name: p\nversion: 1\napproved_by: A test\ninherits: ${profile}\n${rules}\n`);
    const out = spawnSync(accord, ["disclose", "release", `${folder}/result.json`, "--policy", `${folder}/policy.yaml`, "--format", "json"],
                          { encoding: "utf8", maxBuffer: 1 << 28 });
    releases++;
    if (out.status !== 0) {
      if (!/could not be proven safe|cannot be made uncertain|no rounding/.test(out.stderr)) fail(`${what}: ${out.stderr}`);
      refused++;
      continue;
    }
    writeFileSync(`${folder}/released.json`, out.stdout);
    if (spawnSync(accord, ["disclose", "verify", `${folder}/released.json`]).status !== 0) fail(`${what}: the second look refuses it`);
    attack(what, result, JSON.parse(out.stdout), method, minimum);
  }
}
console.log(`${releases} releases, ${refused} refused; ${small} small cells audited, ${asked} by glpsol too, none found; ${sums} rounded sums hold`);
if (releases === refused || small === 0 || (haveGlpsol && asked === 0) || (sums === 0 && !names.every((n) => n.includes("/")))) fail("nothing was asked");
