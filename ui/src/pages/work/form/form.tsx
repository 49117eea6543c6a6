// SPDX-License-Identifier: Apache-2.0
// The form of any verb, made from the hub's description of its fields: one group of questions a page, then the answers to check,
// then it is sent. A guide (guides.tsx) groups the questions and adds what a form needs beyond its fields.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Item, Json } from "../../../api";
import { Data } from "../../../components/data";
import { Load } from "../../../components/load";
import { Head } from "../../../components/page";
import { go, onPath, toTop } from "../../../go";
import { refresh, type Session } from "../../../session";
import { choiceWords, fieldWords } from "../../../text/fields";
import { form as t } from "../../../text/form";
import { verbs } from "../../../text/words";
import { act, pageOf } from "../act";
import { Button, ErrorSummary, type Errors } from "../controls";
import { guideOf, type Guide, type Step } from "../guides";
import { money } from "../papers";
import { message } from "../sign_in";
import { draftDrop, draftFind, draftKeep } from "./draft";
import { FieldControl } from "./field";
import { forget } from "./lists";
import { CodeName, ItemName } from "./names";
import { asked, isEmpty, pence, pruned, read, show, showAll, type Field, type Raw, type Raws, type Verb } from "./spec";

export interface Context {
  session: Session;
  verb: Verb;
  noun: string;
  id: string | undefined; // of the item, when there is one
  item: Item | undefined;
}

function query(): URLSearchParams {
  return new URLSearchParams(location.search);
}

// ?step=2 is the second page of questions, ?step=check the answers.
function useStep(): [string, (step: string) => void] {
  const [step, set] = useState(query().get("step") ?? "1");
  useEffect(() => onPath(() => set(query().get("step") ?? "1")), []);
  const move = (next: string) => {
    const q = query();
    q.set("step", next);
    go(`${location.pathname}?${q}`);
  };
  return [step, move];
}

// What the address says of fields: /work/do/review.give?about=project:copd&perspective=finance.
function fromAddress(fields: Field[]): Raws {
  const out: Raws = {};
  for (const f of fields) {
    const values = query().getAll(f.name);
    if (values.length) out[f.name] = f.type === "list of ids" || f.type === "list of codes" ? values : (values[0] ?? "");
  }
  return out;
}

function stepsOf(guide: Guide, fields: Field[], values: Raws): Step[] {
  const there = (names: string[]) => names.filter((n) => fields.some((f) => f.name === n) && asked(guide.asks, n, values));
  const given = guide.steps?.map((s) => ({ ...s, fields: there(s.fields) })) ?? [];
  const named = new Set(guide.steps?.flatMap((s) => s.fields));
  const rest = there(fields.filter((f) => !named.has(f.name)).map((f) => f.name));
  const all = rest.length ? [...given, { fields: rest }] : given;
  return all.filter((s: Step) => s.fields.length > 0);
}

// $.body.parties[1].role: expected …  ->  the control parties-1-role, and what is wrong with it.
function placed(text: string, fields: Field[]): [string, string] {
  const m = /^(?:rule [a-z-]+: [^;]*; )?\$\.(?:body|personal)\.([A-Za-z_]+(?:\[\d+\]|\.[A-Za-z_]+)*): (.*)$/s.exec(text);
  if (!m || !m[1] || !m[2]) return ["", text];
  const path = m[1].replace(/\[(\d+)\]/g, "-$1").replace(/\./g, "-");
  return fields.some((f) => f.name === path.split("-")[0]) ? [path, m[2]] : ["", text];
}

export function answerText(f: Field, raw: Raw): string {
  if (isEmpty(raw)) return t.notGiven;
  if (typeof raw === "string") {
    if (f.type === "one of" || f.type === "true or false") return choiceWords(raw);
    if (f.type === "date") return raw.split("-").join("/");
    return f.type === "pence" && pence(raw) !== undefined ? money(pence(raw)) : raw;
  }
  return "";
}

// Answers by the codes of a vocabulary of questions.
const keyed: Record<string, string> = { answers: "five-safes", red_questions: "red-questions" };

function Answer(props: { verb: string; field: Field; raw: Raw; path: string }) {
  const { field, raw } = props;
  if (field.type === "noun:id" && typeof raw === "string") return <ItemName noun={raw.split(":")[0] ?? ""} id={raw.split(":")[1] ?? ""} />;
  if (field.type === "id" && field.noun && !isEmpty(raw)) return <ItemName noun={field.noun} id={String(raw)} />;
  if (field.type === "code" && field.scheme && !isEmpty(raw)) return <CodeName scheme={field.scheme} code={String(raw)} />;
  if ((field.type === "list of ids" || field.type === "list of codes") && Array.isArray(raw))
    return (
      <ul class="nhsuk-list">
        {raw.map((one) => {
          const [scheme = "", code = ""] = String(one).split(":");
          return <li key={String(one)}>{field.type === "list of codes" ? <CodeName scheme={scheme} code={code} /> : field.noun ? <ItemName noun={field.noun} id={String(one)} /> : String(one)}</li>;
        })}
      </ul>
    );
  const text = answerText(field, raw);
  if (text) return <>{text}</>;
  if (field.fields && Array.isArray(raw))
    return (
      <>
        {raw.map((one, i) => (
          <Answer key={i} {...props} field={{ ...field, type: "object" }} raw={one} />
        ))}
      </>
    );
  if (field.fields && typeof raw === "object" && raw !== null)
    return (
      <dl class="accord-answers">
        {field.fields
          .filter((f) => !isEmpty((raw as Raws)[f.name]))
          .map((f) => (
            <div key={f.name}>
              <dt>{fieldWords(props.verb, `${props.path}.${f.name}`).label}</dt>
              <dd>
                <Answer verb={props.verb} field={f} raw={(raw as Raws)[f.name]} path={`${props.path}.${f.name}`} />
              </dd>
            </div>
          ))}
      </dl>
    );
  if (keyed[field.name] !== undefined && typeof raw === "object" && raw !== null)
    return (
      <dl class="accord-answers">
        {Object.entries(raw).map(([code, said]) => (
          <div key={code}>
            <dt>
              <CodeName scheme={keyed[field.name] ?? ""} code={code} />
            </dt>
            <dd>{typeof said === "boolean" ? (said ? t.yes : t.no) : String(said)}</dd>
          </div>
        ))}
      </dl>
    );
  return <Data value={raw as Json} />;
}

function Answers(props: { context: Context; steps: Step[]; fields: Field[]; values: Raws; onChange: (step: string) => void }) {
  const { verb } = props.context;
  return (
    <dl class="nhsuk-summary-list">
      {props.steps.flatMap((s, i) =>
        s.fields.filter((name) => !props.steps.slice(0, i).some((before) => before.fields.includes(name))).map((name) => {
          const field = props.fields.find((f) => f.name === name);
          if (!field || (isEmpty(props.values[name]) && !field.required)) return null;
          return (
            <div class="nhsuk-summary-list__row" key={name}>
              <dt class="nhsuk-summary-list__key">{fieldWords(verb.verb, name).label}</dt>
              <dd class="nhsuk-summary-list__value">
                <Answer verb={verb.verb} field={field} raw={props.values[name]} path={name} />
              </dd>
              <dd class="nhsuk-summary-list__actions">
                <a
                  href={`?step=${i + 1}`}
                  onClick={(e) => {
                    e.preventDefault();
                    e.stopPropagation();
                    props.onChange(String(i + 1));
                  }}
                >
                  {t.change}
                  <span class="nhsuk-u-visually-hidden"> {fieldWords(verb.verb, name).label}</span>
                </a>
              </dd>
            </div>
          );
        }),
      )}
    </dl>
  );
}

// What the way here has answered already.
function Settled(props: { verb: string; fields: Field[]; values: Raws }) {
  if (props.fields.length === 0) return null;
  return (
    <dl class="nhsuk-summary-list">
      {props.fields.map((f) => (
        <div class="nhsuk-summary-list__row" key={f.name}>
          <dt class="nhsuk-summary-list__key">{fieldWords(props.verb, f.name).label}</dt>
          <dd class="nhsuk-summary-list__value">
            <Answer verb={props.verb} field={f} raw={props.values[f.name]} path={f.name} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface Done {
  seq: string;
  id: string;
  warning?: string | undefined;
}

function Finished(props: { context: Context; guide: Guide; done: Done }) {
  const { context, done } = props;
  const page = pageOf(context.noun, done.id);
  const Next = props.guide.next;
  return (
    <>
      <div class="nhsuk-panel">
        <h1 class="nhsuk-panel__title">{t.done}</h1>
        <div class="nhsuk-panel__body">{verbs[context.verb.verb]?.done ?? t.doneLead}</div>
      </div>
      {done.warning && (
        <p class="nhsuk-inset-text">
          {t.thenFailed} {done.warning}
        </p>
      )}
      {Next && <Next id={done.id} context={context} />}
      <ul class="nhsuk-list">
        {page && (
          <li>
            <a href={page}>{t.seeItem}</a>
          </li>
        )}
        <li>
          <a href={`/log/${done.seq}`}>{t.entry}</a>
        </li>
        <li>
          <a href="/work">{t.work}</a>
        </li>
      </ul>
    </>
  );
}

function bodyOf(context: Context, fields: Field[], answers: Raws, errors: Errors): { body: Item; personal: Item } {
  const values = pruned(fields, answers, guideOf(context.verb.verb).asks);
  const body: Item = {};
  const personal: Item = {};
  for (const f of fields.filter((x) => asked(guideOf(context.verb.verb).asks, x.name, answers))) {
    const value = read(f, values[f.name], { errors, path: f.name, label: (x, p) => fieldWords(context.verb.verb, p).label || x.name });
    if (value === undefined) continue;
    if (f.type === "personal text, hashed") personal[f.name] = value;
    else if (!context.item || JSON.stringify(value) !== JSON.stringify(read(f, show(f, context.item[f.name]), { errors: {}, path: "", label: () => "" })))
      body[f.name] = value;
  }
  return { body, personal };
}

async function send(context: Context, guide: Guide, fields: Field[], values: Raws, errors: Errors, key: string): Promise<Done> {
  const { body, personal } = bodyOf(context, fields, values, errors);
  const id = context.id ?? guide.id(body, values);
  const entry = await act({ verb: context.verb.verb, noun: context.noun, id, body: { ...body, ...(await guide.fixed?.(context)) }, personal }, key);
  let warning: string | undefined;
  for (const verb of guide.then ?? [])
    await act({ verb, noun: context.noun, id }).catch((e: unknown) => {
      warning = message(e);
    });
  return { seq: String(entry["seq"]), id, warning };
}

// Who acts for one body only acts for that one.
function ownBody(c: Context): Raws {
  const mine = new Set(c.session.roles.filter((r) => c.verb.roles.includes(r.role)).map((r) => r.body));
  const asked = c.verb.fields.some((f) => f.name === "body" && f.noun === "body") && !c.verb.roles.includes("public") && c.noun !== "contact";
  return c.id === undefined && asked && mine.size === 1 ? { body: [...mine][0] ?? "" } : {};
}

// A form for a new item, or for one that is there.
export function Form(props: { context: Context }) {
  const { context } = props;
  const { session, verb } = context;
  const guide = useMemo(() => guideOf(verb.verb), [verb.verb]);
  const person = session.person ?? session.account;
  const draftId = context.id ?? "new";
  const fields = verb.fields.filter((f) => !guide.hide?.includes(f.name));
  const first = useMemo(() => ({ ...ownBody(context), ...guide.start?.(context), ...(context.item ? showAll(fields, context.item) : {}), ...fromAddress(fields) }), [verb.verb, context.id]);
  const kept = useMemo(() => draftFind(person, verb.verb, draftId), [verb.verb, context.id]);
  const [values, setValues] = useState<Raws>({ ...first, ...kept });
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<Done>();
  const [key] = useState(() => crypto.randomUUID());
  const [step, move] = useStep();
  const settled = (guide.settled ?? []).filter((name) => !isEmpty(first[name]));
  const steps = stepsOf(guide, fields.filter((f) => !settled.includes(f.name)), values);
  const words = verbs[verb.verb];
  if (done) return <Finished context={context} guide={guide} done={done} />;

  const put = (name: string, value: Json) => {
    setValues((was) => {
      const next = { ...was, [name]: value };
      draftKeep(person, verb.verb, draftId, next);
      return next;
    });
  };
  const again = () => {
    draftDrop(person, verb.verb, draftId);
    setValues(first);
    setErrors({});
    move("1");
  };
  const wrongIn = (names: string[]): Errors => {
    const found: Errors = {};
    bodyOf(context, fields.filter((f) => names.includes(f.name)), values, found);
    return found;
  };
  const submit = async () => {
    if (busy) return;
    const found = wrongIn(fields.map((f) => f.name));
    setErrors(found);
    const name = Object.keys(found)[0]?.split("-")[0];
    const at = steps.findIndex((s) => name !== undefined && s.fields.includes(name));
    if (name !== undefined) return at >= 0 && step === "check" ? move(String(at + 1)) : undefined;
    setBusy(true);
    try {
      const result = await send(context, guide, fields, values, {}, key);
      draftDrop(person, verb.verb, draftId);
      forget();
      await refresh();
      setDone(result);
      toTop();
    } catch (e) {
      const [path, text] = placed(message(e), fields);
      setErrors({ [path]: path ? t.wrong.at(fieldWords(verb.verb, path).label, text) : text });
      const back = steps.findIndex((s) => s.fields.includes(path.split("-")[0] ?? ""));
      if (path && back >= 0 && step === "check") move(String(back + 1));
    }
    setBusy(false);
  };

  const short = steps.length <= 1 && !guide.preview;
  const index = Math.min(Math.max(Number(step) || 1, 1), Math.max(steps.length, 1)) - 1;
  const here = steps[index];
  const checking = step === "check" || !here;
  const next = (e: Event) => {
    e.preventDefault();
    if (checking || short) return void submit();
    const found = wrongIn(here.fields);
    setErrors(found);
    if (Object.keys(found).length === 0) move(index + 1 < steps.length ? String(index + 2) : "check");
  };
  const Preview = guide.preview;
  const Before = guide.before;
  const title = words?.do ?? verb.about;
  return (
    <>
      <ErrorSummary errors={errors} />
      {!checking && steps.length > 1 && <p class="nhsuk-caption-l">{t.step(title, index + 1, steps.length)}</p>}
      <Head title={checking && here ? t.check : (here?.title ?? title)} lead={checking && here ? t.checkLead : (here?.lead ?? guide.lead ?? words?.hint ?? verb.about)} />
      {Before && <Before context={context} values={values} />}
      {!checking && index === 0 && <Settled verb={verb.verb} fields={fields.filter((f) => settled.includes(f.name))} values={values} />}
      {kept && !checking && index === 0 && (
        <p class="nhsuk-inset-text">
          {t.restored}{" "}
          <button type="button" class="accord-link" onClick={again}>
            {t.startAgain}
          </button>
        </p>
      )}
      <form onSubmit={next} noValidate data-verb={verb.verb}>
        {checking ? (
          here && <Answers context={context} steps={steps} fields={fields} values={values} onChange={move} />
        ) : (
          here.fields.map((name) => {
            const field = fields.find((f) => f.name === name);
            return (
              field && (
                <FieldControl
                  key={name}
                  verb={verb}
                  field={field}
                  path={name}
                  value={values[name]}
                  errors={errors}
                  all={values}
                  special={guide.special}
                  asks={guide.asks}
                  part={here.part}
                  onInput={(v) => put(name, v)}
                />
              )
            );
          })
        )}
        {checking && Preview && <Preview context={context} body={bodyOf(context, fields, values, {}).body} />}
        <Button busy={busy}>{checking || short ? (fields.length ? t.send : title) : t.continue}</Button>
      </form>
      {fields.length > 0 && <p class="nhsuk-body-s">{t.kept}</p>}
    </>
  );
}

// The form of a verb by its name, fetched with its item.
export function Do(props: { session: Session; verb: string; id: string | undefined }) {
  const { session, id } = props;
  const noun = props.verb.slice(0, props.verb.indexOf("."));
  return (
    <Load<Verb> path={`/verbs/${encodeURIComponent(props.verb)}`}>
      {(verb) =>
        id === undefined ? (
          <Form key={verb.verb} context={{ session, verb, noun, id, item: undefined }} />
        ) : (
          <Load<Item> path={`/register/${noun}/${encodeURIComponent(id)}`}>
            {(item) => <Form key={verb.verb + id} context={{ session, verb, noun, id, item }} />}
          </Load>
        )
      }
    </Load>
  );
}

