// SPDX-License-Identifier: Apache-2.0
// A released table (docs/formats/result.md): its last dimension runs across, the others down. A hidden cell is shown as
// hidden, never as zero; a cell that is not listed is zero.
import { text } from "../text";

interface Dimension {
  name: string;
  levels: { label: string; parent?: number }[];
}
interface Cell {
  at: number[];
  value?: number;
  lower?: number;
  upper?: number;
  hidden?: boolean;
}
export interface ReleasedTable {
  name: string;
  title: string;
  unit: string;
  dimensions: Dimension[];
  cells: Cell[];
}

const number = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 6 });

function shown(cell: Cell | undefined) {
  if (!cell) return "0";
  if (cell.hidden) return <abbr title={text.table.suppressed}>[c]</abbr>;
  const value = number.format(cell.value ?? 0);
  if (cell.lower === undefined || cell.upper === undefined) return value;
  return `${value} (${number.format(cell.lower)} to ${number.format(cell.upper)})`;
}

// Every combination of levels of the dimensions that run down, in order.
function combinations(dimensions: Dimension[]): number[][] {
  return dimensions.reduce<number[][]>((rows, d) => rows.flatMap((row) => d.levels.map((_, i) => [...row, i])), [[]]);
}

export function Released(props: { table: ReleasedTable }) {
  const { table } = props;
  const wide = table.dimensions.length > 1;
  const down = wide ? table.dimensions.slice(0, -1) : table.dimensions;
  const across = wide ? table.dimensions[table.dimensions.length - 1]?.levels : undefined;
  const cells = new Map(table.cells.map((c) => [c.at.join(), c]));
  const heads = across ? across.map((l) => l.label) : [table.unit];
  const keys = (at: number[]) => (across ? across.map((_, i) => [...at, i].join()) : [at.join()]);
  return (
    <div class="accord-scroll" tabIndex={0} role="region" aria-label={table.title}>
      <table class="nhsuk-table">
        <caption class="nhsuk-table__caption">
          {table.title} ({table.unit})
        </caption>
        <thead>
          <tr>
            {down.map((d) => (
              <th scope="col" key={d.name}>
                {d.name}
              </th>
            ))}
            {heads.map((h, i) => (
              <th scope="col" key={i} class="nhsuk-table__header--numeric">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {combinations(down).map((at) => (
            <tr key={at.join()}>
              {at.map((level, d) => (
                <th scope="row" key={d}>
                  {down[d]?.levels[level]?.label}
                </th>
              ))}
              {keys(at).map((key) => (
                <td key={key} class="nhsuk-table__cell--numeric">
                  {shown(cells.get(key))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {table.cells.some((c) => c.hidden) && <p class="nhsuk-body-s">{text.table.suppressedNote}</p>}
    </div>
  );
}
