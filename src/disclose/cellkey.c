/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/cellkey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"

enum { MOST_NOISE = 30, WIDTH = 2 * MOST_NOISE + 1, MOST_ROWS = 1000 };

struct row {
    double p[WIDTH]; /* of noise v at v + MOST_NOISE */
};
struct ptable {
    struct row *rows;
    int64_t n;
};

/* --- the greatest entropy -----------------------------------------------------------------------------

   p(v) ~ exp(sum of multipliers times features): the features are v (mean 0), v^2 (variance V) and, where
   asked for, one more. The multipliers minimise the convex log-partition function less the targets, by
   Newton's method with steps cut to 1. */

enum { MOST_FEATURES = 3 };
struct problem {
    int64_t v[WIDTH];
    double feature[WIDTH][MOST_FEATURES], target[MOST_FEATURES];
    int n, n_features;
};

static void weigh(const struct problem *q, const double *multiplier, double *p)
{
    double sum = 0;
    for (int i = 0; i < q->n; i++) {
        double exponent = 0;
        for (int f = 0; f < q->n_features; f++)
            exponent += multiplier[f] * q->feature[i][f];
        sum += p[i] = exp(exponent);
    }
    for (int i = 0; i < q->n; i++)
        p[i] /= sum;
}

/* What the features' means miss, and their covariances. */
static void moments(const struct problem *q, const double *p, double *miss,
                    double covariance[MOST_FEATURES][MOST_FEATURES])
{
    double mean[MOST_FEATURES] = {0};
    for (int i = 0; i < q->n; i++)
        for (int f = 0; f < q->n_features; f++)
            mean[f] += p[i] * q->feature[i][f];
    for (int f = 0; f < q->n_features; f++) {
        miss[f] = mean[f] - q->target[f];
        for (int k = 0; k < q->n_features; k++) {
            covariance[f][k] = -mean[f] * mean[k];
            for (int i = 0; i < q->n; i++)
                covariance[f][k] += p[i] * q->feature[i][f] * q->feature[i][k];
        }
    }
}

/* Solves a x = b in place by Cholesky's elimination; false where the features are not independent. */
static bool eliminate(double a[MOST_FEATURES][MOST_FEATURES], double *b, int n)
{
    for (int k = 0; k < n; k++) {
        if (!(a[k][k] > 1e-14))
            return false;
        for (int i = k + 1; i < n; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < n; j++)
                a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++)
            b[k] -= a[k][j] * b[j];
        b[k] /= a[k][k];
    }
    return true;
}

static bool solve(const struct problem *q, double *p)
{
    enum { MOST_STEPS = 1000 };
    double multiplier[MOST_FEATURES] = {0};
    for (int step = 0; step < MOST_STEPS; step++) {
        double miss[MOST_FEATURES], covariance[MOST_FEATURES][MOST_FEATURES], worst = 0, longest = 1;
        weigh(q, multiplier, p);
        moments(q, p, miss, covariance);
        for (int f = 0; f < q->n_features; f++)
            worst = fmax(worst, fabs(miss[f]));
        if (worst < 1e-12)
            return true;
        if (!eliminate(covariance, miss, q->n_features))
            return false;
        for (int f = 0; f < q->n_features; f++)
            longest = fmax(longest, fabs(miss[f]));
        for (int f = 0; f < q->n_features; f++) {
            multiplier[f] -= miss[f] / longest;
            if (!(fabs(multiplier[f]) < 300))
                return false;
        }
    }
    return false;
}

static int place_of(const struct problem *q, int64_t v)
{
    for (int i = 0; i < q->n; i++)
        if (q->v[i] == v)
            return i;
    return -1;
}

/* Noise that a count of i may get. */
static void pose(const struct ptable_rules *r, int64_t i, struct problem *q)
{
    *q = (struct problem){.n_features = 2, .target = {0, r->variance}};
    for (int64_t v = -r->most; v <= r->most; v++) {
        int64_t j = i + v;
        if (j < 0 || (j > 0 && j <= r->skip))
            continue;
        q->feature[q->n][0] = (double)v;
        q->feature[q->n][1] = (double)(v * v);
        q->v[q->n++] = v;
    }
}

/* ptable asks of all rows but the third that no lesser count is likelier than the count itself. */
static bool must_lead(int64_t i)
{
    return i != 3;
}

static bool make_row(const struct ptable_rules *r, int64_t i, struct row *out)
{
    struct problem q;
    double p[WIDTH];
    pose(r, i, &q);
    int zero = place_of(&q, 0);
    bool stays = r->stay > 0 && zero >= 0;
    if (stays) {
        q.feature[zero][q.n_features] = 1;
        q.target[q.n_features++] = r->stay;
    }
    bool good = solve(&q, p);
    if (good && !stays && zero > 0 && must_lead(i) && p[zero] < p[zero - 1]) {
        q.feature[zero][q.n_features] = 1;
        q.feature[zero - 1][q.n_features++] = -1;
        good = solve(&q, p);
    }
    for (int k = 0; good && k < q.n; k++)
        out->p[q.v[k] + MOST_NOISE] = p[k];
    return good;
}

enum status ptable_make(const struct ptable_rules *rules, struct ptable **out, struct err *e)
{
    *out = NULL;
    if (rules->most < 1 || rules->most > MOST_NOISE || !(rules->variance > 0) || rules->skip < 0 ||
        rules->skip >= rules->most || !(rules->stay >= 0 && rules->stay < 1))
        return err_set(e, ST_INVALID,
                       "a p-table needs a largest noise of 1 to %d, a variance above 0, skipped counts below "
                       "the largest noise and a share that stays below 1",
                       MOST_NOISE);
    struct ptable *t = xcalloc(1, sizeof *t);
    t->n = rules->most + rules->skip + 2;
    t->rows = xcalloc((size_t)t->n, sizeof *t->rows);
    t->rows[0].p[MOST_NOISE] = 1;
    for (int64_t i = 1; i < t->n; i++)
        if (!make_row(rules, i, &t->rows[i])) {
            ptable_free(t);
            return err_set(e, ST_INVALID,
                           "no noise of at most %lld has mean 0 and variance %g for a count of %lld; choose "
                           "another variance, or skip more counts",
                           (long long)rules->most, rules->variance, (long long)i);
        }
    *out = t;
    return ST_OK;
}

void ptable_free(struct ptable *t)
{
    if (!t)
        return;
    free(t->rows);
    free(t);
}

/* --- tables of others --------------------------------------------------------------------------------- */

static bool number_of(struct slice s, double *out)
{
    return s.n && parse_double(s, out) && isfinite(*out);
}

struct reading {
    struct csv *csv;
    int i, p, v; /* columns */
    struct ptable *table;
    size_t room;
};

static enum status take_line(struct reading *r, const struct slice *field, struct err *e)
{
    struct ptable *t = r->table;
    double i, p, v;
    if (!number_of(field[r->i], &i) || i != floor(i) || i < 0 || i >= MOST_ROWS)
        return csv_expected(r->csv, r->i, "a count below 1000", e);
    if (!number_of(field[r->p], &p) || p < 0 || p > 1)
        return csv_expected(r->csv, r->p, "a probability", e);
    if (!number_of(field[r->v], &v) || v != floor(v) || fabs(v) > MOST_NOISE || i + v < 0)
        return csv_expected(r->csv, r->v, "noise from -30 to 30 that leaves the count at 0 or more", e);
    int64_t n = (int64_t)i + 1;
    if (n > t->n) {
        GROW(t->rows, (size_t)n, r->room);
        memset(t->rows + t->n, 0, (size_t)(n - t->n) * sizeof *t->rows);
        t->n = n;
    }
    t->rows[(int64_t)i].p[(int64_t)v + MOST_NOISE] = p;
    return ST_OK;
}

static enum status check_rows(const struct ptable *t, const char *name, struct err *e)
{
    for (int64_t i = 0; i < t->n; i++) {
        double sum = 0;
        for (int v = 0; v < WIDTH; v++)
            sum += t->rows[i].p[v];
        if (!(fabs(sum - 1) < 1e-6))
            return err_set(e, ST_INVALID, "%s: the probabilities of row i = %lld add up to %g, not 1", name,
                           (long long)i, sum);
    }
    return t->n ? ST_OK : err_set(e, ST_INVALID, "%s: the p-table has no rows", name);
}

static enum status read_lines(struct reading *r, struct err *e)
{
    const struct slice *fields;
    enum status s = csv_need(r->csv, "i", &r->i, e);
    if (s == ST_OK)
        s = csv_need(r->csv, "p", &r->p, e);
    if (s == ST_OK)
        s = csv_need(r->csv, "v", &r->v, e);
    while (s == ST_OK && (s = csv_next(r->csv, &fields, e)) == ST_OK && fields)
        s = take_line(r, fields, e);
    return s;
}

enum status ptable_parse(struct slice csv, const char *name, struct ptable **out, struct err *e)
{
    struct reading r = {.table = xcalloc(1, sizeof *r.table)};
    *out = NULL;
    enum status s = csv_open_memory(csv, name, &r.csv, e);
    if (s == ST_OK)
        s = read_lines(&r, e);
    if (s == ST_OK)
        s = check_rows(r.table, name, e);
    csv_close(r.csv);
    if (s == ST_OK)
        *out = r.table;
    else
        ptable_free(r.table);
    return s;
}

/* --- use ---------------------------------------------------------------------------------------------- */

static const struct row *row_of(const struct ptable *t, int64_t count)
{
    return &t->rows[count < t->n ? count : t->n - 1];
}

int64_t ptable_noise(const struct ptable *t, int64_t count, double u)
{
    const struct row *row = row_of(t, count);
    double sum = 0;
    int last = MOST_NOISE;
    for (int v = 0; v < WIDTH; v++) {
        if (!(row->p[v] > 0))
            continue;
        last = v;
        if (u < (sum += row->p[v]))
            break;
    }
    return last - MOST_NOISE;
}

double ptable_p(const struct ptable *t, int64_t i, int64_t v)
{
    return v < -MOST_NOISE || v > MOST_NOISE ? 0 : row_of(t, i)->p[v + MOST_NOISE];
}

int64_t ptable_rows(const struct ptable *t)
{
    return t->n;
}

uint32_t record_key(const uint8_t secret[HASH_BYTES], struct slice pseudonym)
{
    uint8_t hash[HASH_BYTES];
    hmac_sha256((struct slice){(const char *)secret, HASH_BYTES}, pseudonym, hash);
    return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

double cell_key_u(uint32_t sum)
{
    return (double)sum / 4294967296.0;
}
