/* SPDX-License-Identifier: Apache-2.0
 *
 * The lead's side: a run as a state machine over rounds.
 */
#include <stdlib.h>
#include <string.h>

#include "study/keys.h"
#include "study/no_estimate.h"
#include "study/parts.h"

/* What the run knows of an analysis: its state between rounds, and the last round's total once it is done. */
struct progress_of {
    struct js *parameters; /* of its last round; NULL = the first */
    struct js *state;
    struct sums total;
    bool done;
};

struct study_run {
    const struct study *study;
    int round;
    struct progress_of *of; /* one per analysis */
    struct js *parameters;  /* of the round under way; NULL when finished */
    bool keyed;             /* the first round asks for keys of cells, */
    struct sums keys;       /* whose total this is */
};

static struct js *round_parameters(const struct study_run *r)
{
    struct js *list = js_array();
    for (size_t i = 0; i < r->study->n_analyses; i++) {
        if (r->of[i].done)
            continue;
        struct js *one = js_object();
        js_put_str(one, "name", r->study->analyses[i].name);
        if (r->of[i].parameters)
            js_put(one, "parameters", js_share(r->of[i].parameters));
        js_push(list, one);
    }
    if (js_size(list) == 0) {
        js_free(list);
        return NULL;
    }
    struct js *all = js_object();
    js_put_int(all, "round", r->round);
    if (r->keyed && r->round == 1)
        js_put(all, "keys", js_boolean(true));
    js_put(all, "analyses", list);
    return all;
}

static struct study_run *run_empty(const struct study *s)
{
    struct study_run *r = xcalloc(1, sizeof *r);
    r->study = s;
    r->round = 1;
    r->of = xcalloc(s->n_analyses, sizeof *r->of);
    return r;
}

struct study_run *study_run_new(const struct study *s)
{
    struct study_run *r = run_empty(s);
    r->parameters = round_parameters(r);
    return r;
}

void study_run_ask_keys(struct study_run *r)
{
    r->keyed = true;
    js_free(r->parameters);
    r->parameters = round_parameters(r);
}

void study_run_free(struct study_run *r)
{
    if (!r)
        return;
    sums_deinit(&r->keys);
    for (size_t i = 0; i < r->study->n_analyses; i++) {
        js_free(r->of[i].parameters);
        js_free(r->of[i].state);
        sums_deinit(&r->of[i].total);
    }
    js_free(r->parameters);
    free(r->of);
    free(r);
}

static struct js *save_total(const struct sums *total)
{
    struct buf bytes, text;
    buf_init(&bytes, (size_t)SUMS_MAX * SUM_BYTES);
    buf_init(&text, (size_t)SUMS_MAX * SUM_BYTES * 2);
    sums_encode(total, &bytes);
    base64_encode((const uint8_t *)bytes.p, bytes.n, &text);
    struct js *j = js_string(text.p ? text.p : "");
    buf_deinit(&bytes);
    buf_deinit(&text);
    return j;
}

struct js *study_run_save(const struct study_run *r)
{
    struct js *all = js_object(), *list = js_array();
    for (size_t i = 0; i < r->study->n_analyses; i++) {
        const struct progress_of *of = &r->of[i];
        struct js *one = js_object();
        if (of->parameters)
            js_put(one, "parameters", js_share(of->parameters));
        if (of->state)
            js_put(one, "state", js_share(of->state));
        if (of->done)
            js_put(one, "total", save_total(&of->total));
        js_push(list, one);
    }
    js_put_str(all, "study", r->study->hash);
    js_put_int(all, "round", r->round);
    if (r->keyed)
        js_put(all, "keys", save_total(&r->keys));
    js_put(all, "analyses", list);
    return all;
}

static enum status read_total(const char *text, size_t n, struct sums *out, struct err *e)
{
    size_t size = strlen(text);
    uint8_t *bytes = xmalloc(size + 1);
    long got = base64_decode((struct slice){text, size}, bytes, size);
    struct slice s = {(const char *)bytes, got < 0 ? 0 : (size_t)got};
    enum status st = sums_decode(s, n, out, e);
    free(bytes);
    return st;
}

static enum status restore_total(const struct study_analysis *a, const char *text, struct progress_of *of,
                                 struct err *e)
{
    size_t n;
    enum status st = a->analysis->size(a->spec, of->parameters, &n, e);
    if (st == ST_OK)
        st = read_total(text, n, &of->total, e);
    of->done = st == ST_OK;
    return st;
}

/* Until the first round is over there is nothing to read. */
static enum status restore_keys(struct study_run *r, const struct js *saved, struct err *e)
{
    const char *text = js_get_str(saved, "keys");
    size_t n;
    r->keyed = text != NULL;
    if (!text || r->round == 1)
        return ST_OK;
    enum status st = keys_size(r->study, &n, e);
    return st == ST_OK ? read_total(text, n, &r->keys, e) : st;
}

static enum status restore_one(const struct study_analysis *a, const struct js *j, struct progress_of *of,
                               struct err *e)
{
    const struct js *parameters = js_get(j, "parameters"), *state = js_get(j, "state");
    const char *total = js_get_str(j, "total");
    of->parameters = parameters ? js_share(parameters) : NULL;
    of->state = state ? js_share(state) : NULL;
    return total ? restore_total(a, total, of, e) : ST_OK;
}

enum status study_run_restore(const struct study *s, const struct js *saved, struct study_run **out,
                              struct err *e)
{
    const char *hash = js_get_str(saved, "study");
    const struct js *list = js_get(saved, "analyses");
    *out = NULL;
    if (!hash || strcmp(hash, s->hash) != 0 || js_size(list) != s->n_analyses)
        return err_set(e, ST_CORRUPT, "the saved run does not belong to this study");
    struct study_run *r = run_empty(s);
    r->round = (int)js_get_int(saved, "round", 1);
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < s->n_analyses; i++)
        st = restore_one(&s->analyses[i], js_at(list, i), &r->of[i], e);
    if (st == ST_OK)
        st = restore_keys(r, saved, e);
    if (st != ST_OK) {
        study_run_free(r);
        return err_wrap(e, "the saved run");
    }
    r->parameters = round_parameters(r);
    *out = r;
    return ST_OK;
}

const struct js *study_run_parameters(const struct study_run *r)
{
    return r->parameters;
}

int study_run_round(const struct study_run *r)
{
    return r->round;
}

bool study_run_finished(const struct study_run *r)
{
    return !r->parameters;
}

/* What one analysis makes of its part of a round's total; nothing of the run changes yet. */
struct step {
    struct js *state, *next;
};

static enum status take_step(const struct study_run *r, const struct part *p, const struct sums *total,
                             struct step *out, struct err *e)
{
    const struct study_analysis *a = p->analysis;
    size_t i = (size_t)(a - r->study->analyses);
    struct sums own = sums_part(total, p->first, p->n);
    if (!a->analysis->next)
        return ST_OK;
    out->state = r->of[i].state ? js_share(r->of[i].state) : NULL;
    enum status st = a->analysis->next(a->spec, p->parameters, &own, &out->state, &out->next, e);
    return st == ST_OK ? ST_OK : err_wrap(e, "analysis %s, round %d", a->name, r->round);
}

static void keep_step(struct study_run *r, const struct part *p, const struct sums *total, struct step *step)
{
    struct progress_of *of = &r->of[p->analysis - r->study->analyses];
    if (p->analysis->analysis->next) {
        js_free(of->state);
        of->state = step->state;
    }
    if (step->next) {
        js_free(of->parameters);
        of->parameters = step->next;
        return;
    }
    of->done = true;
    sums_init(&of->total, p->n);
    if (p->n)
        memcpy(of->total.v, total->v + p->first, p->n * sizeof *total->v);
}

static void keep_keys(struct study_run *r, const struct parts *parts, const struct sums *total)
{
    if (!r->keyed || r->round != 1)
        return;
    sums_init(&r->keys, parts->n_keys);
    if (parts->n_keys)
        memcpy(r->keys.v, total->v + parts->first_key, parts->n_keys * sizeof *total->v);
}

enum status study_run_advance(struct study_run *r, const struct sums *total, struct err *e)
{
    if (!r->parameters)
        return err_set(e, ST_CONFLICT, "the run is finished");
    struct parts parts;
    struct step *steps = xcalloc(r->study->n_analyses, sizeof *steps);
    enum status st = study_parts(r->study, r->parameters, &parts, e);
    if (st == ST_OK && total->n != parts.n_sums)
        st = err_set(e, ST_INVALID, "the round has %zu sums, not %zu", parts.n_sums, total->n);
    for (size_t k = 0; st == ST_OK && k < parts.n; k++)
        st = take_step(r, &parts.part[k], total, &steps[k], e);
    for (size_t k = 0; k < parts.n; k++) {
        if (st == ST_OK) {
            keep_step(r, &parts.part[k], total, &steps[k]);
        } else {
            js_free(steps[k].state);
            js_free(steps[k].next);
        }
    }
    if (st == ST_OK) {
        keep_keys(r, &parts, total);
        r->round++;
        js_free(r->parameters);
        r->parameters = round_parameters(r);
    }
    free(steps);
    free(parts.part);
    return st;
}

enum status study_run_finish(const struct study_run *r, struct result **out, struct err *e)
{
    *out = NULL;
    if (r->parameters)
        return err_set(e, ST_CONFLICT, "the run is not finished: round %d is under way", r->round);
    struct result *result = result_new(r->study->title);
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < r->study->n_analyses; i++) {
        const struct study_analysis *a = &r->study->analyses[i];
        const struct progress_of *of = &r->of[i];
        if (no_estimate(of->state))
            no_estimate_table(of->state, a->name, result);
        else
            st = a->analysis->finish(a->spec, of->parameters, &of->total, of->state, result, e);
        if (st != ST_OK)
            err_wrap(e, "analysis %s", a->name);
    }
    if (st == ST_OK && r->keyed)
        st = keys_give(r->study, &r->keys, result, e);
    if (st != ST_OK) {
        result_free(result);
        return st;
    }
    *out = result;
    return ST_OK;
}

/* The sums of a round over all sites. */
static enum status total_of(struct site *const *sites, size_t n, const struct js *parameters,
                            struct sums *total, struct err *e)
{
    enum status st = study_local(sites[0], parameters, total, e);
    for (size_t i = 1; st == ST_OK && i < n; i++) {
        struct sums more;
        st = study_local(sites[i], parameters, &more, e);
        if (st == ST_OK)
            st = sums_add(total, &more, e);
        sums_deinit(&more);
    }
    return st;
}

enum status study_run_at(const struct study *s, struct site *const *sites, size_t n, struct result **out,
                         struct err *e)
{
    struct study_run *r = study_run_new(s);
    enum status st = ST_OK;
    *out = NULL;
    if (study_site_gives_keys(sites[0]))
        study_run_ask_keys(r);
    while (st == ST_OK && !study_run_finished(r)) {
        struct sums total = {0};
        st = total_of(sites, n, r->parameters, &total, e);
        if (st == ST_OK)
            st = study_run_advance(r, &total, e);
        sums_deinit(&total);
    }
    if (st == ST_OK)
        st = study_run_finish(r, out, e);
    study_run_free(r);
    return st;
}
