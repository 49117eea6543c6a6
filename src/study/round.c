/* SPDX-License-Identifier: Apache-2.0
 *
 * A site's side of a round.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "study/kept.h"
#include "study/keys.h"
#include "study/members.h"
#include "study/parts.h"

static enum status add_part(const struct study *s, const struct js *j, size_t *next, struct parts *out,
                            struct err *e)
{
    static const char *const allowed[] = {"name", "parameters", NULL};
    const char *name = js_get_str(j, "name");
    size_t i = *next;
    while (i < s->n_analyses && (!name || strcmp(s->analyses[i].name, name) != 0))
        i++;
    if (i == s->n_analyses)
        return err_set(e, ST_INVALID,
                       "round parameters: '%.40s' is not an analysis of this study, or out of order",
                       name ? name : "");
    enum status st = js_only(j, allowed, "round parameters", e);
    if (st != ST_OK)
        return st;
    struct part *p = &out->part[out->n++];
    *p = (struct part){
        .analysis = &s->analyses[i], .parameters = js_get(j, "parameters"), .first = out->n_sums};
    *next = i + 1;
    st = p->analysis->analysis->size(p->analysis->spec, p->parameters, &p->n, e);
    if (st != ST_OK)
        return err_wrap(e, "round parameters of %s", name);
    out->n_sums += p->n;
    if (p->n > SUMS_MAX || out->n_sums > SUMS_MAX)
        return err_set(e, ST_INVALID, "the analyses of this study need more than %d sums in one round",
                       SUMS_MAX);
    return ST_OK;
}

static enum status add_keys(const struct study *s, struct parts *out, struct err *e)
{
    enum status st = keys_size(s, &out->n_keys, e);
    out->first_key = out->n_sums;
    out->n_sums += out->n_keys;
    if (st == ST_OK && out->n_sums > SUMS_MAX)
        return err_set(e, ST_INVALID, "this study needs more than %d sums for the keys of its cells",
                       SUMS_MAX);
    return st;
}

enum status study_parts(const struct study *s, const struct js *parameters, struct parts *out, struct err *e)
{
    const struct js *list = js_get(parameters, "analyses");
    *out = (struct parts){.part = xcalloc(s->n_analyses, sizeof *out->part)};
    if (!js_is(list, JS_ARRAY) || js_size(list) == 0 || js_size(list) > s->n_analyses)
        return err_set(e, ST_INVALID, "round parameters: expected the analyses that take part");
    size_t next = 0;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < js_size(list); i++)
        st = add_part(s, js_at(list, i), &next, out, e);
    if (st == ST_OK && js_bool(js_get(parameters, "keys")))
        st = add_keys(s, out, e);
    return st;
}

enum status study_size(const struct study *s, const struct js *parameters, size_t *n, struct err *e)
{
    struct parts parts;
    enum status st = study_parts(s, parameters, &parts, e);
    *n = parts.n_sums;
    free(parts.part);
    return st;
}

static sum_t part_bound(const struct part *p, size_t i)
{
    const struct analysis *a = p->analysis->analysis;
    return a->bound ? a->bound(p->analysis->spec, p->parameters, i) : SUM_COUNT_BOUND;
}

enum status study_bounds(const struct study *s, const struct js *parameters, sum_t *bounds, size_t n,
                         struct err *e)
{
    struct parts parts;
    enum status st = study_parts(s, parameters, &parts, e);
    if (st == ST_OK && n != parts.n_sums)
        st = err_set(e, ST_INVALID, "the round has %zu sums, not %zu", parts.n_sums, n);
    for (size_t k = 0; st == ST_OK && k < parts.n; k++)
        for (size_t i = 0; i < parts.part[k].n; i++)
            bounds[parts.part[k].first + i] = part_bound(&parts.part[k], i);
    for (size_t i = 0; st == ST_OK && i < parts.n_keys; i++)
        bounds[parts.first_key + i] = keys_bound(i);
    free(parts.part);
    return st;
}

struct site {
    const struct study *study;
    struct study_site view;
    struct cohort_rows *rows;
    const struct record_keys *keys; /* NULL = none are given */
};

enum status study_site_open(const struct study *s, const struct store *store, struct pool *pool,
                            struct site **out, struct err *e)
{
    struct site *site = xcalloc(1, sizeof *site);
    site->study = s;
    site->rows = xcalloc(s->n_cohorts, sizeof *site->rows);
    site->view = (struct study_site){
        store, pool, 0, store_persons(store)->n, site->rows, s->cohorts, s->n_cohorts, kept_new(KEPT_BYTES)};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < s->n_cohorts; i++)
        if ((st = cohort_evaluate(s->cohorts[i], store, pool, &site->rows[i], e)) != ST_OK)
            err_wrap(e, "cohort %s", s->cohort_names[i]);
    if (st != ST_OK) {
        study_site_close(site);
        site = NULL;
    }
    *out = site;
    return st;
}

void study_site_close(struct site *site)
{
    if (!site)
        return;
    for (size_t i = 0; i < site->view.n_cohorts; i++)
        cohort_rows_deinit(&site->rows[i]);
    free(site->rows);
    kept_free(site->view.kept);
    free(site);
}

const struct cohort_rows *study_site_cohort(const struct site *site, size_t i)
{
    return &site->rows[i];
}

enum status study_site_members(const struct site *site, struct members **out, struct err *e)
{
    return members_collect(site->study, &site->view, out, e);
}

void study_site_give_keys(struct site *site, const struct record_keys *keys)
{
    site->keys = keys;
}

bool study_site_gives_keys(const struct site *site)
{
    return site->keys != NULL;
}

const struct store *study_site_store(const struct site *site)
{
    return site->view.store;
}

const struct study *study_site_study(const struct site *site)
{
    return site->study;
}

static enum status check_bounds(const struct part *p, const struct sums *sums, struct err *e)
{
    bool over = sums->failed;
    for (size_t i = 0; !over && i < sums->n; i++) {
        if (sums->v[i] <= SUM_COUNT_BOUND && sums->v[i] >= -SUM_COUNT_BOUND)
            continue; /* no bound is less */
        sum_t bound = part_bound(p, i);
        over = sums->v[i] > bound || sums->v[i] < -bound;
    }
    if (!over)
        return ST_OK;
    return err_set(
        e, ST_INVALID,
        "analysis %s: a sum at this site is not finite or beyond its bound; check the units of the "
        "variables it uses",
        p->analysis->name);
}

/* Where the rows of a person, or of the first one behind, begin. */
static size_t row_of_person(const struct cohort_rows *rows, uint32_t person)
{
    size_t low = 0, high = rows->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->person[middle] < person)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What the site knows about the persons [first, end); the caller frees the cohorts. */
static struct study_site view_of(const struct study_site *all, uint32_t first, uint32_t end)
{
    struct cohort_rows *cohorts = xcalloc(all->n_cohorts + 1, sizeof *cohorts);
    for (size_t i = 0; i < all->n_cohorts; i++) {
        const struct cohort_rows *rows = &all->cohorts[i];
        size_t from = row_of_person(rows, first), to = row_of_person(rows, end);
        if (from < to)
            cohorts[i] = (struct cohort_rows){.n = to - from,
                                              .person = rows->person + from,
                                              .start = rows->start + from,
                                              .end = rows->end + from};
    }
    return (struct study_site){.store = all->store,
                               .first_person = first,
                               .end_person = end,
                               .cohorts = cohorts,
                               .n_cohorts = all->n_cohorts,
                               .kept = all->kept};
}

/* Ranges of persons, which threads take one after the other; each thread adds into sums of its own. */
struct ranges {
    const struct part *part;
    const struct study_site *all;
    uint32_t step;
    size_t n;
    atomic_size_t next;
    struct sums *sums;
};

static enum status local_range(const struct ranges *r, size_t i, struct sums *into, struct err *e)
{
    const struct analysis *a = r->part->analysis->analysis;
    uint32_t end = r->all->end_person, first = (uint32_t)i * r->step;
    struct study_site view = view_of(r->all, first, end - first > r->step ? first + r->step : end);
    view.pool = a->own_threads ? r->all->pool : NULL;
    enum status st = interrupted() ? interrupted_err(e)
                                   : a->local(r->part->analysis->spec, r->part->parameters, &view, into, e);
    free((void *)(uintptr_t)view.cohorts);
    return st;
}

static enum status take_ranges(void *context, size_t thread, struct err *e)
{
    struct ranges *r = context;
    enum status st = ST_OK;
    sums_init(&r->sums[thread], r->part->n);
    for (size_t i; st == ST_OK && (i = atomic_fetch_add(&r->next, 1)) < r->n;)
        st = local_range(r, i, &r->sums[thread], e);
    if (st != ST_OK)
        atomic_store(&r->next, r->n);
    return st;
}

/* Sums are exact, so that neither ranges nor who took them show in the total. */
static enum status local_by_ranges(const struct part *p, const struct study_site *all, uint32_t step,
                                   struct sums *out, struct err *e)
{
    struct ranges r = {p, all, step, (all->end_person - 1) / step + 1, 0, NULL};
    size_t threads = p->analysis->analysis->own_threads ? 1 : pool_threads(all->pool);
    threads = r.n < threads ? r.n : threads;
    r.sums = xcalloc(threads, sizeof *r.sums);
    enum status st = pool_run(all->pool, threads, take_ranges, &r, e);
    for (size_t i = 0; i < threads; i++) {
        if (st == ST_OK && r.sums[i].v)
            st = sums_add(out, &r.sums[i], e);
        sums_deinit(&r.sums[i]);
    }
    free(r.sums);
    return st;
}

static enum status local_part(const struct site *site, const struct part *p, uint32_t most, struct sums *all,
                              struct err *e)
{
    const struct analysis *a = p->analysis->analysis;
    struct sums own = sums_part(all, p->first, p->n);
    uint32_t step = a->part_persons;
    while (step && step < PART_PERSONS &&
           step < p->n) /* a range goes over all its sums: longer ones where they are many */
        step *= 2;
    step = step < most ? step : most;
    bool whole = step == 0 || site->view.end_person <= step;
    enum status st = interrupted() ? interrupted_err(e)
                     : whole       ? a->local(p->analysis->spec, p->parameters, &site->view, &own, e)
                                   : local_by_ranges(p, &site->view, step, &own, e);
    if (st != ST_OK)
        return err_wrap(e, "analysis %s", p->analysis->name);
    return check_bounds(p, &own, e);
}

enum status study_local_by(const struct site *site, const struct js *parameters, uint32_t most,
                           struct sums *out, struct err *e)
{
    struct parts parts;
    *out = (struct sums){0};
    enum status st = study_parts(site->study, parameters, &parts, e);
    if (st == ST_OK)
        sums_init(out, parts.n_sums);
    for (size_t k = 0; st == ST_OK && k < parts.n; k++)
        st = local_part(site, &parts.part[k], most, out, e);
    if (st == ST_OK && parts.n_keys) {
        struct sums own = sums_part(out, parts.first_key, parts.n_keys);
        st = keys_local(site->study, &site->view, site->keys, &own, e);
    }
    free(parts.part);
    if (st != ST_OK)
        sums_deinit(out);
    return st;
}

enum status study_local(const struct site *site, const struct js *parameters, struct sums *out, struct err *e)
{
    return study_local_by(site, parameters, UINT32_MAX, out, e);
}
