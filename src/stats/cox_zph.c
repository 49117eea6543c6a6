/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of proportional hazards, and the concordance of a risk score with survival.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/cox_rows.h"
#include "stats/linalg.h"
#include "stats/special.h"

struct zph {
    const double *g; /* by row */
    bool efron;
    double *score, *information; /* one time's */
    double *u;                   /* 2p: score of beta, of theta */
    double *h;                   /* 2p x 2p */
};

static void at_time(void *context, const struct cox_rows *r, const struct cox_set *s)
{
    struct zph *z = context;
    size_t p = r->p;
    double g = z->g[r->row[s->first]];
    cox_contribution(r, s, z->efron, z->score, z->information);
    for (size_t i = 0, at = 0; i < p; i++) {
        z->u[i] += z->score[i];
        z->u[p + i] += g * z->score[i];
        for (size_t j = 0; j <= i; j++, at++)
            for (int block = 0; block < 4; block++) {
                double v = z->information[at] * (block == 0 ? 1 : block == 3 ? g * g : g);
                size_t row = i + (block & 1 ? p : 0), column = j + (block & 2 ? p : 0);
                z->h[row * 2 * p + column] += v;
                if (i != j)
                    z->h[(column % p + (block & 1 ? p : 0)) * 2 * p + row % p + (block & 2 ? p : 0)] += v;
            }
    }
}

static double zph_test(const struct zph *z, size_t p, const size_t *term, size_t wanted, bool global,
                       size_t *df)
{
    size_t *at = xcalloc(2 * p + 1, sizeof *at), m = 0, rank;
    for (size_t i = 0; i < p; i++)
        at[m++] = i;
    for (size_t i = 0; i < p; i++)
        if (global || term[i] == wanted)
            at[m++] = p + i;
    double *h = xcalloc(m * m + 1, sizeof *h), *u = xcalloc(m + 1, sizeof *u);
    for (size_t i = 0; i < m; i++) {
        u[i] = at[i] < p ? 0 : z->u[at[i]];
        for (size_t j = 0; j < m; j++)
            h[i * m + j] = z->h[at[i] * 2 * p + at[j]];
    }
    double t = quadratic_inverse(h, u, m, 1e-12, &rank);
    *df = m - p;
    free(at);
    free(h);
    free(u);
    return t;
}

struct at_row {
    double value;
    size_t row;
};

static int by_value(const void *a, const void *b)
{
    const struct at_row *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

static struct at_row *ordered(const double *v, size_t n)
{
    struct at_row *o = xcalloc(n + 1, sizeof *o);
    for (size_t i = 0; i < n; i++)
        o[i] = (struct at_row){v[i], i};
    qsort(o, n, sizeof *o, by_value);
    return o;
}

static void mean_ranks(const double *v, size_t n, double *out)
{
    struct at_row *o = ordered(v, n);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && o[j].value == o[i].value; j++)
            ;
        for (size_t k = i; k < j; k++)
            out[o[k].row] = (double)(i + j + 1) / 2;
    }
    free(o);
}

/* 1 - S(t-), pooled over strata and unweighted. */
static void km_transform(const struct cox_data *d, double *out)
{
    struct survival_rows rows = d->rows;
    struct arena *a = arena_new();
    struct km k;
    rows.weight = NULL;
    km_curve(&rows, KM_PLAIN, 0.95, a, &k);
    for (size_t i = 0; i < rows.n; i++) {
        size_t low = 0, high = k.n;
        while (low < high) {
            size_t mid = (low + high) / 2;
            if (k.rows[mid].time < rows.time[i])
                low = mid + 1;
            else
                high = mid;
        }
        out[i] = low ? 1 - k.rows[low - 1].survival : 0;
    }
    arena_free(a);
}

static void centre_on_events(const struct cox_data *d, double *g)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < d->rows.n; i++)
        if (d->rows.status[i]) {
            sum += g[i];
            n++;
        }
    for (size_t i = 0; i < d->rows.n; i++)
        g[i] -= sum / n;
}

void cox_zph(const struct cox_data *d, const struct cox_fit *f, enum cox_ties ties,
             enum cox_transform transform, const size_t *term, size_t terms, struct test *out)
{
    size_t n = d->rows.n, p = d->p, df;
    double *g = xcalloc(n + 1, sizeof *g), *scaled = xcalloc(p + 1, sizeof *scaled);
    if (transform == COX_KM)
        km_transform(d, g);
    else if (transform == COX_RANK)
        mean_ranks(d->rows.time, n, g);
    else
        memcpy(g, d->rows.time, n * sizeof *g);
    centre_on_events(d, g);
    struct cox_rows *r = cox_rows_new(d);
    for (size_t j = 0; j < p; j++)
        scaled[j] = f->beta[j] * r->scale[j];
    cox_rows_risk(r, scaled);
    struct zph z = {.g = g,
                    .efron = ties == COX_EFRON,
                    .score = xcalloc(p + 1, sizeof *z.score),
                    .information = xcalloc(p * (p + 1) / 2 + 1, sizeof *z.information),
                    .u = xcalloc(2 * p + 1, sizeof *z.u),
                    .h = xcalloc(4 * p * p + 1, sizeof *z.h)};
    cox_walk(r, true, at_time, &z);
    for (size_t t = 0; t <= terms; t++) {
        double statistic = zph_test(&z, p, term, t, t == terms, &df);
        out[t] = (struct test){statistic, (double)df, chi2_upper(statistic, (double)df)};
    }
    free(z.score);
    free(z.information);
    free(z.u);
    free(z.h);
    free(g);
    free(scaled);
    cox_rows_free(r);
}

/* Counts of weights by rank of risk: a Fenwick tree. */
struct tree {
    double *v;
    size_t n;
};

static void tree_add(struct tree *t, size_t rank, double w)
{
    for (; rank <= t->n; rank += rank & (~rank + 1))
        t->v[rank] += w;
}

static double tree_below(const struct tree *t, size_t rank) /* ranks 1 .. rank */
{
    double s = 0;
    for (; rank; rank -= rank & (~rank + 1))
        s += t->v[rank];
    return s;
}

struct pairs { /* weights of a row's partners */
    double concordant, discordant, tied;
};

struct counting {
    const struct cox_data *d;
    size_t *rank; /* of each row's risk, ties equal, from 1 */
    struct tree tree;
    double total;
    struct pairs *of;
};

static double weight_of(const struct cox_data *d, size_t i)
{
    return d->rows.weight ? d->rows.weight[i] : 1;
}

static void put(struct counting *c, size_t row, double sign)
{
    tree_add(&c->tree, c->rank[row], sign * weight_of(c->d, row));
    c->total += sign * weight_of(c->d, row);
}

/* Adds the tree's members to a row's partners; `early`: the row died first, so a lower risk of theirs is
 * concordant. */
static void count_partners(struct counting *c, size_t row, bool early, double sign)
{
    double below = tree_below(&c->tree, c->rank[row] - 1), upto = tree_below(&c->tree, c->rank[row]);
    struct pairs *p = &c->of[row];
    p->concordant += sign * (early ? below : c->total - upto);
    p->discordant += sign * (early ? c->total - upto : below);
    p->tied += sign * (upto - below);
}

/* Pairs of equal death times. */
static void count_ties(const struct counting *c, const struct at_row *o, size_t from, size_t to,
                       struct concordance *out)
{
    double all = 0, squares = 0;
    size_t m = 0;
    struct at_row *dead = xcalloc(to - from + 1, sizeof *dead);
    for (size_t k = from; k < to; k++) {
        if (!c->d->rows.status[o[k].row])
            continue;
        double w = weight_of(c->d, o[k].row);
        all += w;
        squares += w * w;
        dead[m++] = (struct at_row){(double)c->rank[o[k].row], o[k].row};
    }
    qsort(dead, m, sizeof *dead, by_value);
    double both = 0;
    for (size_t i = 0, j; i < m; i = j) {
        double w = 0, w2 = 0;
        for (j = i; j < m && dead[j].value == dead[i].value; j++) {
            w += weight_of(c->d, dead[j].row);
            w2 += weight_of(c->d, dead[j].row) * weight_of(c->d, dead[j].row);
        }
        both += (w * w - w2) / 2;
    }
    out->tied_xy += both;
    out->tied_y += (all * all - squares) / 2 - both;
    free(dead);
}

static size_t after_ties(const struct at_row *o, size_t from, size_t n)
{
    size_t to = from;
    while (to < n && o[to].value == o[from].value)
        to++;
    return to;
}

/* Deaths against those at risk behind them: times falling, censored rows of a time before its deaths. */
static void count_later(struct counting *c, const struct at_row *o, size_t n, const struct at_row *in,
                        struct concordance *out)
{
    size_t gone = n;
    for (size_t to = n, from; to > 0; to = from) {
        for (from = to - 1; from > 0 && o[from - 1].value == o[to - 1].value; from--)
            ;
        for (; in && gone > 0 && in[gone - 1].value >= o[from].value; gone--)
            put(c, in[gone - 1].row, -1);
        for (size_t k = from; k < to; k++)
            if (!c->d->rows.status[o[k].row])
                put(c, o[k].row, 1);
        for (size_t k = from; k < to; k++)
            if (c->d->rows.status[o[k].row])
                count_partners(c, o[k].row, true, 1);
        for (size_t k = from; k < to; k++)
            if (c->d->rows.status[o[k].row])
                put(c, o[k].row, 1);
        count_ties(c, o, from, to, out);
    }
}

/* Everybody against the deaths before them (and not before their own entry): times rising. */
static void count_earlier(struct counting *c, const struct at_row *o, size_t n, const struct at_row *in)
{
    size_t entered = 0;
    memset(c->tree.v, 0, (c->tree.n + 1) * sizeof *c->tree.v);
    c->total = 0;
    for (size_t from = 0, to; from < n; from = to) {
        to = after_ties(o, from, n);
        for (; in && entered < n && in[entered].value < o[from].value; entered++)
            count_partners(c, in[entered].row, false, -1);
        for (size_t k = from; k < to; k++)
            if (c->d->rows.status[o[k].row])
                count_partners(c, o[k].row, false, 1);
        for (size_t k = from; k < to; k++)
            if (c->d->rows.status[o[k].row])
                put(c, o[k].row, 1);
        for (size_t k = from; k < to; k++)
            if (!c->d->rows.status[o[k].row])
                count_partners(c, o[k].row, false, 1);
    }
}

/* One stratum: rows o[] in order of time. */
static void count_stratum(struct counting *c, const struct at_row *o, size_t n, struct concordance *out)
{
    struct at_row *in = NULL;
    if (c->d->rows.entry) {
        in = xcalloc(n + 1, sizeof *in);
        for (size_t i = 0; i < n; i++)
            in[i] = (struct at_row){c->d->rows.entry[o[i].row], o[i].row};
        qsort(in, n, sizeof *in, by_value);
    }
    memset(c->tree.v, 0, (c->tree.n + 1) * sizeof *c->tree.v);
    c->total = 0;
    struct pairs *whole = c->of;
    count_later(c, o, n, in, out);
    for (size_t i = 0; i < n; i++) {
        const struct pairs *p = &whole[o[i].row];
        double w = weight_of(c->d, o[i].row);
        out->concordant += w * p->concordant;
        out->discordant += w * p->discordant;
        out->tied_x += w * p->tied;
    }
    count_earlier(c, o, n, in);
    free(in);
}

static void dense_ranks(const double *risk, size_t n, size_t *rank, size_t *most)
{
    struct at_row *o = ordered(risk, n);
    *most = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || o[i].value != o[i - 1].value)
            ++*most;
        rank[o[i].row] = *most;
    }
    free(o);
}

static void jackknife(const struct counting *c, const uint32_t *cluster, size_t clusters,
                      struct concordance *out)
{
    size_t n = c->d->rows.n;
    double pairs = out->concordant + out->discordant + out->tied_x, sum = 0;
    double *u = xcalloc((cluster ? clusters : n) + 1, sizeof *u);
    out->value = (out->concordant + out->tied_x / 2) / pairs;
    for (size_t i = 0; i < n; i++) {
        const struct pairs *p = &c->of[i];
        double won = p->concordant + p->tied / 2, all = p->concordant + p->discordant + p->tied;
        u[cluster ? cluster[i] : i] += weight_of(c->d, i) * (won - out->value * all) / pairs;
    }
    for (size_t i = 0; i < (cluster ? clusters : n); i++)
        sum += u[i] * u[i];
    out->se = sqrt(sum);
    free(u);
}

void cox_concordance(const struct cox_data *d, const double *risk, const uint32_t *cluster, size_t clusters,
                     struct concordance *out)
{
    size_t n = d->rows.n;
    struct counting c = {.d = d, .rank = xcalloc(n + 1, sizeof *c.rank), .of = xcalloc(n + 1, sizeof *c.of)};
    dense_ranks(risk, n, c.rank, &c.tree.n);
    c.tree.v = xcalloc(c.tree.n + 2, sizeof *c.tree.v);
    struct at_row *all = ordered(d->rows.time, n), *o = xcalloc(n + 1, sizeof *o);
    uint32_t strata = 0;
    for (size_t i = 0; d->stratum && i < n; i++)
        strata = d->stratum[i] > strata ? d->stratum[i] : strata;
    *out = (struct concordance){0};
    for (uint32_t s = 0; s <= strata; s++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (!d->stratum || d->stratum[all[i].row] == s)
                o[m++] = all[i];
        count_stratum(&c, o, m, out);
    }
    jackknife(&c, cluster, clusters, out);
    free(c.rank);
    free(c.of);
    free(c.tree.v);
    free(all);
    free(o);
}
