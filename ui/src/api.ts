// SPDX-License-Identifier: Apache-2.0
// The register's API: plain GETs of JSON. Errors are problem+json and come out as their public text.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Item = { [key: string]: Json };

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function get<T>(path: string): Promise<T> {
  const answer = await fetch("/api/v1" + path, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
    throw new Problem(answer.status, problem.detail ?? problem.title ?? answer.statusText);
  }
  return (await answer.json()) as T;
}
