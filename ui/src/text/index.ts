// SPDX-License-Identifier: Apache-2.0
// All text of the UI in one place, in English. Keys are grouped by page.

export const text = {
  product: "Accord",
  log: {
    verify: "Check this entry in your browser",
    verifying: "Checking…",
    right: "Checked: this entry is in the log, unchanged.",
    wrong: "This entry could not be confirmed. Somebody may have changed it: please tell the register's operator.",
  },
  who: {
    signIn: "Sign in",
    signOut: "Sign out",
    signedIn: "Signed in as",
    actingFor: "for",
    work: "Your work",
  },
  state: {
    loading: "Loading…",
    failed: "This page could not be loaded.",
    notFound: "There is no such page.",
  },
} as const;

export const activity = {
  title: "Entries of the log in the last four weeks, day by day",
  entries: "Entries a day",
} as const;

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

// "2026-11-22" reads "22 November 2026".
export function day(date: string): string {
  const at = new Date(date);
  return Number.isNaN(at.getTime()) ? date : days.format(at);
}
