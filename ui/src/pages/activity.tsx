// SPDX-License-Identifier: Apache-2.0
// How busy the register was, day by day, as stacked bars that follow the log while the page is open. The sentence and the table beside
// it are the server's; uPlot comes with this chunk alone.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { get } from "../api";
import { activity as t } from "../text";

interface Activity {
  kinds: string[];
  days: { day: string; entries: number[] }[];
}

const HEIGHT = 240;
const AGAIN_MS = 30_000;
const DAY_S = 86_400;
const fills = ["#005eb8", "#d5281b", "#330072", "#007f3b", "#ad6800", "#4c6272"]; // at least 3:1 on white; the table says it without colour

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const secondsOf = (day: string): number => Date.parse(day) / 1000;
const sum = (n: number[]): number => n.reduce((a, b) => a + b, 0);

// The tallest first, so that each lower one is drawn over it: kind k reaches as high as all kinds up to k together.
function series(a: Activity): [number[], ...number[][]] {
  const upTo = (k: number) => a.days.map((d) => sum(d.entries.slice(0, k + 1)));
  return [a.days.map((d) => secondsOf(d.day)), ...a.kinds.map((_, i) => upTo(a.kinds.length - 1 - i))];
}

function options(a: Activity, width: number): uPlot.Options {
  const bars = uPlot.paths.bars?.({ size: [0.8, 40] });
  const shown = [...a.kinds].reverse();
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "Etc/UTC"),
    scales: { x: { range: (_, from, to) => [from - DAY_S / 2, to + DAY_S / 2] }, y: { range: (_, __, most) => [0, Math.max(1, most) * 1.05] } },
    axes: [{ values: (_, at) => at.map((s) => days.format(s * 1000)), incrs: [DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S], grid: { show: false } }, { label: t.entries, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000] }],
    series: [
      {},
      ...shown.map((label, i) => ({ label, fill: fills[(a.kinds.length - 1 - i) % fills.length] ?? "#212b32", stroke: "#fff", width: 1, points: { show: false }, ...(bars ? { paths: bars } : {}) })),
    ],
  };
}

function useActivity(): Activity | undefined {
  const [now, set] = useState<Activity>();
  useEffect(() => {
    const ask = () => {
      if (!document.hidden) get<Activity>("/activity").then(set, () => undefined); // the table is there all the same
    };
    ask();
    const again = setInterval(ask, AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  return now;
}

function Chart(props: { activity: Activity }) {
  const { activity } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = series(activity);
  useEffect(() => {
    const at = box.current;
    if (!at) return undefined;
    plot.current = new uPlot(options(activity, at.clientWidth), data, at);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: at.clientWidth, height: HEIGHT }));
    watch.observe(at);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [JSON.stringify(data)]);
  const totals = activity.kinds.map((_, k) => sum(activity.days.map((d) => d.entries[k] ?? 0)));
  const said = activity.kinds.map((name, k) => `${name}: ${totals[k]}`).join(", ");
  return (
    <figure class="accord-activity">
      <div ref={box} role="img" aria-label={`${t.title}. ${said}`} />
      <ul class="accord-key">
        {activity.kinds.map((name, k) => (
          <li key={name}>
            <svg width="16" height="16" aria-hidden="true">
              <rect width="16" height="16" fill={fills[k % fills.length]} />
            </svg>{" "}
            {name}: {(totals[k] ?? 0).toLocaleString("en-GB")}
          </li>
        ))}
      </ul>
    </figure>
  );
}

export function ActivityChart() {
  const activity = useActivity();
  return activity ? <Chart activity={activity} /> : null;
}
