// SPDX-License-Identifier: Apache-2.0
// What each site will be asked, word for word: the people, the numbers, who is asked, and the document that is signed.
import type { Item, Json } from "../../../api";
import { analysis as words, breakdownWords, memberWords } from "../../../text/analysis";
import { choiceWords } from "../../../text/fields";
import { form as ft } from "../../../text/form";
import { study as t } from "../../../text/pages";
import { asList, asText } from "../form/spec";
import { useNames } from "../papers";
import { breakdownMembers, kindNode, membersOf, numberNode, whole, type Member } from "./schema";

export interface Checked {
  title: string;
  hash: string;
  cohorts: { name: string; text: string }[];
  analyses: { name: string; kind: string; asks: string; specification: Item }[];
}

const isObject = (v: Json): v is Item => typeof v === "object" && v !== null && !Array.isArray(v);

function pairs(item: Item, members: Member[], without: string[]): string {
  return members
    .filter((m) => item[m.name] !== undefined && !without.includes(m.name))
    .map((m) => `${memberWords(m.name).label.toLowerCase().replace(/\?$/, "")} ${said(item[m.name] as Json, m)}`)
    .join("; ");
}

function breakdown(v: Json): string {
  const item = whole(v);
  const number = asText(item["number"]);
  const rest = pairs(item, number ? membersOf(numberNode) : breakdownMembers(item), ["number", "by"]);
  const name = breakdownWords(number ? `number:${number}` : asText(item["by"]));
  return rest ? `${name} (${rest})` : name;
}

function days(v: Json): string {
  const [from, to] = Array.isArray(v) ? v : [];
  return words.span(from === null || from === undefined ? undefined : String(from), to === null || to === undefined ? undefined : String(to));
}

// A member's value in words, by its shape.
function said(v: Json, m: Member): string {
  const { shape } = m;
  if (shape.is === "window") return days(v);
  if (shape.is === "broken_down") return breakdown(v);
  if (shape.is === "rows" && Array.isArray(v)) return v.map((x) => said(x, { ...m, shape: shape.of })).join(" · ");
  if ((shape.is === "group" || shape.is === "feature") && isObject(v)) return v["number"] !== undefined ? breakdown(v) : pairs(v, membersOf(shape.node), []);
  if (shape.is === "choice") return choiceWords(String(v));
  if (v === null) return words.ever;
  if (typeof v === "boolean") return v ? ft.yes : ft.no;
  return Array.isArray(v) ? v.map(String).join(", ") : `${String(v)}${memberWords(m.name).unit ? ` ${memberWords(m.name).unit}` : ""}`;
}

function Analysis(props: { kind: string; asks: string; specification: Item }) {
  const members = membersOf(kindNode(props.kind)).filter((m) => m.name !== "name" && props.specification[m.name] !== undefined);
  return (
    <div class="accord-row">
      <p class="nhsuk-heading-s">{choiceWords(props.kind)}</p>
      <p>{props.asks}</p>
      <dl class="accord-answers">
        {members.map((m) => (
          <div key={m.name}>
            <dt>{memberWords(m.name).label}</dt>
            <dd>{said(props.specification[m.name] as Json, m)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

export function Asked(props: { checked: Checked; agreement: Item | undefined; study: Item }) {
  const names = useNames();
  const { checked } = props;
  const sites = asList(props.agreement?.["parties"]).filter((p) => /site/.test(asText(p["role"])));
  return (
    <>
      <h2>{t.cohorts}</h2>
      {checked.cohorts.map((c) => (
        <div class="accord-row" key={c.name}>
          <p class="nhsuk-heading-s">
            {t.cohort} “{c.name}”
          </p>
          <p class="accord-prose">{c.text}</p>
        </div>
      ))}
      <h2>{t.analyses}</h2>
      {checked.analyses.map((a) => (
        <Analysis key={a.name} {...a} />
      ))}
      <h2>{t.sites}</h2>
      <ul>
        {sites.map((p) => (
          <li key={asText(p["body"])}>
            {names(asText(p["body"]))}
            {p["role"] === "lead_site" && ` (${choiceWords("lead_site").toLowerCase()})`}
          </li>
        ))}
      </ul>
      <details class="nhsuk-details">
        <summary class="nhsuk-details__summary">
          <span class="nhsuk-details__summary-text">{words.exact}</span>
        </summary>
        <div class="nhsuk-details__text">
          <pre class="accord-prose">{JSON.stringify(props.study, null, 1)}</pre>
        </div>
      </details>
      <p>
        {t.fingerprint}: <code class="accord-secret">{checked.hash}</code>
      </p>
      <p class="nhsuk-inset-text">{t.signed}</p>
    </>
  );
}
