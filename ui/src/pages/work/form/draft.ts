// SPDX-License-Identifier: Apache-2.0
// What is typed is kept in this browser, by person and form, until it was sent: a draft in the register would be public.
import type { Raws } from "./spec";

const key = (person: string, verb: string, id: string) => `accord.draft.${person}.${verb}.${id}`;

export function draftFind(person: string, verb: string, id: string): Raws | undefined {
  try {
    const text = localStorage.getItem(key(person, verb, id));
    return text === null ? undefined : (JSON.parse(text) as Raws);
  } catch {
    return undefined;
  }
}

export function draftKeep(person: string, verb: string, id: string, values: Raws): void {
  try {
    localStorage.setItem(key(person, verb, id), JSON.stringify(values));
  } catch {
    // A full or forbidden store loses comfort, nothing else.
  }
}

export function draftDrop(person: string, verb: string, id: string): void {
  localStorage.removeItem(key(person, verb, id));
}
