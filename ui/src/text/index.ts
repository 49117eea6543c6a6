// SPDX-License-Identifier: Apache-2.0
// All text of the UI in one place, in English. Keys are grouped by page.

export interface NounText {
  api: string; // the noun's name in the API
  menu: string;
  title: string;
  lead: string;
  none: string;
}

export const nouns: Record<string, NounText> = {
  bodies: {
    api: "body",
    menu: "Bodies",
    title: "Organisations",
    lead: "The NHS bodies, companies, universities and charities that take part, with the dates they exist for and who came after them.",
    none: "No organisation has registered yet.",
  },
  signals: {
    api: "signal",
    menu: "Needs and offers",
    title: "Needs and offers",
    lead: "What NHS bodies need, in their own order of importance, and what partners can offer.",
    none: "Nothing has been asked for or offered yet.",
  },
  projects: {
    api: "project",
    menu: "Projects",
    title: "Projects",
    lead: "Work that grew from a need: who takes part, what each brings, what it replaces and what came of it.",
    none: "There is no project yet.",
  },
  agreements: {
    api: "agreement",
    menu: "Agreements",
    title: "Agreements",
    lead: "The terms that NHS bodies and partners have signed: what may be studied, where, by whom, and what the NHS gets in return.",
    none: "No agreement has been proposed yet.",
  },
  runs: {
    api: "run",
    menu: "Studies",
    title: "Studies that ran on patient data",
    lead: "Every study that was run inside the NHS: who asked, under which agreement, which sites took part. Patient data stayed where it was.",
    none: "No study has been run yet.",
  },
  artefacts: {
    api: "artefact",
    menu: "Results",
    title: "Results",
    lead: "Tables that two independent output checkers have approved for everyone to see. Numbers small enough to point at a person are hidden or rounded.",
    none: "No result has been released yet.",
  },
  transfers: {
    api: "transfer",
    menu: "Value",
    title: "Transfers of value",
    lead: "Money and help in kind that moved under the agreements: who gave what to whom, and when.",
    none: "Nothing has been transferred yet.",
  },
  measures: {
    api: "measure",
    menu: "Benefits",
    title: "Benefits and harms measured",
    lead: "What each project set out to change, where it started, and what has been measured since.",
    none: "Nothing has been measured yet.",
  },
};

export const text = {
  product: "Accord",
  skip: "Skip to main content",
  menu: "Menu",
  home: {
    title: "Research on NHS data that never leaves the NHS",
    lead:
      "Accord lets NHS bodies and their research partners learn from patient records without the records ever leaving the NHS. " +
      "Studies go to the data; only tables that are safe to publish come out, after two people have checked them. " +
      "Everything that happens is on a public log that nobody can rewrite, and that you can check yourself.",
    live: "Live now",
    recent: "What happened last",
  },
  log: {
    menu: "The log",
    title: "The log",
    lead: "Every step that anyone took, in order, signed by who took it. Nothing can be changed or removed without it showing.",
    verify: "Check this entry in your browser",
    verifying: "Checking…",
    right: "Checked: this entry is in the log, unchanged.",
    wrong: "This entry could not be confirmed. Somebody may have changed it: please tell the register's operator.",
    copy: "Take a copy of the whole log and check it offline: accord ledger verify FILE",
    older: "Older entries",
  },
  table: {
    suppressed: "suppressed",
    suppressedNote: "[c] marks a number that is hidden to protect people.",
    total: "All",
    zeroNote: "Cells not listed are zero.",
    download: "Download as CSV",
    record: "How this was made safe",
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
    data: "This page as data (JSON)",
  },
  footer: "Patient data never leaves the NHS. Everything here is on a public log that anyone can check.",
} as const;

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

// "2026-11-22" reads "22 November 2026".
export function day(date: string): string {
  const at = new Date(date);
  return Number.isNaN(at.getTime()) ? date : days.format(at);
}
