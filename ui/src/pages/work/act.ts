// SPDX-License-Identifier: Apache-2.0
// Doing something on the register in the session's name.
import type { Item, Json } from "../../api";
import { change } from "../../session";

export interface Command {
  verb: string;
  noun: string;
  id: string;
  body?: Item;
  personal?: Item;
}

// The same key is the same entry: who presses twice, or sends again after a lost answer, does it once.
export function act(c: Command, key: string = crypto.randomUUID()): Promise<Item> {
  const sent: Json = { verb: c.verb, subject: `${c.noun}:${c.id}`, body: c.body ?? {} };
  if (c.personal && Object.keys(c.personal).length) sent["personal"] = c.personal;
  return change<Item>("POST", "/act", sent, { "Idempotency-Key": key });
}

// Where the register's own page of an item is.
const paths: Record<string, string> = {
  body: "bodies",
  signal: "signals",
  project: "projects",
  agreement: "agreements",
  run: "runs",
  artefact: "artefacts",
  transfer: "transfers",
  measure: "measures",
};
export function pageOf(noun: string, id: string): string | undefined {
  const path = paths[noun];
  return path && `/${path}/${encodeURIComponent(id)}`;
}

// "Finding COPD: where?" becomes "finding-copd-where".
export function slug(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
}

export function tail(): string {
  return crypto.randomUUID().slice(0, 4);
}
