// SPDX-License-Identifier: Apache-2.0
// Lists to choose from, each fetched once: items of a noun, codes of a vocabulary.
import { useEffect, useState } from "preact/hooks";
import { get, Problem, type Item } from "../../../api";
import type { Choice } from "../controls";

export interface Code {
  code: string;
  label: string;
  parent: string;
  amount?: number;
}

const fetched = new Map<string, Promise<unknown>>();
const known = new Map<string, unknown>(); // what has come, so that a new row of a form has its list at once

function once<T>(path: string): Promise<T> {
  let here = fetched.get(path) as Promise<T> | undefined;
  if (!here) {
    here = get<T>(path);
    fetched.set(path, here);
    here.then(
      (value) => fetched.get(path) === here && known.set(path, value),
      () => fetched.delete(path),
    );
  }
  return here;
}

// After a change what was fetched may be old.
export const forget = (): void => {
  fetched.clear();
  known.clear();
};

function useFetched<T>(path: string | undefined): T | undefined {
  const [got, set] = useState<{ path: string; value: T }>();
  useEffect(() => {
    if (path !== undefined)
      once<T>(path).then(
        (value) => set({ path, value }),
        (e: unknown) => {
          if (!(e instanceof Problem)) throw e;
        },
      );
  }, [path]);
  if (got && got.path === path) return got.value;
  return path === undefined ? undefined : (known.get(path) as T | undefined);
}

const MOST_LISTED = 1000;
const MOST_FOUND = 20;
const todayIso = (): string => new Date().toISOString().slice(0, 10);
const listed = (noun: string, filter: string, most: number): string =>
  `/register/${noun}?limit=${most}&brief=true${noun === "body" ? `&on=${todayIso()}` : ""}${filter}`;

// Beyond a thousand the register is asked: for the words in its public text, and for ids that begin so.
async function findItems(noun: string, filter: string, typed: string): Promise<Choice[]> {
  const words = typed.trim().split(/\s+/).map((w) => `${w}*`).join(" ");
  const state = /[?&]state=([a-z_]+)/.exec(filter)?.[1];
  const start = typed.trim();
  const before = start.slice(0, -1) + String.fromCharCode(start.charCodeAt(start.length - 1) - 1) + "~~"; // the ids behind this begin with it
  const [texts, ids] = await Promise.all([
    get<{ items: Item[] }>(`/search?noun=${noun}&limit=${MOST_FOUND}&q=${encodeURIComponent(words)}`),
    get<{ items: Item[] }>(`${listed(noun, filter, MOST_FOUND)}&after=${encodeURIComponent(before)}`),
  ]);
  const right = [...texts.items.filter((i) => !state || i["state"] === state), ...ids.items.filter((i) => String(i["id"]).startsWith(start))];
  return [...new Map(right.map((i) => [String(i["id"]), choiceOf(i)])).values()];
}

export const choiceOf = (i: Item): Choice => ({ value: String(i["id"]), label: nameOf(i) });

// What can be chosen among a noun's items: all of them, or the first thousand and a way to find the others.
export function useFindable(
  noun: string | undefined,
  filter = "",
): { items: Item[]; choices: Choice[]; loading: boolean; more: ((typed: string) => Promise<Choice[]>) | undefined } {
  const come = useItems(noun, filter);
  const items = come ?? [];
  const more = noun !== undefined && items.length >= MOST_LISTED ? (typed: string) => findItems(noun, filter, typed) : undefined;
  return { items, choices: items.map(choiceOf), loading: noun !== undefined && come === undefined, more };
}

// Id, title, state, kind and body of each (bodies: those of today); the whole of each where their documents are needed.
export const useItems = (noun: string | undefined, filter = ""): Item[] | undefined =>
  useFetched<{ items: Item[] }>(noun && listed(noun, filter, MOST_LISTED))?.items;
export const useWhole = (noun: string, filter = ""): Item[] | undefined => useFetched<{ items: Item[] }>(`/register/${noun}?limit=${MOST_LISTED}${filter}`)?.items;
export const useItem = (noun: string, id: string | undefined): Item | undefined => useFetched<Item>(id === undefined ? undefined : `/register/${noun}/${encodeURIComponent(id)}`);

// The vocabularies that the register has loaded; a scheme that is not there is not asked for.
export function useCodes(scheme: string | undefined): Code[] | undefined {
  const there = useItems(scheme === undefined ? undefined : "vocabulary");
  const path = there?.some((v) => v["id"] === scheme) ? `/vocabularies/${scheme}` : undefined;
  const got = useFetched<{ items: Code[] }>(path)?.items;
  return there && path === undefined ? [] : got;
}

export const useKinds = () => useFetched<{ items: { kind: string; summary: string; example: Item }[] }>("/study/kinds")?.items;

export const nameOf = (i: Item): string => String(i["title"] || i["name"] || i["id"]);
