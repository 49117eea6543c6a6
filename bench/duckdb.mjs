// SPDX-License-Identifier: Apache-2.0
//
// DuckDB on the same data. Each step prints one line of JSON; CPU is user + system of this process over all threads.
//
//   node duckdb.mjs load DATA DATABASE          the OMOP CSV files into tables, every column of CDM 5.4 with its type
//   node duckdb.mjs cluster DATABASE            a second copy of the event tables, ordered by concept and person
//   node duckdb.mjs query DATABASE RUNS         bench/queries/*.sql on both layouts: the better counts
import { DuckDBInstance } from "@duckdb/node-api";
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpus } from "node:os";

const here = dirname(fileURLToPath(import.meta.url));
const queries = process.env.BENCH_QUERIES ?? join(here, "queries");
const threads = process.env.ACCORD_THREADS ?? String(cpus().length);
const tables = ["person", "observation_period", "visit_occurrence", "condition_occurrence", "drug_exposure",
  "measurement", "procedure_occurrence", "observation", "death", "concept", "concept_ancestor", "concept_relationship"];
const clustered = { visit_occurrence: "visit_concept_id", condition_occurrence: "condition_concept_id",
  drug_exposure: "drug_concept_id", measurement: "measurement_concept_id" };
const warmUps = 2, enoughMs = 15000;

function say(record) {
  console.log(JSON.stringify({ engine: "duckdb", ...record }));
}

async function timed(work) {
  const cpu = process.cpuUsage(), start = process.hrtime.bigint();
  const answer = await work();
  const used = process.cpuUsage(cpu);
  return { answer, wall_ms: Number(process.hrtime.bigint() - start) / 1e6, cpu_ms: (used.user + used.system) / 1e3 };
}

async function connect(database) {
  const instance = await DuckDBInstance.create(database, { threads });
  return instance.connect();
}

function headerOf(path) {
  const file = openSync(path, "r"), bytes = Buffer.alloc(8192);
  const n = readSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
  return bytes.toString("utf8", 0, n).split("\n")[0].trim().split(",");
}

function typeOf(column) {
  if (/_source_value$|_reason$|_name$|^domain_id$|^vocabulary_id$|^concept_class_id$|^relationship_id$/.test(column)) return "VARCHAR";
  if (/_datetime$/.test(column)) return "TIMESTAMP";
  if (/_date$/.test(column)) return "DATE";
  if (/_id(_1|_2)?$/.test(column)) return "BIGINT";
  if (/^value_as_number$|^quantity$|^range_/.test(column)) return "DOUBLE";
  if (/_of_birth$|^days_supply$|^refills$|_of_separation$/.test(column)) return "INTEGER";
  return "VARCHAR";
}

async function load(data, database) {
  const db = await connect(database);
  const spent = await timed(async () => {
    let rows = 0;
    for (const table of tables) {
      const path = join(data, `${table}.csv`);
      const columns = headerOf(path).map((c) => `"${c}" ${typeOf(c)}`).join(", ");
      await db.run(`CREATE TABLE ${table} (${columns})`);
      const done = await db.run(`COPY ${table} FROM '${path}' (HEADER, DELIMITER ',', QUOTE '"')`);
      rows += Number(done.rowsChanged);
    }
    await db.run("CHECKPOINT");
    return rows;
  });
  say({ step: "load", rows: spent.answer, wall_ms: spent.wall_ms, cpu_ms: spent.cpu_ms,
    peak_kib: process.resourceUsage().maxRSS, bytes: statSync(database).size });
}

async function cluster(database) {
  const db = await connect(database);
  const before = statSync(database).size;
  const spent = await timed(async () => {
    for (const [table, concept] of Object.entries(clustered))
      await db.run(`CREATE TABLE ${table}_by_concept AS FROM ${table} ORDER BY ${concept}, person_id`);
    await db.run("CHECKPOINT");
  });
  say({ step: "cluster", wall_ms: spent.wall_ms, cpu_ms: spent.cpu_ms, bytes: statSync(database).size - before });
}

function byConcept(sql) {
  return sql.replace(/(?<!')\b(visit_occurrence|condition_occurrence|drug_exposure|measurement)\b(?!_id)/g, "$1_by_concept");
}

// The fastest run after the warm-up; what takes many seconds is run twice, and the second counts.
async function best(db, sql, runs) {
  let fastest = null, wall = 0;
  for (let n = 0; n < warmUps + runs && (n < 2 || wall < enoughMs); n++) {
    const spent = await timed(() => db.runAndReadAll(sql));
    const warm = n >= warmUps || (n > 0 && wall + spent.wall_ms > enoughMs);
    wall += spent.wall_ms;
    if (warm && (!fastest || spent.cpu_ms < fastest.cpu_ms)) fastest = spent;
  }
  return { ...fastest, answer: fastest.answer.getRowsJson() };
}

async function query(database, runs) {
  const db = await connect(database);
  for (const file of readdirSync(queries).filter((f) => f.endsWith(".sql")).sort()) {
    const sql = readFileSync(join(queries, file), "utf8");
    for (const [layout, text] of [["as loaded", sql], ["by concept", byConcept(sql)]]) {
      const fastest = await best(db, text, runs);
      say({ step: "query", query: file.slice(0, -4), layout, cpu_ms: fastest.cpu_ms, wall_ms: fastest.wall_ms,
        answer: fastest.answer, peak_kib: process.resourceUsage().maxRSS });
    }
  }
}

const [step, ...rest] = process.argv.slice(2);
if (step === "load") await load(rest[0], rest[1]);
else if (step === "cluster") await cluster(rest[0]);
else if (step === "query") await query(rest[0], Number(rest[1]));
else throw new Error(`duckdb.mjs: unknown step ${step}`);
