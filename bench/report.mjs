// SPDX-License-Identifier: Apache-2.0
//
// The table of a benchmark run, from the lines of JSON that its steps wrote. Exits with 1 when two engines answer a
// question differently.
//
//   node report.mjs RESULTS.jsonl
import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const find = (engine, step) => lines.find((l) => l.engine === engine && l.step === step);
const peers = ["duckdb", "postgres"].filter((engine) => find(engine, "load"));
const names = { duckdb: "DuckDB", postgres: "PostgreSQL" };
const data = find("data", "data");

function number(v) {
  if (v === undefined || v === null || Number.isNaN(v)) return "";
  return v >= 1000 ? String(Math.round(v)) : v >= 10 ? v.toFixed(1) : v >= 0.1 ? v.toFixed(2) : v.toFixed(4);
}

// One line: what is measured, Accord's value, and per peer its value and how many times better Accord is.
function row(what, ours, theirs, moreIsBetter) {
  const cells = [what, number(ours)];
  for (const v of theirs) {
    cells.push(number(v));
    cells.push(ours && v ? `${number(moreIsBetter ? ours / v : v / ours)}x` : "");
  }
  return cells;
}

function importRows() {
  const ours = find("accord", "import"), loads = peers.map((p) => find(p, "load"));
  const rate = (l) => l && data.rows / l.cpu_ms / 1e3;
  return [
    row("import, wall s", ours.wall_ms / 1e3, loads.map((l) => l.wall_ms / 1e3)),
    row("import, CPU s", ours.cpu_ms / 1e3, loads.map((l) => l.cpu_ms / 1e3)),
    row("import, million rows per CPU-s", rate(ours), loads.map(rate), true),
    row("import, peak memory MiB", ours.peak_kib / 1024, loads.map((l) => l.peak_kib / 1024)),
    row("stored, bytes per row", find("accord", "size").bytes / data.rows, loads.map((l) => l.bytes / data.rows)),
    row("stored with a second order", find("accord", "size").bytes / data.rows,
      peers.map((p) => find(p, "cluster") && (find(p, "load").bytes + find(p, "cluster").bytes) / data.rows)),
  ];
}

// How many threads an engine was given; ours is also run with one.
const threads = (engine) => lines.filter((l) => l.engine === engine && l.step === "query").map((l) => l.threads).sort((a, b) => b - a)[0];

// The better layout of a peer counts. A second way of ours to answer a question ("q12-sealed") stands beside the same SQL.
function best(engine, query) {
  const asked = engine === "accord" ? query : query.split("-")[0];
  const found = lines.filter((l) => l.engine === engine && l.step === "query" && l.query === asked && l.threads === threads(engine));
  return found.sort((a, b) => a.cpu_ms - b.cpu_ms)[0];
}

const textOf = (line) => JSON.stringify(line.answer.map((cells) => cells.map(String).join("|")).sort());
const queries = [...new Set(lines.filter((l) => l.step === "query" && l.engine !== "floor").map((l) => l.query))].sort();
const asSealed = (query) => query.endsWith("-sealed");
const inTheMean = (query) => query.split("-")[0] <= "q14"; // the set of q01 to q14
const differences = [];

function queryRows() {
  const ratios = peers.map(() => []); // of each peer: [query, how many times Accord's]
  const rows = queries.map((q) => {
    const ours = best("accord", q), theirs = peers.map((p) => best(p, q));
    const answers = lines.filter((l) => l.step === "query" && l.query.split("-")[0] === q.split("-")[0]);
    if (answers.some((a) => textOf(a) !== textOf(answers[0])))
      differences.push(`${q}: ${answers.map((a) => `${a.engine} ${textOf(a).slice(0, 60)} (${a.answer.length})`).join(", ")}`);
    theirs.forEach((t, i) => ours && t && inTheMean(q) && ratios[i].push([q, t.cpu_ms / ours.cpu_ms]));
    const counted = answers[0].answer.length === 1 ? `${answers[0].answer[0][0]} persons` : `${answers[0].answer.length} cells`;
    return row(`${q}, CPU ms (${counted})`, ours?.cpu_ms, theirs.map((t) => t?.cpu_ms));
  });
  const mean = (v) => Math.exp(v.reduce((sum, x) => sum + Math.log(x), 0) / v.length);
  // One way each: a question that can also be read as the import sealed it counts as 'left' leaves it.
  const meanRow = (what, left) => [what, "", ...ratios.flatMap((r) => {
    const v = r.filter(([q]) => left(q)).map(([, ratio]) => ratio);
    return ["", `${number(mean(v))}x; ${number(Math.min(...v))}x`];
  })];
  const sealed = queries.filter(asSealed), counted = sealed.map((q) => q.split("-")[0]);
  if (ratios.some((r) => r.length))
    rows.push(meanRow("q01 to q14, all counted from the rows: geometric mean; worst", (q) => !asSealed(q)),
      meanRow(`the same with ${counted.join(", ")} as sealed`, (q) => !counted.includes(q)));
  return rows;
}

// Wall time with one thread over wall time with all.
function threadRows() {
  return lines.filter((l) => l.engine === "accord" && l.threads < threads("accord")).map((one) => {
    const all = best("accord", one.query);
    return [`${one.query}, wall ms; one thread over ${all.threads}`, `${number(all.wall_ms)}; ${number(one.wall_ms / all.wall_ms)}x`,
      ...peers.flatMap(() => ["", ""])];
  });
}

// The floor has one thread; so has ours in the share of what one core can read: q12 goes over person and day of every row, which
// stand for two bytes each.
function floorRows() {
  const none = peers.flatMap(() => ["", ""]), width = find("floor", "bandwidth");
  const rows = lines.filter((l) => l.engine === "floor" && l.step === "query").map((l) =>
    [`${l.query}, the floor's CPU ms; Accord over it`, `${number(l.cpu_ms)}; ${number(best("accord", l.query.split("-")[0]).cpu_ms / l.cpu_ms)}x`, ...none]);
  const scan = lines.find((l) => l.engine === "accord" && l.query === "q12" && l.threads === 1);
  if (!width || !scan) return rows;
  const rate = (4 * scan.answer.reduce((sum, cells) => sum + Number(cells[2]), 0)) / scan.cpu_ms / 1e6;
  rows.push(["one core reads, GB/s; of it a window over 2-byte days", `${number(width.read_gb_s)}; ${number((100 * width.window_gb_s) / width.read_gb_s)}%`, ...none]);
  rows.push(["q12 on one thread, GB/s of 2-byte values; of what it reads", `${number(rate)}; ${number((100 * rate) / width.read_gb_s)}%`, ...none]);
  return rows;
}

// What only Accord is asked: the nine cohorts in one study, cohorts over whole tables.
function aloneRows() {
  const none = peers.flatMap(() => ["", ""]);
  return lines.filter((l) => l.step === "alone").flatMap((l) => [
    [`${l.query}: CPU ms; wall ms`, `${number(l.cpu_ms)}; ${number(l.wall_ms)}`, ...none],
    [`${l.query}: memory beside the store, MiB`, number(l.own_kib / 1024), ...none],
  ]);
}

function memoryRows() {
  const peak = (engine) => Math.max(...lines.filter((l) => l.engine === engine && l.step === "query").map((l) => l.peak_kib)) / 1024;
  const first = best("accord", queries[0]), open = find("accord", "open");
  const own = Math.max(...lines.filter((l) => l.engine === "accord" && l.own_kib).map((l) => l.own_kib)) / 1024;
  const rows = [row("cohorts, peak memory MiB", peak("accord"), peers.map(peak))];
  rows.push(row("the same beside the mapped store, MiB", own, peers.map(() => undefined)));
  if (first && open) rows.push(row("open the store and answer q01, wall ms", open.wall_ms + first.first_wall_ms, peers.map(() => undefined)));
  return rows;
}

function print(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((r) => r[c].length)));
  for (const r of rows) console.log(r.map((cell, c) => (c ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join("  "));
}

console.log(`\n${data.persons} persons, ${data.rows} rows, ${(data.bytes / 1e9).toFixed(2)} GB of CSV, profile ${data.profile}\n`);
print([["", "Accord", ...peers.flatMap((p) => [names[p], "ratio"])], ...importRows(), ...queryRows(), ...threadRows(), ...floorRows(), ...aloneRows(), ...memoryRows()]);
if (differences.length) {
  console.error(`\nanswers differ:\n${differences.join("\n")}`);
  process.exit(1);
}
console.log("\nEvery answer is the same in every engine. A ratio above 1 is in Accord's favour; the better layout of a peer counts.");
