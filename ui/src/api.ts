// SPDX-License-Identifier: Apache-2.0
// The register's API: JSON both ways. Errors are problem+json and come out as their public text.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Item = { [key: string]: Json };

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code = "",
  ) {
    super(message);
  }
}

// Called when the hub says that it does not know who asks (any more).
export const unauthenticated = { heard: (): void => undefined };

export async function send<T>(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch("/api/v1" + path, {
    method,
    headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 401) unauthenticated.heard();
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string; code?: string };
    throw new Problem(answer.status, problem.detail ?? problem.title ?? answer.statusText, problem.code);
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const get = <T>(path: string): Promise<T> => send<T>("GET", path);
