/* SPDX-License-Identifier: Apache-2.0
 *
 * risk_model: trains a logistic risk score over all sites and says how well it does, in total and by group.
 *
 * Training is one joint Newton fit (newton.h) with a common intercept, so that the score can be used
 * elsewhere, and a ridge penalty of lambda n |beta|^2 / 2. A person is in the test set when the first byte of
 * the site's pseudonym falls below the share asked for: the same people in every run, at random to everything
 * else. One more round counts people and cases per bin of the linear predictor, for the training set, the
 * test set and every level of every group of the test set; discrimination, calibration and Brier score follow
 * from the bins. Those at or above each decision threshold are counted exactly, for the net benefit
 * (A. Vickers, E. Elkin, Med. Decis. Making 26 (2006) 565).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/interval.h"
#include "stats/special.h"
#include "study/models.h"
#include "study/outcome.h"
#include "study/tables.h"
#include "study/no_estimate.h"

/* Bins of the linear predictor: 0.02 wide from -8 to 4, and one beyond each end. */
enum { BINS = 602, TRAIN = 0, TEST = 1, FIRST_GROUP = 2 };
#define LOWEST -8.0
#define WIDTH  0.02
/* Per set: cases and others per bin, sum p, sum (y - p)^2, then others and cases at each threshold or above.
 */
enum { SUM_P = 2 * BINS, SUM_BRIER, ABOVE };
enum { MOST_THRESHOLDS = 10 };
enum { AUROC, EXPECTED_RATIO, INTERCEPT, SLOPE, BRIER, N_FIGURES };

struct risk_model {
    const char *name;
    size_t cohort, n_by, n_sets;
    struct outcome outcome;
    struct design design;
    struct dimension *by;
    double ridge, test_share;
    const double *thresholds; /* of the risk, ascending */
    size_t n_thresholds;
};

static size_t set_size(const struct risk_model *c)
{
    return ABOVE + 2 * c->n_thresholds;
}

static void read_thresholds(struct spec *s, struct risk_model *c)
{
    static const double usual[] = {0.05, 0.1, 0.2};
    c->thresholds = spec_ascending(s, "thresholds", 0.001, 0.999, &c->n_thresholds);
    if (c->n_thresholds > MOST_THRESHOLDS)
        spec_fault(s, "thresholds", "expected at most %d", MOST_THRESHOLDS);
    if (c->thresholds)
        return;
    c->thresholds = usual;
    c->n_thresholds = sizeof usual / sizeof *usual;
}

static enum status risk_parse(const struct js *specification, const struct analysis_scope *scope, void **spec,
                              struct err *e)
{
    const char *allowed[16] = {"kind", "cohort", "covariates", "ridge", "test_share", "by", "thresholds"};
    size_t n = 7;
    for (size_t i = 0; outcome_members[i]; i++)
        allowed[n++] = outcome_members[i];
    struct risk_model *c = arena_alloc(scope->arena, sizeof *c);
    struct spec s = spec_open(specification, scope->path, scope, allowed, e);
    c->name = scope->name;
    c->cohort = spec_cohort(&s, "cohort", true);
    outcome_read(&s, OUTCOME_BINARY, &c->outcome);
    design_read(&s, true, true, &c->design);
    c->ridge = spec_number(&s, "ridge", 0, 10, 0.0001);
    c->test_share = spec_number(&s, "test_share", 0.1, 0.9, 0.3);
    read_thresholds(&s, c);
    c->by = spec_dimensions(&s, "by", 6, false, &c->n_by);
    c->n_sets = FIRST_GROUP;
    for (size_t i = 0; s.status == ST_OK && i < c->n_by; i++)
        c->n_sets += c->by[i].n_levels;
    *spec = c;
    return spec_done(&s);
}

static bool evaluating(const struct js *parameters)
{
    return js_bool(js_get(parameters, "evaluate"));
}

static struct newton_form form_of(const struct risk_model *c)
{
    return newton_form(c->design.p, true);
}

static enum status risk_size(const void *spec, const struct js *parameters, size_t *n, struct err *e)
{
    const struct risk_model *c = spec;
    *n = evaluating(parameters) ? c->n_sets * set_size(c) : newton_size(form_of(c), !parameters);
    return parameters ? newton_check(parameters, c->design.p, e) : ST_OK;
}

static sum_t risk_bound(const void *spec, const struct js *parameters, size_t i)
{
    const struct risk_model *c = spec;
    if (!evaluating(parameters))
        return newton_bound(form_of(c), !parameters, i);
    size_t at = i % set_size(c);
    return at == SUM_P || at == SUM_BRIER ? SUM_REAL_BOUND : SUM_COUNT_BOUND;
}

static size_t bin_of(double eta)
{
    double bin = floor((eta - LOWEST) / WIDTH) + 1;
    return bin < 0 ? 0 : bin > BINS - 1 ? BINS - 1 : (size_t)bin;
}

static double middle(size_t bin)
{
    return LOWEST + ((double)bin - 0.5) * WIDTH;
}

static void add_person(const struct risk_model *c, struct sums *out, size_t set, double eta, double y)
{
    size_t at = set * set_size(c);
    double p = 1 / (1 + exp(-eta));
    sums_count(out, at + 2 * bin_of(eta) + (y != 0), 1);
    sums_real(out, at + SUM_P, p);
    sums_real(out, at + SUM_BRIER, (y - p) * (y - p));
    for (size_t k = 0; k < c->n_thresholds; k++)
        sums_count(out, at + ABOVE + 2 * k + (y != 0), p >= c->thresholds[k]);
}

/* One training or test person per row. */
struct people {
    const struct risk_model *model;
    const struct study_site *site;
    struct index_rows rows;
    double *x, *y;
    uint8_t *test;
};

static enum status evaluate(const struct people *d, const struct js *parameters, struct sums *out,
                            struct err *e)
{
    const struct risk_model *c = d->model;
    size_t p = c->design.p, n = d->rows.n, set = FIRST_GROUP;
    double *eta = xcalloc(n + 1, sizeof *eta);
    uint16_t *level = xmalloc((n + 1) * sizeof *level);
    enum status st = ST_OK;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < p; k++)
            eta[i] += d->x[i * p + k] * js_num(js_at(js_get(parameters, "beta"), k));
        add_person(c, out, d->test[i] ? TEST : TRAIN, eta[i], d->y[i]);
    }
    for (size_t b = 0; st == ST_OK && b < c->n_by; b++) {
        st = dimension_levels(&c->by[b], d->site, &d->rows, level, e);
        for (size_t i = 0; st == ST_OK && i < n; i++)
            if (d->test[i])
                add_person(c, out, set + level[i], eta[i], d->y[i]);
        set += c->by[b].n_levels;
    }
    free(eta);
    free(level);
    return st;
}

/* The training rows, packed to the front. */
static size_t keep_training(const struct people *d)
{
    size_t p = d->model->design.p, kept = 0;
    for (size_t i = 0; i < d->rows.n; i++) {
        if (d->test[i])
            continue;
        memmove(d->x + kept * p, d->x + i * p, p * sizeof *d->x);
        d->y[kept++] = d->y[i];
    }
    return kept;
}

static void train(const struct people *d, const struct js *parameters, struct sums *out)
{
    const struct risk_model *c = d->model;
    size_t n = keep_training(d), p = c->design.p;
    struct glm_data data = {FAMILY_LOGISTIC, false, n, p, d->x, d->y, NULL, c->ridge * (double)n};
    struct likelihood likelihood = {p, &data, glm_at, glm_third};
    struct model_counts counts = model_counts_new(p);
    model_count(&c->design, d->x, d->y, n, &counts);
    newton_local(&likelihood, parameters, &counts, out);
    model_counts_free(&counts);
}

static void split(const struct people *d)
{
    for (size_t i = 0; i < d->rows.n; i++) {
        uint8_t pseudonym[16];
        store_pseudonym(d->site->store, d->rows.person[i], pseudonym);
        d->test[i] = pseudonym[0] < d->model->test_share * 256;
    }
}

static enum status risk_local(const void *spec, const struct js *parameters, const struct study_site *site,
                              struct sums *out, struct err *e)
{
    struct people d = {.model = spec, .site = site};
    const struct risk_model *c = spec;
    index_rows_init(&site->cohorts[c->cohort], &d.rows);
    size_t most = d.rows.n + 1;
    double *unused = xmalloc(most * sizeof *unused);
    d.y = xmalloc(most * sizeof *d.y);
    d.test = xmalloc(most);
    enum status st = outcome_values(&c->outcome, site, &d.rows, d.y, unused, e);
    struct parallel parallel = {d.y, sizeof *d.y};
    if (st == ST_OK)
        st = design_matrix(&c->design, site, &d.rows, &parallel, 1, &d.x, e);
    if (st == ST_OK) {
        split(&d);
        if (evaluating(parameters))
            st = evaluate(&d, parameters, out, e);
        else
            train(&d, parameters, out);
    }
    free(unused);
    free(d.x);
    free(d.y);
    free(d.test);
    index_rows_deinit(&d.rows);
    return st;
}

static enum status risk_next(const void *spec, const struct js *parameters, const struct sums *total,
                             struct js **state, struct js **next, struct err *e)
{
    const struct risk_model *c = spec;
    if (evaluating(parameters))
        return ST_OK;
    enum status st = newton_next(form_of(c), c->design.terms, parameters, total, state, next, e);
    if (st == ST_OK && !*next && !no_estimate(*state)) {
        *next = js_object();
        js_put(*next, "beta", js_copy(js_get(*state, "estimate")));
        js_put(*next, "evaluate", js_boolean(true));
    }
    return st;
}

/* The counts of one set. */
struct binned {
    double cases[BINS], others[BINS], n_cases, n_others, expected, brier;
};

static void read_set(const struct risk_model *c, const struct sums *total, size_t set, struct binned *b)
{
    size_t at = set * set_size(c);
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < BINS; i++) {
        b->others[i] = (double)sums_get_count(total, at + 2 * i);
        b->cases[i] = (double)sums_get_count(total, at + 2 * i + 1);
        b->n_others += b->others[i];
        b->n_cases += b->cases[i];
    }
    b->expected = sums_get_real(total, at + SUM_P);
    b->brier = sums_get_real(total, at + SUM_BRIER);
}

/* A figure with its standard error; the interval is normal, on the log scale for the ratio. */
struct figure {
    double value, se;
};

/* E. DeLong et al., Biometrics 44 (1988) 837, from the placements of cases among the others and back; people
   of one bin count as tied. */
static struct figure auroc(const struct binned *b)
{
    double below = 0, sum = 0, case_squares = 0, other_squares = 0, above = b->n_cases;
    for (size_t i = 0; i < BINS; i++) {
        double among_others = (below + b->others[i] / 2) / b->n_others;
        above -= b->cases[i];
        double among_cases = (above + b->cases[i] / 2) / b->n_cases;
        sum += b->cases[i] * among_others;
        case_squares += b->cases[i] * among_others * among_others;
        other_squares += b->others[i] * among_cases * among_cases;
        below += b->others[i];
    }
    double area = sum / b->n_cases;
    double v1 = (case_squares - b->n_cases * area * area) / (b->n_cases - 1) / b->n_cases;
    double v0 = (other_squares - b->n_others * area * area) / (b->n_others - 1) / b->n_others;
    return (struct figure){area, sqrt(fmax(0, v1 + v0))};
}

/* Logistic regression of the outcome on the linear predictor over the bins: intercept (slope 1) and slope. */
static void calibration(const struct binned *b, struct figure *intercept, struct figure *slope)
{
    double a = 0, s = 1, alone = 0, h[3] = {0}, information = 0;
    for (int step = 0; step < 50; step++) {
        double g[2] = {0}, only = 0;
        memset(h, 0, sizeof h);
        information = 0;
        for (size_t i = 0; i < BINS; i++) {
            double n = b->cases[i] + b->others[i], x = middle(i);
            double p = 1 / (1 + exp(-(a + s * x))), q = 1 / (1 + exp(-(alone + x)));
            g[0] += b->cases[i] - n * p;
            g[1] += (b->cases[i] - n * p) * x;
            h[0] += n * p * (1 - p);
            h[1] += n * p * (1 - p) * x;
            h[2] += n * p * (1 - p) * x * x;
            only += b->cases[i] - n * q;
            information += n * q * (1 - q);
        }
        double determinant = h[0] * h[2] - h[1] * h[1];
        if (!(determinant > 0) || !(information > 0))
            break;
        a += (h[2] * g[0] - h[1] * g[1]) / determinant;
        s += (h[0] * g[1] - h[1] * g[0]) / determinant;
        alone += only / information;
    }
    double determinant = h[0] * h[2] - h[1] * h[1];
    *intercept = (struct figure){alone, 1 / sqrt(information)};
    *slope = (struct figure){s, sqrt(h[0] / determinant)};
}

static void figures_of(const struct binned *b, struct figure out[N_FIGURES])
{
    double n = b->n_cases + b->n_others;
    for (int k = 0; k < N_FIGURES; k++)
        out[k] = (struct figure){(double)NAN, (double)NAN};
    if (b->n_cases < 1 || b->n_others < 1)
        return;
    out[AUROC] = auroc(b);
    calibration(b, &out[INTERCEPT], &out[SLOPE]);
    out[EXPECTED_RATIO] = (struct figure){b->n_cases / b->expected, 1 / sqrt(b->n_cases)};
    out[BRIER] = (struct figure){b->brier / n, (double)NAN};
}

static const char **set_labels(const struct risk_model *c, struct arena *a)
{
    const char **labels = arena_array(a, c->n_sets, sizeof *labels);
    size_t n = FIRST_GROUP;
    labels[TRAIN] = "training set";
    labels[TEST] = "test set";
    for (size_t b = 0; b < c->n_by; b++)
        for (uint32_t k = 0; k < c->by[b].n_levels; k++)
            labels[n++] = arena_printf(a, "test set, %s: %s", c->by[b].name, c->by[b].labels[k]);
    return labels;
}

/* The least of cases and others decides what may be shown: a figure over 3 cases says much about 3 people. */
static void performance_table(const struct risk_model *c, const struct sums *total, struct result *into)
{
    static const char *names[] = {"AUROC", "observed over expected", "calibration intercept",
                                  "calibration slope", "Brier score"};
    struct dimension dimensions[] = {plain_dimension("set", set_labels(c, into->arena), c->n_sets),
                                     plain_dimension("figure", names, N_FIGURES)};
    dimensions[0].no_total = dimensions[1].no_total = true;
    struct result_table *t =
        table_new(into, table_name(into, c->name, "performance"), "Discrimination and calibration",
                  "as named", OUTPUT_RATE, dimensions, 2);
    t->picture = PICTURE_NONE;
    struct binned *b = arena_alloc(into->arena, sizeof *b);
    for (size_t set = 0; set < c->n_sets; set++) {
        struct figure f[N_FIGURES];
        read_set(c, total, set, b);
        figures_of(b, f);
        for (int k = 0; k < N_FIGURES; k++) {
            struct result_cell *cell = &t->cells[set * N_FIGURES + (size_t)k];
            double width = normal_z(0.95) * f[k].se;
            table_rests_on(cell, b->n_cases + b->n_others, b->n_cases);
            cell->value = f[k].value;
            cell->lower = k == EXPECTED_RATIO ? f[k].value * exp(-width) : f[k].value - width;
            cell->upper = k == EXPECTED_RATIO ? f[k].value * exp(width) : f[k].value + width;
        }
    }
}

/* People in the order of their score in BANDS of about as many each: whole bins, so at most one bin more. */
enum { BANDS = 10, PREDICTED = 0, OBSERVED, N_CALIBRATION };
struct band {
    double persons, cases, predicted; /* the sum of predicted risks */
};

static void bands_of(const struct binned *b, struct band out[BANDS])
{
    double all = b->n_cases + b->n_others, before = 0;
    memset(out, 0, BANDS * sizeof *out);
    for (size_t i = 0; i < BINS; i++) {
        double n = b->cases[i] + b->others[i];
        size_t k = all > 0 ? (size_t)fmin(BANDS - 1, (before + n / 2) / all * BANDS) : 0;
        out[k].persons += n;
        out[k].cases += b->cases[i];
        out[k].predicted += n / (1 + exp(-middle(i)));
        before += n;
    }
}

/* The mean of the predicted risks, taken at the middle of each bin, and the share with the outcome. */
static void calibration_cells(const struct band *b, struct result_cell *cells)
{
    struct interval share = interval_wilson(b->cases, fmax(1, b->persons), 0.95);
    for (int k = 0; k < N_CALIBRATION; k++)
        table_rests_on(&cells[k], b->persons, b->cases);
    cells[PREDICTED].value = b->predicted / b->persons;
    cells[OBSERVED].numerator = b->cases;
    cells[OBSERVED].value = b->cases / b->persons;
    cells[OBSERVED].lower = share.lower;
    cells[OBSERVED].upper = share.upper;
}

static void calibration_table(const struct risk_model *c, const struct sums *total, struct result *into)
{
    static const char *const figures[] = {"predicted risk, mean", "observed share"}, *const sets[] = {
                                                                                         "training set",
                                                                                         "test set"};
    const char *tenths[BANDS];
    for (int i = 0; i < BANDS; i++)
        tenths[i] = arena_printf(into->arena, "%d", i + 1);
    struct dimension dimensions[] = {labelled_dimension("set", sets, FIRST_GROUP, into->arena),
                                     labelled_dimension("tenth of the score", tenths, BANDS, into->arena),
                                     labelled_dimension("figure", figures, N_CALIBRATION, into->arena)};
    struct result_table *t =
        table_new(into, table_name(into, c->name, "calibration"), "Calibration: predicted and observed risk",
                  "share of persons", OUTPUT_RATE, dimensions, 3);
    t->picture = PICTURE_CALIBRATION;
    struct binned *b = arena_alloc(into->arena, sizeof *b);
    struct band bands[BANDS];
    for (size_t set = 0; set < FIRST_GROUP; set++) {
        read_set(c, total, set, b);
        bands_of(b, bands);
        for (size_t i = 0; i < BANDS; i++)
            calibration_cells(&bands[i], &t->cells[(set * BANDS + i) * N_CALIBRATION]);
    }
}

/* How many were trained on and tested on, with and without the outcome. */
static void people_table(const struct risk_model *c, const struct sums *total, struct result *into)
{
    static const char *sets[] = {"training set", "test set"}, *outcomes[] = {"with the outcome", "without"};
    struct dimension dimensions[] = {plain_dimension("set", sets, 2),
                                     plain_dimension("outcome", outcomes, 2)};
    struct result_table *t = table_new(into, table_name(into, c->name, "people"), "People of the model",
                                       "persons", OUTPUT_COUNT, dimensions, 2);
    struct binned *b = arena_alloc(into->arena, sizeof *b);
    double strata[4];
    for (size_t set = 0; set < FIRST_GROUP; set++) {
        read_set(c, total, set, b);
        strata[2 * set] = b->n_cases;
        strata[2 * set + 1] = b->n_others;
    }
    const double *persons = table_roll_up(into, t, strata);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = (int64_t)persons[i];
        t->cells[i].value = persons[i];
    }
}

/* The people of one set at a threshold or above. */
struct flagged {
    double cases, others;
};

static struct flagged flagged_of(const struct risk_model *c, const struct sums *total, size_t set, size_t k)
{
    size_t at = set * set_size(c) + ABOVE + 2 * k;
    return (struct flagged){(double)sums_get_count(total, at + 1), (double)sums_get_count(total, at)};
}

/* What the figures of a threshold say something about: those flagged, and those between it and the one below
   (at the first, all who are not flagged), whom a subtraction gives. Nobody is no secret. */
static double fewest(const struct risk_model *c, const struct sums *total, size_t set, size_t k,
                     const struct binned *b)
{
    struct flagged f = flagged_of(c, total, set, k), below = {b->n_cases, b->n_others};
    if (k > 0)
        below = flagged_of(c, total, set, k - 1);
    double counts[] = {f.cases, f.others, below.cases - f.cases, below.others - f.others}, least = INFINITY;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > 0)
            least = fmin(least, counts[i]);
    return isinf(least) ? 0 : least;
}

static void net_benefit_table(const struct risk_model *c, const struct sums *total, struct result *into)
{
    static const char *figures[] = {"by the score", "everybody"};
    const char **labels = arena_array(into->arena, c->n_thresholds, sizeof *labels);
    for (size_t k = 0; k < c->n_thresholds; k++)
        labels[k] = arena_printf(into->arena, "risk %g or above", c->thresholds[k]);
    struct dimension dimensions[] = {plain_dimension("set", set_labels(c, into->arena), c->n_sets),
                                     plain_dimension("threshold", labels, c->n_thresholds),
                                     plain_dimension("treated", figures, 2)};
    dimensions[0].no_total = dimensions[1].no_total = dimensions[2].no_total = true;
    struct result_table *t =
        table_new(into, table_name(into, c->name, "net_benefit"), "Net benefit of treating by the score",
                  "true positives per person", OUTPUT_RATE, dimensions, 3);
    t->picture = PICTURE_NONE;
    struct binned *b = arena_alloc(into->arena, sizeof *b);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        const uint32_t *at = t->cells[i].at;
        read_set(c, total, at[0], b);
        bool all = at[2] == 1;
        struct flagged f =
            all ? (struct flagged){b->n_cases, b->n_others} : flagged_of(c, total, at[0], at[1]);
        double n = b->n_cases + b->n_others, p = c->thresholds[at[1]];
        table_rests_on(&t->cells[i], n, all ? b->n_cases : fewest(c, total, at[0], at[1], b));
        t->cells[i].value = (f.cases - f.others * p / (1 - p)) / n;
    }
}

static enum status risk_finish(const void *spec, const struct js *parameters, const struct sums *total,
                               const struct js *state, struct result *into, struct err *e)
{
    (void)parameters;
    const struct risk_model *c = spec;
    struct fit fit;
    enum status st = newton_fit_of(state, c->design.p, into->arena, &fit, e);
    if (st != ST_OK)
        return st;
    people_table(c, total, into);
    performance_table(c, total, into);
    calibration_table(c, total, into);
    net_benefit_table(c, total, into);
    uint32_t first = into->n_tables;
    model_tables(c->name, &c->design, &fit, 1, false, NULL, into);
    model_saturated(&c->design, &fit, FAMILY_LOGISTIC, false, into, first);
    return ST_OK;
}

const struct analysis risk_model_analysis = {
    .kind = "risk_model",
    .summary = "train a logistic risk score, test it in total and by group",
    .template =
        "{\"kind\": \"risk_model\", \"name\": \"score\", \"cohort\": \"target\", \"outcome\": \"outcome\","
        " \"window\": [1, 365], \"covariates\": [\"sex\", {\"number\": \"age\", \"per\": 10, \"centre\": "
        "60}],"
        " \"ridge\": 0.0001, \"test_share\": 0.3, \"by\": [\"sex\", \"deprivation_quintile\"]}",
    .output = OUTPUT_REGRESSION,
    .parse = risk_parse,
    .size = risk_size,
    .bound = risk_bound,
    .local = risk_local,
    .next = risk_next,
    .finish = risk_finish,
};
