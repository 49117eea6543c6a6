// SPDX-License-Identifier: Apache-2.0
// A verb's fields as the hub describes them, and the way between what is typed (raw) and what is sent (JSON).
//
// Raw values are what the controls hold, so that a half-typed date or sum is kept in a draft: strings for everything that is
// typed or chosen once, arrays of strings for what is chosen more than once, objects and arrays of objects for groups.
import type { Item, Json } from "../../../api";
import { form as t } from "../../../text/form";
import type { Errors } from "../controls";

export interface Field {
  name: string;
  type: string;
  required: boolean;
  choices?: string[];
  nouns?: string[];
  noun?: string;
  scheme?: string;
  most?: number;
  fields?: Field[];
}
export interface Verb {
  verb: string;
  about: string;
  roles: string[];
  from: string;
  to: string;
  fields: Field[];
}

export type Raw = Json | undefined;
export type Raws = { [name: string]: Json };

export const controlId = (path: string, name: string | number): string => (path ? `${path}-${name}` : String(name));

const isObject = (v: Raw): v is Raws => typeof v === "object" && v !== null && !Array.isArray(v);
export const asText = (v: Raw): string => (typeof v === "string" ? v : "");
export const asTexts = (v: Raw): string[] => (Array.isArray(v) ? v.filter((x): x is string => typeof x === "string") : []);
export const asObject = (v: Raw): Raws => (isObject(v) ? v : {});
export const asList = (v: Raw): Raws[] => (Array.isArray(v) ? v.map(asObject) : []);

export function isEmpty(v: Raw): boolean {
  if (v === undefined || v === null) return true;
  if (typeof v === "string") return v.trim() === "" || v === "--";
  if (Array.isArray(v)) return v.every(isEmpty);
  return isObject(v) ? Object.values(v).every(isEmpty) : false;
}

// "1 234.50" pounds are 123450 pence; undefined when it is no sum of money.
export function pence(text: string): number | undefined {
  const m = /^(\d+)(?:\.(\d{1,2}))?$/.exec(text.replace(/[£,\s]/g, ""));
  return m ? Number(m[1]) * 100 + Number((m[2] ?? "").padEnd(2, "0")) : undefined;
}
export const pounds = (p: number): string => (p % 100 ? (p / 100).toFixed(2) : String(p / 100));

// "5-3-2026" as typed (day, month, year) is 2026-03-05; undefined when there is no such day.
export function isoDay(text: string): string | undefined {
  const [d, m, y] = text.split("-").map((x) => Number(x));
  if (!d || !m || !y || y < 1800 || y > 9999) return undefined;
  const at = new Date(Date.UTC(y, m - 1, d));
  return at.getUTCDate() === d && at.getUTCMonth() === m - 1 ? at.toISOString().slice(0, 10) : undefined;
}
export const typedDay = (iso: string): string => iso.split("-").reverse().map(Number).join("-");

// Whether a field is asked for, by its path without numbers ("mechanisms.rate_percent"), from the answers beside it.
export type Asks = Record<string, (beside: Raws) => boolean>;

export const asked = (asks: Asks | undefined, path: string, beside: Raws): boolean => asks?.[path.replace(/-\d+/g, "").replace(/-/g, ".")]?.(beside) ?? true;

// What was answered before another answer made the question go away is not sent.
export function pruned(fields: Field[], raws: Raws, asks: Asks | undefined, at = ""): Raws {
  const out: Raws = {};
  for (const f of fields) {
    const path = controlId(at, f.name);
    const raw = raws[f.name];
    if (raw === undefined || !asked(asks, path, raws)) continue;
    if (!f.fields) out[f.name] = raw;
    else out[f.name] = Array.isArray(raw) ? asList(raw).map((one) => pruned(f.fields ?? [], one, asks, path)) : pruned(f.fields, asObject(raw), asks, path);
  }
  return out;
}

interface Reading {
  errors: Errors;
  path: string;
  label: (field: Field, path: string) => string;
}

function scalar(f: Field, text: string, fail: (why: string) => undefined): Json | undefined {
  switch (f.type) {
    case "pence":
      return pence(text) ?? fail(t.wrong.money);
    case "whole number":
      return /^\d+$/.test(text.replace(/[,\s]/g, "")) ? Number(text.replace(/[,\s]/g, "")) : fail(t.wrong.whole);
    case "number":
      return Number.isFinite(Number(text.replace(/[,\s]/g, ""))) ? Number(text.replace(/[,\s]/g, "")) : fail(t.wrong.number);
    case "date":
      return isoDay(text) ?? fail(t.wrong.date);
    case "true or false":
      return text === "yes";
    default:
      return f.most !== undefined && new TextEncoder().encode(text).length > f.most ? fail(t.wrong.long(f.most)) : text;
  }
}

function code(text: string): Json {
  const at = text.indexOf(":");
  return { scheme: text.slice(0, at), code: text.slice(at + 1) };
}

function group(fields: Field[], raws: Raws, r: Reading): Item {
  const out: Item = {};
  for (const f of fields) {
    const value = read(f, raws[f.name], { ...r, path: controlId(r.path, f.name) });
    if (value !== undefined) out[f.name] = value;
  }
  return out;
}

// The JSON of a field; undefined when it was left open. What is wrong is noted under the control's id.
export function read(f: Field, raw: Raw, r: Reading): Json | undefined {
  const fail = (why: string): undefined => {
    r.errors[r.path] ??= t.wrong.at(r.label(f, r.path), why);
    return undefined;
  };
  if (isEmpty(raw)) return f.required ? fail(f.choices || f.noun || f.scheme ? t.wrong.choose : t.wrong.missing) : undefined;
  switch (f.type) {
    case "object":
      return f.fields ? group(f.fields, asObject(raw), r) : raw;
    case "list of objects":
      return asList(raw).map((one, i) => group(f.fields ?? [], one, { ...r, path: controlId(r.path, i) }));
    case "list of texts":
      return Array.isArray(raw)
        ? raw
        : asText(raw)
            .split("\n")
            .map((l) => l.trim())
            .filter(Boolean);
    case "list of ids":
      return asTexts(raw);
    case "list of codes":
      return asTexts(raw).map(code);
    default:
      return typeof raw === "string" ? scalar(f, raw.trim(), fail) : raw;
  }
}

// The other way: what an item holds, as the controls show it.
export function show(f: Field, v: Json | undefined): Raw {
  if (v === undefined || v === null) return undefined;
  switch (f.type) {
    case "pence":
      return typeof v === "number" ? pounds(v) : undefined;
    case "date":
      return typeof v === "string" ? typedDay(v) : undefined;
    case "true or false":
      return v === true ? "yes" : "no";
    case "object":
      return f.fields ? showAll(f.fields, asObject(v)) : v;
    case "list of objects":
      return asList(v).map((one) => showAll(f.fields ?? [], one));
    case "list of texts":
      return asTexts(v).join("\n");
    case "list of codes":
      return asList(v).map((c) => `${asText(c["scheme"])}:${asText(c["code"])}`);
    case "personal text, hashed":
      return undefined;
    default:
      return typeof v === "number" ? String(v) : v;
  }
}

export function showAll(fields: Field[], item: Item): Raws {
  const out: Raws = {};
  for (const f of fields) {
    const raw = show(f, item[f.name]);
    if (raw !== undefined) out[f.name] = raw;
  }
  return out;
}
