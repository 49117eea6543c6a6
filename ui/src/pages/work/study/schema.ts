// SPDX-License-Identifier: Apache-2.0
// What each kind of analysis asks, from the published JSON Schema of a study: which control a member has, and whether what is typed
// is what the schema asks for. What only the program knows (that levels do not overlap, say) it says when the study is checked.
//
// A draft holds the JSON itself. What is half typed stays a string where a number is wanted, which the check then says.
import study from "../../../../../docs/study.schema.json";
import type { Item, Json } from "../../../api";
import { analysis as t, dimensionMembers, memberWords } from "../../../text/analysis";
import type { Errors } from "../controls";
import { controlId, isoDay } from "../form/spec";

export interface Node {
  $ref?: string;
  type?: string | string[];
  const?: Json;
  enum?: Json[];
  oneOf?: Node[];
  items?: Node;
  properties?: Record<string, Node>;
  required?: string[];
  pattern?: string;
  description?: string;
  default?: Json;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
}

const definitions = study.$defs as unknown as Record<string, Node>;
const definition = (name: string): Node => definitions[name] ?? {};
const cohortPattern = definition("count").properties?.["cohort"]?.pattern;

export type Shape =
  | { is: "cohort" | "cohorts" | "date" | "window" | "yesno" | "text" | "period" | "domains" }
  | { is: "choice" | "ticks"; choices: string[] }
  | { is: "number"; whole: boolean; ever: boolean }
  | { is: "numbers"; whole: boolean }
  | { is: "group"; node: Node }
  | { is: "rows"; of: Shape; item: Node }
  | { is: "broken_down"; by: "dimension" | "number" | "either" } // models take either
  | { is: "feature"; node: Node };

const references: Record<string, Shape> = {
  window: { is: "window" },
  date: { is: "date" },
  dimension: { is: "broken_down", by: "dimension" },
  number: { is: "broken_down", by: "number" },
};
const types = (n: Node): string[] => (Array.isArray(n.type) ? n.type : n.type ? [n.type] : []);
const reference = (n: Node): string => n.$ref?.split("/").pop() ?? "";

function oneOf(branches: Node[]): Shape {
  const names = branches.map(reference);
  if (names.includes("dimension")) return { is: "broken_down", by: names.includes("number") ? "either" : "dimension" };
  if (branches.some((b) => b.const === "all")) return { is: "domains" };
  const object = branches.find((b) => b.properties);
  return object ? { is: "feature", node: object } : { is: "text" };
}

function list(n: Node): Shape {
  const item = n.items ?? {};
  if (item.enum) return { is: "ticks", choices: item.enum.map(String) };
  if (types(item).includes("number") || types(item).includes("integer")) return { is: "numbers", whole: !types(item).includes("number") };
  if (item.pattern !== undefined && item.pattern === cohortPattern) return { is: "cohorts" };
  return { is: "rows", of: shapeOf(item), item };
}

export function shapeOf(n: Node): Shape {
  const referred = references[reference(n)];
  if (referred) return referred;
  if (n.oneOf) return oneOf(n.oneOf);
  if (n.enum) return { is: "choice", choices: n.enum.map(String) };
  if (n.properties) return { is: "group", node: n };
  const is = types(n);
  if (is.includes("array")) return list(n);
  if (is.includes("boolean")) return { is: "yesno" };
  if (is.includes("integer") && is.includes("string")) return { is: "period" };
  if (is.includes("integer") || is.includes("number")) return { is: "number", whole: is.includes("integer"), ever: is.includes("null") };
  return n.pattern !== undefined && n.pattern === cohortPattern ? { is: "cohort" } : { is: "text" };
}

export interface Member {
  name: string;
  node: Node;
  shape: Shape;
  required: boolean;
}

const unasked = new Set(["kind", "comment"]);

// The members of a group in the schema's order; a dimension asks only what belongs to what it is by.
export function membersOf(n: Node, only?: string[]): Member[] {
  return Object.entries(n.properties ?? {})
    .filter(([name]) => !unasked.has(name) && (!only || only.includes(name)))
    .map(([name, node]) => ({ name, node, shape: name === "name" ? { is: "text" } : shapeOf(node), required: n.required?.includes(name) ?? false }));
}

export const kindNode = (kind: string): Node => definition(kind);
export const dimensionNode: Node = definition("dimension").oneOf?.find((b) => b.properties) ?? {};
export const numberNode: Node = definition("number");
export const dimensions: string[] = (dimensionNode.properties?.["by"]?.enum ?? []).map(String);
export const numbers: string[] = (numberNode.properties?.["number"]?.enum ?? []).map(String);
export const domains: string[] = (definition("characterisation").properties?.["domains"]?.oneOf ?? []).flatMap((b) => b.items?.enum ?? []).map(String);

const isObject = (v: Json | undefined): v is Item => typeof v === "object" && v !== null && !Array.isArray(v);

// --- what a breakdown is by -------------------------------------------------------------------------------------------------------

// "sex" and {"by": "sex"} are the same: the plain name is sent while there is nothing more to say.
export const whole = (v: Json): Item => (isObject(v) ? v : { by: v });
export const plain = (v: Item): Json => (Object.keys(v).length === 1 && v["by"] !== undefined ? v["by"] : v);

// The members that belong to this breakdown; those of them that are seldom said.
export const seldom = ["name", "reference", "range", "concept"];
export function breakdownMembers(v: Item): Member[] {
  if (v["number"] !== undefined) return membersOf(numberNode).filter((m) => m.name !== "number" && (v["number"] === "measurement" || !["concepts", "descendants", "window"].includes(m.name)));
  const by = String(v["by"]);
  return membersOf(dimensionNode, [...(dimensionMembers[by] ?? []), "name", "reference"]).map((m) =>
    m.name === "levels" && m.shape.is === "rows" ? { ...m, shape: { ...m.shape, of: levelsOf(by) } } : m,
  );
}

// Levels group ids of places, or concepts.
function levelsOf(by: string): Shape {
  const level = dimensionNode.properties?.["levels"]?.items ?? {};
  const left = by === "care_site" || by === "region" ? "concepts" : "ids";
  const kept = Object.entries(level.properties ?? {}).filter(([name]) => name !== left);
  return { is: "group", node: { ...level, properties: Object.fromEntries(kept), required: ["label", left === "ids" ? "concepts" : "ids"] } };
}

// --- the check ----------------------------------------------------------------------------------------------------------------------

interface Checking {
  cohorts: string[];
  errors: Errors;
}

export const labelOf = (m: { name: string; node: Node }): string => memberWords(m.name).label;

const isBlank = (v: Json | undefined): boolean => v === undefined || v === "" || (Array.isArray(v) && v.length === 0);

function numberWrong(v: Json, n: Node, integer: boolean): string | undefined {
  if (typeof v !== "number" || !Number.isFinite(v)) return integer ? t.wrong.whole : t.wrong.number;
  if (integer && !Number.isInteger(v)) return t.wrong.whole;
  if (n.minimum !== undefined && v < n.minimum) return t.wrong.least(n.minimum);
  if (n.exclusiveMinimum !== undefined && v <= n.exclusiveMinimum) return t.wrong.over(n.exclusiveMinimum);
  if (n.maximum !== undefined && v > n.maximum) return t.wrong.most(n.maximum);
  if (n.exclusiveMaximum !== undefined && v >= n.exclusiveMaximum) return t.wrong.under(n.exclusiveMaximum);
  return undefined;
}

function listWrong(v: Json[], n: Node): string | undefined {
  if (n.minItems !== undefined && v.length < n.minItems) return t.wrong.fewest(n.minItems);
  return n.maxItems !== undefined && v.length > n.maxItems ? t.wrong.mostItems(n.maxItems) : undefined;
}

function windowWrong(v: Json): string | undefined {
  const days = Array.isArray(v) ? v : [];
  if (days.length !== 2 || days.some((d) => d !== null && !Number.isInteger(d))) return t.wrong.window;
  return typeof days[0] === "number" && typeof days[1] === "number" && days[0] > days[1] ? t.wrong.order : undefined;
}

// What is wrong with one value that is no group and no rows.
function wrong(v: Json, m: Member, c: Checking): string | undefined {
  const { shape, node } = m;
  switch (shape.is) {
    case "cohort":
      return c.cohorts.includes(String(v)) ? undefined : t.wrong.cohort;
    case "cohorts":
      return Array.isArray(v) ? (v.some((x) => !c.cohorts.includes(String(x))) ? t.wrong.cohort : listWrong(v, node)) : t.wrong.cohort;
    case "date":
      return isoDay(String(v).split("-").reverse().join("-")) === v ? undefined : t.wrong.date;
    case "window":
      return windowWrong(v);
    case "choice":
      return shape.choices.includes(String(v)) ? undefined : t.wrong.choose;
    case "number":
      return v === null && shape.ever ? undefined : numberWrong(v, node, shape.whole);
    case "numbers":
      if (!Array.isArray(v)) return t.wrong.numbers;
      return v.map((x) => numberWrong(x, node.items ?? {}, shape.whole)).find(Boolean) ?? listWrong(v, node);
    case "ticks":
    case "domains":
      return Array.isArray(v) && v.length === 0 ? t.wrong.choose : undefined;
    default:
      return undefined;
  }
}

function checkBreakdown(v: Json, id: string, c: Checking): void {
  const item = whole(v);
  if (isBlank(item["by"]) && isBlank(item["number"])) c.errors[controlId(id, "by")] = t.wrong.choose;
  else checkMembers(item, breakdownMembers(item), id, c);
}

function checkValue(v: Json, m: Member, id: string, c: Checking): void {
  const { shape } = m;
  if (shape.is === "group") return checkMembers(isObject(v) ? v : {}, membersOf(shape.node), id, c);
  if (shape.is === "broken_down") return checkBreakdown(v, id, c);
  if (shape.is === "feature") return isObject(v) ? checkMembers(v, membersOf(shape.node), id, c) : checkValue(v, { ...m, shape: { is: "number", whole: true, ever: false } }, id, c);
  if (shape.is === "rows") {
    const rows = Array.isArray(v) ? v : [];
    rows.forEach((row, i) => checkValue(row, { ...m, node: shape.item, shape: shape.of }, controlId(id, i), c));
    const few = listWrong(rows, m.node);
    if (few) c.errors[id] = `${labelOf(m)}: ${few}`;
    return;
  }
  const why = wrong(v, m, c);
  if (why) c.errors[id] = `${labelOf(m)}: ${why}`;
}

function checkMembers(v: Item, members: Member[], id: string, c: Checking): void {
  for (const m of members) {
    const value = v[m.name];
    const at = controlId(id, m.name);
    if (!isBlank(value)) checkValue(value as Json, m, at, c);
    else if (m.required && m.name !== "name") c.errors[at] = `${labelOf(m)}: ${m.shape.is === "cohort" ? t.wrong.cohort : t.wrong.missing}`;
  }
}

export function checkAnalysis(analysis: Item, id: string, cohorts: string[]): Errors {
  const errors: Errors = {};
  checkMembers(analysis, membersOf(kindNode(String(analysis["kind"]))), id, { cohorts, errors });
  return errors;
}

// What is sent: without members that were left open.
export function pruned(v: Json): Json {
  if (Array.isArray(v)) return v.map(pruned);
  if (!isObject(v)) return v;
  return Object.fromEntries(Object.entries(v).filter(([, x]) => !isBlank(x)).map(([k, x]) => [k, pruned(x)]));
}

// --- a new one ----------------------------------------------------------------------------------------------------------------------

const roles = ["target", "comparator", "outcome"];

// An example with the study's own cohorts: the first as the people it is about, the second as what is compared or counted. What is
// not there yet is left open, so that it must be chosen.
export function beginAnalysis(example: Item, cohorts: string[]): Item {
  const chosen = (role: Json): Json => (role === "target" ? (cohorts[0] ?? "") : (cohorts[1] ?? ""));
  const put = (v: Json, name: string): Json => {
    if (typeof v === "string") return roles.includes(v) && name !== "name" ? chosen(v) : v;
    if (Array.isArray(v)) return v.map((x) => put(x, name));
    return isObject(v) ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, put(x, k)])) : v;
  };
  return put(example, "") as Item;
}
