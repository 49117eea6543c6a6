// SPDX-License-Identifier: Apache-2.0
//
// Nine cohorts of the OHDSI PhenotypeLibrary as one study over bench data: their concepts become concepts of the bench
// vocabulary of the same domain, each always the same one, frequent ones first. The shape of the definitions stays:
// criteria, groups, windows, exits. Prints the query for accord_bench.
//
//   node phenotypes.mjs FOLDER
import { readFileSync } from "node:fs";

// From one inclusion rule to 23, from one concept set to 39, with nested groups, drugs, measurements, procedures.
const files = ["219", "283", "295", "720", "819", "877", "1196", "1226", "1304"];
const first = { Condition: 2001000000, Drug: 2001100000, Measurement: 2001200000 };
const mapped = new Map(), used = {};

function mappedConcept(concept) {
  const domain = concept.DOMAIN_ID in first ? concept.DOMAIN_ID : "Condition";
  if (!mapped.has(concept.CONCEPT_ID)) {
    used[domain] = (used[domain] ?? 0) + 1;
    // 1, 8, 15, ... of a domain: the first are its most frequent concepts
    mapped.set(concept.CONCEPT_ID, first[domain] + 1 + 7 * ((used[domain] - 1) % 200));
  }
  return { CONCEPT_ID: mapped.get(concept.CONCEPT_ID) };
}

// Concepts stand under "concept" in concept sets, and as lists under attributes such as Gender, which stay.
function withMapped(value) {
  if (Array.isArray(value)) return value.map(withMapped);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, key === "concept" ? mappedConcept(v) : withMapped(v)]));
}

const cohorts = files.map((file) => ({
  name: `library_${file}`,
  definition: withMapped(JSON.parse(readFileSync(`${process.argv[2]}/${file}.json`, "utf8"))),
}));
const analyses = cohorts.map((c) => ({ kind: "count", name: c.name, cohort: c.name }));
console.log(JSON.stringify({
  answer: { table: cohorts[0].name, figures: ["persons"], least: 0 },
  study: { title: "Nine cohorts of the PhenotypeLibrary", cohorts, analyses },
}));
