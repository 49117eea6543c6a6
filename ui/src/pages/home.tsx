// SPDX-License-Identifier: Apache-2.0
// What this is in three sentences, what is live now, and what happened last.
import { Head } from "../components/page";
import { Load } from "../components/load";
import { EntryRows, type EntryList } from "./log";
import { nouns, text } from "../text";

interface Hub {
  origin: string;
  entries: number;
}

function Recent(props: { size: number }) {
  const from = Math.max(0, props.size - 10);
  return (
    <Load<EntryList> path={`/log/entries?from=${from}&limit=10`}>{(log) => <EntryRows entries={log.items.slice().reverse()} />}</Load>
  );
}

export function Home() {
  return (
    <>
      <Head title={text.home.title} lead={text.home.lead} />
      <h2>{text.home.live}</h2>
      <ul class="accord-cards">
        {Object.entries(nouns).map(([path, n]) => (
          <li class="nhsuk-card nhsuk-card--clickable" key={path}>
            <div class="nhsuk-card__content">
              <h3 class="nhsuk-card__heading nhsuk-heading-s">
                <a class="nhsuk-card__link" href={"/" + path}>
                  {n.title}
                </a>
              </h3>
              <p class="nhsuk-card__description">{n.lead}</p>
            </div>
          </li>
        ))}
      </ul>
      <h2>{text.home.recent}</h2>
      <Load<Hub> path="/hub">{(hub) => <Recent size={hub.entries} />}</Load>
    </>
  );
}
