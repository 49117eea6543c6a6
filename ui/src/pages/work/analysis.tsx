// SPDX-License-Identifier: Apache-2.0
// The members of one analysis as controls, after its kind's example: what is a cohort there is chosen among the study's, what is
// broken down by is ticked, the rest is typed as what it is in the example.
import type { Item, Json } from "../../api";
import { label } from "../../components/data";
import { parameters as t } from "../../text/pages";
import { Checkboxes, Radios, Select, TextArea, TextInput } from "./controls";
import { asText } from "./form/spec";

interface Props {
  id: string;
  analysis: Item;
  example: Item;
  cohorts: string[];
  onChange: (next: Item) => void;
}

const roles = ["target", "comparator", "outcome"];
const dimensions = ["sex", "age_band", "deprivation_quintile", "deprivation_decile", "ethnicity"];

const dimensionName = (d: Json): string => (typeof d === "string" ? d : asText((d as Item | null)?.["by"]));

// Ticked dimensions keep what the example says of them (its age bands).
function By(props: { id: string; name: string; value: Json[]; example: Json[]; onInput: (v: Json[]) => void }) {
  const known = new Map([...props.example, ...props.value].map((d) => [dimensionName(d), d]));
  const names = [...new Set([...dimensions, ...known.keys()])].filter(Boolean);
  return (
    <Checkboxes
      id={props.id}
      label={label(props.name)}
      values={props.value.map(dimensionName)}
      choices={names.map((n) => ({ value: n, label: t.dimensions[n] ?? label(n) }))}
      onInput={(chosen) => props.onInput(names.filter((n) => chosen.includes(n)).map((n) => known.get(n) ?? n))}
    />
  );
}

function Structured(props: { id: string; name: string; value: Json; onInput: (v: Json) => void }) {
  const text = typeof props.value === "string" ? props.value : JSON.stringify(props.value);
  return (
    <TextArea
      id={props.id}
      label={label(props.name)}
      hint={t.json}
      rows={3}
      value={text}
      onInput={(v) => {
        try {
          props.onInput(JSON.parse(v) as Json);
        } catch {
          props.onInput(v);
        }
      }}
    />
  );
}

function Member(props: Props & { name: string; value: Json; sample: Json | undefined }) {
  const { name, value } = props;
  const id = `${props.id}-${name}`;
  const put = (v: Json) => props.onChange({ ...props.analysis, [name]: v });
  if (typeof props.sample === "string" && roles.includes(props.sample))
    return <Select id={id} label={t.cohorts[name] ?? label(name)} value={asText(value)} choices={props.cohorts.map((c) => ({ value: c, label: c }))} empty={t.choose} onInput={put} />;
  if (name === "by" && Array.isArray(value)) return <By id={id} name={name} value={value} example={Array.isArray(props.sample) ? props.sample : []} onInput={put} />;
  if (typeof props.sample === "boolean")
    return (
      <Radios
        id={id}
        label={label(name)}
        value={value === true ? "yes" : "no"}
        choices={[
          { value: "yes", label: t.yes },
          { value: "no", label: t.no },
        ]}
        onInput={(v) => put(v === "yes")}
      />
    );
  if (typeof props.sample === "number")
    return (
      <TextInput id={id} label={label(name)} value={String(value ?? "")} numeric width={10} onInput={(v) => put(v.trim() !== "" && Number.isFinite(Number(v)) ? Number(v) : v)} />
    );
  if (typeof props.sample === "string") return <TextInput id={id} label={label(name)} value={asText(value)} width={20} onInput={put} />;
  return <Structured id={id} name={name} value={value} onInput={put} />;
}

export function AnalysisParameters(props: Props) {
  return (
    <>
      {Object.entries(props.analysis)
        .filter(([name]) => name !== "kind" && name !== "name")
        .map(([name, value]) => (
          <Member key={name} {...props} name={name} value={value} sample={props.example[name]} />
        ))}
    </>
  );
}
