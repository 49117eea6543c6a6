// SPDX-License-Identifier: Apache-2.0
// One field of a verb as a control, by its type; groups and lists hold fields in turn.
import { useState } from "preact/hooks";
import type { Json } from "../../../api";
import { useWho } from "../../../session";
import { choiceWords, fieldWords, schemes } from "../../../text/fields";
import { form as t } from "../../../text/form";
import { Button, Checkboxes, DateInput, Fieldset, Radios, Select, TextArea, TextInput, toControl, type Choice, type Errors } from "../controls";
import { SelectMany, SelectOne } from "../combobox";
import { nameOf, useCodes, useFindable, useItem } from "./lists";
import { asked, asList, asObject, asText, asTexts, controlId, type Asks, type Field, type Raw, type Raws, type Verb } from "./spec";

export interface FieldProps {
  verb: Verb;
  field: Field;
  path: string; // the control's id
  value: Raw;
  errors: Errors;
  all: Raws; // the other answers of the form
  onInput: (value: Json) => void;
  special?: Special | undefined;
  asks?: Asks | undefined;
  part?: string | undefined; // of a long question that goes over several pages
}
// Controls of their own for some fields, by "field" or "group.field".
export type Special = Record<string, (props: FieldProps) => preact.JSX.Element | null>;

export function labelOf(verb: string, field: Field, path: string): string {
  const words = fieldWords(verb, path);
  return field.required ? words.label : `${words.label} ${t.optional}`;
}

const frame = (p: FieldProps) => {
  const words = fieldWords(p.verb.verb, p.path);
  const long = p.field.type === "text" && p.field.most && p.field.most > 200 ? t.letters(p.field.most) : undefined;
  return {
    id: p.path,
    label: labelOf(p.verb.verb, p.field, p.path),
    hint: [words.hint, p.field.type === "list of texts" ? t.line : undefined, words.hint ? undefined : long].filter(Boolean).join(" ") || undefined,
    error: p.errors[p.path],
  };
};

const choicesOf = (field: Field): Choice[] => (field.choices ?? []).map((c) => ({ value: c, label: choiceWords(c) }));

function ChooseOne(p: FieldProps & { choices: Choice[] }) {
  const shared = { ...frame(p), value: asText(p.value), choices: p.choices, onInput: p.onInput };
  return p.choices.length <= 7 ? <Radios {...shared} /> : <Select {...shared} empty={p.field.required ? t.choose : t.none} />;
}

// A verb that one does for one's body offers the bodies that one may act for.
function ChooseItem(p: FieldProps) {
  const who = useWho();
  const own = p.path === "body" && p.field.noun === "body" && who.state === "in" && !p.verb.roles.includes("public") && !p.verb.roles.includes("steward");
  const mine = own && who.state === "in" ? who.session.roles.filter((r) => p.verb.roles.includes(r.role)).map((r) => ({ value: r.body, label: r.body_name })) : [];
  const found = useFindable(mine.length ? undefined : p.field.noun);
  const value = asText(p.value);
  const elsewhere = useItem(p.field.noun ?? "", value && found.more && !found.choices.some((c) => c.value === value) ? value : undefined);
  const choices = mine.length ? [...new Map(mine.map((c) => [c.value, c])).values()] : found.choices;
  return (
    <SelectOne {...frame(p)} value={value} choices={choices} more={found.more} loading={!mine.length && found.loading} said={elsewhere && nameOf(elsewhere)} empty={p.field.required ? t.choose : t.none} onInput={p.onInput} />
  );
}

const MANY = 15;

function ChooseItems(p: FieldProps) {
  const found = useFindable(p.field.noun, p.field.noun === "signal" ? "&state=published" : "");
  const values = asTexts(p.value);
  if (!p.field.noun) return <TextArea {...frame(p)} value={values.join("\n")} rows={3} onInput={(v) => p.onInput(v.split("\n"))} />;
  if (found.more || found.choices.length > MANY) return <SelectMany {...frame(p)} values={values} choices={found.choices} more={found.more} onInput={p.onInput} />;
  return (
    <div class="accord-many">
      <Checkboxes {...frame(p)} values={values} choices={found.choices} onInput={p.onInput} />
    </div>
  );
}

function ChooseCode(p: FieldProps) {
  const codes = useCodes(p.field.scheme);
  const choices = (codes ?? []).map((c) => ({ value: c.code, label: c.label }));
  return <SelectOne {...frame(p)} value={asText(p.value)} choices={choices} loading={codes === undefined} empty={t.none} onInput={p.onInput} />;
}

function Scheme(p: FieldProps & { scheme: string }) {
  const codes = useCodes(p.scheme);
  const chosen = asTexts(p.value);
  const here = chosen.filter((c) => c.startsWith(p.scheme + ":")).length;
  const [open, setOpen] = useState(here > 0);
  if (!codes?.length) return null;
  return (
    <details class="nhsuk-details" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary class="nhsuk-details__summary">
        <span class="nhsuk-details__summary-text">
          {schemes[p.scheme]}
          {here > 0 && ` (${t.chosen}: ${here})`}
        </span>
      </summary>
      <div class="nhsuk-details__text accord-many">
        <Checkboxes
          id={`${p.path}-${p.scheme}`}
          label={schemes[p.scheme] ?? p.scheme}
          values={chosen}
          choices={codes.map((c) => ({ value: `${p.scheme}:${c.code}`, label: c.label }))}
          onInput={p.onInput}
        />
      </div>
    </details>
  );
}

function ChooseCodes(p: FieldProps) {
  const f = frame(p);
  return (
    <Fieldset {...f} hint={f.hint ?? t.codes}>
      {Object.keys(schemes).map((scheme) => (
        <Scheme key={scheme} {...p} scheme={scheme} />
      ))}
    </Fieldset>
  );
}

function YesNo(p: FieldProps) {
  const choices = [
    { value: "yes", label: t.yes },
    { value: "no", label: t.no },
  ];
  return <Radios {...frame(p)} value={asText(p.value)} choices={choices} onInput={p.onInput} />;
}

function Inner(p: FieldProps & { fields: Field[]; raws: Raws; at: string; onRaws: (raws: Raws) => void }) {
  return (
    <>
      {p.fields.filter((f) => asked(p.asks, controlId(p.at, f.name), p.raws)).map((f) => (
        <FieldControl
          key={f.name}
          verb={p.verb}
          field={f}
          path={controlId(p.at, f.name)}
          value={p.raws[f.name]}
          errors={p.errors}
          all={p.all}
          special={p.special}
          asks={p.asks}
          onInput={(v) => p.onRaws({ ...p.raws, [f.name]: v })}
        />
      ))}
    </>
  );
}

function List(p: FieldProps) {
  const rows = asList(p.value);
  const words = fieldWords(p.verb.verb, p.path);
  const one = words.one ?? words.label.toLowerCase();
  const put = (i: number, raws: Raws) => p.onInput(rows.map((r, k) => (k === i ? raws : r)));
  const remove = (i: number) => {
    p.onInput(rows.filter((_, k) => k !== i));
    toControl(p.path);
  };
  return (
    <Fieldset {...frame(p)}>
      {rows.map((raws, i) => (
        <div class="accord-row" key={i} role="group" aria-label={`${one} ${i + 1}`}>
          <Inner {...p} fields={p.field.fields ?? []} raws={raws} at={controlId(p.path, i)} onRaws={(r) => put(i, r)} />
          <Button secondary onClick={() => remove(i)}>
            {t.remove(one, i + 1)}
          </Button>
        </div>
      ))}
      <Button secondary onClick={() => p.onInput([...rows, {}])}>
        {rows.length ? t.add(one) : t.addFirst(one)}
      </Button>
    </Fieldset>
  );
}

function Structure(p: FieldProps) {
  const text = typeof p.value === "string" ? p.value : p.value === undefined ? "" : JSON.stringify(p.value, null, 1);
  if (p.field.fields)
    return (
      <Fieldset {...frame(p)}>
        <Inner {...p} fields={p.field.fields} raws={asObject(p.value)} at={p.path} onRaws={(r) => p.onInput(r)} />
      </Fieldset>
    );
  return (
    <TextArea
      {...frame(p)}
      value={text}
      onInput={(v) => {
        try {
          p.onInput(JSON.parse(v) as Json);
        } catch {
          p.onInput(v);
        }
      }}
    />
  );
}

function Text(p: FieldProps) {
  const f = frame(p);
  if (p.field.type === "list of texts") return <TextArea {...f} value={Array.isArray(p.value) ? asTexts(p.value).join("\n") : asText(p.value)} onInput={p.onInput} />;
  if (p.field.type === "text" && (p.field.most ?? 0) > 200)
    return <TextArea {...f} value={asText(p.value)} rows={(p.field.most ?? 0) > 2000 ? 6 : 3} onInput={p.onInput} />;
  const number = ["whole number", "number", "pence"].includes(p.field.type);
  return (
    <TextInput {...f} value={asText(p.value)} onInput={p.onInput} numeric={number} {...(number ? { width: 10 } : {})} {...(p.field.type === "pence" ? { prefix: "£" } : {})} />
  );
}

const generic = (path: string): string => path.replace(/-\d+/g, "").replace(/-/g, ".");

export function FieldControl(p: FieldProps) {
  const Own = p.special?.[generic(p.path)];
  if (Own) return <Own {...p} />;
  switch (p.field.type) {
    case "one of":
      return <ChooseOne {...p} choices={choicesOf(p.field)} />;
    case "id":
      return p.field.noun ? <ChooseItem {...p} /> : <Text {...p} />;
    case "list of ids":
      return <ChooseItems {...p} />;
    case "code":
      return <ChooseCode {...p} />;
    case "list of codes":
      return <ChooseCodes {...p} />;
    case "date":
      return <DateInput {...frame(p)} value={asText(p.value)} onInput={p.onInput} />;
    case "true or false":
      return <YesNo {...p} />;
    case "list of objects":
      return <List {...p} />;
    case "object":
    case "anything":
      return <Structure {...p} />;
    default:
      return <Text {...p} />;
  }
}

