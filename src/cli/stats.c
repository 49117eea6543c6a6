/* SPDX-License-Identifier: Apache-2.0
 *
 * accord stats: the table of methods.
 */
#include "cli/stats_methods.h"

#define WHERE                                                                                                \
    {                                                                                                        \
        "where", "COLUMN=VALUE", "use only these rows (may be repeated; VALUE,VALUE for one of several)"     \
    }
#define CONFIDENCE                                                                                           \
    {                                                                                                        \
        "confidence", "LEVEL", "0.95, 99.8 or 0.95,0.998 (default: 0.95)"                                    \
    }
#define GROUP                                                                                                \
    {                                                                                                        \
        "group", "COLUMNS", "answer for each value of these columns, comma-separated"                        \
    }
#define X                                                                                                    \
    {                                                                                                        \
        "x", "COLUMN", "the numerator, count or value"                                                       \
    }
#define N                                                                                                    \
    {                                                                                                        \
        "n", "COLUMN", "the denominator or population"                                                       \
    }
#define MULTIPLIER                                                                                           \
    {                                                                                                        \
        "multiplier", "NUMBER", "the answer is per so many"                                                  \
    }

static const struct option_spec proportion_options[] = {
    X,     N,   {"method", "wilson|exact", "the interval (default: wilson)"}, GROUP, MULTIPLIER, CONFIDENCE,
    WHERE, {0},
};
static const struct option_spec rate_options[] = {
    X,
    N,
    {"method", "phe|exact|byar|byar-mid-p",
     "exact Poisson below 10 events and Byar from 10, or one throughout (default: phe)"},
    {"null", "RATE", "also test that this is the rate (per multiplier), exactly and two-sided"},
    GROUP,
    MULTIPLIER,
    CONFIDENCE,
    WHERE,
    {0},
};
static const struct option_spec mean_options[] = {X, GROUP, CONFIDENCE, WHERE, {0}};

static const struct option_spec dsr_options[] = {
    X,
    N,
    {"standard", "COLUMN", "the standard population (default: the European one of 2013 for 19 age bands)"},
    {"age", "COLUMN", "the age band; a band may occur once in an area"},
    {"freq", "COLUMN",
     "events that a person of this row had, where --x counts persons (non-independent events)"},
    GROUP,
    MULTIPLIER,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec isr_options[] = {
    X,
    N,
    {"type", "rate|ratio", "a rate, or the ratio of observed to expected (default: rate)"},
    {"ref-x", "COLUMN", "events of the reference population"},
    {"ref-n", "COLUMN", "the reference population"},
    {"reference", "FILE", "the reference, in the order of the strata (default: beside the data)"},
    {"observed", "FILE", "observed totals by area, where counts by stratum are not known"},
    {"observed-x", "COLUMN", "the totals in that file"},
    GROUP,
    MULTIPLIER,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec quantile_options[] = {
    X,
    {"p", "LIST", "probabilities (default: 0.25,0.5,0.75)"},
    {"type", "1..9", "definition of Hyndman and Fan (default: 7)"},
    {"groups", "NUMBER", "put each row (area) into one of so many quantiles instead"},
    {"invert", NULL, "with --groups: the highest value is in quantile 1"},
    GROUP,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec sii_options[] = {
    {"quantile", "COLUMN", "the order of the groups (default: the order of rows)"},
    N,
    {"value", "COLUMN", "the value of each group"},
    {"se", "COLUMN", "its standard error"},
    {"lower", "COLUMN", "its lower 95% limit, where there is no standard error"},
    {"upper", "COLUMN", "its upper 95% limit"},
    {"type", "normal|rate|proportion", "the scale of the errors: as is, log, logit (default: normal)"},
    {"transform", NULL, "fit on the log or logit scale"},
    GROUP,
    MULTIPLIER,
    {"confidence", "LEVEL", "one or two levels (default: 0.95)"},
    WHERE,
    {0},
};

static const struct option_spec life_options[] = {
    {"age", "COLUMN", "first age of each band; the last band is open"},
    N,
    {"deaths", "COLUMN", "deaths"},
    GROUP,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec funnel_options[] = {
    X,
    N,
    {"type", "proportion|ratio|rate|ratio-of-counts",
     "ratio: --n is the expected number (default: proportion)"},
    {"years", "NUMBER", "with --type rate: years of data behind the counts (default: 1)"},
    {"limits", NULL, "in CSV and tables: print the limits to draw instead of the units"},
    {"axis-min", "NUMBER", "where the drawn limits begin"},
    {"axis-max", "NUMBER", "where they end"},
    {"overdispersion", "truncate|winsorise", "add the variance between units (SHMI and CQC methods)"},
    {"trim", "SHARE", "share of units trimmed at each end (default: 0.1)"},
    GROUP,
    MULTIPLIER,
    WHERE,
    {0},
};

static const struct option_spec news2_options[] = {
    {"respiration", "COLUMN", "breaths a minute"},
    {"spo2", "COLUMN", "oxygen saturation, %"},
    {"systolic", "COLUMN", "systolic blood pressure, mmHg"},
    {"pulse", "COLUMN", "beats a minute"},
    {"temperature", "COLUMN", "degrees Celsius"},
    {"oxygen", "COLUMN", "air or oxygen"},
    {"consciousness", "COLUMN", "A, C, V, P or U"},
    {"scale", "COLUMN", "SpO2 scale, 1 or 2 (default: 1)"},
    WHERE,
    {0},
};

static const struct option_spec xmr_options[] = {
    {"y", "COLUMN", "the measurements, in time order"},
    {"period", "COLUMN", "what to call each point"},
    {"fix-after", "N", "take the limits from the first N points"},
    {"rebase", "COLUMN", "1 where a new segment begins"},
    {"improvement", "neutral|increase|decrease", "which direction is better (default: neutral)"},
    {"target", "NUMBER", "judge the limits against a target"},
    {"keep-outliers", NULL, "do not leave out extreme moving ranges"},
    GROUP,
    WHERE,
    {0},
};

#define TERMS                                                                                                \
    {"x", "TERMS",                                                                                           \
     "COLUMN, factor(COLUMN), A:B, A*B, comma-separated (default: every column without a role)"},            \
        {"factor", "COLUMNS", "number columns that are factors"},                                            \
    {                                                                                                        \
        "levels", "COLUMN=A,B", "order of a factor's levels, the first is the reference (may be repeated)"   \
    }

static const struct option_spec glm_options[] = {
    {"y", "COLUMN", "the outcome (default: y); grouped binomial: the proportion, with --weights the trials"},
    TERMS,
    {"family", "NAME", "gaussian, binomial, poisson, gamma, inverse.gaussian, quasibinomial, quasipoisson"},
    {"link", "NAME",
     "identity, logit, probit, cloglog, cauchit, log, inverse, sqrt, 1/mu^2 (default: the family's)"},
    {"offset", "COLUMN", "a term with coefficient 1 (default: offset)"},
    {"weights", "COLUMN", "prior weights (default: prior_weight)"},
    {"no-intercept", NULL, "add no column _intercept"},
    {"anova", NULL, "sequential sums of squares too"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec nb_options[] = {
    {"y", "COLUMN", "the counts (default: y)"},
    TERMS,
    {"offset", "COLUMN", "a term with coefficient 1 (default: offset)"},
    {"weights", "COLUMN", "prior weights (default: prior_weight)"},
    {"no-intercept", NULL, "add no column _intercept"},
    CONFIDENCE,
    WHERE,
    {0},
};

#define FOLLOW_UP                                                                                            \
    {"time", "COLUMN", "follow-up time (default: time, stop, futime ...)"},                                  \
        {"status", "COLUMN", "1 = event, 0 = censored; or 2 and 1 (default: status, event ...)"},            \
        {"event", "CODE", "which status is the event"},                                                      \
        {"start", "COLUMN", "entry time: at risk in (start, time] (default: start, tstart, entry)"},         \
    {                                                                                                        \
        "weights", "COLUMN", "case weights (default: prior_weight)"                                          \
    }

static const struct option_spec km_options[] = {
    FOLLOW_UP,
    GROUP,
    {"conf-type", "TYPE", "log, plain, log-log, logit or arcsin (default: log)"},
    {"tau", "TIME", "restricted mean up to this time too"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec logrank_options[] = {
    FOLLOW_UP,
    {"group", "COLUMNS", "what to compare"},
    {"strata", "COLUMNS", "strata"},
    {"rho", "NUMBER", "weights S^rho: 0 log-rank, 1 Peto and Peto (default: 0)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec cox_options[] = {
    FOLLOW_UP,
    TERMS,
    {"strata", "COLUMNS", "strata with a baseline hazard each"},
    {"cluster", "COLUMNS", "robust standard errors over these clusters"},
    {"robust", NULL, "robust standard errors (always with weights)"},
    {"ties", "efron|breslow|exact", "how to treat ties (default: efron)"},
    {"offset", "COLUMN", "a term with coefficient 1 (default: offset)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec aft_options[] = {
    FOLLOW_UP,
    TERMS,
    {"distribution", "NAME", "weibull, exponential, lognormal, loglogistic (default: weibull)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec cif_options[] = {
    {"time", "COLUMN", "follow-up time"},
    {"status", "COLUMN", "0 = censored, else the number of the cause"},
    {"censored", "CODE", "which status is censored (default: 0)"},
    {"times", "LIST", "give the incidence at these times (default: at each event)"},
    {"rho", "NUMBER", "weights (1 - F)^rho of Gray's test (default: 0)"},
    GROUP,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec finegray_options[] = {
    {"time", "COLUMN", "follow-up time"},
    {"status", "COLUMN", "0 = censored, else the number of the cause"},
    {"censored", "CODE", "which status is censored (default: 0)"},
    {"cause", "NUMBER", "the cause to model (default: 1)"},
    TERMS,
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec sccs_options[] = {
    {"person", "COLUMN", "who; several rows are several events or exposures of one"},
    {"start", "COLUMN", "first day under observation"},
    {"end", "COLUMN", "last day under observation"},
    {"event", "COLUMN", "day of the event"},
    {"exposure", "COLUMN", "day exposure begins; blank for the unexposed"},
    {"exposure-end", "COLUMN", "last day of exposure"},
    {"days", "N", "or: so many days after exposure began"},
    {"risk", "LIST", "first days of risk windows, counted from exposure (default: 0)"},
    {"washout", "LIST", "edges of windows after exposure ended: 1,36 is days 1 to 35"},
    {"ages", "LIST", "first day of each age group but the first"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec meta_options[] = {
    {"y", "COLUMN", "estimates (default: yi)"},
    {"v", "COLUMN", "their variances (default: vi)"},
    {"se", "COLUMN", "or their standard errors (default: sei)"},
    {"a", "COLUMN", "or tables: exposed with the event"},
    {"b", "COLUMN", "exposed without"},
    {"c", "COLUMN", "unexposed with the event"},
    {"d", "COLUMN", "unexposed without"},
    {"measure", "or|rr|rd", "what to take from tables (default: or, on the log scale)"},
    {"tau2", "NAME", "reml, fe, dl, he, sj, ml, eb, pm; for tables also mh, peto (default: reml)"},
    {"x", "COLUMNS", "moderators"},
    {"knapp-hartung", NULL, "Knapp and Hartung's intervals"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec auc_options[] = {
    {"y", "COLUMN", "the outcome, 0 or 1 (default: y, outcome)"},
    {"score", "COLUMNS",
     "scores, higher for cases; probabilities are judged for calibration too (default: p)"},
    {"thresholds", "LIST", "where to give net benefit (default: 0.05,0.1,0.2,0.3,0.4,0.5)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec gini_options[] = {
    {"x", "COLUMN", "values of units; with --n rates of social groups, the most deprived first"},
    {"n", "COLUMN", "population of each group: gives the concentration index"},
    {"bound-low", "NUMBER", "the lowest value possible, for Erreygers and Wagstaff (default: 0)"},
    {"bound-high", "NUMBER", "the highest (default: 100)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec propensity_options[] = {
    {"y", "COLUMN", "the outcome (default: y)"},
    {"treatment", "COLUMN", "1 for the treated, 0 for the others (default: treatment, treated, treat)"},
    TERMS,
    {"estimand", "ate|att|overlap",
     "whose effect: everybody's, the treated's, where both were likely (default: ate)"},
    {"stabilised", NULL, "weights times the arm's share"},
    {"match", "RATIO", "also match each treated with so many untreated of the nearest scores"},
    {"replace", NULL, "--match: an untreated may serve several treated"},
    {"caliper", "SD", "--match: largest difference, in standard deviations of the score (default: any)"},
    {"match-on", "logit|score", "--match: by the logit of the score or the score itself (default: logit)"},
    {"match-rule", "closest|highest|matchit-4.5",
     "--match: the closest pairs first, the highest scores first, or as MatchIt 4.5.1 did it (default: "
     "closest)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec compare_options[] = {
    X,
    {"group", "COLUMN", "the groups to compare, in the order of their names"},
    {"test", "NAME", "welch, student, paired, rank-sum, ks, anova, bartlett (default: welch)"},
    {"no-continuity", NULL, "rank-sum: without continuity correction"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec correlate_options[] = {
    {"x", "COLUMN", "one number"},
    {"y", "COLUMN", "the other"},
    {"kind", "NAME", "pearson, spearman, kendall (default: pearson)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec table_options[] = {
    {"rows", "COLUMN", "what the rows are; the exposed come first in a 2 x 2 table"},
    {"columns", "COLUMN", "what the columns are; those with the event come first"},
    {"strata", "COLUMN", "2 x 2 tables to pool"},
    {"n", "COLUMN", "how many each line of the file stands for (default: 1, or Freq)"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec adjust_options[] = {
    {"p", "COLUMN", "the p-values"},
    WHERE,
    {0},
};

static const struct option_spec cusum_options[] = {
    {"y", "COLUMN", "the outcomes, 0 or 1, in time order"},
    {"p", "COLUMN", "their predicted risks"},
    {"odds-ratio", "NUMBER", "what the chart looks out for (default: 2)"},
    WHERE,
    {0},
};

static const struct option_spec ewma_options[] = {
    {"y", "COLUMN", "the values, in time order"},
    {"lambda", "NUMBER", "the weight of each new value (default: 0.2)"},
    {"start", "NUMBER", "where the average starts (default: the mean)"},
    WHERE,
    {0},
};

static const struct option_spec its_options[] = {
    {"y", "COLUMN", "the values, in time order"},
    {"change", "ROW", "the first row after the change, counted from 1"},
    {"lag", "N", "of Newey and West's errors (default: 4 (n/100)^(2/9))"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec shrink_options[] = {
    X,
    N,
    {"method", "gamma|marshall", "Poisson-gamma by likelihood with intervals, or moments (default: gamma)"},
    {"group", "COLUMNS", "what names each unit"},
    CONFIDENCE,
    WHERE,
    {0},
};

static const struct option_spec calibrate_options[] = {
    {"y", "COLUMN", "estimates as log ratios (default: log_rr, logRr)"},
    {"se", "COLUMN", "their standard errors (default: se, seLogRr)"},
    {"control", "COLUMN", "1 for a negative control, 0 for what is to be calibrated"},
    CONFIDENCE,
    WHERE,
    {0},
};

const struct command stats_commands[] = {
    {"proportion", "FILE.csv", "proportions with Wilson intervals", NULL, proportion_options, 1, 1,
     stats_run_proportion},
    {"rate", "FILE.csv", "rates with exact Poisson (below 10 events) or Byar intervals", NULL, rate_options,
     1, 1, stats_run_rate},
    {"mean", "FILE.csv", "means with Student's t intervals", NULL, mean_options, 1, 1, stats_run_mean},
    {"compare", "FILE.csv", "a number between groups: t, rank-sum, KS, Welch's anova, Bartlett", NULL,
     compare_options, 1, 1, stats_run_compare},
    {"correlate", "FILE.csv", "correlation of two numbers: Pearson, Spearman, Kendall", NULL,
     correlate_options, 1, 1, stats_run_correlate},
    {"table", "FILE.csv", "tables of counts: chi-squared, McNemar, trend, Fisher, risks and odds, strata",
     NULL, table_options, 1, 1, stats_run_crosstab},
    {"adjust", "FILE.csv", "p-values adjusted for many tests", NULL, adjust_options, 1, 1, stats_run_adjust},
    {"dsr", "FILE.csv", "directly standardised rates with Dobson intervals", NULL, dsr_options, 1, 1,
     stats_run_dsr},
    {"isr", "FILE.csv", "indirectly standardised rates and ratios", NULL, isr_options, 1, 1, stats_run_isr},
    {"quantile", "FILE.csv", "quantiles of values, or quantile groups of areas", NULL, quantile_options, 1, 1,
     stats_run_quantile},
    {"sii", "FILE.csv", "slope and relative index of inequality", NULL, sii_options, 1, 1, stats_run_sii},
    {"life-expectancy", "FILE.csv", "life expectancy by age from deaths and populations", NULL, life_options,
     1, 1, stats_run_life},
    {"funnel", "FILE.csv", "funnel plots: limits, significance, over-dispersion", NULL, funnel_options, 1, 1,
     stats_run_funnel},
    {"xmr", "FILE.csv", "XmR charts (statistical process control)", NULL, xmr_options, 1, 1, stats_run_xmr},
    {"cusum", "FILE.csv", "risk-adjusted CUSUM and VLAD of outcomes in time order", NULL, cusum_options, 1, 1,
     stats_run_cusum},
    {"ewma", "FILE.csv", "exponentially weighted moving average", NULL, ewma_options, 1, 1, stats_run_ewma},
    {"its", "FILE.csv", "interrupted time series: segmented regression, Newey-West errors", NULL, its_options,
     1, 1, stats_run_its},
    {"shrink", "FILE.csv", "empirical Bayes smoothing of ratios of small areas", NULL, shrink_options, 1, 1,
     stats_run_shrink},
    {"news2", "FILE.csv", "National Early Warning Score 2 of each row of readings, with its reason", NULL,
     news2_options, 1, 1, stats_run_news2},
    {"glm", "FILE.csv", "generalised linear models", NULL, glm_options, 1, 1, stats_run_glm},
    {"nb", "FILE.csv", "negative binomial regression", NULL, nb_options, 1, 1, stats_run_nb},
    {"km", "FILE.csv", "Kaplan-Meier curves, their quartiles and restricted means", NULL, km_options, 1, 1,
     stats_run_km},
    {"logrank", "FILE.csv", "log-rank and G-rho tests", NULL, logrank_options, 1, 1, stats_run_logrank},
    {"cox", "FILE.csv", "Cox proportional hazards regression", NULL, cox_options, 1, 1, stats_run_cox},
    {"aft", "FILE.csv", "accelerated failure time: Weibull, exponential, log-normal, log-logistic", NULL,
     aft_options, 1, 1, stats_run_aft},
    {"cif", "FILE.csv", "cumulative incidence with competing risks, Gray's test", NULL, cif_options, 1, 1,
     stats_run_cif},
    {"finegray", "FILE.csv", "Fine and Gray's subdistribution hazards regression", NULL, finegray_options, 1,
     1, stats_run_finegray},
    {"sccs", "FILE.csv", "self-controlled case series", NULL, sccs_options, 1, 1, stats_run_sccs},
    {"meta", "FILE.csv", "meta-analysis of estimates or 2 x 2 tables", NULL, meta_options, 1, 1,
     stats_run_meta},
    {"propensity", "FILE.csv", "effect of a treatment by propensity weights, balance, doubly robust", NULL,
     propensity_options, 1, 1, stats_run_propensity},
    {"calibrate", "FILE.csv", "estimates calibrated by negative controls", NULL, calibrate_options, 1, 1,
     stats_run_calibrate},
    {"auc", "FILE.csv", "ROC area, calibration and net benefit of risk scores", NULL, auc_options, 1, 1,
     stats_run_auc},
    {"gini", "FILE.csv", "Gini and other indices of inequality, concentration index", NULL, gini_options, 1,
     1, stats_run_gini},
    {0},
};
