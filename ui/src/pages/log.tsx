// SPDX-License-Identifier: Apache-2.0
// The log, and one entry that the reader's own browser checks.
import { useState } from "preact/hooks";
import type { Json } from "../api";
import { get } from "../api";
import { Data } from "../components/data";
import { Load } from "../components/load";
import { AsData, Head } from "../components/page";
import { text } from "../text";
import { verify, type Proof, type Verdict } from "../verify";

export interface LogEntry {
  [key: string]: Json;
  seq: number;
  time: string;
  verb: string;
  subject: string;
}
export interface EntryList {
  size: number;
  items: LogEntry[];
}

export function EntryRows(props: { entries: LogEntry[] }) {
  return (
    <div class="accord-scroll" tabIndex={0} role="region" aria-label={text.log.title}>
      <table class="nhsuk-table">
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Of what</th>
          </tr>
        </thead>
        <tbody>
          {props.entries.map((e) => (
            <tr key={e.seq}>
              <td>
                <a href={`/log/${e.seq}`}>{e.seq}</a>
              </td>
              <td>
                <time dateTime={e.time}>{e.time.replace("T", " ").replace("Z", "")}</time>
              </td>
              <td>{e.verb}</td>
              <td>{e.subject}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PAGE = 50;

function Newest(props: { size: number }) {
  const [to, set] = useState(props.size);
  const from = Math.max(0, to - PAGE);
  return (
    <>
      <Load<EntryList> path={`/log/entries?from=${from}&limit=${Math.max(1, to - from)}`}>
        {(log) => <EntryRows entries={log.items.slice().reverse()} />}
      </Load>
      {from > 0 && (
        <button class="nhsuk-button nhsuk-button--secondary" onClick={() => set(from)}>
          {text.log.older}
        </button>
      )}
    </>
  );
}

export function Log() {
  return (
    <>
      <Head title={text.log.title} lead={text.log.lead} />
      <p class="nhsuk-inset-text">{text.log.copy}</p>
      <Load<{ entries: number }> path="/hub">{(hub) => <Newest size={hub.entries} />}</Load>
      <AsData path="/log/entries" />
    </>
  );
}

function Check(props: { seq: string }) {
  const [state, set] = useState<Verdict | "busy" | undefined>(undefined);
  const check = () => {
    set("busy");
    get<Proof>(`/log/entries/${props.seq}/proof`).then(verify).then(set, () => set({ steps: [], right: false }));
  };
  return (
    <>
      <button class="nhsuk-button" onClick={check}>
        {text.log.verify}
      </button>
      <div aria-live="polite">
        {state === "busy" && <p>{text.log.verifying}</p>}
        {state !== undefined && state !== "busy" && (
          <div class="nhsuk-inset-text">
            <p>
              <strong>{state.right ? text.log.right : text.log.wrong}</strong>
            </p>
            <ul>
              {state.steps.map((s) => (
                <li key={s.what}>
                  {s.right ? "✓" : "✗"} {s.what}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </>
  );
}

export function Entry(props: { seq: string }) {
  return (
    <Load<EntryList> path={`/log/entries?from=${encodeURIComponent(props.seq)}&limit=1`}>
      {(log) => {
        const entry = log.items[0];
        if (!entry) return <Head title={text.state.notFound} />;
        return (
          <>
            <Head title={`Entry ${entry.seq}: ${entry.verb}`} />
            <Check seq={props.seq} />
            <Data value={entry} />
            <AsData path={`/log/entries/${entry.seq}/proof`} />
          </>
        );
      }}
    </Load>
  );
}
