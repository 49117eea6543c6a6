// SPDX-License-Identifier: Apache-2.0
// Lists to choose from, each fetched once: items of a noun, codes of a vocabulary.
import { useEffect, useState } from "preact/hooks";
import { get, Problem, type Item } from "../../../api";

export interface Code {
  code: string;
  label: string;
  parent: string;
  amount?: number;
}

const fetched = new Map<string, Promise<unknown>>();

function once<T>(path: string): Promise<T> {
  let here = fetched.get(path) as Promise<T> | undefined;
  if (!here) {
    here = get<T>(path);
    fetched.set(path, here);
    here.catch(() => fetched.delete(path));
  }
  return here;
}

// After a change what was fetched may be old.
export const forget = (): void => fetched.clear();

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
  return got && got.path === path ? got.value : undefined;
}

// Id, title, state, kind and body of each; the whole of each where their documents are needed.
export const useItems = (noun: string | undefined, filter = ""): Item[] | undefined =>
  useFetched<{ items: Item[] }>(noun && `/register/${noun}?limit=1000&brief=true${filter}`)?.items;
export const useWhole = (noun: string, filter = ""): Item[] | undefined => useFetched<{ items: Item[] }>(`/register/${noun}?limit=1000${filter}`)?.items;
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
