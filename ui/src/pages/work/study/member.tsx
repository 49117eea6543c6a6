// SPDX-License-Identifier: Apache-2.0
// One member of an analysis as a control, by its shape in the schema; groups and rows hold members in turn.
import { useState } from "preact/hooks";
import type { Item, Json } from "../../../api";
import { analysis as t, breakdownWords, memberWords } from "../../../text/analysis";
import { choiceWords } from "../../../text/fields";
import { form as ft } from "../../../text/form";
import { parameters } from "../../../text/pages";
import { Button, Checkboxes, DateInput, Fieldset, Select, TextInput, Tick, toControl, type Choice, type Errors } from "../controls";
import { asObject, asText, controlId, isoDay, typedDay } from "../form/spec";
import { breakdownMembers, dimensions, domains, membersOf, numbers, plain, seldom, whole, type Member, type Node, type Shape } from "./schema";

export interface MemberProps {
  id: string;
  member: Member;
  value: Json | undefined;
  cohorts: string[];
  errors: Errors;
  onInput: (v: Json | undefined) => void; // undefined: it is not said
}

const errorAt = (errors: Errors, id: string): string | undefined => errors[id] ?? Object.entries(errors).find(([k]) => k.startsWith(id + "-"))?.[1];

const frame = (p: MemberProps) => {
  const words = memberWords(p.member.name);
  return {
    id: p.id,
    label: p.member.required ? words.label : `${words.label} ${ft.optional}`,
    hint: words.hint,
    error: errorAt(p.errors, p.id),
  };
};
// A group's error is its own; those of its members are said beside them.
const ownFrame = (p: MemberProps) => ({ ...frame(p), error: p.errors[p.id] });

const choose = (values: string[], words = choiceWords): Choice[] => values.map((value) => ({ value, label: words(value) }));

// --- values that are typed or chosen once --------------------------------------------------------------------------------------------

function Numeric(p: MemberProps) {
  const unit = memberWords(p.member.name).unit;
  const put = (text: string) => p.onInput(text.trim() === "" ? undefined : Number.isFinite(Number(text)) ? Number(text) : text);
  return <TextInput {...frame(p)} value={p.value === undefined ? "" : String(p.value)} numeric width={10} onInput={put} {...(unit ? { suffix: unit } : {})} />;
}

const list = (text: string): Json | undefined => {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const read = parts.map(Number);
  return parts.length === 0 ? undefined : read.every(Number.isFinite) ? read : text;
};

// What is typed stays as it is typed: "18, " is on its way to "18, 40".
function Numbers(p: MemberProps) {
  const said = Array.isArray(p.value) ? p.value.map(String).join(", ") : asText(p.value);
  const [typed, setTyped] = useState(said);
  const shown = JSON.stringify(list(typed)) === JSON.stringify(p.value) ? typed : said;
  return (
    <TextInput
      {...frame(p)}
      value={shown}
      onInput={(text) => {
        setTyped(text);
        p.onInput(list(text));
      }}
    />
  );
}

function Ever(p: MemberProps) {
  const f = frame(p);
  const how = p.value === undefined ? "" : p.value === null ? "ever" : "days";
  return (
    <Fieldset {...f}>
      <Select
        id={`${p.id}-how`}
        label={t.everHow}
        value={how}
        choices={[
          { value: "ever", label: t.ever },
          { value: "days", label: t.days },
        ]}
        empty={t.usual}
        onInput={(v) => p.onInput(v === "" ? undefined : v === "ever" ? null : 365)}
      />
      {how === "days" && <Numeric {...p} id={`${p.id}-days`} errors={{}} member={{ ...p.member, name: "days_free", required: true }} onInput={(v) => p.onInput(v ?? "")} />}
    </Fieldset>
  );
}

function Day(p: MemberProps) {
  const iso = asText(p.value);
  const raw = /^\d{4}-\d\d-\d\d$/.test(iso) ? typedDay(iso) : iso;
  return <DateInput {...frame(p)} value={raw} onInput={(v) => p.onInput(v === "--" ? undefined : (isoDay(v) ?? v))} />;
}

function YesNo(p: MemberProps) {
  const value = p.value === undefined ? "" : p.value === true ? "yes" : "no";
  const choices = [
    { value: "yes", label: parameters.yes },
    { value: "no", label: parameters.no },
  ];
  return <Select {...frame(p)} value={value} choices={choices} empty={t.usual} onInput={(v) => p.onInput(v === "" ? undefined : v === "yes")} />;
}

function Text(p: MemberProps) {
  return <TextInput {...frame(p)} value={asText(p.value)} width={20} onInput={(v) => p.onInput(v === "" ? undefined : v)} />;
}

// A year, or a month of one: 2012, 2012-01.
function Period(p: MemberProps) {
  const put = (text: string) => p.onInput(text.trim() === "" ? undefined : /^\d{4}$/.test(text.trim()) ? Number(text) : text.trim());
  return <TextInput {...frame(p)} hint={t.period} value={p.value === undefined ? "" : String(p.value)} width={10} onInput={put} />;
}

function Choose(p: MemberProps & { choices: Choice[]; empty: string }) {
  return <Select {...frame(p)} value={asText(p.value)} choices={p.choices} empty={p.empty} onInput={(v) => p.onInput(v === "" ? undefined : v)} />;
}

function Ticks(p: MemberProps & { choices: Choice[]; numbers: boolean }) {
  const values = Array.isArray(p.value) ? p.value.map(String) : [];
  const order = p.choices.map((c) => c.value);
  const put = (v: string[]) => p.onInput(v.length ? order.filter((c) => v.includes(c)).map((c) => (p.numbers ? Number(c) : c)) : undefined);
  return (
    <div class="accord-many">
      <Checkboxes {...frame(p)} values={values} choices={p.choices} onInput={put} />
    </div>
  );
}

function Domains(p: MemberProps) {
  const values = p.value === "all" ? domains : Array.isArray(p.value) ? p.value.map(String) : [];
  const put = (v: string[]) => p.onInput(v.length === 0 ? undefined : v.length === domains.length ? "all" : domains.filter((d) => v.includes(d)));
  return <Checkboxes {...frame(p)} values={values} choices={choose(domains)} onInput={put} />;
}

// --- windows, groups, rows ---------------------------------------------------------------------------------------------------------------

function OneDay(p: { id: string; label: string; value: Json | undefined; onInput: (v: Json) => void }) {
  const put = (text: string) => p.onInput(text.trim() === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text);
  return <TextInput id={p.id} label={p.label} value={p.value === null || p.value === undefined ? "" : String(p.value)} numeric width={5} suffix="days" onInput={put} />;
}

function Window(p: MemberProps) {
  const days = Array.isArray(p.value) ? p.value : [null, null];
  const put = (i: number, v: Json) => p.onInput([0, 1].map((k) => (k === i ? v : (days[k] ?? null))));
  return (
    <div class="accord-pair">
      <OneDay id={`${p.id}-0`} label={t.daysFrom} value={days[0]} onInput={(v) => put(0, v)} />
      <OneDay id={`${p.id}-1`} label={t.daysTo} value={days[1]} onInput={(v) => put(1, v)} />
    </div>
  );
}

// What need not be said is asked for only when somebody wants to say it.
function Wanted(p: MemberProps & { begin: Json; children: preact.ComponentChildren }) {
  const f = ownFrame(p);
  const on = p.value !== undefined;
  return (
    <Fieldset {...f}>
      {!p.member.required && (
        <Tick id={`${p.id}-wanted`} label={p.member.shape.is === "window" ? t.chooseDays : t.sayWhich} on={on} onInput={(v) => p.onInput(v ? p.begin : undefined)} />
      )}
      {(on || p.member.required) && p.children}
    </Fieldset>
  );
}

export function Members(p: { id: string; members: Member[]; value: Item; cohorts: string[]; errors: Errors; onInput: (v: Item) => void }) {
  const put = (name: string, v: Json | undefined) => {
    const rest = Object.fromEntries(Object.entries(p.value).filter(([k]) => k !== name));
    p.onInput(v === undefined ? rest : { ...p.value, [name]: v });
  };
  return (
    <>
      {p.members.map((m) => (
        <MemberControl key={m.name} id={controlId(p.id, m.name)} member={m} value={p.value[m.name]} cohorts={p.cohorts} errors={p.errors} onInput={(v) => put(m.name, v)} />
      ))}
    </>
  );
}

function Group(p: MemberProps & { node: Node }) {
  return (
    <Wanted {...p} begin={{}}>
      <Members {...p} value={asObject(p.value)} members={membersOf(p.node)} onInput={(v) => p.onInput(v)} />
    </Wanted>
  );
}

// What something is broken down by, or taken into account as: the choice first, then what belongs to it.
function Breakdown(p: MemberProps & { by: "dimension" | "number" | "either" }) {
  const item = p.value === undefined ? {} : whole(p.value);
  const chosen = item["number"] !== undefined ? `number:${asText(item["number"])}` : asText(item["by"]);
  const values = [...(p.by === "dimension" ? [] : numbers.map((n) => `number:${n}`)), ...(p.by === "number" ? [] : dimensions)];
  const put = (v: string) => p.onInput(v === "" ? (p.member.required ? "" : undefined) : v.startsWith("number:") ? { number: v.slice(7) } : v);
  const at = controlId(p.id, "by");
  const members = breakdownMembers(item);
  const shared = { id: p.id, value: item, cohorts: p.cohorts, errors: p.errors, onInput: (v: Item) => p.onInput(plain(v)) };
  return (
    <>
      <Select {...frame(p)} id={at} error={p.errors[at] ?? p.errors[p.id]} value={chosen} choices={choose(values, breakdownWords)} empty={ft.choose} onInput={put} />
      {chosen && (
        <>
          <Members {...shared} members={members.filter((m) => !seldom.includes(m.name))} />
          <details class="nhsuk-details">
            <summary class="nhsuk-details__summary">
              <span class="nhsuk-details__summary-text">{t.naming}</span>
            </summary>
            <div class="nhsuk-details__text">
              <Members {...shared} members={members.filter((m) => seldom.includes(m.name))} />
            </div>
          </details>
        </>
      )}
    </>
  );
}

function Feature(p: MemberProps & { node: Node }) {
  if (typeof p.value === "number") return <Numeric {...p} member={{ ...p.member, name: "concept" }} />;
  return <Members {...p} value={asObject(p.value)} members={membersOf(p.node)} onInput={(v) => p.onInput(v)} />;
}

const blank = (shape: Shape): Json => (shape.is === "broken_down" ? "" : {});

function Rows(p: MemberProps & { of: Shape; item: Node }) {
  const rows = Array.isArray(p.value) ? p.value : [];
  const words = memberWords(p.member.name);
  const one = words.one ?? words.label.toLowerCase();
  const row: Member = { name: one, node: p.item, shape: p.of, required: true };
  const put = (next: Json[]) => p.onInput(next.length || p.member.required ? next : undefined);
  const remove = (i: number) => {
    put(rows.filter((_, k) => k !== i));
    toControl(p.id);
  };
  return (
    <Fieldset {...ownFrame(p)}>
      {rows.map((value, i) => {
        const id = controlId(p.id, i);
        return (
          <div class="accord-row" key={i} id={id} tabIndex={-1} role="group" aria-label={`${one} ${i + 1}`}>
            {p.of.is === "group" ? (
              <Members {...p} id={id} value={asObject(value)} members={membersOf(p.of.node)} onInput={(v) => put(rows.map((r, k) => (k === i ? v : r)))} />
            ) : (
              <MemberControl {...p} id={id} member={row} value={value} onInput={(v) => put(rows.map((r, k) => (k === i ? (v ?? "") : r)))} />
            )}
            <Button secondary onClick={() => remove(i)}>
              {ft.remove(one, i + 1)}
            </Button>
          </div>
        );
      })}
      <Button secondary onClick={() => put([...rows, blank(p.of)])}>
        {rows.length ? ft.add(one) : ft.addFirst(one)}
      </Button>
    </Fieldset>
  );
}

export function MemberControl(p: MemberProps) {
  const { shape } = p.member;
  switch (shape.is) {
    case "cohort":
      return <Choose {...p} choices={p.cohorts.map((c) => ({ value: c, label: c }))} empty={parameters.choose} />;
    case "cohorts":
      return <Ticks {...p} choices={p.cohorts.map((c) => ({ value: c, label: c }))} numbers={false} />;
    case "choice":
      return <Choose {...p} choices={choose(shape.choices)} empty={p.member.required ? ft.choose : t.usual} />;
    case "ticks":
      return <Ticks {...p} choices={choose(shape.choices)} numbers={shape.choices.every((c) => /^\d+$/.test(c))} />;
    case "date":
      return <Day {...p} />;
    case "window":
      return (
        <Wanted {...p} begin={[null, 0]}>
          <Window {...p} />
        </Wanted>
      );
    case "yesno":
      return <YesNo {...p} />;
    case "number":
      return shape.ever ? <Ever {...p} /> : <Numeric {...p} />;
    case "numbers":
      return <Numbers {...p} />;
    case "period":
      return <Period {...p} />;
    case "domains":
      return <Domains {...p} />;
    case "group":
      return <Group {...p} node={shape.node} />;
    case "rows":
      return <Rows {...p} of={shape.of} item={shape.item} />;
    case "broken_down":
      return <Breakdown {...p} by={shape.by} />;
    case "feature":
      return <Feature {...p} node={shape.node} />;
    default:
      return <Text {...p} />;
  }
}
