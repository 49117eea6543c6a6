// SPDX-License-Identifier: Apache-2.0
// Population health: the vectors of PHEindicatormethods.
import { load, run, table, Tally, report } from './stats.mjs';

const both = ['--confidence', '0.95,0.998'];
const limits = { lower95_0cl: 'lower', upper95_0cl: 'upper', lower99_8cl: 'lower99_8', upper99_8cl: 'upper99_8', value: 'value' };
function compare(t, label, expected, got, map = limits) {
  for (const [e, c] of Object.entries(map)) if (e in expected) t.same(`${label} ${e}`, expected[e], got?.[c]);
}
const unnamed = rows => rows.map(r => ({ x: r.Numerator, n: r.Denominator }));

for (const [file, method] of [['pkg_proportion.csv', 'proportion'], ['pkg_rate.csv', 'rate']]) {
  const t = new Tally(file);
  load(file).forEach((r, i) => {
    const got = run(method, table(unnamed([r])), '--multiplier', r.multiplier, ...both);
    compare(t, `row ${i}`, r, got.rows?.[0]);
  });
}
for (const [file, method] of [['pkg_proportion_grouped.csv', 'proportion'], ['pkg_rate_grouped.csv', 'rate']]) {
  const t = new Tally(file);
  load(file).forEach((r, i) => {
    const got = run(method, table(unnamed([r])), '--multiplier', r.multiplier, '--confidence', parseFloat(r.confidence));
    compare(t, `row ${i}`, r, got.rows?.[0], { value: 'value', lowercl: 'lower', uppercl: 'upper' });
  });
}
{
  const t = new Tally('pkg_byars_wilson.csv');
  load('pkg_byars_wilson.csv').forEach((r, i) => {
    const wilson = r.method === 'Wilson', level = parseFloat(r.confidence);
    if (!wilson && Number(r.x) < 10) return t.skip('Byar below 10 events');
    const got = run(wilson ? 'proportion' : 'rate', table([{ x: r.x, n: wilson ? r.n : 1 }]), '--multiplier', 1, '--confidence', level);
    compare(t, `row ${i}`, r, got.rows?.[0], { lowercl: 'lower', uppercl: 'upper' });
  });
}
{
  const t = new Tally('run_phe_rate.csv');
  load('run_phe_rate.csv').forEach((r, i) => compare(t, `x=${r.x} n=${r.n}`, r, run('rate', table([{ x: r.x, n: r.n }]), ...both).rows?.[0]));
}
{
  const t = new Tally('pkg_mean_expected.csv');
  const grouped = run('mean', 'pkg_mean_input.csv', '--group', 'area', ...both).rows;
  for (const r of load('pkg_mean_expected.csv')) {
    const got = r.area === 'No grouping' ? run('mean', 'pkg_mean_input.csv', ...both).rows?.[0] : grouped?.find(g => g.area === r.area);
    compare(t, r.area, r, got, { ...limits, value_sum: 'sum', stdev: 'sd', value_count: 'n' });
  }
}
{
  const t = new Tally('pkg_dsr_expected.csv');
  const loose = new Tally('pkg_dsr_expected.csv (10 digits)', 1e-9);
  const all = [];
  for (const [i, r] of load('pkg_dsr_expected.csv').entries()) {
    const m = i < 4 ? 10000 : 100000, non = /nonind/.test(r.area);
    const got = /1976/.test(r.area) ? run('dsr', 'pkg_dsr_input_1976.csv', '--multiplier', m, ...both).rows?.[0]
      : run('dsr', non ? 'pkg_dsr_input_nonindependent.csv' : 'pkg_dsr_isr_input_multiarea.csv', '--group', 'area', '--multiplier', m, ...both).rows?.find(g => g.area === r.area);
    const map = /1976/.test(r.area) ? { value: 'value', lower95_0cl: 'lower', upper95_0cl: 'upper' } : limits;
    compare(non ? loose : t, `${r.area} ${m}`, r, got, { ...map, total_count: 'total_count', total_pop: 'total_pop' });
  }
  const exact = new Tally('run_dsr.csv');
  for (const r of load('run_dsr.csv')) {
    const file = /esp1976/.test(r.variant) ? 'pkg_dsr_input_1976.csv' : /nonind/.test(r.area) ? 'pkg_dsr_input_nonindependent.csv' : 'pkg_dsr_isr_input_multiarea.csv';
    const m = /per 10000 /.test(r.variant) ? 10000 : 100000;
    const rows = run('dsr', file, ...(r.area === '1976' ? [] : ['--group', 'area']), '--multiplier', m, ...both).rows;
    compare(exact, `${r.area} ${r.variant}`, r, rows?.find(g => (g.area ?? '1976') === r.area), { ...limits, total_count: 'total_count', total_pop: 'total_pop' });
  }
}
{
  const t = new Tally('pkg_isr_expected.csv');
  load('pkg_isr_expected.csv').forEach((r, i) => {
    const ratio = /ratio/.test(r.statistic), m = ratio ? Number(r.statistic.split('x ')[1]) : Number(r.statistic.split('per ')[1]);
    const o = ['--type', ratio ? 'ratio' : 'rate', '--multiplier', m, ...both];
    const zero = /^Area/.test(r.area);
    const got = zero ? run('isr', 'pkg_isr_input_zero_pop.csv', '--group', 'area', '--reference', process.argv[2] + '/pkg_isr_refdata.csv', ...o)
      : run('isr', 'pkg_isr_input_ownref.csv', '--group', 'area', ...o);
    compare(t, `${i} ${r.area} ${r.statistic}`, zero ? { ...r, lower99_8cl: undefined, upper99_8cl: undefined } : r, got.rows?.find(g => g.area === r.area),
      { ...(zero ? { value: 'value', lower95_0cl: 'lower', upper95_0cl: 'upper' } : limits), observed: 'observed', expected: 'expected', ...(ratio ? {} : { ref_rate: 'ref_rate' }) });
  });
}
{
  const t = new Tally('pkg_quantiles.csv');
  const rows = load('pkg_quantiles.csv').filter(r => r.Test !== 'BadPolarity');
  const sets = new Map();
  for (const r of rows) {
    const group = { IndSexReg: [r.IndSexRef, r.ParentCode], IndSex: [r.IndSexRef], None: [] }[r.GroupSet];
    const key = JSON.stringify(r.GroupSet === 'None' ? ['None'] : [r.GroupSet, r.Test, r.QuantileNm, r.Polarity, group]);
    if (!sets.has(key)) sets.set(key, []);
    sets.get(key).push(r);
  }
  const size = { Decile: 10, Septile: 7, Quartile: 4 };
  for (const [key, set] of sets) {
    const got = run('quantile', table(set.map(r => ({ value: r.Value }))), '--groups', size[set[0].QuantileNm], ...(/^(RAG - Low is good|TRUE)$/.test(set[0].Polarity) ? ['--invert'] : [])).rows;
    set.forEach((r, i) => t.same(`${key} ${i}`, r.QuantileInGrp, got?.[i]?.quantile));
  }
}
{
  const t = new Tally('pkg_sii.csv', 1e-11), near = new Tally('pkg_sii.csv (simulated limits)', 0.05);
  const rows = load('pkg_sii.csv').filter(r => !/error|warning/.test(r.TestDescription));
  const sets = new Map();
  for (const r of rows) {
    const key = [r.TestDescription, r.Area, r.Grouping1, r.Grouping2].join('|');
    if (!sets.has(key)) sets.set(key, []);
    sets.get(key).push(r);
  }
  for (const [key, set] of sets) {
    const levels = /95%? and 98/.test(key) ? '95,98' : (set[0].Confidence.match(/[\d.]+/g) || []).join(',');
    const transform = /transform/.test(key), type = ['normal', 'rate', 'proportion'][set[0].ValueType];
    const m = /multiplier \(x -100/.test(key) ? -100 : /multiplier \(x 100/.test(key) ? 100 : /negative multiplier/.test(key) ? -1 : 1;
    const file = table(set.map(r => ({ quantile: r.Quantile, population: r.Population, value: r.Value, lower: r.LowerCL, upper: r.UpperCL, se: transform ? 'NA' : r.StandardError })));
    const got = run('sii', file, '--type', type, '--confidence', levels, '--multiplier', m, ...(transform ? ['--transform'] : []));
    const [sii, rii] = got.rows ?? [], e = set[0], second = ((v) => String(v < 1 ? Number((v * 100).toPrecision(6)) : v).replace('.', '_'))(Number(levels.split(',')[1]));
    if (!sii) t.bad.push(key + got.error);
    t.same(key + ' sii', e.sii, sii?.value);
    if (e.rii !== 'NA') t.same(key + ' rii', e.rii, rii?.value);
    if (e.Intercept !== 'NA') t.same(key + ' intercept', e.Intercept, sii?.intercept);
    for (const [name, row] of [['sii', sii], ['rii', rii]])
      for (const side of ['lower', 'upper'])
        [1, 2].forEach(k => { const v = e[`${name}_${side}cl_${k}`]; if (v !== 'NA') near.same(`${key} ${name} ${side} ${k}`, v, row?.[k === 1 ? side : side + second]); });
  }
  const t2 = new Tally('run_sii_rates.csv', 1e-11), near2 = new Tally('run_sii_rates.csv (simulated limits)', 0.01);
  for (const r of load('run_sii_rates.csv')) {
    const transform = r.transform === 'TRUE';
    const got = run('sii', 'input_DSR_data.csv', '--group', 'Period', '--quantile', 'Quintile', '--type', 'rate', '--multiplier', r.multiplier, ...(transform ? ['--transform'] : []));
    const [sii, rii] = got.rows?.filter(g => g.Period === r.Period) ?? [], name = `${r.Period} ${r.multiplier} ${r.transform}`;
    t2.same(name + ' sii', r.sii, sii?.value);
    t2.same(name + ' rii', r.rii, rii?.value);
    t2.same(name + ' intercept', r.intercept, sii?.intercept);
    const q = transform ? '' : 'cl';
    for (const side of ['lower', 'upper']) {
      near2.same(`${name} sii ${side}`, r[`sii_${side}95_0${q}`], sii?.[side]);
      near2.same(`${name} rii ${side}`, r[`rii_${side}95_0${q}`], rii?.[side]);
    }
  }
}
{
  const t = new Tally('run_life_expectancy_expected.csv');
  const got = run('life-expectancy', 'run_life_expectancy_input.csv', '--group', 'case', ...both).rows;
  for (const r of load('run_life_expectancy_expected.csv')) {
    const g = got?.find(x => x.case === r.case && Number(x.startage) === Number(r.startage));
    compare(t, `${r.case} ${r.startage}`, r, g, { ...limits, pops_used: 'pops_used', dths_used: 'dths_used' });
  }
}
{
  const t = new Tally('run_funnel_prop.csv');
  const got = run('funnel', 'pkg_funnel_prop_inputs.csv', '--multiplier', 100).limits;
  load('run_funnel_prop.csv').forEach((r, i) => compare(t, `${r.Population}`, r, got?.[i],
    { Population: 'population', lower_2s_limit: 'lower_2s_limit', upper_2s_limit: 'upper_2s_limit', lower_3s_limit: 'lower_3s_limit', upper_3s_limit: 'upper_3s_limit', baseline: 'baseline' }));
  const s = new Tally('pkg_funnel_prop_inputs.csv');
  const units = run('funnel', 'pkg_funnel_prop_inputs.csv').rows;
  load('pkg_funnel_prop_inputs.csv').forEach((r, i) => s.same(r.Area, r.significance, units?.[i]?.significance));
  const rs = new Tally('pkg_funnel_ratio_inputs.csv');
  const ratio = run('funnel', 'pkg_funnel_ratio_inputs.csv', '--type', 'ratio');
  load('pkg_funnel_ratio_inputs.csv').forEach((r, i) => rs.same(`${i}`, r.significance, ratio.rows?.[i]?.significance));
  const rl = new Tally('pkg_funnel_ratio_outputs.csv', 1e-4);
  const curve = run('funnel', 'pkg_funnel_ratio_inputs.csv', '--type', 'ratio', '--axis-max', 716).limits;
  load('pkg_funnel_ratio_outputs.csv').forEach(r => {
    const g = curve?.find(c => c.events === Number(r.Observed_events));
    if (!g) return rl.skip('other axis point');
    for (const k of Object.keys(r).slice(1)) rl.same(`${r.Observed_events} ${k}`, r[k], g[k.replace('_isr', '_limit')]);
  });
  const po = new Tally('pkg_funnel_prop_outputs.csv', 1e-6); // written with eight digits
  load('pkg_funnel_prop_outputs.csv').forEach((r, i) => compare(po, `${r.Population}`, r, got?.[i], { Lower2s0025limit: 'lower_2s_limit',
    Upper2s0025limit: 'upper_2s_limit', Lower3s0001limit: 'lower_3s_limit', Upper3s0001limit: 'upper_3s_limit', Baseline: 'baseline' }));
  const ro = new Tally('pkg_funnel_rate_outputs.csv', 1e-4); // the package finds Poisson limits by bisection
  const rate = run('funnel', 'pkg_funnel_rate_input_funnels.csv', '--type', 'rate', '--x', 'ev', '--n', 'denominator_derived_crude', '--years', 3).limits;
  load('pkg_funnel_rate_outputs.csv').forEach(r => {
    const g = rate?.find(c => c.events === Number(r.Events));
    if (!g) return ro.skip('other axis point');
    for (const k of Object.keys(r).filter(k => !['Events', 'statistic', 'method'].includes(k))) ro.same(`${r.Events} ${k}`, r[k], g[k]);
  });
}
report();
