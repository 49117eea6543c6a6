// SPDX-License-Identifier: Apache-2.0
// Starting a study: who it is about, what is worked out, what each site is asked; then it is signed and sent.
//
// The request is signed by the hub with the key that it holds for the analyst, as everything else that is done here. Who would
// rather keep the key to themselves writes the study here, saves it, and sends it with `accord run submit --key`.
import { useState } from "preact/hooks";
import { send, type Item, type Json } from "../../../api";
import { Load } from "../../../components/load";
import { Head } from "../../../components/page";
import { go, toTop } from "../../../go";
import type { Session } from "../../../session";
import { choiceWords } from "../../../text/fields";
import { memberWords } from "../../../text/analysis";
import { form as ft } from "../../../text/form";
import { study as t } from "../../../text/pages";
import { act, slug, tail } from "../act";
import { AnalysisForm } from "./analysis";
import { Asked, type Checked } from "./asked";
import { beginAnalysis, checkAnalysis, pruned } from "./schema";
import { Button, ErrorSummary, Fieldset, Select, TextArea, TextInput, toControl, type Errors } from "../controls";
import { draftDrop, draftFind, draftKeep } from "../form/draft";
import { nameOf, useKinds, useWhole } from "../form/lists";
import { asList, asObject, asText, asTexts } from "../form/spec";
import { message } from "../sign_in";

interface Cohort {
  name: string;
  definition: Item;
  text: string;
}
interface Draft {
  agreement: string;
  title: string;
  decision: string;
  cohorts: Cohort[];
  analyses: Item[];
}

const empty: Draft = { agreement: "", title: "", decision: "", cohorts: [], analyses: [] };
const verb = "run.request";

const documentOf = (d: Draft): Item => ({
  title: d.title.trim(),
  cohorts: d.cohorts.map((c) => ({ name: c.name, definition: c.definition })),
  analyses: d.analyses.map(pruned),
});

// ATLAS exports the expression itself; its web API wraps it, as an object or as text.
function expressionOf(json: Json): Item {
  const outer = asObject(json);
  const inner = outer["expression"];
  return typeof inner === "string" ? asObject(JSON.parse(inner) as Json) : inner !== undefined && outer["ConceptSets"] === undefined ? asObject(inner) : outer;
}

const meaning = async (definition: Item): Promise<string> => (await send<{ text: string }>("POST", "/cohort/describe", { definition })).text;

function freeName(wanted: string, taken: string[]): string {
  const base = slug(wanted).replace(/-/g, "_").slice(0, 36) || "cohort";
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}_${i}`;
    if (!taken.includes(name)) return name;
  }
}

// --- cohorts ------------------------------------------------------------------------------------------------------------------

interface LibraryEntry {
  label: string;
  name: string;
  definition: Item;
}

// Cohorts of the studies on the register, and those of the examples.
function useLibrary(): LibraryEntry[] {
  const runs = useWhole("run");
  const kinds = useKinds();
  const found = new Map<string, LibraryEntry>();
  const add = (cohort: Item, from: string) => {
    const definition = asObject(cohort["definition"]);
    const name = asText(cohort["name"]);
    const key = JSON.stringify(definition);
    if (!found.has(key)) found.set(key, { label: `${asText(asList(definition["ConceptSets"])[0]?.["name"]) || name} (${from})`, name, definition });
  };
  for (const r of runs ?? []) for (const c of asList(asObject(r["study"])["cohorts"])) add(c, asText(asObject(r["study"])["title"]));
  for (const k of kinds ?? []) for (const c of asList(k.example["cohorts"])) add(c, "example");
  return [...found.values()];
}

function Cohorts(props: { draft: Draft; error: string | undefined; onChange: (change: (was: Cohort[]) => Cohort[]) => void }) {
  const library = useLibrary();
  const [picked, setPicked] = useState("");
  const [fault, setFault] = useState("");
  const { cohorts } = props.draft;
  const add = async (name: string, definition: Item) => {
    try {
      const text = await meaning(definition);
      props.onChange((was) => [...was, { name: freeName(name, was.map((c) => c.name)), definition, text }]);
      setFault("");
    } catch (e) {
      setFault(message(e));
    }
  };
  const upload = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      await add(file.name.replace(/\.json$/i, ""), expressionOf(JSON.parse(await file.text()) as Json));
    } catch {
      setFault(t.notJson);
    }
    input.value = "";
  };
  return (
    <Fieldset id="cohorts" label={t.who} error={props.error}>
      {fault && (
        <p class="nhsuk-error-message" role="alert">
          {fault}
        </p>
      )}
      {cohorts.length === 0 && <p>{t.noCohorts}</p>}
      {cohorts.map((c, i) => (
        <div class="accord-row" key={c.name}>
          <p class="nhsuk-heading-s">
            {t.cohort} “{c.name}”
          </p>
          <details class="nhsuk-details" open={i === cohorts.length - 1}>
            <summary class="nhsuk-details__summary">
              <span class="nhsuk-details__summary-text">{t.means}</span>
            </summary>
            <div class="nhsuk-details__text accord-prose">{c.text}</div>
          </details>
          <Button
            secondary
            onClick={() => {
              props.onChange((was) => was.filter((x) => x.name !== c.name));
              toControl("cohorts");
            }}
          >
            {t.remove(c.name)}
          </Button>
        </div>
      ))}
      <div class="nhsuk-form-group">
        <label class="nhsuk-label nhsuk-label--s" for="upload">
          {t.upload}
        </label>
        <div class="nhsuk-hint" id="upload-hint">
          {t.uploadHint}
        </div>
        <input id="upload" type="file" accept=".json,application/json" aria-describedby="upload-hint" onChange={(e) => void upload(e.currentTarget)} />
      </div>
      <Select id="library" label={t.library} value={picked} choices={library.map((l, i) => ({ value: String(i), label: l.label }))} empty={ft.choose} onInput={setPicked} />
      <Button
        secondary
        onClick={() => {
          const l = library[Number(picked)];
          if (picked !== "" && l) void add(l.name, l.definition);
        }}
      >
        {t.take}
      </Button>
    </Fieldset>
  );
}

// --- analyses -----------------------------------------------------------------------------------------------------------------

function Analyses(props: { draft: Draft; allowed: string[]; errors: Errors; onChange: (analyses: Item[]) => void }) {
  const kinds = useKinds();
  const [kind, setKind] = useState("");
  const { analyses, cohorts } = props.draft;
  const usable = (kinds ?? []).filter((k) => props.allowed.length === 0 || props.allowed.includes("any") || props.allowed.includes(k.kind));
  const add = () => {
    const chosen = usable.find((k) => k.kind === kind);
    const example = asList(chosen?.example["analyses"])[0];
    if (!example) return;
    const taken = analyses.map((a) => asText(a["name"]));
    const begun = beginAnalysis(
      example,
      cohorts.map((c) => c.name),
    );
    props.onChange([...analyses, { ...begun, name: freeName(asText(example["name"]), taken) }]);
  };
  return (
    <Fieldset id="analyses" label={t.what} error={props.errors["analyses"]}>
      {analyses.length === 0 && <p>{t.noAnalyses}</p>}
      {analyses.map((a, i) => (
        <div class="accord-row" key={`${i} ${asText(a["kind"])} ${analyses.length}`}>
          <p class="nhsuk-heading-s">
            {t.analysis(i + 1)}: {choiceWords(asText(a["kind"]))}
          </p>
          <p>{kinds?.find((k) => k.kind === a["kind"])?.summary}</p>
          <AnalysisForm
            id={`analysis-${i}`}
            analysis={a}
            cohorts={cohorts.map((c) => c.name)}
            errors={props.errors}
            onChange={(next) => props.onChange(analyses.map((x, k) => (k === i ? next : x)))}
          />
          <Button
            secondary
            onClick={() => {
              props.onChange(analyses.filter((_, k) => k !== i));
              toControl("analyses");
            }}
          >
            {t.remove(asText(a["name"]))}
          </Button>
        </div>
      ))}
      <Select id="kind" label={t.kind} value={kind} choices={usable.map((k) => ({ value: k.kind, label: `${choiceWords(k.kind)}: ${k.summary}` }))} empty={ft.choose} onInput={setKind} />
      <Button secondary onClick={add}>
        {t.add}
      </Button>
    </Fieldset>
  );
}

// --- the page -------------------------------------------------------------------------------------------------------------------

function faults(d: Draft, allowed: string[]): Errors {
  const found: Errors = {};
  if (!d.agreement) found["agreement"] = t.needAgreement;
  if (!d.title.trim()) found["title"] = t.needName;
  if (d.cohorts.length === 0) found["cohorts"] = t.needCohort;
  if (d.analyses.length === 0) found["analyses"] = t.needAnalysis;
  const outside = d.analyses.map((a) => asText(a["kind"])).filter((k) => !allowed.includes("any") && !allowed.includes(k));
  if (d.agreement && outside.length) found["analyses"] = t.notAllowed(outside.map(choiceWords).join(", "));
  const cohorts = d.cohorts.map((c) => c.name);
  d.analyses.forEach((a, i) => Object.assign(found, checkAnalysis(a, `analysis-${i}`, cohorts)));
  return found;
}

// "$.analyses[0].by[1].cuts: expected …" is said at the control analysis-0-by-1-cuts.
function placed(text: string): Errors {
  const m = /^\$\.analyses((?:\[\d+\]|\.[a-z_0-9]+)+): (.*)$/s.exec(text);
  const steps = (m?.[1] ?? "").split(/[[\].]+/).filter(Boolean);
  const last = steps.filter((x) => !/^\d+$/.test(x)).pop();
  return m ? { [["analysis", ...steps].join("-")]: `${last ? memberWords(last).label : t.what}: ${m[2]}` } : { "": text };
}

function Ask(props: { session: Session; agreements: Item[] }) {
  const person = props.session.person ?? "";
  const [draft, set] = useState<Draft>({ ...empty, ...(draftFind(person, verb, "new") as Partial<Draft> | undefined) });
  const [errors, setErrors] = useState<Errors>({});
  const [checked, setChecked] = useState<Checked>();
  const [busy, setBusy] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  // What comes late (a cohort in words) changes the draft as it is then.
  const put = (change: (was: Draft) => Partial<Draft>) =>
    set((was) => {
      const next = { ...was, ...change(was) };
      draftKeep(person, verb, "new", next as unknown as Item);
      return next;
    });
  const agreement = props.agreements.find((a) => a["id"] === draft.agreement);
  const allowed = asTexts(asObject(agreement?.["annex"])["analyses"]);
  const check = async (e: Event) => {
    e.preventDefault();
    const found = faults(draft, allowed);
    setErrors(found);
    if (Object.keys(found).length || busy) return;
    setBusy(true);
    await send<Checked>("POST", "/study/check", documentOf(draft)).then(
      (c) => {
        setChecked(c);
        toTop();
      },
      (x: unknown) => setErrors(placed(message(x))),
    );
    setBusy(false);
  };
  const submit = async () => {
    if (busy || !checked) return;
    setBusy(true);
    const id = `${slug(draft.title).slice(0, 30)}-${tail()}`;
    const body = { agreement: draft.agreement, study: documentOf(draft), study_hash: checked.hash, decision: draft.decision.trim() || draft.title.trim() };
    await act({ verb, noun: "run", id, body }, key).then(
      (entry) => {
        draftDrop(person, verb, "new");
        go(`/work/run/${asText(entry["subject"]).slice("run:".length)}`);
      },
      (x: unknown) => setErrors({ "": message(x) }),
    );
    setBusy(false);
  };
  if (checked)
    return (
      <>
        <ErrorSummary errors={errors} />
        <Head title={t.asked} lead={t.askedLead} />
        <Asked checked={checked} agreement={agreement} study={documentOf(draft)} />
        <Button busy={busy} onClick={() => void submit()}>
          {t.submit}
        </Button>{" "}
        <Button secondary onClick={() => setChecked(undefined)}>
          {t.back}
        </Button>
      </>
    );
  return (
    <>
      <ErrorSummary errors={errors} />
      <Head title={t.title} lead={t.lead} />
      <form onSubmit={check} noValidate>
        <Select
          id="agreement"
          label={t.under}
          value={draft.agreement}
          choices={props.agreements.map((a) => ({ value: String(a["id"]), label: nameOf(a) }))}
          empty={ft.choose}
          error={errors["agreement"]}
          onInput={(agreement) => put(() => ({ agreement }))}
        />
        <TextInput id="title" label={t.name} hint={t.nameHint} value={draft.title} error={errors["title"]} onInput={(title) => put(() => ({ title }))} />
        <TextArea id="decision" label={`${t.decision} ${ft.optional}`} value={draft.decision} rows={2} onInput={(decision) => put(() => ({ decision }))} />
        <Cohorts
          draft={draft}
          error={errors["cohorts"]}
          onChange={(change) => put((was) => ({ cohorts: change(was.cohorts) }))}
        />
        <Analyses draft={draft} allowed={allowed} errors={errors} onChange={(analyses) => put(() => ({ analyses }))} />
        <Button busy={busy}>{t.check}</Button>
      </form>
      <p class="nhsuk-body-s">{t.kept}</p>
    </>
  );
}

export function Study(props: { session: Session }) {
  const mine = new Set(props.session.roles.filter((r) => r.role === "analyst").map((r) => r.body));
  return (
    <Load<{ items: Item[] }> path="/register/agreement?state=in_force&limit=1000">
      {({ items }) => {
        const ours = items.filter((a) => asList(a["parties"]).some((p) => mine.has(asText(p["body"]))));
        return ours.length ? (
          <Ask session={props.session} agreements={ours} />
        ) : (
          <>
            <Head title={t.title} lead={t.lead} />
            <p class="nhsuk-inset-text">{t.noAgreement}</p>
          </>
        );
      }}
    </Load>
  );
}
