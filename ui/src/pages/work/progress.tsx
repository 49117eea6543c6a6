// SPDX-License-Identifier: Apache-2.0
// How a run gets on: the masked parts that each site has sent, over time, from the register's own entries. It comes with uPlot in a
// chunk of its own, which only who watches a run fetches. The table beside it says who answered what; this adds when.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Item } from "../../api";
import { run as t } from "../../text/pages";
import { asList, asObject, asText } from "./form/spec";

const HEIGHT = 220;
// NHS colours that keep 3:1 on white; dashes tell them apart without colour.
const strokes = ["#005eb8", "#007f3b", "#d5281b", "#330072", "#7c2855", "#425563", "#00703c", "#b33a00"];
const dashes = [[], [8, 4], [2, 3], [12, 4, 2, 4]];

interface Parts {
  body: string;
  at: number[]; // seconds since the run was asked for, one for each part
}

const secondsOf = (time: string): number => Date.parse(time) / 1000;

const begunAt = (record: Item): number => secondsOf(asText(asObject(record["asked"])["time"]));

function partsOf(record: Item): Parts[] {
  const by = new Map<string, number[]>(asList(record["sites"]).map((s) => [asText(s["body"]), []]));
  for (const e of asList(record["events"])) {
    const who = asObject(e["by"]);
    if (e["verb"] === "run.part") by.set(asText(who["body"]), [...(by.get(asText(who["body"])) ?? []), secondsOf(asText(who["time"])) - begunAt(record)]);
  }
  return [...by].map(([body, at]) => ({ body, at: at.sort((a, b) => a - b) }));
}

// One row of times for all sites, and of each how many parts it had sent by then: what uPlot draws.
function series(to: number, parts: Parts[]): [number[], ...number[][]] {
  const times = [...new Set([0, ...parts.flatMap((p) => p.at), to])].sort((a, b) => a - b);
  return [times, ...parts.map((p) => times.map((x) => p.at.filter((y) => y <= x).length))];
}

const style = (i: number) => ({ stroke: strokes[i % strokes.length] ?? "#212b32", dash: dashes[i % dashes.length] ?? [], width: 2, points: { show: false } });

function options(labels: string[], width: number): uPlot.Options {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(1, most) * 1.1] } },
    axes: [{ label: t.seconds }, { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], label: t.parts }],
    series: [{}, ...labels.map((label, i) => ({ label, ...style(i), ...(stepped ? { paths: stepped } : {}) }))],
  };
}

export function Progress(props: { record: Item; over: boolean; names: (id: string) => string }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const parts = useMemo(() => partsOf(props.record), [props.record]);
  const labels = parts.map((p) => props.names(p.body));
  const last = Math.max(1, ...parts.flatMap((p) => p.at));
  const data = series(props.over ? last : Math.max(last, Date.now() / 1000 - begunAt(props.record)), parts);
  useEffect(() => {
    const at = box.current;
    if (!at) return undefined;
    plot.current = new uPlot(options(labels, at.clientWidth), data, at);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: at.clientWidth, height: HEIGHT }));
    watch.observe(at);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
    };
  }, [labels.join("|")]);
  useEffect(() => plot.current?.setData(data), [JSON.stringify(data)]);
  const said = parts.map((p, i) => `${labels[i]}: ${p.at.length}`).join(", ");
  return (
    <figure class="accord-progress">
      <figcaption class="nhsuk-heading-s">{t.progress}</figcaption>
      <div ref={box} role="img" aria-label={`${t.progress}. ${said}`} />
      <ul class="accord-key">
        {parts.map((p, i) => (
          <li key={p.body}>
            <svg width="36" height="8" aria-hidden="true">
              <line x1="0" y1="4" x2="36" y2="4" stroke={style(i).stroke} stroke-width="3" stroke-dasharray={style(i).dash.join(" ")} />
            </svg>{" "}
            {labels[i]}: {p.at.length}
          </li>
        ))}
      </ul>
    </figure>
  );
}
