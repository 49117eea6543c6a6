// SPDX-License-Identifier: Apache-2.0
// What the register works out from a project or an agreement, shown before it is sent, judged or signed.
import { useEffect, useState } from "preact/hooks";
import { type Item, type Json, send, Problem } from "../../api";
import { day } from "../../text";
import { choiceWords } from "../../text/fields";
import { guides } from "../../text/guides";
import { asList, asObject, asText } from "./form/spec";
import { useCodes, useItem, useItems, nameOf } from "./form/lists";

const sterling = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP", minimumFractionDigits: 0, maximumFractionDigits: 2 });
export const money = (pence: Json | undefined): string => (typeof pence === "number" ? sterling.format(pence / 100) : "");

// Sends what is on the form to be worked out; what is wrong with it is said when it is sent for good.
function useChecked(path: string, body: Item): { answer?: Item; problem?: string } {
  const text = JSON.stringify(body);
  const [got, set] = useState<{ answer?: Item; problem?: string }>({});
  useEffect(() => {
    let live = true;
    send<Item>("POST", path, JSON.parse(text) as Json).then(
      (answer) => live && set({ answer }),
      (e: unknown) => live && set({ problem: e instanceof Problem ? e.message : String(e) }),
    );
    return () => {
      live = false;
    };
  }, [path, text]);
  return got;
}

export function useNames(): (body: string) => string {
  const bodies = useItems("body");
  return (id) => {
    const found = bodies?.find((b) => b["id"] === id);
    return found ? nameOf(found) : id;
  };
}

const p = guides.project;

export function ProjectCase(props: { check: Item; submitted?: boolean }) {
  const { check } = props;
  const names = useNames();
  const missing = Array.isArray(check["missing"]) ? check["missing"].map(String) : [];
  const s = asObject(check["substitution"]);
  const perspectives = Array.isArray(check["perspectives"]) ? check["perspectives"].map((x) => choiceWords(String(x))) : [];
  return (
    <>
      {missing.length > 0 ? (
        <div class="nhsuk-inset-text">
          <h2>{p.missing}</h2>
          <ul>
            {missing.map((m) => (
              <li key={m}>{m.replace(/^rule [a-z0-9-]+: /, "")}</li>
            ))}
          </ul>
        </div>
      ) : (
        !props.submitted && <p class="nhsuk-inset-text">{p.ready}</p>
      )}
      <h2>{p.case}</h2>
      <p>
        <strong>{p.classes[asText(s["class"])]}</strong> {p.money(money(s["new"]), money(s["claimed"]), money(s["confirmed"]))}
      </p>
      <h2>{p.balance}</h2>
      <ul>
        {asList(check["contributions"]).map((c) => (
          <li key={asText(c["body"])}>
            {names(asText(c["body"]))}: {money(c["value"])}
          </li>
        ))}
      </ul>
      <p>{p.even(Math.round(Number(check["balance"] ?? 0) * 100))}</p>
      <p>
        {p.perspectives}: {perspectives.join(", ")}
      </p>
    </>
  );
}

function Filled(props: { scheme: string; answers: Item }) {
  const codes = useCodes(props.scheme);
  return (
    <details class="nhsuk-details">
      <summary class="nhsuk-details__summary">
        <span class="nhsuk-details__summary-text">{p.form(props.scheme)}</span>
      </summary>
      <div class="nhsuk-details__text">
        <dl class="accord-answers">
          {codes?.map((c) => (
            <div key={c.code}>
              <dt>{c.label}</dt>
              <dd>{asText(props.answers[c.code]) || <em>{p.unanswered}</em>}</dd>
            </div>
          ))}
        </dl>
      </div>
    </details>
  );
}

// A custodian's form is a vocabulary whose questions are among the Five Safes.
export function CustodianForms(props: { answers: Item }) {
  const schemes = useItems("vocabulary")?.map((v) => String(v["id"])) ?? [];
  const forms = schemes.filter((s) => s === "five-safes" || /form/.test(s));
  return (
    <>
      <h2>{p.forms}</h2>
      {forms.map((s) => (
        <Filled key={s} scheme={s} answers={props.answers} />
      ))}
    </>
  );
}

export function ProjectPreview(props: { body: Item }) {
  const { answer } = useChecked("/project/check", without(props.body, "body"));
  return (
    <>
      {answer && <ProjectCase check={answer} />}
      <CustodianForms answers={asObject(props.body["answers"])} />
    </>
  );
}

function without(body: Item, name: string): Item {
  const { [name]: _, ...rest } = body;
  return rest;
}

const a = guides.agreement;
const nhs = new Set(["icb", "trust", "place", "pcn", "sde"]);

function Share(props: { share: Json | undefined; project: string | undefined }) {
  const bodies = useItems("body");
  const project = useItem("project", props.project);
  if (typeof props.share !== "number") return <p>{a.unknown}</p>;
  const parties = asList(project?.["parties"]);
  const worth = (party: Item) => asList(party["contributions"]).reduce((sum, c) => sum + Number(c["value"] ?? 0), 0);
  const all = parties.reduce((sum, x) => sum + worth(x), 0);
  const ours = parties.filter((x) => nhs.has(asText(bodies?.find((b) => b["id"] === x["body"])?.["kind"]))).reduce((sum, x) => sum + worth(x), 0);
  return <p>{all ? a.shares(`${props.share}%`, `${Math.round((100 * ours) / all)}%`) : a.shareOnly(`${props.share}%`)}</p>;
}

export function AgreementMoney(props: { check: Item; terms: Item }) {
  const names = useNames();
  const due = (x: Item) => asText(x["due"]) || "9999";
  const transfers = asList(props.check["transfers"]).sort((x, y) => due(x).localeCompare(due(y)));
  return (
    <>
      <h2>{a.schedule}</h2>
      <p>
        {a.quote}: <strong>{money(props.check["quote"])}</strong>
      </p>
      {transfers.length === 0 ? (
        <p>{a.noSchedule}</p>
      ) : (
        <ul>
          {transfers.map((x, i) => (
            <li key={i}>
              {x["due"] !== undefined && `${day(asText(x["due"]))}: `}
              {names(asText(x["from"]))} → {names(asText(x["to"]))}, {money(x["amount"])} ({choiceWords(asText(x["mechanism"])).toLowerCase()}
              {x["what"] !== undefined && `, ${asText(x["what"])}`})
            </li>
          ))}
        </ul>
      )}
      <h2>{a.share}</h2>
      <Share share={props.terms["nhs_share_percent"]} project={typeof props.terms["project"] === "string" ? props.terms["project"] : undefined} />
    </>
  );
}

export function AgreementPreview(props: { body: Item; item: Item | undefined }) {
  const terms = { ...termsOf(props.item), ...props.body };
  const { answer, problem } = useChecked("/agreement/check", terms);
  if (problem !== undefined) return <p class="nhsuk-inset-text">{problem}</p>;
  return answer ? <AgreementMoney check={answer} terms={terms} /> : null;
}

const termNames = new Set(
  "title template parties annex from to purpose access use policy project parent exit_plan prices quote waiver mechanisms nhs_share_percent background_ip foreground_ip exclusivity consent_to_commercialise charges_patients limits_care publication audit".split(
    " ",
  ),
);
export function termsOf(item: Item | undefined): Item {
  return Object.fromEntries(Object.entries(item ?? {}).filter(([k]) => termNames.has(k)));
}
