// SPDX-License-Identifier: Apache-2.0
// The text of the work pages that are no forms: matches, what one may do with an item, studies, runs.

export const matching = {
  title: "Who matches your needs and offers",
  lead: "Needs and offers meet where they are about the same thing. Here is why each of these is a match, line by line.",
  whose: "For which organisation?",
  noBody: "You act for no organisation yet.",
  none: "Nobody matches yet. Publish what you need, and say what it is about.",
  meets: "meets",
  share: (percent: number) => `${percent}% of what the need is about is in the offer`,
  rank: (rank: number) => `the need has rank ${rank}`,
  points: (p: string) => `${p} points`,
  score: (p: string) => `${p} points in all`,
  open: "Open a project together",
  write: "Write to them",
  how: "How the points are worked out",
  formula:
    "Points of a need and an offer: the share of the need's codes that the offer has, divided by the need's rank, times p / (p + 100,000) where p is the number of people (a half when it is not said), times a half when they are not of the same stage of care. For each need the best offer counts. It starts from what the NHS needs, never from a product.",
};

export const actions = {
  title: "What you can do here",
  nothing: "There is nothing that you can do with this now.",
  others: "What you cannot do now, and why",
};

export const study = {
  title: "Start a study",
  lead: "Say who the study is about and what it counts. You see what each site will be asked before you send it. No patient data comes to you: only tables that two people have checked.",
  under: "Under which agreement?",
  noAgreement: "No agreement is in force in which your organisation is a party.",
  name: "What does the study ask?",
  nameHint: "One sentence that anybody understands.",
  decision: "Which decision does it inform?",
  who: "Who is it about?",
  upload: "Upload a cohort from ATLAS",
  uploadHint: "The JSON file that ATLAS exports. It is read in your browser and checked by the register; it holds no patient data.",
  library: "Or take one that was used before",
  take: "Add this cohort",
  cohort: "Cohort",
  remove: (name: string) => `Remove ${name}`,
  noCohorts: "No cohort yet. Upload one, or take one from the library.",
  means: "What it means",
  what: "What is worked out?",
  kind: "Kind of analysis",
  add: "Add this analysis",
  analysis: (n: number) => `Analysis ${n}`,
  noAnalyses: "No analysis yet.",
  check: "See what each site is asked",
  asked: "What each site is asked",
  askedLead: "This is all that the study asks. Every site gets exactly this, checks it against the agreement, and works it out on its own computers.",
  cohorts: "The people",
  analyses: "The numbers",
  fingerprint: "Fingerprint of the study",
  sites: "Sites of the agreement",
  signed: "It is signed with your key, which this service keeps for you. Every site checks that signature, your training and your declared interests for itself.",
  notAllowed: (kinds: string) => `The agreement does not allow: ${kinds}.`,
  submit: "Send it to the sites",
  needName: "Say what the study asks",
  needAgreement: "Choose an agreement",
  needCohort: "Add a cohort",
  needAnalysis: "Add an analysis",
  notJson: "This file is no JSON. Export the cohort from ATLAS as JSON.",
  back: "Change it",
  kept: "What you choose here is kept on this computer until you send it.",
};

export const run = {
  title: (id: string) => `Study ${id}`,
  lead: "Every site takes part or says why not. Only the masked sum of at least three sites can be opened, by the lead site.",
  states: {
    asked: "The sites have been asked.",
    running: "The sites are working it out.",
    held: "The result is held at the lead site until two people have checked it.",
    released: "The result has been checked and released.",
    failed: "It did not work.",
    declined: "Too few sites take part.",
    stopped: "It was stopped.",
    waiting: "It waits for a site.",
  } as Record<string, string>,
  site: "Site",
  answer: "What it answered",
  why: "Why",
  answers: {
    "": "asked",
    asked: "asked",
    part: "has sent its masked part",
    admitted: "takes part",
    declined: "does not take part",
    deferred: "waits for a person of the site",
  } as Record<string, string>,
  round: (round: number, attempt: number) => `Round ${round}, attempt ${attempt}`,
  missing: "Left out",
  result: "Read the result",
  page: "The study on the register",
  live: "This page renews itself.",
};

export const parameters = {
  choose: "Choose a cohort",
  yes: "Yes",
  no: "No",
};
