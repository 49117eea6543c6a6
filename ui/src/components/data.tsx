// SPDX-License-Identifier: Apache-2.0
// Any JSON as description lists and tables: the same view that the server renders without JavaScript.
import type { Json } from "../api";

type Row = { [key: string]: Json };

export function label(key: string): string {
  const words = key.replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function scalar(value: Json): string {
  if (value === null) return "not given";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

const isScalar = (v: Json): boolean => v === null || typeof v !== "object";

function isTable(rows: Json[]): rows is Row[] {
  const flat = (r: Json) => r !== null && typeof r === "object" && !Array.isArray(r) && Object.keys(r).length <= 12 && Object.values(r).every(isScalar);
  return rows.length > 0 && rows.every(flat);
}

export function Rows(props: { rows: Row[]; columns: string[] }) {
  return (
    <div class="accord-scroll" tabIndex={0} role="region" aria-label="Table">
      <table class="nhsuk-table">
        <thead>
          <tr>
            {props.columns.map((c) => (
              <th scope="col" key={c}>
                {label(c)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((r, i) => (
            <tr key={i}>
              {props.columns.map((c) => (
                <td key={c} class={typeof r[c] === "number" ? "nhsuk-table__cell--numeric" : ""}>
                  {scalar(r[c] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Data(props: { value: Json }) {
  const v = props.value;
  if (v === null || typeof v !== "object") return <>{scalar(v)}</>;
  if (Array.isArray(v)) {
    if (v.length === 0) return <>none</>;
    if (isTable(v)) return <Rows rows={v} columns={Object.keys(v[0] ?? {})} />;
    return (
      <ul>
        {v.map((x, i) => (
          <li key={i}>
            <Data value={x} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <dl class="nhsuk-summary-list">
      {Object.entries(v).map(([k, x]) => (
        <div class="nhsuk-summary-list__row" key={k}>
          <dt class="nhsuk-summary-list__key">{label(k)}</dt>
          <dd class="nhsuk-summary-list__value">
            <Data value={x} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
