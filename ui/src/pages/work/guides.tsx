// SPDX-License-Identifier: Apache-2.0
// What a form needs beyond its fields: how its questions are grouped, controls of their own, what is shown before and worked out
// after. A verb without a guide has one page of all its fields.
import type { ComponentType } from "preact";
import { get, type Item } from "../../api";
import { Load } from "../../components/load";
import { State } from "../../components/page";
import { day } from "../../text";
import { choiceWords, fieldWords } from "../../text/fields";
import { form as ft } from "../../text/form";
import { guides as t } from "../../text/guides";
import { pageOf, slug, tail } from "./act";
import { Checkboxes, Fieldset, Radios, Select, TextArea } from "./controls";
import type { Special, FieldProps } from "./form/field";
import type { Context } from "./form/form";
import { nameOf, useCodes, useKinds, useWhole } from "./form/lists";
import { asList, asObject, asText, asTexts, controlId, isEmpty, type Asks, type Raws } from "./form/spec";
import { AgreementMoney, AgreementPreview, CustodianForms, money, ProjectCase, ProjectPreview, useNames } from "./papers";

export interface Step {
  title?: string;
  lead?: string;
  fields: string[];
  part?: string; // which part of a question that goes over several pages
}
export interface Guide {
  lead?: string;
  steps?: Step[];
  settled?: string[]; // fields that are not asked when the way here answered them
  hide?: string[]; // fields that are never asked for
  asks?: Asks; // fields that are asked for only beside some answers
  start?: (c: Context) => Raws; // what the form begins with
  fixed?: (c: Context) => Item | Promise<Item>; // what is sent beside the answers
  id: (body: Item, values: Raws) => string; // of a new item
  then?: string[]; // verbs without fields that follow at once
  special?: Special;
  before?: ComponentType<{ context: Context; values: Raws }>;
  preview?: ComponentType<{ context: Context; body: Item }>;
  next?: ComponentType<{ id: string; context: Context }>;
}

// The short name of a new item: after its title, with a tail so that two may have the same.
const named =
  (noun: string) =>
  (body: Item): string =>
    `${slug(asText(body["title"]) || asText(body["name"]) || asText(body["what"])) || noun}-${tail()}`;

// --- controls of their own ------------------------------------------------------------------------------------------------

// One of the five at a time.
function FiveSafes(p: FieldProps) {
  const codes = useCodes("five-safes");
  const answers = asObject(p.value);
  return (
    <>
      {codes
        ?.filter((c) => c.parent === p.part)
        .map((c) => (
          <TextArea
            key={c.code}
            id={controlId(p.path, c.code.replace(/\./g, "-"))}
            label={c.label}
            rows={2}
            value={asText(answers[c.code])}
            onInput={(v) => p.onInput(Object.fromEntries(Object.entries({ ...answers, [c.code]: v }).filter(([, x]) => x !== "")))}
          />
        ))}
    </>
  );
}

function RedQuestions(p: FieldProps) {
  const codes = useCodes("red-questions");
  const answers = asObject(p.value);
  return (
    <Fieldset id={p.path} label={fieldWords(p.verb.verb, p.path).label} hint={fieldWords(p.verb.verb, p.path).hint} error={p.errors[p.path]}>
      {codes?.map((c) => (
        <Radios
          key={c.code}
          id={controlId(p.path, c.code)}
          label={c.label}
          value={answers[c.code] === true ? "yes" : answers[c.code] === false ? "no" : ""}
          choices={[
            { value: "yes", label: ft.yes },
            { value: "no", label: ft.no },
          ]}
          onInput={(v) => p.onInput({ ...answers, [c.code]: v === "yes" })}
        />
      ))}
    </Fieldset>
  );
}

function Template(p: FieldProps) {
  const items = useWhole("template", "&state=published");
  const words = fieldWords(p.verb.verb, p.path);
  const choices = (items ?? []).map((i) => ({ value: String(i["hash"]), label: `${nameOf(i)}, version ${String(i["version"])}` }));
  return <Select id={p.path} label={words.label} hint={words.hint} error={p.errors[p.path]} value={asText(p.value)} choices={choices} loading={items === undefined} empty={ft.choose} onInput={p.onInput} />;
}

function Analyses(p: FieldProps) {
  const kinds = useKinds();
  const words = fieldWords(p.verb.verb, p.path);
  const chosen = Array.isArray(p.value) ? asTexts(p.value) : asText(p.value).split("\n").filter(Boolean);
  const choices = [{ value: "any", label: t.agreement.any }, ...(kinds ?? []).map((k) => ({ value: k.kind, label: `${choiceWords(k.kind)}: ${k.summary}` }))];
  return <Checkboxes id={p.path} label={words.label} error={p.errors[p.path]} values={chosen} choices={choices} onInput={p.onInput} />;
}

function PriceLists(p: FieldProps) {
  const all = useWhole("vocabulary");
  const items = all?.filter((v) => String(v["id"]).startsWith("prices-")) ?? [];
  const words = fieldWords(p.verb.verb, p.path);
  return <Select id={p.path} label={words.label} value={asText(p.value)} choices={items.map((v) => ({ value: String(v["id"]), label: String(v["source"] ?? v["id"]) }))} loading={all === undefined} empty={ft.choose} onInput={p.onInput} />;
}

function Price(p: FieldProps) {
  const codes = useCodes(asText(p.all["prices"]) || "prices-sde");
  const words = fieldWords(p.verb.verb, p.path);
  const choices = (codes ?? []).map((c) => ({ value: c.code, label: `${c.label}, ${money(c.amount)}` }));
  return <Select id={p.path} label={words.label} error={p.errors[p.path]} value={asText(p.value)} choices={choices} loading={codes === undefined} empty={ft.choose} onInput={p.onInput} />;
}

// --- what is shown before ---------------------------------------------------------------------------------------------------

// What there is to know of an item before one acts on it: a line or two of its own, then what it says of itself.
function Facts(props: { item: Item; noun: string; id: string }) {
  const page = pageOf(props.noun, props.id);
  const names = useNames();
  const { item } = props;
  const from = asText(item["from"]);
  const said = [asText(item["lay"]), asText(item["text"]), asText(item["purpose"])].filter(Boolean);
  return (
    <div class="accord-facts">
      <p class="nhsuk-heading-s">
        {nameOf(item)} <State state={String(item["state"])} />
      </p>
      {props.noun === "transfer" && (
        <p>
          {names(from)} → {names(asText(item["to"]))}: {money(item["amount"])}
          {item["due"] !== undefined && `, ${t.facts.due} ${day(asText(item["due"]))}`}
        </p>
      )}
      {props.noun === "contact" && (
        <p>
          {t.facts.from} {names(from)}
        </p>
      )}
      {props.noun === "grant" && (
        <p>
          {choiceWords(asText(item["role"]))}
          {item["scope"] !== undefined && ` (${choiceWords(asText(item["scope"])).toLowerCase()})`}, {names(asText(item["body"]))}, {t.facts.until} {day(asText(item["until"]))}
        </p>
      )}
      {said.map((text) => (
        <p class="accord-prose" key={text}>
          {text}
        </p>
      ))}
      {page && (
        <p>
          <a href={page}>{t.review.read}</a>
        </p>
      )}
    </div>
  );
}

function ItemBefore(props: { context: Context }) {
  const { item, noun, id } = props.context;
  return item && id !== undefined ? <Facts item={item} noun={noun} id={id} /> : null;
}

function aboutOf(c: Context, values: Raws): string {
  return asText(c.item?.["about"]) || asText(values["about"]);
}

function ReviewBefore(props: { context: Context; values: Raws }) {
  const [noun = "", id = ""] = aboutOf(props.context, props.values).split(":");
  const perspective = asText(props.context.item?.["perspective"]) || asText(props.values["perspective"]);
  if (!id) return null;
  return (
    <>
      <Load<Item> path={`/register/${noun}/${encodeURIComponent(id)}`}>
        {(item) => (
          <>
            <h2 class="nhsuk-heading-m">
              {t.review.about}
              {perspective && ` (${choiceWords(perspective)})`}
            </h2>
            <Facts item={item} noun={noun} id={id} />
            {noun === "project" && <CustodianForms answers={asObject(item["answers"])} />}
          </>
        )}
      </Load>
      {noun === "project" && <Load<Item> path={`/register/project/${encodeURIComponent(id)}/check`}>{(check) => <ProjectCase check={check} submitted />}</Load>}
      <p class="nhsuk-inset-text">{t.review.party}</p>
    </>
  );
}

function MeasureBefore(props: { context: Context }) {
  const { item, id } = props.context;
  if (!item || id === undefined) return null;
  const readings = asList(item["readings"]);
  const unit = asText(item["unit"]);
  const row = (label: string, value: unknown) =>
    value !== undefined && (
      <div class="nhsuk-summary-list__row">
        <dt class="nhsuk-summary-list__key">{label}</dt>
        <dd class="nhsuk-summary-list__value">
          {String(value)} {unit}
        </dd>
      </div>
    );
  return (
    <>
      <Facts item={item} noun="measure" id={id} />
      <dl class="nhsuk-summary-list">
        {row(t.measure.baseline, item["baseline"])}
        {row(t.measure.target, item["target"])}
        {row(t.measure.floor, item["floor"])}
        <div class="nhsuk-summary-list__row">
          <dt class="nhsuk-summary-list__key">{t.measure.readings}</dt>
          <dd class="nhsuk-summary-list__value">
            {readings.length === 0
              ? t.measure.none
              : readings.map((r, i) => (
                  <div key={i}>
                    {day(asText(r["date"]))}: {String(r["value"])} {unit}
                  </div>
                ))}
          </dd>
        </div>
      </dl>
      {item["role"] === "guardrail" && <p class="nhsuk-inset-text">{t.measure.guard}</p>}
    </>
  );
}

const sheets = new Map<string, Promise<Item>>();
function sheetOf(c: Context): Promise<Item> {
  const key = `${c.id}@${String(c.item?.["changed"])}`;
  const there = sheets.get(key) ?? get<Item>(`/register/agreement/${encodeURIComponent(c.id ?? "")}/check`);
  sheets.set(key, there);
  return there;
}

function Sheet(props: { context: Context }) {
  const { item, id } = props.context;
  const names = useNames();
  if (!item || id === undefined) return null;
  const signed = new Set(asList(item["signatures"]).map((s) => asText(s["body"])));
  const texts = ["purpose", "access", "use", "from", "to", "exit_plan", "publication", "audit"].filter((k) => item[k] !== undefined);
  return (
    <>
      <Facts item={item} noun="agreement" id={id} />
      {asText(item["summary"]) && (
        <>
          <h2>{t.agreement.summary}</h2>
          <p class="nhsuk-inset-text">{asText(item["summary"])}</p>
        </>
      )}
      <h2>{t.agreement.sheet}</h2>
      <dl class="nhsuk-summary-list">
        {texts.map((k) => (
          <div class="nhsuk-summary-list__row" key={k}>
            <dt class="nhsuk-summary-list__key">{fieldWords("agreement.draft", k).label}</dt>
            <dd class="nhsuk-summary-list__value">{k === "from" || k === "to" ? day(asText(item[k])) : choiceWords(asText(item[k]))}</dd>
          </div>
        ))}
        <div class="nhsuk-summary-list__row">
          <dt class="nhsuk-summary-list__key">{t.agreement.signed}</dt>
          <dd class="nhsuk-summary-list__value">
            <ul>
              {asList(item["parties"]).map((x) => (
                <li key={asText(x["body"])}>
                  {names(asText(x["body"]))}, {choiceWords(asText(x["role"])).toLowerCase()}: {signed.has(asText(x["body"])) ? "✓" : t.agreement.notSigned}
                </li>
              ))}
            </ul>
          </dd>
        </div>
      </dl>
      <Load<Item> path={`/register/agreement/${encodeURIComponent(id)}/check`}>
        {(check) => (
          <>
            <AgreementMoney check={check} terms={item} />
            <p>
              {t.agreement.hash} <code class="accord-secret">{asText(check["terms"])}</code>
            </p>
          </>
        )}
      </Load>
    </>
  );
}

// --- the guides -----------------------------------------------------------------------------------------------------------------

const projectSteps: Step[] = [
  { title: t.project.who, fields: ["title", "body", "signals", "parties"] },
  { title: t.project.plain, fields: ["lay", "purpose", "purpose_kind", "decision", "population", "codes"] },
  { title: t.project.kind, fields: ["kind", "data", "access", "use", "starts", "ends", "emergency"] },
  { title: t.project.benefit, lead: t.project.benefitLead, fields: ["benefits", "groups", "areas"] },
  { title: t.project.replace, lead: t.project.replaceLead, fields: ["cost_per_year", "substitutes", "funder"] },
  {
    title: t.project.conduct,
    fields: ["red_questions", "prescribing_link", "machine_learning", "model_plan"],
  },
  ...Object.entries(t.project.safes).map(([part, title]) => ({ title, lead: t.project.safesLead, fields: ["answers"], part })),
];

function ProjectNext(props: { id: string }) {
  const id = encodeURIComponent(props.id);
  return (
    <ul class="nhsuk-list">
      <li>
        <a href={`/work/do/measure.propose?project=${id}`}>{t.project.measures}</a>. {t.project.measuresLead}
      </li>
      <li>
        <a href={`/work/do/project.submit/${id}`}>{t.project.submit}</a>
      </li>
    </ul>
  );
}

function SignalNext(props: { context: Context }) {
  const body = props.context.session.roles.find((r) => r.role === "lead" || r.role === "member")?.body;
  return body === undefined ? null : (
    <p>
      <a href={`/work/matches/${encodeURIComponent(body)}`}>{t.signal.next}</a>
    </p>
  );
}

// From a match: ?body=ours&with=theirs are the first two parties.
function parties(): Raws {
  const q = new URLSearchParams(location.search);
  const both = [q.get("body"), q.get("with")].filter((b): b is string => b !== null && b !== "");
  return both.length ? { parties: both.map((body) => ({ body })) } : {};
}

const withIndustry = (all: Raws) => ["collaborative", "joint"].includes(asText(all["kind"]));

const project: Partial<Guide> = {
  start: parties,
  asks: {
    red_questions: withIndustry,
    prescribing_link: withIndustry,
    model_plan: (all) => all["machine_learning"] === "yes",
    "parties.contributions.estimated_by": (c) => c["type"] !== "cash",
  },
  steps: projectSteps,
  special: { answers: FiveSafes, red_questions: RedQuestions },
  preview: (p) => <ProjectPreview body={{ ...keep(p.context.item), ...p.body }} />,
  next: ProjectNext,
};

// Of a project that is changed, what the check looks at.
function keep(item: Item | undefined): Item {
  const names = ["title", "parties", "benefits", "cost_per_year", "substitutes", "funder", "red_questions", "access", "purpose_kind", "kind", "machine_learning", "model_plan", "data", "answers", "emergency"];
  const out: Item = Object.fromEntries(Object.entries(item ?? {}).filter(([k]) => names.includes(k)));
  if (out["substitutes"] !== undefined) out["substitutes"] = asList(out["substitutes"]).map(({ confirmed: _, ...line }) => line);
  return out;
}

const kindIn = (...kinds: string[]) => (beside: Raws) => kinds.includes(asText(beside["kind"]));

const agreement: Partial<Guide> = {
  hide: ["policy"],
  start: () => ({ prices: "prices-sde" }),
  asks: {
    waiver: (all) => isEmpty(all["quote"]),
    consent_to_commercialise: (all) => all["use"] === "non-commercial",
    "mechanisms.amount": (m) => !kindIn("royalty", "open_release")(m),
    "mechanisms.due": kindIn("upfront", "subscription", "in_kind"),
    "mechanisms.period_months": kindIn("subscription"),
    "mechanisms.until": kindIn("subscription", "royalty", "equity"),
    "mechanisms.trigger": kindIn("milestone", "equity"),
    "mechanisms.rate_percent": kindIn("royalty", "equity"),
    "mechanisms.base": kindIn("royalty"),
    "mechanisms.floor": kindIn("royalty"),
    "mechanisms.cap": kindIn("royalty"),
    "mechanisms.what": kindIn("in_kind", "open_release", "milestone"),
    "mechanisms.estimated_by": kindIn("in_kind"),
  },
  steps: [
    { title: t.agreement.who, fields: ["title", "project", "template", "parties", "purpose", "use", "access", "from", "to"] },
    { title: t.agreement.what, fields: ["annex"] },
    { title: t.agreement.money, lead: t.agreement.moneyLead, fields: ["prices", "quote", "waiver", "mechanisms", "nhs_share_percent"] },
    {
      title: t.agreement.terms,
      fields: ["exit_plan", "open_after_days", "publication", "audit", "background_ip", "foreground_ip", "exclusivity", "consent_to_commercialise", "charges_patients", "limits_care", "parent"],
    },
  ],
  special: { template: Template, "annex.analyses": Analyses, prices: PriceLists, "quote.code": Price },
  preview: (p) => <AgreementPreview body={p.body} item={p.context.item} />,
};

const all: Record<string, Partial<Guide>> = {
  "signal.draft": {
    steps: [
      { title: t.signal.what, fields: ["body", "side", "title", "type", "lay"] },
      { title: t.signal.about, lead: t.signal.aboutLead, fields: ["codes", "stage", "group", "place"] },
      { title: t.signal.size, lead: t.signal.sizeLead, fields: ["rank", "population", "evidence", "impact", "months", "budget_line", "product", "until"] },
    ],
    asks: { rank: (all) => all["side"] !== "offer", budget_line: (all) => all["side"] !== "offer", impact: (all) => all["side"] !== "offer" },
    then: ["signal.publish"],
    next: SignalNext,
  },
  "project.draft": project,
  "project.edit": project,
  "project.submit": { before: (p) => <SubmitBefore context={p.context} /> },
  "project.approve": { before: (p) => <SubmitBefore context={p.context} /> },
  "project.confirm": { settled: ["line"] },
  "contact.send": { settled: ["body", "signal"] },
  "transfer.promise": { settled: ["agreement"] },
  "agreement.draft": agreement,
  "agreement.edit": agreement,
  "agreement.check": { before: Sheet },
  "agreement.summarise": { before: Sheet },
  "agreement.sign": { before: Sheet, hide: ["terms"], fixed: async (c) => ({ terms: (await sheetOf(c))["terms"] ?? "" }) },
  "review.give": {
    before: ReviewBefore,
    hide: ["rules", "hash"],
    settled: ["about", "perspective"],
    asks: { conditions: (all) => all["verdict"] === "conditions" },
    start: (c) => ({ about: asText(c.item?.["about"]), perspective: asText(c.item?.["perspective"]) }),
    steps: [{ fields: ["about", "perspective", "verdict", "text", "conditions"] }],
    id: (_, values) => `${asText(values["about"]).replace(/^.*:/, "").slice(0, 40)}-${asText(values["perspective"])}-${tail()}`,
  },
  "review.ask": {
    settled: ["about"],
    next: ReviewAsked,
    id: (b) => `${asText(b["person"]).slice(0, 30)}-${asText(b["perspective"])}-${tail()}`,
  },
  "person.declare": { asks: { interests: (all) => all["nil"] !== "yes" }, steps: [{ fields: ["nil", "interests"] }] },
  "grant.offer": { asks: { scope: (all) => all["role"] === "reviewer" }, id: (b) => [b["person"], b["role"], b["body"], b["scope"]].filter((x) => x !== undefined).join(".") },
  "measure.propose": { settled: ["project"], asks: { floor: (all) => all["role"] === "guardrail", target: (all) => all["role"] !== "guardrail" } },
  "measure.baseline": { before: MeasureBefore },
  "measure.read": { before: MeasureBefore },
  "body.apply": { id: (b) => slug(asText(b["name"])) },
  "body.add": { id: (b) => slug(asText(b["name"])) },
};

// The register recuses by itself who has an interest, and says so.
function ReviewAsked(props: { id: string }) {
  return (
    <Load<Item> path={`/register/review/${encodeURIComponent(props.id)}`}>
      {(review) =>
        review["state"] === "recused" ? (
          <div class="nhsuk-inset-text">
            <h2>{t.review.recused}</h2>
            <p>{asText(review["recused"]).replace(/^rule [a-z-]+: /, "")}</p>
          </div>
        ) : (
          <p>{t.review.asked}</p>
        )
      }
    </Load>
  );
}

function SubmitBefore(props: { context: Context }) {
  const id = props.context.id;
  return (
    <>
      <ItemBefore context={props.context} />
      {id !== undefined && <Load<Item> path={`/register/project/${encodeURIComponent(id)}/check`}>{(check) => <ProjectCase check={check} submitted={props.context.item?.["state"] !== "draft"} />}</Load>}
    </>
  );
}

export function guideOf(verb: string): Guide {
  return { id: named(verb.slice(0, verb.indexOf("."))), before: ItemBefore, ...all[verb] };
}
