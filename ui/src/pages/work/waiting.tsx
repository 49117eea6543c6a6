// SPDX-License-Identifier: Apache-2.0
// What is waiting for the person who signed in, and what they can begin.
import type { Item } from "../../api";
import { Load } from "../../components/load";
import { Head, State } from "../../components/page";
import { day } from "../../text";
import { work } from "../../text/work";
import { verbs } from "../../text/words";
import type { Session } from "../../session";
import { pageOf } from "./act";
import { Identity } from "./identity";

const t = work.waiting;

function target(w: Item): string {
  const verb = String(w["verb"]);
  const id = encodeURIComponent(String(w["id"]));
  if (w["perspective"] !== undefined)
    return `/work/do/${verb}?about=${encodeURIComponent(`project:${w["id"]}`)}&perspective=${String(w["perspective"])}`;
  if (w["line"] !== undefined) return `/work/do/${verb}/${id}?line=${encodeURIComponent(String(w["line"]))}`;
  return `/work/do/${verb}/${id}`;
}

function Row(props: { w: Item }) {
  const { w } = props;
  const verb = String(w["verb"]);
  const due = typeof w["due"] === "string" ? w["due"] : undefined;
  const page = pageOf(String(w["noun"]), String(w["id"]));
  return (
    <li class="accord-task">
      <div class="accord-task__what">
        <a href={target(w)}>
          {verbs[verb]?.do ?? verb}: {String(w["title"])}
        </a>
        {w["perspective"] !== undefined && ` (${t.perspective} ${String(w["perspective"])})`}
        {page && (
          <>
            {" "}
            <a class="accord-task__read" href={page}>
              {t.read}
              <span class="nhsuk-u-visually-hidden"> {String(w["title"])}</span>
            </a>
          </>
        )}
      </div>
      <div class="accord-task__state">
        {due && (
          <span class={"nhsuk-tag " + (w["late"] === true ? "nhsuk-tag--red" : "nhsuk-tag--white")}>
            {w["late"] === true ? t.late : t.due} {day(due)}
          </span>
        )}{" "}
        <State state={String(w["state"])} />
      </div>
    </li>
  );
}

const begin: { verb: string; href: string; roles: string[] }[] = [
  { verb: "signal.draft", href: "/work/do/signal.draft", roles: ["member", "lead"] },
  { verb: "matches", href: "/work/matches", roles: ["member", "lead", "analyst", "signatory"] },
  { verb: "project.draft", href: "/work/do/project.draft", roles: ["member", "lead"] },
  { verb: "agreement.draft", href: "/work/do/agreement.draft", roles: ["member", "lead", "signatory"] },
  { verb: "run.request", href: "/work/study", roles: ["analyst"] },
  { verb: "body.describe", href: "/work/describe", roles: ["lead"] },
  { verb: "grant.offer", href: "/work/do/grant.offer", roles: ["lead", "steward"] },
  { verb: "body.add", href: "/work/do/body.add", roles: ["steward"] },
  { verb: "body.check", href: "/work/check", roles: ["steward"] },
  { verb: "node.invite", href: "/work/do/node.invite", roles: ["steward", "operator", "controller"] },
  { verb: "template.publish", href: "/work/do/template.publish", roles: ["steward"] },
  { verb: "signal.idea", href: "/work/do/signal.idea", roles: ["member", "lead", "analyst"] },
  { verb: "artefact.publish", href: "/work/do/artefact.publish", roles: ["member", "lead"] },
  { verb: "body.apply", href: "/work/do/body.apply", roles: [] },
  { verb: "person.declare", href: "/work/declare", roles: [] },
];

function Begin(props: { session: Session }) {
  const held = new Set(props.session.roles.filter((r) => r.counts).map((r) => r.role));
  const here = begin.filter((b) => b.roles.length === 0 || b.roles.some((r) => held.has(r)));
  return (
    <>
      <h2>{t.begin}</h2>
      <ul class="accord-begin">
        {here.map((b) => (
          <li key={b.verb}>
            <a href={b.href}>{verbs[b.verb]?.do ?? b.verb}</a>
            {verbs[b.verb]?.hint && <p class="nhsuk-body-s">{verbs[b.verb]?.hint}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Studies(props: { session: Session }) {
  return (
    <Load<{ items: Item[] }> path="/runs?limit=100">
      {({ items }) => {
        const mine = items.filter((r) => r["analyst"] === props.session.key);
        return mine.length === 0 ? null : (
          <>
            <h2>{t.studies}</h2>
            <ul class="accord-tasks">
              {mine.map((r) => (
                <li class="accord-task" key={String(r["id"])}>
                  <div class="accord-task__what">
                    <a href={`/work/run/${encodeURIComponent(String(r["id"]))}`}>{String(r["title"])}</a>
                  </div>
                  <div class="accord-task__state">
                    <State state={String(r["state"])} />
                  </div>
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </Load>
  );
}

function Roles(props: { session: Session }) {
  const roles = props.session.roles;
  return (
    <>
      <h2>{t.roles}</h2>
      {roles.length === 0 ? (
        <p>{t.noRoles}</p>
      ) : (
        <ul class="nhsuk-list nhsuk-list--bullet">
          {roles.map((r) => (
            <li key={r.role + r.body + (r.scope ?? "")}>
              <strong>{t.role[r.role] ?? r.role}</strong>
              {r.scope && `, ${r.scope}`}: {r.body_name}
              {!r.counts && (
                <>
                  {" "}
                  <span class="nhsuk-tag nhsuk-tag--orange">{t.notCounting}</span> {r.why}
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function Waiting(props: { session: Session }) {
  return (
    <>
      <Head title={t.title} lead={t.lead} />
      <Load<{ items: Item[] }> path="/waiting">
        {({ items }) =>
          items.length === 0 ? (
            <p class="nhsuk-inset-text">{t.nothing}</p>
          ) : (
            <ul class="accord-tasks">
              {items.map((w) => (
                <Row key={`${w["verb"]}${w["id"]}${w["perspective"] ?? ""}${w["line"] ?? ""}`} w={w} />
              ))}
            </ul>
          )
        }
      </Load>
      {props.session.roles.some((r) => r.role === "analyst") && <Studies session={props.session} />}
      <Begin session={props.session} />
      <Roles session={props.session} />
      <Identity />
    </>
  );
}
