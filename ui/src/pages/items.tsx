// SPDX-License-Identifier: Apache-2.0
// The items of a noun, and one item with its story. A run also shows its sites and, once released, its tables.
import type { Item as ItemData, Json } from "../api";
import { Data } from "../components/data";
import { Load } from "../components/load";
import { AsData, Head, State } from "../components/page";
import { Released, type ReleasedTable } from "../components/released";
import { lazy } from "../components/lazy";
import { useWho } from "../session";
import { nouns, text } from "../text";
import { EntryRows, type EntryList } from "./log";

const Actions = lazy<{ noun: string; id: string }>(() => import("./work/work").then((m) => m.Actions));

interface Items {
  items: ItemData[];
}

const listPath = (noun: string) => (noun === "runs" ? "/runs" : `/register/${nouns[noun]?.api}`);
const itemPath = (noun: string, id: string) => `${listPath(noun)}/${encodeURIComponent(id)}`;
const name = (item: ItemData): string => String(item["title"] ?? item["name"] ?? item["id"]);

export function List(props: { noun: string }) {
  const words = nouns[props.noun];
  if (!words) return null;
  return (
    <>
      <Head title={words.title} lead={words.lead} />
      <Load<Items> path={listPath(props.noun)}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="nhsuk-inset-text">{words.none}</p>
          ) : (
            <table class="nhsuk-table">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <tbody>
                {items.map((item) => (
                  <tr key={String(item["id"])}>
                    <td>
                      <a href={`/${props.noun}/${encodeURIComponent(String(item["id"]))}`}>{name(item)}</a>
                    </td>
                    <td>
                      <State state={String(item["state"])} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Load>
      <AsData path={listPath(props.noun)} />
    </>
  );
}

interface Document {
  title: string;
  tables: ReleasedTable[];
  record: Json;
}

function Result(props: { run: string }) {
  const path = `/runs/${encodeURIComponent(props.run)}/result`;
  return (
    <Load<Document> path={path}>
      {(doc) => (
        <>
          <h2>{doc.title}</h2>
          {doc.tables.map((t) => (
            <Released table={t} key={t.name} />
          ))}
          <details class="nhsuk-details">
            <summary class="nhsuk-details__summary">
              <span class="nhsuk-details__summary-text">{text.table.record}</span>
            </summary>
            <div class="nhsuk-details__text">
              <Data value={doc.record} />
            </div>
          </details>
          <AsData path={path} />
        </>
      )}
    </Load>
  );
}

export function Item(props: { noun: string; id: string }) {
  const who = useWho();
  const subject = `${nouns[props.noun]?.api}:${props.id}`;
  return (
    <Load<ItemData> path={itemPath(props.noun, props.id)}>
      {(item) => {
        const { state, ...rest } = item;
        return (
          <>
            <Head title={name(item)} />
            <p>
              <State state={String(state)} />
            </p>
            {props.noun === "runs" && state === "released" && <Result run={props.id} />}
            {who.state === "in" && <Actions noun={nouns[props.noun]?.api ?? ""} id={props.id} />}
            <h2>Details</h2>
            <Data value={rest} />
            <h2>What happened, step by step</h2>
            <Load<EntryList> path={`/log/entries?subject=${encodeURIComponent(subject)}`}>
              {(log) => <EntryRows entries={log.items} />}
            </Load>
            <AsData path={itemPath(props.noun, props.id)} />
          </>
        );
      }}
    </Load>
  );
}
