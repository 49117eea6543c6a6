// SPDX-License-Identifier: Apache-2.0
// Regression, survival and the rest: the vectors of R and its packages.
import { load, run, table, Tally, report } from './stats.mjs';

const byModel = rows => {
  const models = new Map();
  for (const r of rows) {
    if (!models.has(r.model)) models.set(r.model, []);
    models.get(r.model).push(r);
  }
  return models;
};
const coefficient = (got, term) => got.coefficients?.find(c => c.term === term);
function pair(doc, spec) { // a covariance cell "a|b"
  const [a, b] = spec.split('|'), i = doc.terms?.indexOf(a), j = doc.terms?.indexOf(b);
  return doc.matrix?.[i]?.[j];
}

{
  const t = new Tally('glm.csv'), models = Object.fromEntries(load('models_glm.csv').map(m => [m.model, m]));
  const family = m => {
    const [f, l] = m.note.split(' ');
    return ['--family', f.toLowerCase(), '--link', l];
  };
  const names = { coef: 'estimate', se: 'se', stat: 'statistic', p: 'p', ci95_wald_lower: 'lower', ci95_wald_upper: 'upper',
    se_HC0: 'se_hc0', se_HC1: 'se_hc1', se_HC3: 'se_hc3' };
  const whole = { deviance: 'deviance', null_deviance: 'null_deviance', df_residual: 'df_residual', df_null: 'df_null', aic: 'aic',
    loglik: 'log_likelihood', loglik2: 'log_likelihood2', bic: 'bic', dispersion: 'dispersion', pearson_chi2: 'pearson_chi2', n: 'n',
    'irls_iterations_eps1e-14': 'iterations', XtWX_logdet: 'log_det_information', theta: 'theta', se_theta: 'se_theta', r_squared: 'r_squared', adj_r_squared: 'adj_r_squared',
    f_statistic: 'f_statistic', f_df: 'f_df', sigma: 'sigma', rss: 'rss' };
  for (const [model, rows] of byModel([...load('expected/glm.csv'), ...load('expected/glm_extra.csv')])) {
    if (model === 'logit_separation') {
      const got = run('glm', 'data/separation.csv', '--family', 'binomial');
      t.same(`${model} refused`, 'true', /separation.*\bx\b/.test(got.error || ''));
      continue;
    }
    const lm = model.startsWith('lm_'), nb = model.startsWith('nb_');
    const file = lm ? model.replace('lm_', 'gaussian_') : model;
    const got = nb ? run('nb', `design/${file}.csv`) : run('glm', `design/${file}.csv`, ...(lm ? ['--anova'] : family(models[model])));
    if (got.error) t.bad.push(`${model}: ${got.error}`);
    for (const r of rows) {
      const label = `${model} ${r.quantity} ${r.term}`;
      // R multiplies out X'X of condition 6e14 here: its own answer has 8 digits.
      if (/longley/.test(model) && /^(se_HC|XtWX|irls)/.test(r.quantity)) t.skip(`${model} ${r.quantity}`);
      else if (names[r.quantity]) t.same(label, r.value, coefficient(got, r.term)?.[names[r.quantity]]);
      else if (r.quantity === 'f_df') t.same(label, r.value, Number(r.value) === got.df_residual ? got.df_residual : got.f_df);
      else if (whole[r.quantity]) t.same(label, r.value, got[whole[r.quantity]]);
      else if (r.quantity === 'vcov') t.same(label, r.value, got.covariance && pair(got.covariance, r.term));
      else if (r.quantity === 'anova_ss') t.same(label, r.value, r.term === 'Residuals' ? got.rss : got.anova?.find(x => x.term === r.term)?.ss);
      else if (r.quantity === 'anova_p' && r.term !== 'Residuals') t.same(label, r.value, got.anova?.find(x => x.term === r.term)?.p);
      else t.skip(r.quantity);
    }
  }
}
{
  const t = new Tally('km_tables.csv');
  const files = { aml_x: ['aml', 'x'], lung_sex: ['lung', 'sex'], lung_months_sex: ['lung_months', 'sex'], ovarian_rx: ['ovarian', 'rx'],
    veteran_celltype: ['veteran', 'celltype'], heart_lefttrunc: ['heart', 'transplant'] };
  const names = { n_risk: 'n_risk', n_event: 'n_event', n_censor: 'n_censor', surv: 'surv', greenwood_se_surv: 'se', lower: 'lower', upper: 'upper', cumhaz: 'cumhaz', se_cumhaz: 'se_cumhaz' };
  const index = new Map();
  for (const r of load('expected/km_tables.csv')) {
    const spec = files[r.model];
    if (!spec) { t.skip(r.model); continue; }
    const key = `${r.model} ${r.conf_type} ${r.conf_level}`;
    if (!index.has(key)) {
      const got = run('km', `data/${spec[0]}.csv`, '--group', spec[1], '--conf-type', r.conf_type, '--confidence', r.conf_level);
      index.set(key, new Map((got.rows ?? []).map(x => [`${x.stratum}|${x.time}`, x])));
    }
    const row = index.get(key).get(`${r.stratum}|${Number(r.time)}`);
    for (const [e, c] of Object.entries(names)) t.same(`${key} ${r.stratum} ${r.time} ${e}`, r[e], row?.[c]);
  }
  const q = new Tally('logrank_medians.csv');
  for (const [model, rows] of byModel(load('expected/logrank_medians.csv'))) {
    const spec = files[model], strat = /_strat_(\w+?)_(\w+)_by_(\w+)/.exec(model);
    for (const r of rows) {
      const label = `${model} ${r.quantity} ${r.term}`;
      let m = /^q(\d+)_(?:(lower|upper)_)?(.*)$/.exec(r.quantity);
      if (spec && m) {
        const got = run('km', `data/${spec[0]}.csv`, '--group', spec[1], '--conf-type', m[3]);
        const quantile = got.curves?.find(c => c.stratum === r.term)?.quantiles.find(x => x.p === Number(m[1]) / 100);
        q.same(label, r.value, quantile?.[m[2] ?? 'value']);
        continue;
      }
      m = /^(se_)?rmst_tau(.*)$/.exec(r.quantity);
      if (spec && m) {
        const got = run('km', `data/${spec[0]}.csv`, '--group', spec[1], '--tau', m[2]);
        q.same(label, r.value, got.curves?.find(c => c.stratum === r.term)?.restricted_mean?.[m[1] ? 'se' : 'value']);
        continue;
      }
      if (spec) { q.skip(r.quantity); continue; }
      const rho = /rho(.*)$/.exec(r.quantity)?.[1] ?? 0;
      const [file, group, ...more] = strat ? [strat[1], strat[2], '--strata', strat[3]]
        : { lr_aml: ['aml', 'x'], lr_lung_sex: ['lung', 'sex'], lr_lung_months_sex: ['lung_months', 'sex'], lr_ovarian_rx: ['ovarian', 'rx'],
          lr_veteran_celltype: ['veteran', 'celltype'], lr_colon_rx_death: ['colon', 'rx', '--where', 'etype=2'] }[model] ?? [];
      if (!file) { q.skip(model); continue; }
      const levels = rows.filter(x => /^observed_rho0$/.test(x.quantity)).map(x => x.term);
      const got = run('logrank', `data/${file}.csv`, '--group', group, '--rho', rho, ...more);
      if (/^survdiff_chisq/.test(r.quantity)) q.same(label, r.value, got.test?.chisq);
      else if (/^survdiff_p/.test(r.quantity)) q.same(label, r.value, got.test?.p);
      else if (/^survdiff_df/.test(r.quantity)) q.same(label, r.value, got.test?.df);
      else if (/^(observed|expected)_/.test(r.quantity)) q.same(label, r.value, got.groups?.find(x => x.group === r.term)?.[r.quantity.split('_')[0]]);
      else if (/^logrank_var/.test(r.quantity)) q.same(label, r.value, got.variance && pair(got.variance, r.term.split('|').map(i => levels[i - 1]).join('|')), 1e-9);
      else q.skip(r.quantity);
    }
  }
}
const sites = (rows, k) => rows.map((r, i) => ({ ...r, site: i % k + 1 }));
const lungX = ['--x', 'age,sex,ph.ecog,wt.loss'];
const cox = {
  cox_veteran: ['veteran', '--x', 'trt,celltype,karno,diagtime,age,prior', '--levels', 'celltype=squamous,smallcell,adeno,large'],
  cox_veteran_strat: ['veteran', '--x', 'trt,karno', '--strata', 'celltype'],
  cox_ovarian: ['ovarian', '--x', 'age,factor(rx),factor(resid.ds),factor(ecog.ps)'],
  cox_colon_death: ['colon', '--where', 'etype=2', '--x', 'rx,sex,age,obstruct,perfor,adhere,nodes,extent', '--levels', 'rx=Obs,Lev,Lev+5FU'],
  cox_heart_startstop: ['heart', '--x', 'age,year,surgery,transplant', '--factor', 'transplant'],
  cox_heart_startstop_breslow: ['heart', '--x', 'age,year,surgery,transplant', '--factor', 'transplant', '--ties', 'breslow'],
  cox_lung_cluster_inst: ['lung_complete', ...lungX, '--cluster', 'inst'],
  cox_bladder_wlw: ['bladder', '--x', 'rx,size,number', '--strata', 'enum', '--cluster', 'id'],
  cox_gbsg: ['gbsg', '--x', 'age,meno,size,factor(grade),nodes,pgr,er,hormon'],
};
for (const tie of ['efron', 'breslow', 'exact']) {
  cox[`cox_lung_${tie}`] = ['lung_complete', ...lungX, '--ties', tie];
  cox[`cox_lungmonths_${tie}`] = ['lung_complete_months', ...lungX, '--ties', tie];
}
function coxRun(model) {
  const m = /^cox_(\w+)_stratsite(\d)$/.exec(model);
  if (m) {
    const [file, x] = { lung: ['lung_complete', lungX[1]], veteran: ['veteran', 'trt,karno,age'], gbsg: ['gbsg', 'age,nodes,hormon'] }[m[1]];
    return run('cox', table(sites(load(`data/${file}.csv`), Number(m[2]))), '--x', x, '--strata', 'site');
  }
  if (model === 'cox_lung_weighted')
    return run('cox', table(load('data/lung_complete.csv').map(r => ({ ...r, prior_weight: 1 + Number(r.sex) / 2 }))), ...lungX);
  if (model === 'cox_colon_death') // complete over all columns of the file, as the vector is
    return run('cox', table(load('data/colon.csv').filter(r => r.etype === '2' && !Object.values(r).includes('NA'))), ...cox[model].slice(3));
  const spec = cox[model];
  return spec && run('cox', `data/${spec[0]}.csv`, ...spec.slice(1));
}
{
  const t = new Tally('cox.csv');
  const names = { coef: 'estimate', se: 'se', z: 'statistic', p: 'p', hr: 'hr', hr_ci95_lower: 'hr_lower', hr_ci95_upper: 'hr_upper', se_naive: 'se_naive' };
  const tests = { lr_test: 'likelihood_ratio_test', wald_test: 'wald_test', score_test: 'score_test' };
  for (const [model, rows] of byModel(load('expected/cox.csv'))) {
    const got = coxRun(model);
    if (!got) { t.skip(model); continue; }
    if (got.error) t.bad.push(`${model}: ${got.error}`);
    for (const r of rows) {
      const label = `${model} ${r.quantity} ${r.term}`, m = /^zph_(chisq|p)_(.*)$/.exec(r.quantity);
      if (names[r.quantity]) t.same(label, r.value, coefficient(got, r.term)?.[names[r.quantity]]);
      else if (r.quantity === 'wald_test' && r.term === 'chisq') t.same(label, Number(r.value), got.wald_test && Number(got.wald_test.chisq.toFixed(2)));
      else if (tests[r.quantity]) t.same(label, r.value, got[tests[r.quantity]]?.[r.term]);
      else if (m) t.same(label, r.value, got.proportional_hazards?.find(x => x.transform === m[2] && x.term === r.term)?.[m[1]]);
      else if (r.quantity === 'vcov') t.same(label, r.value, got.covariance && pair(got.covariance, r.term));
      else if (r.quantity === 'loglik') t.same(label, r.value, r.term === 'null' ? got.log_likelihood_null : got.log_likelihood);
      else if (r.quantity === 'n') t.same(label, r.value, r.term === 'obs' ? got.n : got.events);
      else if (r.quantity === 'concordance') t.same(label, r.value, got.concordance?.[{ concordance: 'value', std: 'se' }[r.term] ?? r.term.replace('.', '_')]);
      else if (r.quantity === 'sum_sq_martingale') t.same(label, r.value, got.sum_sq_martingale);
      else if (r.quantity === 'sum_sq_deviance_resid') t.same(label, r.value, got.sum_sq_deviance_residuals);
      else if (r.quantity === 'newton_iterations_eps1e-14') t.same(label, r.value, got.iterations);
      else t.skip(r.quantity);
    }
  }
  for (const name of ['cox_lung_efron', 'cox_lung_breslow', 'cox_lungmonths_efron', 'cox_lungmonths_breslow']) {
    const b = new Tally(`basehaz_${name}.csv`), got = coxRun(name);
    for (const r of load(`expected/basehaz_${name}.csv`)) b.same(`${r.time}`, r.hazard, got.baseline_hazard?.find(x => x.time === Number(r.time))?.hazard);
  }
}
{
  const t = new Tally('competing_risks.csv');
  const melanoma = g => run('cif', 'data/Melanoma.csv', '--censored', 2, '--group', 'sex', '--times', '1000,2000,3000,4000');
  const fg = { finegray_melanoma: ['Melanoma', '--censored', 2, '--x', 'age,thickness,ulcer'],
    finegray_mgus2_cause1: ['mgus2_competing', '--cause', 1], finegray_mgus2_cause2: ['mgus2_competing', '--cause', 2] };
  for (const r of [...load('expected/competing_risks.csv')]) {
    const label = `${r.model} ${r.quantity} ${r.term}`;
    let m = /^gray_test_cause(\d)/.exec(r.quantity);
    if (r.model === 'cuminc_melanoma_sex' && m) t.same(label, r.value, melanoma().gray_tests?.find(x => x.cause === Number(m[1]))?.[{ stat: 'chisq', pv: 'p', df: 'df' }[r.term]]);
    else if (r.model === 'cuminc_melanoma_sex') {
      const [g, cause, time] = r.term.split(' ');
      t.same(label, r.value, melanoma().rows?.find(x => x.group === `sex=${g}` && x.cause === Number(cause) && x.time === Number(time))?.[r.quantity === 'est' ? 'estimate' : 'variance']);
    } else if (r.model === 'finegray_melanoma') {
      const got = run('finegray', `data/${fg[r.model][0]}.csv`, ...fg[r.model].slice(1));
      if (r.quantity === 'coef' || r.quantity === 'se') t.same(label, r.value, coefficient(got, r.term)?.[r.quantity === 'se' ? 'se' : 'estimate']);
      else t.skip(r.quantity);
    } else if ((m = /^cause_specific_mgus2_(\d)/.exec(r.model))) {
      const got = run('cox', table(load('data/mgus2_competing.csv').map(x => ({ time: x.etime, status: x.event === m[1] ? 1 : 0, age: x.age, sex: x.sex }))), '--x', 'age,sex');
      if (r.quantity === 'loglik') t.same(label, r.value, r.term === 'null' ? got.log_likelihood_null : got.log_likelihood);
      else t.same(label, r.value, coefficient(got, r.term)?.[r.quantity === 'se' ? 'se' : 'estimate']);
    } else t.skip(r.model);
  }
}
{
  const t = new Tally('meta_analysis.csv');
  for (const r of load('expected/meta_analysis.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`, m = /^meta_bcg_(.*)$/.exec(r.model)?.[1].toLowerCase();
    if (r.model === 'mh_bcg_or' || r.model === 'peto_bcg') {
      const got = run('meta', 'data/bcg.csv', '--tau2', r.model.split('_')[0]);
      if (r.quantity === 'estimate' || r.quantity === 'se') t.same(label, r.value, got.coefficients?.[0][r.quantity]);
      else if (r.quantity === 'CMH') t.same(label, r.value, got.test?.[r.term === 'p' ? 'p' : 'chisq']);
      else if (r.quantity === 'breslow_day_tarone') t.same(label, r.value, got[r.term.startsWith('BD') ? 'breslow_day' : 'tarone']?.[/p$/.test(r.term) ? 'p' : 'chisq']);
      else t.skip(r.quantity);
      continue;
    }
    if (m === 'pm') { t.skip('PM: metafor stops its root search at 1e-4'); continue; }
    if (!['fe', 'dl', 'he', 'sj', 'ml', 'reml', 'eb'].includes(m)) { t.skip(r.model); continue; }
    const got = run('meta', 'data/bcg.csv', '--measure', 'rr', '--tau2', m), study = got.studies?.[Number(r.term) - 1];
    const value = { estimate: got.coefficients?.[0].estimate, se: got.coefficients?.[0].se, tau2: got.tau2, I2: got.i2, H2: got.h2, Q: got.q, Qp: got.q_p,
      ci: got.coefficients?.[0][r.term], pred_interval: got[`prediction_${r.term}`], blup: study?.blup, blup_se: study?.se }[r.quantity];
    t.same(label, r.value, value);
  }
}
{
  const t = new Tally('model_performance.csv');
  const perf = () => run('auc', 'data/pima_te_predictions.csv', '--score', 'p'), row = () => perf().rows?.[0];
  const plain = { auc: 'value', brier: 'brier', logloss: 'log_loss', calibration_slope: 'calibration_slope', calibration_slope_se: 'calibration_slope_se', calibration_in_the_large: 'calibration_in_the_large', OE_ratio: 'oe_ratio' };
  for (const r of load('expected/model_performance.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`, side = { lower: 'lower', upper: 'upper', auc: 'value' }[r.term];
    const roc = run('auc', 'data/aSAH.csv', '--score', 's100b,ndka');
    if (r.model === 'roc_aSAH_ndka' || r.model === 'roc_aSAH_s100b') {
      const x = roc.rows?.find(v => r.model.endsWith(v.score));
      t.same(label, r.value, r.quantity === 'auc' ? x?.value : r.quantity === 'delong_var' ? x?.variance : x?.[side]);
    } else if (r.model === 'roc_test_delong_s100b_ndka') t.same(label, r.value, roc.comparisons?.[0][r.quantity]);
    else if (r.model !== 'perf_pima_te') t.skip(r.model);
    else if (plain[r.quantity]) t.same(label, r.value, row()?.[plain[r.quantity]]);
    else if (r.quantity === 'auc_delong_ci') t.same(label, r.value, row()?.[side]);
    else if (/^net_benefit_/.test(r.quantity)) t.same(label, r.value, row()?.net_benefit.find(x => x.threshold === Number(r.term))?.[r.quantity.slice(12)]);
    else if (r.quantity === 'hosmer_lemeshow') t.same(label, r.value, row()?.hosmer_lemeshow[r.term === 'chisq' ? 'chisq' : 'p']);
    else if (/^decile_/.test(r.quantity)) t.same(label, r.value, row()?.calibration_groups[Number(r.term) - 1]?.[r.quantity === 'decile_obs_rate' ? 'observed_rate' : 'mean_predicted']);
    else t.skip(r.quantity);
  }
}
{
  const t = new Tally('inequality.csv');
  const days = table(load('data/quine.csv').map(r => ({ x: Number(r.Days) + 1 })));
  const names = { gini: 'gini', gini_n_corrected: 'gini_n_corrected', theil_T: 'theil_t', theil_L: 'theil_l', hhi: 'herfindahl' };
  const groups = { erreygers_for_0_100: 'erreygers', wagstaff_norm_0_100: 'wagstaff', sii_wls: 'sii', rii_ratio: 'rii', between_group_variance: 'between_group_variance',
    PAR_pct_best_group: 'attributable_percent', index_of_disparity_best: 'index_of_disparity', gini_population_weighted: 'gini_population_weighted' };
  for (const r of load('expected/inequality.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`;
    if (r.model === 'ineq_quine_days_plus1') t.same(label, r.value, run('gini', days).rows?.find(x => x.index === (names[r.quantity] ?? `${r.quantity}_${r.term}`))?.value);
    else if (r.quantity.startsWith('CI')) t.same(label, r.value, run('gini', 'data/grouped_deciles.csv').rows?.[0].value);
    else t.same(label, r.value, run('gini', 'data/grouped_deciles.csv')[groups[r.quantity]]);
  }
}
{
  const t = new Tally('sccs.csv');
  for (const [model, rows] of byModel(load('expected/sccs.csv'))) {
    const cuts = rows.filter(r => r.quantity === 'agegrp_cuts').map(r => r.value).join(',');
    const got = model === 'sccs_itp_1' ? run('sccs', 'data/sccs_itpdat.csv', '--event', 'itp', '--exposure', 'mmr', '--days', 42)
      : model === 'sccs_hip' ? run('sccs', 'data/sccs_hipdat.csv', '--event', 'frac', '--exposure', 'ad', '--exposure-end', 'endad', '--ages', cuts,
        '--risk', '0,15,43', '--washout', '1,92,183') : undefined;
    const names = { coef: 'estimate', se: 'se', rate_ratio: 'rate_ratio', ci95_lower: 'rate_ratio_lower', ci95_upper: 'rate_ratio_upper' };
    for (const r of rows)
      if (names[r.quantity] && got) t.same(`${model} ${r.quantity} ${r.term}`, r.value, coefficient(got, r.term)?.[names[r.quantity]]);
      else t.skip(`${r.quantity}`);
  }
}
{
  const t = new Tally('funnel_overdispersion.csv');
  const rows = load('data/nhs_ae_org_totals.csv');
  const national = rows.reduce((s, r) => s + Number(r.breaches), 0) / rows.reduce((s, r) => s + Number(r.attendances), 0);
  const sr = () => table(rows.map(r => ({ org: r.org_code, x: r.breaches, n: Number(r.attendances) * national })));
  const specs = {
    funnel_od_PR_SHMI: () => run('funnel', 'data/nhs_ae_org_totals.csv', '--group', 'org_code', '--overdispersion', 'winsorise'),
    funnel_od_SR_SHMI: () => run('funnel', sr(), '--type', 'ratio', '--group', 'org', '--overdispersion', 'truncate'),
    funnel_od_SR_CQC: () => run('funnel', sr(), '--type', 'ratio', '--group', 'org', '--overdispersion', 'winsorise'),
    funnel_od_RC_SHMI: () => run('funnel', 'data/nhs_ae_org_totals.csv', '--type', 'ratio-of-counts', '--group', 'org_code', '--overdispersion', 'winsorise'),
  };
  for (const [model, list] of byModel(load('expected/funnel_overdispersion.csv'))) {
    const got = specs[model]?.();
    if (got?.error) t.bad.push(`${model} ${got.error}`);
    if (model === 'funnel_poisson_limits_SR') {
      const units = run('funnel', table(list.map(r => ({ x: 1, n: r.term }))), '--type', 'ratio', '--multiplier', 1).rows;
      list.forEach((r, i) => t.same(`${model} ${r.quantity} ${r.term}`, r.value, units?.[i]?.[`${r.quantity[0] === 'l' ? 'lower' : 'upper'}_${/998/.test(r.quantity) ? 3 : 2}s_limit`]));
      continue;
    }
    for (const r of list) {
      const key = { uzscore: 'z', wuzscore: 'z_used', odzscore: 'z_adjusted' }[r.quantity];
      const unit = got?.rows?.find(x => (x.org ?? x.org_code) === r.term);
      if (!got) t.skip(model);
      else t.same(`${model} ${r.quantity} ${r.term}`, r.value, key ? unit?.[key] : got[r.quantity]);
    }
  }
}
{
  const t = new Tally('spc_xmr_plotthedots.csv');
  const series = new Map();
  for (const r of load('expected/spc_xmr_plotthedots.csv')) {
    const key = JSON.stringify([r.org, r.measure, r.fix_after]);
    if (!series.has(key)) series.set(key, []);
    series.get(key).push(r);
  }
  for (const [key, rows] of series) {
    const [org, measure, fix] = JSON.parse(key);
    const got = run('xmr', table(rows.map(r => ({ period: r.period, y: r.y }))), ...(fix === 'none' ? [] : ['--fix-after', fix]), '--improvement', measure === 'perf' ? 'increase' : 'neutral').rows;
    rows.forEach((r, i) => {
      for (const [e, c] of Object.entries({ mean: 'mean', lpl: 'lower', upl: 'upper', outside: 'outside', relative: 'relative', close: 'close', special_cause: 'special_cause', point_type: 'point_type' }))
        t.same(`${org} ${measure} ${fix} ${r.period} ${e}`, r[e], got?.[i]?.[c]);
    });
  }
}
{
  const t = new Tally('descriptive.csv');
  for (const r of load('expected/descriptive.csv')) {
    const file = `data/${r.model}.csv`, column = Object.keys(load(file)[0] ?? {})[0], label = `${r.model} ${r.quantity} ${r.term}`;
    const m = /^quantile_type(\d)$/.exec(r.quantity), mean = run('mean', file, '--x', column).rows?.[0];
    if (m) t.same(label, r.value, run('quantile', file, '--x', column, '--type', m[1], '--p', Number(r.term) / 100).rows?.[0].value);
    else if (r.quantity === 'iqr') t.same(label, r.value, mean?.iqr);
    else if (['mean', 'n', 'sd', 'var', 'mad'].includes(r.quantity)) t.same(label, r.value, mean?.[{ mean: 'value', var: 'variance' }[r.quantity] ?? r.quantity]);
    else if (r.quantity === 'skew_g1') t.same(label, r.value, mean?.skewness);
    else if (r.quantity === 'exkurt_g2') t.same(label, r.value, mean?.excess_kurtosis);
    else if (r.quantity === 'fivenum') t.same(label, r.value, mean?.[{ min: 'min', lh: 'lower_hinge', med: 'median', uh: 'upper_hinge', max: 'max' }[r.term]]);
    else t.skip(r.quantity);
  }
}
{
  const t = new Tally('shrinkage_cusum_its.csv');
  const eb = method => run('shrink', 'data/eb_input.csv', '--x', 'observed', '--n', 'expected', '--group', 'org', '--method', method);
  const unit = (method, org) => eb(method).rows?.find(r => r.org === org);
  const cusum = () => run('cusum', 'data/cusum_input.csv', '--y', 'outcome', '--p', 'p', '--odds-ratio', 2).rows;
  // R codes post = 1 at the first point after the change, and t from 1.
  const seatbelts = load('data/Seatbelts.csv'), change = 1 + seatbelts.findIndex(r => r.law === '1');
  const its = () => run('its', 'data/Seatbelts.csv', '--y', 'DriversKilled', '--change', change, '--lag', 12);
  // R's ldeaths, deaths from lung diseases in the UK, 1974 to 1976 by month (P. Diggle, Time Series, 1990, table A.3).
  const ldeaths = [3035, 2552, 2704, 2554, 2014, 1655, 1721, 1524, 1596, 2074, 2199, 2512, 2933, 2889, 2938, 2497, 1870, 1726, 1607, 1545, 1396, 1787, 2076, 2837,
    2787, 3891, 3179, 2011, 1636, 1580, 1489, 1300, 1356, 1653, 2013, 2823], smoothed = () => run('ewma', table(ldeaths.map(y => ({ y }))), '--y', 'y');
  let after = 0;
  const ols = () => run('glm', table(seatbelts.map((r, i) => ({ y: r.DriversKilled, t: i + 1, law: r.law, post: after += Number(r.law) }))), '--anova');
  const ols_run = ols();
  for (const r of load('expected/shrinkage_cusum_its.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`;
    if (r.model === 'eb_marshall_global')
      t.same(label, r.value, r.quantity === 'm_A' ? eb('marshall')[r.term === 'm' ? 'mean' : 'variance'] : unit('marshall', r.term)?.value);
    else if (r.model === 'eb_poisson_gamma_ml') {
      const x = unit('gamma', r.term), value = { posterior_mean: x?.value, post_q025: x?.lower, post_q975: x?.upper, alpha_beta: eb('gamma')[r.term], negloglik: -eb('gamma').log_likelihood };
      t.same(label, r.value, value[r.quantity], 1e-6);
    } else if (r.model === 'ra_cusum_OR2') t.same(label, r.value, cusum()?.[r.term - 1]?.cusum);
    else if (r.model === 'vlad' && Math.abs(r.value) < 1e-13) t.skip('vlad 0'); // the sum of p is that of y: what is left is rounding
    else if (r.model === 'vlad') t.same(label, r.value, cusum()?.[r.term - 1]?.vlad);
    else if (r.model.startsWith('ewma')) t.same(label, r.value, smoothed().rows?.[r.term - 1]?.ewma);
    else if (r.model.startsWith('its')) {
      const nw = term => its().coefficients?.find(c => c.term === term), c = coefficient(ols_run, r.term);
      if (r.quantity === 'coef') t.same(label, r.value, c?.estimate);
      else if (r.quantity === 'se_ols') t.same(label, r.value, c?.se);
      else if (r.quantity.startsWith('se_newey') && ['t', 'post'].includes(r.term)) t.same(label, r.value, nw(r.term === 't' ? 'trend' : 'trend_change')?.se * Math.sqrt((seatbelts.length - 4) / seatbelts.length)); // ours has n / (n - p)
      else t.skip(`${r.quantity} ${r.term}`);
    } else t.skip(r.model);
  }
}
{
  const t = new Tally('federated_meta_vs_pooled.csv');
  const fits = {
    cox_gbsg: rows => run('cox', table(rows), '--x', 'age,nodes,hormon'),
    logit_pima: rows => run('glm', table(rows.map(r => ({ ...r, type: Number(r.type === 'Yes') }))), '--family', 'binomial', '--y', 'type', '--x', 'npreg,glu,bmi,age'),
    poisson_epil: rows => run('glm', table(rows), '--family', 'poisson', '--y', 'y', '--x', 'lbase,trt,lage'),
  };
  const files = { cox_gbsg: 'gbsg', logit_pima: 'Pima_tr', poisson_epil: 'epil' };
  for (const [model, rows] of byModel(load('expected/federated_meta_vs_pooled.csv'))) {
    const [, what, k] = /^fed_(.*)_(k\d|pooled)$/.exec(model), all = load(`data/${files[what]}.csv`), n = k === 'pooled' ? 1 : Number(k[1]);
    const site = sites(all, n), local = [...Array(n).keys()].map(i => fits[what](site.filter(r => r.site === i + 1)));
    for (const f of local) if (f.error) t.bad.push(`${model}: ${f.error}`);
    for (const r of rows) {
      const label = `${model} ${r.quantity} ${r.term}`, m = /^site(\d)_(coef|se)$/.exec(r.quantity);
      const own = local.map(f => coefficient(f, r.term)), weights = own.map(c => 1 / c?.se ** 2), w = weights.reduce((a, b) => a + b, 0);
      if (m) t.same(label, r.value, own[m[1] - 1]?.[m[2] === 'se' ? 'se' : 'estimate']);
      else if (k === 'pooled') t.same(label, r.value, own[0]?.[r.quantity === 'se' ? 'se' : 'estimate']);
      else {
        const meta = run('meta', table(own.map(c => ({ yi: c?.estimate, sei: c?.se }))), '--tau2', 'fe').coefficients?.[0];
        t.same(label, r.value, r.quantity === 'ivw_se' ? meta?.se : meta?.estimate);
      }
    }
  }
}
{
  const t = new Tally('categorical_models.csv', 1e-6);
  const infert = () => run('cox', table(load('data/infert.csv').map(r => ({ ...r, time: 1, status: r.case }))), '--x', 'spontaneous,induced', '--strata', 'stratum', '--ties', 'exact');
  for (const r of load('expected/categorical_models.csv')) {
    if (r.model !== 'clogit_infert') { t.skip(r.model); continue; }
    const got = infert(), c = coefficient(got, r.term);
    t.same(`${r.model} ${r.quantity} ${r.term}`, r.value, { coef: c?.estimate, se: c?.se, loglik: r.term === 'null' ? got.log_likelihood_null : got.log_likelihood }[r.quantity]);
  }
}
{
  const t = new Tally('tests.csv'), list = load('expected/tests.csv');
  const cells = (rows, columns, counts) => table(rows.flatMap((r, i) => columns.map((c, k) => ({ row: r, column: c, n: counts[i][k] }))));
  const square = ['--rows', 'row', '--columns', 'column'];
  const comparison = {
    t_welch_sleep: ['sleep', 'extra', 'group', 'welch'], t_student_sleep: ['sleep', 'extra', 'group', 'student'], t_paired_sleep: ['sleep', 'extra', 'group', 'paired'],
    wilcox_mtcars_normal: ['mtcars', 'mpg', 'am', 'rank-sum'], wilcox_mtcars_nocc: ['mtcars', 'mpg', 'am', 'rank-sum', '--no-continuity'],
    anova_welch_chick: ['chickwts', 'weight', 'feed', 'anova'], bartlett_insect: ['InsectSprays', 'count', 'spray', 'bartlett'], ks_two: ['mtcars', 'mpg', 'am', 'ks'],
  };
  const ucb = () => run('table', 'data/UCBAdmissions.csv', '--rows', 'Admit', '--columns', 'Gender', '--strata', 'Dept');
  const birthwt = () => run('table', 'data/birthwt.csv', '--rows', 'low', '--columns', 'smoke');
  const measure = (got, name) => got.rows?.find(x => x.measure === name);
  const searched = 1e-4; // R looks for exact odds ratios and their limits by uniroot at its default tolerance
  const odds = (r, got, name, test, p) => ({ estimate: measure(got, name)?.value, or: measure(got, name)?.value, ci95: measure(got, name)?.[r.term], p, statistic: test?.chisq ?? test, df: test?.df }[r.quantity]);
  const tables = {
    mcnemar: () => run('table', cells(['a', 'b'], ['a', 'b'], [[794, 86], [150, 570]]), ...square).mcnemar, // R's help page
    chisq_haireye: () => run('table', 'data/HairEyeColor.csv', '--rows', 'Hair', '--columns', 'Eye').chi2,
    trend_prop: () => run('table', cells([1, 2, 3, 4], ['x', 'rest'], [[83, 3], [90, 3], [129, 7], [70, 12]]), ...square).trend, // R's help page
  };
  // The 25 p-values of the vector, which Holm and Bonferroni show only up to 1 (J. McDonald, Handbook of Biological Statistics).
  const many = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986];
  const adjusted = () => run('adjust', table(many.map(v => ({ p: v }))));
  for (const r of list) {
    const label = `${r.model} ${r.quantity} ${r.term}`;
    if (comparison[r.model]) {
      const [file, x, group, test, ...more] = comparison[r.model], got = run('compare', `data/${file}.csv`, '--x', x, '--group', group, '--test', test, ...more), row = got.rows?.[0];
      const value = { statistic: row?.statistic, p: row?.p, ci95: row?.[r.term], df: r.term === 'denom df' ? row?.df2 : row?.df,
        estimate: r.term === 'mean difference' ? row?.difference : got.groups?.[r.term.slice(-1) - 1]?.mean };
      t.same(label, r.value, value[r.quantity]);
    } else if (/^cor_/.test(r.model)) {
      const row = run('correlate', 'data/mtcars.csv', '--x', 'mpg', '--y', 'wt', '--kind', r.model.slice(4)).rows?.[0];
      t.same(label, r.value, row?.[r.quantity === 'estimate' ? 'value' : r.quantity]);
    } else if (tables[r.model]) t.same(label, r.value, tables[r.model]()?.[r.quantity === 'statistic' ? 'chisq' : r.quantity]);
    else if (r.model === 'fisher_birthwt') t.same(label, r.value, odds(r, birthwt(), 'odds_ratio_exact', undefined, birthwt().exact_p), r.quantity === 'p' ? undefined : searched);
    else if (r.model === 'odds_2x2_birthwt') t.same(label, r.value, odds(r, birthwt(), 'odds_ratio'));
    else if (r.model === 'mh_ucb') t.same(label, r.value, odds(r, ucb(), 'odds_ratio_mantel_haenszel', ucb().mantel_haenszel, ucb().mantel_haenszel?.p));
    else if (r.model === 'mh_ucb_exact') t.same(label, r.value, odds(r, ucb(), 'odds_ratio_exact', ucb().exact_statistic, ucb().exact_p), /ci95|est/.test(r.quantity) ? searched : undefined);
    else if (r.model === 'p_adjust') t.same(label, r.value, adjusted().rows?.[r.term - 1]?.[r.quantity]);
    else if (r.model === 'poisson_exact') {
      const row = run('rate', table([{ x: 11, n: 800 }]), '--x', 'x', '--n', 'n', '--multiplier', 1, '--method', 'exact', '--null', 0.01).rows?.[0];
      t.same(label, r.value, { estimate: row?.value, ci95: row?.[r.term], p: row?.p, statistic: row?.x, df: row?.n }[r.quantity]);
    } else t.skip(`${r.model} ${r.quantity}`);
  }
}
{
  const t = new Tally('epi.csv');
  const got = () => run('table', table([['e', 'd', 13], ['e', 'n', 2163], ['u', 'd', 5], ['u', 'n', 3349]].map(([x, y, n]) => ({ x, y, n }))), '--rows', 'x', '--columns', 'y');
  const percent = { ARisk: 100, PARisk: 100 }; // epiR gives these per 100
  const names = { 'RR.strata.wald': 'risk_ratio', 'OR.strata.wald': 'odds_ratio', 'ARisk.strata.wald': 'risk_difference', 'OR.strata.score': 'odds_ratio_score', 'OR.strata.mle': 'odds_ratio_exact',
    'ARisk.strata.score': 'risk_difference_score', 'AFRisk.strata.wald': 'attributable_fraction', 'PARisk.strata.wald': 'population_risk_difference', 'PAFRisk.strata.wald': 'population_attributable_fraction', 'NNT.strata.wald': 'number_needed' };
  for (const r of load('expected/epi.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`, m = /^epi_conf_(.*)_(.*)$/.exec(r.model), side = { est: 'value', lower: 'lower', upper: 'upper' }[r.term];
    if (m && side && ['exact', 'wilson', 'byar'].includes(r.quantity)) {
      const row = run(r.quantity === 'wilson' ? 'proportion' : 'rate', table([{ x: m[1], n: m[2] }]), '--x', 'x', '--n', 'n', '--multiplier', 1, '--method',
        { exact: 'exact', wilson: 'wilson', byar: 'byar-mid-p' }[r.quantity]).rows?.[0];
      t.same(label, r.value, row?.[side]);
    } else if (names[r.quantity]) {
      const x = got().rows?.find(v => v.measure === names[r.quantity])?.[side];
      // epiR searches for score and exact limits in steps.
      t.same(label, r.value, x * (percent[r.quantity.split('.')[0]] ?? 1), { score: 1e-3, mle: 1e-4 }[r.quantity.split('.')[2]]);
    } else t.skip(m ? `${r.quantity}` : r.quantity);
  }
}
// MatchIt 4.5.1's pairs: its abs() cuts differences to whole numbers (src/stats/matching.h), which all 740 of them bear out.
function matched(t, label, r, units) {
  const how = { match_lalonde_nn_replace: ['--match', 1, '--replace', '--match-on', 'score'], match_lalonde_nn_ratio2: ['--match', 2, '--match-on', 'score'],
    'match_lalonde_nn_logit_caliper0.2': ['--match', 1, '--caliper', 0.2] }[r.model];
  const got = run('propensity', 'data/lalonde.csv', '--treatment', 'treat', '--y', 're78', '--x', 'age,educ,race,married,nodegree,re74,re75', '--match-rule', 'matchit-4.5', ...how).matching;
  const m = /rank(\d)$/.exec(r.quantity);
  if (m) t.same(label, r.value, got?.pairs.filter(x => x.treated === units.indexOf(r.term) + 1)[m[1] - 1]?.untreated ?? null);
  else t.same(label, r.value, { n_matched_treated: got?.matched_treated, n_matched_control: got?.matched_untreated, att_weighted_diff: got?.effect?.estimate }[r.quantity]);
}
{
  const t = new Tally('propensity.csv'), units = load('data/lalonde.csv').map(r => r.unit);
  const got = () => run('propensity', 'data/lalonde.csv', '--treatment', 'treat', '--y', 're78', '--x', 'age,educ,race,married,nodegree,re74,re75', '--stabilised');
  if (got().error) t.bad.push(got().error);
  const effect = term => got().effects?.find(x => x.term === term), side = r => effect(r.term === 'treat' ? 'difference' : 'mean_untreated');
  for (const r of load('expected/propensity.csv')) {
    const label = `${r.model} ${r.quantity} ${r.term}`;
    const value = {
      coef: () => coefficient(got(), r.term)?.estimate, deviance: () => got().deviance, ps: () => got().scores?.[units.indexOf(r.term)]?.score,
      ess_treated: () => got().effective_size_treated, ess_control: () => got().effective_size_untreated, effect_hajek: () => effect('difference')?.estimate,
      svyglm_coef: () => side(r)?.estimate, svyglm_robust_se: () => side(r)?.se, wls_se_HC0: () => side(r)?.se_hc0, wls_se_HC1: () => side(r)?.se_hc1, wls_se_HC3: () => side(r)?.se_hc3,
      smd_weighted_poolsd: () => got().balance?.find(x => x.term === r.term)?.weighted, ate: () => effect('doubly_robust_difference')?.estimate, se_if: () => effect('doubly_robust_difference')?.se,
    }[r.quantity];
    if (r.model.startsWith('match')) matched(t, label, r, units);
    else if (!value || r.term === 'raceblack') t.skip(r.term);
    else t.same(label, r.value, value());
  }
}
{
  const t = new Tally('aft.csv', 1e-6);
  for (const r of load('expected/aft.csv')) {
    const got = run('aft', 'data/lung_complete.csv', ...lungX, '--distribution', r.model.slice('aft_lung_'.length)), c = coefficient(got, r.term === 'Log(scale)' ? 'log(scale)' : r.term);
    t.same(`${r.model} ${r.quantity} ${r.term}`, r.value, { coef: c?.estimate, se: c?.se, scale: got.scale, loglik: r.term === 'null' ? got.log_likelihood_null : got.log_likelihood }[r.quantity]);
  }
}
report();
