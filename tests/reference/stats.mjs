// SPDX-License-Identifier: Apache-2.0
// Compares `accord stats` with reference vectors: every number of every expected file that a rule below knows.
// A rule runs the command once for each model and pairs expected with computed numbers. Prints, per file, how many
// numbers were compared, how many are left over, and the worst relative difference; fails over the tolerance.
import { execFileSync } from 'node:child_process';
import { readFileSync, existsSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

export const accord = process.env.ACCORD, data = process.argv[2];
export const scratch = mkdtempSync(join(tmpdir(), 'accord-stats-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

export function csv(text) {
  const rows = [];
  let row = [], cell = '', quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') { cell += '"'; i++; }
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ',') { row.push(cell); cell = ''; }
    else if (c === '\n') { row.push(cell.replace(/\r$/, '')); rows.push(row); row = []; cell = ''; }
    else cell += c;
  }
  if (cell || row.length) { row.push(cell); rows.push(row); }
  const head = rows.shift();
  return rows.map(r => Object.fromEntries(head.map((h, i) => [h, r[i]])));
}
export const load = name => existsSync(join(data, name)) ? csv(readFileSync(join(data, name), 'utf8')) : [];

const cache = new Map();
export function run(method, file, ...options) {
  const key = JSON.stringify([method, file, options]);
  if (!cache.has(key)) cache.set(key, call(method, file, options));
  return cache.get(key);
}
function call(method, file, options) {
  const path = existsSync(file) ? file : join(data, file);
  try {
    return JSON.parse(execFileSync(accord, ['stats', method, path, '--format', 'json', ...options.map(String)],
      { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] }));
  } catch (e) {
    return { error: String(e.stderr || e), code: e.status };
  }
}
let temporary = 0;
export function table(rows) { // rows of objects as a CSV file
  const heads = [...new Set(rows.flatMap(r => Object.keys(r)))];
  const quote = v => v === undefined || v === null ? 'NA' : /[",\n]/.test(String(v)) ? `"${String(v).replace(/"/g, '""')}"` : String(v);
  const path = join(scratch, `t${temporary++}.csv`);
  writeFileSync(path, [heads, ...rows.map(r => heads.map(h => r[h]))].map(r => r.map(quote).join(',')).join('\n') + '\n');
  return path;
}

const files = new Map();
export class Tally {
  constructor(file, tolerance = 1e-10) {
    Object.assign(this, { file, tolerance, compared: 0, worst: 0, bad: [], left: new Map() });
    files.set(file, this);
  }
  skip(what) { this.left.set(what, (this.left.get(what) || 0) + 1); }
  same(label, expected, computed, tolerance = this.tolerance) {
    this.compared++;
    if (computed === undefined) return void this.bad.push(`${label}: no answer, expected ${expected}`);
    if (typeof expected === 'string' && Number.isNaN(Number(expected)) && !/^(NA|Inf|-Inf|NaN)$/.test(expected)) {
      if (expected !== String(computed)) this.bad.push(`${label}: ${computed}, expected ${expected}`);
      return;
    }
    const missing = /^(NA|NaN|Inf|-Inf)?$/.test(String(expected));
    if (missing || computed === null) {
      if (!missing || computed !== null) this.bad.push(`${label}: ${computed}, expected ${expected}`);
      return;
    }
    const e = Number(expected), c = Number(computed), d = e === c || (Math.abs(e) < 1e-14 && Math.abs(c) < 1e-14) ? 0 : Math.abs(e - c) / Math.abs(e);
    if (d <= tolerance) this.worst = Math.max(this.worst, d);
    else this.bad.push(`${label}: ${c}, expected ${e} (${d.toExponential(1)})`);
  }
}
export function report() {
  let total = 0, failed = 0;
  for (const t of files.values()) {
    total += t.compared;
    failed += t.bad.length;
    const left = [...t.left].map(([k, v]) => `${k} ${v}`).join(', ');
    console.log(`${t.file}: ${t.compared} numbers, worst ${t.worst.toExponential(1)}, wrong ${t.bad.length}` + (left ? `, not compared: ${left}` : ''));
    for (const b of t.bad.slice(0, Number(process.env.SHOW || 8))) console.log('    ' + b);
  }
  console.log(`${total} numbers compared, ${failed} wrong`);
  process.exit(total > 0 && failed === 0 ? 0 : 1);
}
