// SPDX-License-Identifier: Apache-2.0
// Who matches a body's needs and offers, with the reasons line by line, as they can be worked out by hand.
import type { Item } from "../../api";
import { Load } from "../../components/load";
import { Head } from "../../components/page";
import { go } from "../../go";
import type { Session } from "../../session";
import { matching as t } from "../../text/pages";
import { Select } from "./controls";
import { nameOf, useItems } from "./form/lists";
import { CodeName } from "./form/names";
import { asList, asText, asTexts } from "./form/spec";

interface Names {
  signal: (id: string) => string;
}

const points = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });

function Line(props: { line: Item; names: Names }) {
  const { line, names } = props;
  const need = asText(line["need"]);
  const offer = asText(line["offer"]);
  return (
    <li>
      <a href={`/signals/${encodeURIComponent(need)}`}>{names.signal(need)}</a> {t.meets} <a href={`/signals/${encodeURIComponent(offer)}`}>{names.signal(offer)}</a>
      <ul>
        <li>
          {t.share(Math.round(Number(line["share"]) * 100))}: {" "}
          {asTexts(line["codes"]).map((c, i) => (
            <span key={c}>
              {i > 0 && "; "}
              <CodeName scheme={c.split(":")[0] ?? ""} code={c.split(":")[1] ?? ""} />
            </span>
          ))}
        </li>
        <li>{t.rank(Number(line["rank"]))}</li>
        <li>{t.points(points.format(Number(line["points"])))}</li>
      </ul>
    </li>
  );
}

function Counterpart(props: { body: string; match: Item; names: Names }) {
  const { match, names } = props;
  const lines = asList(match["lines"]);
  const signals = [...new Set(lines.flatMap((l) => [asText(l["need"]), asText(l["offer"])]))];
  const query = new URLSearchParams(signals.map((s) => ["signals", s]));
  query.append("body", props.body);
  query.append("with", asText(match["body"]));
  return (
    <li class="nhsuk-card">
      <div class="nhsuk-card__content">
        <h2 class="nhsuk-card__heading nhsuk-heading-m">
          <a href={`/bodies/${encodeURIComponent(asText(match["body"]))}`}>{asText(match["name"])}</a>
        </h2>
        <p>{t.score(points.format(Number(match["score"])))}</p>
        <ul>
          {lines.map((l) => (
            <Line key={asText(l["need"]) + asText(l["offer"])} line={l} names={names} />
          ))}
        </ul>
        <p class="nhsuk-u-margin-top-4">
          <a href={`/work/do/project.draft?${query}`}>
            {t.open}
            <span class="nhsuk-u-visually-hidden"> {asText(match["name"])}</span>
          </a>
          {" · "}
          <a href={`/work/do/contact.send?body=${encodeURIComponent(asText(match["body"]))}&signal=${encodeURIComponent(asText(lines[0]?.["need"]))}`}>
            {t.write}
            <span class="nhsuk-u-visually-hidden"> {asText(match["name"])}</span>
          </a>
        </p>
      </div>
    </li>
  );
}

export function Matches(props: { session: Session; body: string | undefined }) {
  const mine = [...new Map(props.session.roles.map((r) => [r.body, r.body_name])).entries()];
  const body = props.body ?? mine[0]?.[0];
  const signals = useItems("signal");
  const names: Names = {
    signal: (id) => {
      const s = signals?.find((x) => x["id"] === id);
      return s ? nameOf(s) : id;
    },
  };
  return (
    <>
      <Head title={t.title} lead={t.lead} />
      {mine.length > 1 && (
        <Select
          id="body"
          label={t.whose}
          value={body ?? ""}
          choices={mine.map(([value, label]) => ({ value, label }))}
          empty={t.whose}
          onInput={(b) => go(`/work/matches/${encodeURIComponent(b)}`)}
        />
      )}
      {body === undefined ? (
        <p class="nhsuk-inset-text">{t.noBody}</p>
      ) : (
        <Load<{ items: Item[] }> path={`/match/${encodeURIComponent(body)}`}>
          {({ items }) =>
            items.length === 0 ? (
              <p class="nhsuk-inset-text">{t.none}</p>
            ) : (
              <ul class="accord-tasks">
                {items.map((m) => (
                  <Counterpart key={asText(m["body"])} body={body} match={m} names={names} />
                ))}
              </ul>
            )
          }
        </Load>
      )}
      <details class="nhsuk-details">
        <summary class="nhsuk-details__summary">
          <span class="nhsuk-details__summary-text">{t.how}</span>
        </summary>
        <div class="nhsuk-details__text">{t.formula}</div>
      </details>
    </>
  );
}
