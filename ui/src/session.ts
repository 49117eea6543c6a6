// SPDX-License-Identifier: Apache-2.0
// Who is signed in. The session is a cookie that no script can read; what is kept here is only that there is one, so that a
// reader of public pages asks nothing. The token for changes (CSRF) is in memory alone and comes with GET /session.
import { useEffect, useState } from "preact/hooks";
import { send, unauthenticated, Problem, type Json } from "./api";

export interface Grant {
  role: string;
  body: string;
  body_name: string;
  scope?: string;
  counts: boolean;
  why?: string;
}
export interface Session {
  account: string;
  key: string; // with which the hub signs for the account
  person?: string; // on the register, whose key the account holds
  csrf_token: string;
  roles: Grant[];
}
// ended: there was one, and its time is up.
export type Who = { state: "unknown" | "out" | "ended" } | { state: "in"; session: Session };

const flag = "accord.session";
let who: Who = { state: "unknown" };
const watchers = new Set<(w: Who) => void>();

function tell(next: Who) {
  who = next;
  for (const w of watchers) w(who);
}

export async function refresh(): Promise<void> {
  if (localStorage.getItem(flag) === null) return tell({ state: "out" });
  try {
    const { csrf_token } = await send<{ csrf_token: string }>("GET", "/session");
    tell({ state: "in", session: { ...(await send<Omit<Session, "csrf_token">>("GET", "/standing")), csrf_token } });
  } catch (e) {
    if (!(e instanceof Problem) || e.status !== 401) throw e;
    localStorage.removeItem(flag);
    tell({ state: "ended" });
  }
}

export async function signIn(person: string, password: string, code: string): Promise<void> {
  await send("POST", "/session", { person, password, code });
  localStorage.setItem(flag, "1");
  await refresh();
}

export async function signOut(): Promise<void> {
  if (who.state === "in") await change("DELETE", "/session").catch(() => undefined);
  localStorage.removeItem(flag);
  tell({ state: "out" });
}

// A change in the session's name.
export function change<T>(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<T> {
  const token = who.state === "in" ? who.session.csrf_token : "";
  return send<T>(method, path, body, { ...headers, "X-CSRF-Token": token });
}

// A session that has ended is said, whatever noticed it.
unauthenticated.heard = () => {
  if (who.state !== "in") return;
  localStorage.removeItem(flag);
  tell({ state: "ended" });
};

// Back from an organisation's own sign-in (/work?signed-in) the cookie is there already.
if (new URLSearchParams(location.search).has("signed-in")) localStorage.setItem(flag, "1");

export function useWho(): Who {
  const [now, set] = useState(who);
  useEffect(() => {
    watchers.add(set);
    set(who);
    if (who.state === "unknown") void refresh().catch(() => tell({ state: "out" }));
    return () => {
      watchers.delete(set);
    };
  }, []);
  return now;
}
