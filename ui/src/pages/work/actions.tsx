// SPDX-License-Identifier: Apache-2.0
// On an item's public page, for who is signed in: what they can do with it now, and why not the rest.
import type { Item } from "../../api";
import { Load } from "../../components/load";
import { useWho } from "../../session";
import { actions as t } from "../../text/pages";
import { verbs } from "../../text/words";

// What begins from an item: a verb of another noun that names it.
const begins: Record<string, { verb: string; query: string; roles: string[] }[]> = {
  signal: [
    { verb: "project.draft", query: "signals", roles: ["member", "lead"] },
    { verb: "contact.send", query: "signal", roles: ["member", "lead"] },
  ],
  project: [
    { verb: "measure.propose", query: "project", roles: ["member", "lead"] },
    { verb: "review.ask", query: "about=project:", roles: ["lead", "steward"] },
    { verb: "agreement.draft", query: "project", roles: ["member", "lead", "signatory"] },
  ],
  agreement: [
    { verb: "review.ask", query: "about=agreement:", roles: ["lead", "steward"] },
    { verb: "transfer.promise", query: "agreement", roles: ["lead", "signatory"] },
  ],
  body: [{ verb: "contact.send", query: "body", roles: ["member", "lead"] }],
};

const words = (v: Item) => verbs[String(v["verb"])]?.do ?? String(v["about"]);

export function Actions(props: { noun: string; id: string }) {
  const who = useWho();
  if (who.state !== "in" || who.session.person === undefined) return null;
  const held = new Set(who.session.roles.filter((r) => r.counts).map((r) => r.role));
  const further = (begins[props.noun] ?? []).filter((b) => b.roles.some((r) => held.has(r)));
  const id = encodeURIComponent(props.id);
  return (
    <section class="accord-actions" aria-labelledby="actions">
      <h2 id="actions">{t.title}</h2>
      <Load<{ items: Item[] }> path={`/register/${props.noun}/${id}/verbs`}>
        {({ items }) => {
          const open = items.filter((v) => v["open"] === true);
          const closed = items.filter((v) => v["open"] !== true);
          return (
            <>
              {open.length + further.length === 0 && <p>{t.nothing}</p>}
              <ul class="accord-buttons">
                {open.map((v) => (
                  <li key={String(v["verb"])}>
                    <a class="nhsuk-button nhsuk-button--secondary" href={`/work/do/${String(v["verb"])}/${id}`}>
                      {words(v)}
                    </a>
                  </li>
                ))}
                {further.map((b) => (
                  <li key={b.verb}>
                    <a class="nhsuk-button nhsuk-button--secondary" href={`/work/do/${b.verb}?${b.query.includes("=") ? b.query : b.query + "="}${id}`}>
                      {verbs[b.verb]?.do}
                    </a>
                  </li>
                ))}
              </ul>
              {closed.length > 0 && (
                <details class="nhsuk-details">
                  <summary class="nhsuk-details__summary">
                    <span class="nhsuk-details__summary-text">{t.others}</span>
                  </summary>
                  <div class="nhsuk-details__text">
                    <dl class="accord-answers">
                      {closed.map((v) => (
                        <div key={String(v["verb"])}>
                          <dt>{words(v)}</dt>
                          <dd>{String(v["why"]).replace(/^rule [a-z0-9-]+: /, "")}</dd>
                        </div>
                      ))}
                    </dl>
                  </div>
                </details>
              )}
            </>
          );
        }}
      </Load>
    </section>
  );
}
