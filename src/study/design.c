/* SPDX-License-Identifier: Apache-2.0 */
#include "study/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/vectors.h"

static void read_range(struct spec *s, bool needed, struct number *out)
{
    size_t n;
    double *range = spec_ascending(s, "range", -1e12, 1e12, &n);
    out->least = out->age ? 0 : -INFINITY;
    out->most = out->age ? 120 : INFINITY;
    if (n == 2) {
        out->least = range[0];
        out->most = range[1];
    } else if (n || (needed && !out->age)) {
        spec_fault(s, "range", "expected [least, most] plausible value");
    }
}

void number_read(struct spec *s, const struct js *j, const char *path, bool need_range, struct number *out)
{
    static const char *const kinds[] = {"age", "measurement", NULL};
    static const char *const allowed[] = {"number", "name",   "concepts", "descendants", "window",
                                          "per",    "centre", "range",    NULL};
    struct spec n = spec_open(j, path, s->scope, allowed, s->e);
    out->age = spec_choice(&n, "number", kinds, -1) == 0;
    out->name = out->age ? spec_text(&n, "name", "age") : spec_need_text(&n, "name");
    if (!out->age)
        out->concepts = spec_concepts(&n, true);
    out->window = spec_window(&n, "window", (struct day_window){-SPEC_UNBOUNDED, 0});
    out->per = spec_number(&n, "per", 1e-9, 1e9, 1);
    out->centre = spec_number(&n, "centre", -1e9, 1e9, 0);
    read_range(&n, need_range, out);
    spec_join(s, spec_done(&n));
}

static void read_covariate(struct spec *s, const struct js *j, size_t i, struct covariate *out)
{
    const char *path = arena_printf(s->scope->arena, "%s.covariates[%zu]", s->path, i);
    out->is_number = js_get(j, "number") != NULL;
    if (out->is_number)
        number_read(s, j, path, false, &out->number);
    else
        spec_dimension(s, j, path, &out->dimension);
}

static void name_terms(struct design *d, struct arena *a)
{
    size_t most = 1;
    for (size_t i = 0; i < d->n; i++)
        most += d->covariates[i].is_number ? 1 : d->covariates[i].dimension.n_levels;
    d->terms = arena_array(a, most, sizeof *d->terms);
    if (d->intercept)
        d->terms[d->p++] = "intercept";
    for (size_t i = 0; i < d->n; i++) {
        const struct covariate *c = &d->covariates[i];
        if (c->is_number)
            d->terms[d->p++] = c->number.per == 1
                                   ? c->number.name
                                   : arena_printf(a, "%s per %g", c->number.name, c->number.per);
        for (uint32_t k = 0; !c->is_number && k < c->dimension.n_levels; k++)
            if (k != c->dimension.reference)
                d->terms[d->p++] = arena_printf(a, "%s: %s", c->dimension.name, c->dimension.labels[k]);
    }
}

void design_read(struct spec *s, bool required, bool intercept, struct design *d)
{
    const struct js *list = spec_array(s, "covariates", MAX_COVARIATES, required, &d->n);
    d->intercept = intercept;
    d->covariates = arena_array(s->scope->arena, d->n, sizeof *d->covariates);
    for (size_t i = 0; i < d->n && spec_goes_on(s); i++)
        read_covariate(s, js_at(list, i), i, &d->covariates[i]);
    if (s->status != ST_OK)
        return;
    name_terms(d, s->scope->arena);
    if (d->p > MAX_COLUMNS)
        spec_fault(s, "covariates", "make %zu columns; at most %d are allowed", d->p, MAX_COLUMNS);
}

static void ages(const struct study_site *site, const struct index_rows *rows, double *out)
{
    int16_t *age = xmalloc((rows->n + 1) * sizeof *age);
    ages_at_start(store_persons(site->store), rows, age);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = age[i] == AGE_UNKNOWN ? (double)NAN : (double)age[i];
    free(age);
}

VECTORS static void drop_beyond(double least, double most, size_t n, double *restrict value)
{
    for (size_t i = 0; i < n; i++)
        value[i] = ((value[i] < least) | (value[i] > most)) ? (double)NAN : value[i];
}

enum status number_values(const struct number *c, const struct study_site *site,
                          const struct index_rows *rows, double *out, struct err *e)
{
    enum status st = ST_OK;
    if (c->age)
        ages(site, rows, out);
    else
        st = events_latest_value(site, &c->concepts, rows, c->window, out, e);
    if (st == ST_OK)
        drop_beyond(c->least, c->most, rows->n, out);
    return st;
}

struct fill {
    const struct design *design;
    const struct study_site *site;
    const struct index_rows *rows;
    double *x, *value; /* n x p; n */
    uint16_t *level;
};

static enum status fill_covariate(const struct fill *f, const struct covariate *c, size_t column,
                                  struct err *e)
{
    size_t p = f->design->p;
    enum status st;
    if (c->is_number) {
        st = number_values(&c->number, f->site, f->rows, f->value, e);
        for (size_t i = 0; st == ST_OK && i < f->rows->n; i++)
            f->x[i * p + column] = (f->value[i] - c->number.centre) / c->number.per;
        return st;
    }
    st = dimension_levels(&c->dimension, f->site, f->rows, f->level, e);
    uint32_t reference = c->dimension.reference;
    for (size_t i = 0; st == ST_OK && i < f->rows->n; i++)
        if (f->level[i] != reference)
            f->x[i * p + column + f->level[i] - (f->level[i] > reference)] = 1;
    return st;
}

static bool complete(const double *x, size_t p)
{
    for (size_t k = 0; k < p; k++)
        if (isnan(x[k]))
            return false;
    return true;
}

static void drop_incomplete(struct index_rows *rows, double *x, size_t p, const struct parallel *parallel,
                            size_t n_parallel)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (!complete(x + i * p, p))
            continue;
        rows->person[kept] = rows->person[i];
        rows->start[kept] = rows->start[i];
        rows->end[kept] = rows->end[i];
        memmove(x + kept * p, x + i * p, p * sizeof *x);
        for (size_t k = 0; k < n_parallel; k++)
            memmove((char *)parallel[k].array + kept * parallel[k].element,
                    (char *)parallel[k].array + i * parallel[k].element, parallel[k].element);
        kept++;
    }
    rows->n = kept;
}

enum status design_matrix(const struct design *d, const struct study_site *site, struct index_rows *rows,
                          const struct parallel *parallel, size_t n_parallel, double **x, struct err *e)
{
    struct fill f = {d,
                     site,
                     rows,
                     xcalloc(rows->n * d->p + 1, sizeof *f.x),
                     xmalloc((rows->n + 1) * sizeof *f.value),
                     xmalloc((rows->n + 1) * sizeof *f.level)};
    enum status st = ST_OK;
    size_t column = 0;
    if (d->intercept) {
        for (size_t i = 0; i < rows->n; i++)
            f.x[i * d->p] = 1;
        column = 1;
    }
    for (size_t k = 0; st == ST_OK && k < d->n; k++) {
        const struct covariate *c = &d->covariates[k];
        st = fill_covariate(&f, c, column, e);
        column += c->is_number ? 1 : c->dimension.n_levels - 1;
    }
    if (st == ST_OK)
        drop_incomplete(rows, f.x, d->p, parallel, n_parallel);
    free(f.value);
    free(f.level);
    *x = f.x;
    if (st != ST_OK) {
        free(f.x);
        *x = NULL;
    }
    return st;
}
