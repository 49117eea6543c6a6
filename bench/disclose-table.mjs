// SPDX-License-Identifier: Apache-2.0
// A four-way table of counts as an instance for `accord disclose protect` (docs/formats/instance.md): region by age by sex by condition with
// every margin, like those of hospital statistics. The same arguments give the same bytes on every machine.
//   node disclose-table.mjs OUT.json THRESHOLD PERSONS LEVELS...
// LEVELS: for each dimension its inner levels, as 12 (one sum) or 4x12 (so many groups over so many).
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'

const [out, threshold, persons, ...shapes] = process.argv.slice(2)
const names = ['region', 'age', 'sex', 'condition', 'deprivation', 'ethnicity'].slice(0, shapes.length)

let state = 20261122n
function uniform() { // SplitMix64
  state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
  let z = state
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
  return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53
}
function normal() {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
function poisson(mean) {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
  let n = 0
  for (let p = Math.exp(-mean), t = uniform(); t > p && n < 1000; n++) t *= uniform()
  return n
}

// Levels with the sums over them, and a weight for each inner level.
function dimension(shape, spread) {
  const [groups, inner] = shape.includes('x') ? shape.split('x').map(Number) : [0, Number(shape)]
  const leaves = Array.from({ length: inner }, (_, i) => `i${i + 1}`)
  const group = (i) => Math.floor((i * groups) / inner)
  const sums = groups
    ? [['Total', Array.from({ length: groups }, (_, g) => `g${g + 1}`)],
      ...Array.from({ length: groups }, (_, g) => [`g${g + 1}`, leaves.filter((_, i) => group(i) === g)])]
    : [['Total', leaves]]
  const parents = leaves.map((leaf, i) => groups ? [leaf, `g${group(i) + 1}`, 'Total'] : [leaf, 'Total'])
  const weights = leaves.map(() => Math.exp(spread * normal()))
  return { sums, parents, weights }
}

const dimensions = shapes.map((shape, d) => dimension(shape, [0.5, 0.8, 0.1, 1.3, 0.4, 1][d]))
const cells = new Map()
function add(key, n, d, place) {
  if (d === dimensions.length) return cells.set(key, (cells.get(key) ?? 0) + n)
  for (const level of dimensions[d].parents[place[d]]) add(key ? `${key},${level}` : level, n, d + 1, place)
}
function fill(place, weight) {
  const d = place.length
  if (d === dimensions.length) return add('', poisson(weight * Math.exp(0.6 * normal())), 0, place)
  dimensions[d].weights.forEach((w, i) => fill([...place, i], weight * w / dimensions[d].weights.reduce((a, b) => a + b)))
}
fill([], Number(persons))

const csv = out.replace(/\.json$/, '.csv')
let primary = 0
const lines = [...cells].map(([key, n]) => {
  const small = n > 0 && n < Number(threshold)
  primary += small
  return `${key},${n},${n},${small ? 1 : 0}`
})
writeFileSync(csv, `${names.join(',')},value,freq,primary\n${lines.join('\n')}\n`)
writeFileSync(out, JSON.stringify({
  name: basename(out, '.json'), integer: true, absent: 'zero', protect: { kind: 'below', t: Number(threshold), lo: 1 },
  dims: Object.fromEntries(names.map((name, d) => [name, { total: 'Total', sums: dimensions[d].sums }])),
  tables: [{ id: 't', vars: names, cells: basename(csv) }],
}, null, 1) + '\n')
console.log(`${cells.size} cells, ${primary} primary`)
