/* SPDX-License-Identifier: Apache-2.0
 *
 * Special functions and the distributions built on them, to about 1e-14 relative: pure, thread-safe, no
 * state. Every distribution has both tails, so that a small probability is never computed as 1 - (almost 1).
 * Arguments outside a function's domain give NaN.
 *
 * Sources: C. Loader, "Fast and accurate computation of binomial probabilities" (2000) for the saddle-point
 * forms; W. Gautschi, ACM TOMS 5 (1979) 466 and DLMF 8.9, 8.17 for series and continued fractions (evaluated
 * by the modified Lentz method); M. Wichura, AS 241, Appl. Stat. 37 (1988) 477 for the normal quantile.
 */
#ifndef ACCORD_STATS_SPECIAL_H
#define ACCORD_STATS_SPECIAL_H

/* psi(x) and psi'(x) for x > 0: recurrence to x >= 15, then the asymptotic series (DLMF 5.11.2). */
double digamma(double x);
double trigamma(double x);
/* log Gamma(x) for x > 0, thread-safe. */
double log_gamma(double x);

double normal_cdf(double x);
double normal_upper(double x);
double normal_quantile(double p);
/* The two-sided z of a confidence level: qnorm(c + (1 - c) / 2), from the tail. */
double normal_z(double confidence);

/* Regularised incomplete gamma P(a, x), Q(a, x) = 1 - P, a > 0, x >= 0; x with P = p or with Q = q. */
double gamma_lower(double a, double x);
double gamma_upper(double a, double x);
double gamma_quantile(double a, double p);
double gamma_quantile_upper(double a, double q);

double chi2_upper(double x, double df);
double chi2_quantile(double p, double df);

/* Regularised incomplete beta I_x(a, b); y must be 1 - x, given apart so that neither end loses digits. */
double beta_lower(double x, double y, double a, double b);
double beta_quantile(double p, double a, double b);

double t_upper(double t, double df);     /* P(T > t) */
double t_two_sided(double t, double df); /* P(|T| > |t|) */
double t_quantile(double p, double df);
double f_upper(double f, double df1, double df2);

/* log of the Poisson probability of y (which need not be whole) at mean mu, and of the binomial probability
 * of y out of n at p. Saddle-point forms. */
double poisson_log_density(double y, double mu);
double binomial_log_density(double y, double n, double p);

#endif
