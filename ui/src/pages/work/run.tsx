// SPDX-License-Identifier: Apache-2.0
// A run, site by site, as it happens.
import { useEffect, useState } from "preact/hooks";
import { get, Problem, type Item } from "../../api";
import { lazy } from "../../components/lazy";
import { Head, State } from "../../components/page";
import { text } from "../../text";
import { run as t } from "../../text/pages";
import { asList, asText } from "./form/spec";
import { useNames } from "./papers";

interface ProgressProps {
  record: Item;
  over: boolean;
  names: (id: string) => string;
}

const HOLD_SECONDS = 3; // sites answer while the state stays: look that often
const over = ["released", "failed", "declined", "stopped"];

const Progress = lazy<ProgressProps>(() => import("./progress").then((m) => m.Progress));

interface Watched {
  run?: Item;
  record?: Item; // what the register holds of it: who did what when
  problem?: string;
}

function useRun(id: string): Watched {
  const [got, set] = useState<Watched>({});
  useEffect(() => {
    let live = true;
    const follow = async () => {
      let state = "";
      while (live && !over.includes(state)) {
        const run = await get<Item>(`/runs/${encodeURIComponent(id)}${state ? `?wait=${HOLD_SECONDS}&state=${state}` : ""}`);
        state = asText(run["state"]);
        const record = await get<Item>(`/register/run/${encodeURIComponent(id)}`);
        if (live) set({ run, record });
      }
    };
    follow().catch((e: unknown) => live && set({ problem: e instanceof Problem ? e.message : text.state.failed }));
    return () => {
      live = false;
    };
  }, [id]);
  return got;
}

export function Run(props: { id: string }) {
  const { run, record, problem } = useRun(props.id);
  const names = useNames();
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  if (!run) return <p aria-live="polite">{text.state.loading}</p>;
  const state = asText(run["state"]);
  const page = `/runs/${encodeURIComponent(props.id)}`;
  return (
    <>
      <Head title={asText(run["title"]) || t.title(props.id)} lead={t.lead} />
      <p aria-live="polite">
        <State state={state} /> {t.states[state]} {asText(run["why"])}
      </p>
      {Number(run["round"]) > 0 && <p>{t.round(Number(run["round"]), Number(run["attempt"]))}</p>}
      <div class="accord-scroll" tabIndex={0} role="region" aria-label={t.site}>
        <table class="nhsuk-table">
          <thead>
            <tr>
              <th scope="col">{t.site}</th>
              <th scope="col">{t.answer}</th>
              <th scope="col">{t.why}</th>
            </tr>
          </thead>
          <tbody>
            {asList(run["sites"]).map((s) => (
              <tr key={asText(s["body"])}>
                <th scope="row">{names(asText(s["body"]))}</th>
                <td>{t.answers[asText(s["answer"])] ?? asText(s["answer"])}</td>
                <td>{asText(s["why"])}</td>
              </tr>
            ))}
            {asList(run["missing"]).map((s) => (
              <tr key={asText(s["body"])}>
                <th scope="row">{names(asText(s["body"]))}</th>
                <td>{t.missing}</td>
                <td>{asText(s["why"])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {record && asList(record["events"]).length > 0 && <Progress record={record} over={over.includes(state)} names={names} />}
      {!over.includes(state) && <p class="nhsuk-body-s">{t.live}</p>}
      <p>
        <a href={page}>{state === "released" ? t.result : t.page}</a>
      </p>
    </>
  );
}
