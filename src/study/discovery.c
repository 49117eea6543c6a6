/* SPDX-License-Identifier: Apache-2.0 */
#include "study/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "store/idmap.h"
#include "store/store.h"

enum { ID_BITS = 31, FIRST_SPLIT = 11, SPLIT = 5 };

static const struct domain {
    const char *name;
    enum store_table table;
} domains[DISCOVERY_DOMAINS] = {
    {"condition", STORE_CONDITION}, {"procedure", STORE_PROCEDURE},     {"drug", STORE_DRUG},
    {"device", STORE_DEVICE},       {"measurement", STORE_MEASUREMENT}, {"observation", STORE_OBSERVATION},
};

static void add_domain(struct spec *s, const char *name, struct discovery *out)
{
    for (size_t i = 0; i < DISCOVERY_DOMAINS; i++) {
        if (!name || strcmp(name, domains[i].name) != 0)
            continue;
        for (size_t k = 0; k < out->n; k++)
            if (out->table[k] == domains[i].table)
                spec_fault(s, "domains", "'%s' is listed twice", name);
        if (s->status != ST_OK)
            return;
        out->table[out->n] = domains[i].table;
        out->domain[out->n++] = domains[i].name;
        return;
    }
    spec_fault(s, "domains",
               "expected \"all\" or a list of condition, procedure, drug, device, measurement, observation");
}

void discovery_read(struct spec *s, struct discovery *out)
{
    const char *all = js_get_str(s->object, "domains");
    size_t n;
    *out = (struct discovery){.min_persons = spec_int(s, "min_persons", 5, 1000000000, 10)};
    if (all && strcmp(all, "all") == 0) {
        for (size_t i = 0; i < DISCOVERY_DOMAINS; i++)
            add_domain(s, domains[i].name, out);
    } else if (all) {
        add_domain(s, NULL, out);
    } else {
        const struct js *list = spec_array(s, "domains", DISCOVERY_DOMAINS, false, &n);
        for (size_t i = 0; i < n && spec_goes_on(s); i++)
            add_domain(s, js_str(js_at(list, i)), out);
    }
    out->roll_up = spec_bool(s, "roll_up", false);
    if (out->n == 0) {
        spec_refuse(s, "min_persons", "it belongs to \"domains\"");
        spec_refuse(s, "roll_up", "it belongs to \"domains\"");
    }
}

/* How many bits of an id are not known yet, and how many of them this round finds. */
static int bits_left(const struct js *parameters)
{
    return parameters ? (int)js_get_int(parameters, "bits", 0) : ID_BITS;
}

static int bits_split(const struct js *parameters)
{
    return parameters ? SPLIT : FIRST_SPLIT;
}

static const struct js *prefixes_of(const struct js *parameters, size_t domain)
{
    return js_at(js_get(parameters, "prefixes"), domain);
}

static size_t n_prefixes(const struct discovery *d, const struct js *parameters)
{
    size_t n = parameters ? 0 : d->n;
    for (size_t i = 0; parameters && i < d->n; i++)
        n += js_size(prefixes_of(parameters, i));
    return n;
}

static enum status check_prefixes(const struct js *list, int bits, struct err *e)
{
    int64_t last = -1, most = ((int64_t)1 << (ID_BITS - bits)) - 1;
    if (!js_is(list, JS_ARRAY) || js_size(list) > DISCOVERY_MOST)
        return err_set(e, ST_INVALID, "expected lists of at most %d prefixes", DISCOVERY_MOST);
    for (size_t i = 0; i < js_size(list); i++) {
        const struct js *j = js_at(list, i);
        if (!js_is(j, JS_INTEGER) || js_int(j) <= last || js_int(j) > most || (bits == 0 && js_int(j) == 0))
            return err_set(e, ST_INVALID, "expected prefixes that ascend and have %d bits", ID_BITS - bits);
        last = js_int(j);
    }
    return ST_OK;
}

enum status discovery_check(const struct discovery *d, const struct js *parameters, struct err *e)
{
    static const char *const allowed[] = {"bits", "prefixes", NULL};
    int64_t bits = js_get_int(parameters, "bits", -1);
    if (d->n == 0)
        return spec_no_parameters(parameters, e);
    if (!parameters)
        return ST_OK;
    enum status st = js_only(parameters, allowed, "parameters", e);
    if (st == ST_OK && (bits < 0 || bits > ID_BITS - FIRST_SPLIT || bits % SPLIT))
        st = err_set(e, ST_INVALID, "\"bits\": expected 20, 15, 10, 5 or 0");
    if (st == ST_OK &&
        (!js_is(js_get(parameters, "prefixes"), JS_ARRAY) || js_size(js_get(parameters, "prefixes")) != d->n))
        st = err_set(e, ST_INVALID, "\"prefixes\": expected %zu lists, one per domain", d->n);
    for (size_t i = 0; st == ST_OK && i < d->n; i++)
        st = check_prefixes(prefixes_of(parameters, i), (int)bits, e);
    if (st == ST_OK && n_prefixes(d, parameters) > DISCOVERY_MOST)
        st = err_set(e, ST_INVALID, "\"prefixes\": more than %d in all", DISCOVERY_MOST);
    return st;
}

bool discovery_done(const struct discovery *d, const struct js *parameters)
{
    return d->n == 0 || bits_left(parameters) == 0;
}

size_t discovery_size(const struct discovery *d, const struct js *parameters)
{
    return discovery_done(d, parameters) ? 0 : n_prefixes(d, parameters) << bits_split(parameters);
}

/* The place of `id` in an ascending list, or of the first behind it, from place `at` on (which is not behind
   it): cheap when it is near. */
static size_t place_from(const int32_t *list, size_t n, size_t at, int32_t id)
{
    size_t step = 1, low = at, high = at;
    while (high < n && list[high] < id) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = high < n ? high : n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The list of a domain as numbers; the first round's is the empty prefix. */
static int32_t *prefix_list(const struct js *parameters, size_t domain, size_t *n)
{
    const struct js *list = prefixes_of(parameters, domain);
    *n = parameters ? js_size(list) : 1;
    int32_t *out = xcalloc(*n + 1, sizeof *out);
    for (size_t i = 0; parameters && i < *n; i++)
        out[i] = (int32_t)js_int(js_at(list, i));
    return out;
}

/* Concepts of a table in ascending order, how many persons have each, and where an id is found. */
struct recorded {
    size_t n;
    int64_t *id;
    uint32_t *persons;
    struct idmap place;
};

static struct recorded recorded_in(const struct store *s, enum store_table t)
{
    const struct store_run *runs;
    uint32_t n;
    store_runs(s, t, &runs, &n);
    const uint32_t *order = store_runs_by_concept(s, t);
    struct recorded out = {.n = n,
                           .id = xcalloc((size_t)n + 1, sizeof *out.id),
                           .persons = xcalloc((size_t)n + 1, sizeof *out.persons)};
    for (uint32_t i = 0; i < n; i++) {
        out.id[i] = runs[order[i]].concept_id;
        out.persons[i] = runs[order[i]].persons;
    }
    idmap_init(&out.place, out.id, n);
    return out;
}

static void recorded_deinit(struct recorded *r)
{
    idmap_deinit(&r->place);
    free(r->id);
    free(r->persons);
}

/* The most persons that one of `below` has, or of the first that `enough` have: it will be found either way.
 */
static uint32_t most_persons(const struct recorded *r, const int32_t *below, uint32_t n, int64_t enough)
{
    uint32_t most = 0;
    if (n == 0 || below[n - 1] < r->id[0] || below[0] > r->id[r->n - 1])
        return 0;
    for (uint32_t i = 0; i < n && most < enough; i++) {
        uint32_t at = idmap_find(&r->place, below[i]);
        if (at != IDMAP_NONE && r->persons[at] > most)
            most = r->persons[at];
    }
    return most;
}

/* One search round's sums of one domain: `list` are its n prefixes, whose counts begin at `at`. */
struct search {
    const struct discovery *discovery;
    int bits, split;
    const int32_t *list;
    size_t n, at;
    struct sums *out;
};

/* `place` is the prefix's of the id before, which is not greater. */
static void search_add(const struct search *c, int64_t id, uint32_t persons, size_t *place)
{
    if (id <= 0 || persons == 0)
        return;
    int32_t prefix = (int32_t)(id >> c->bits);
    size_t within = (size_t)(id >> (c->bits - c->split) & ((1 << c->split) - 1));
    *place = place_from(c->list, c->n, *place, prefix);
    if (*place < c->n && c->list[*place] == prefix)
        sums_count(c->out, c->at + (*place << c->split) + within, persons);
}

/* Concepts with descendants count as the most of those; the others, and all without roll-up, as themselves.
 */
static void search_table(const struct search *c, const struct store *s, enum store_table t)
{
    struct recorded r = recorded_in(s, t);
    const int32_t *ancestors = NULL, *below;
    uint32_t n_ancestors = 0, n;
    int64_t enough = c->discovery->min_persons;
    size_t place = 0, at = 0;
    if (c->discovery->roll_up)
        store_ancestors(s, &ancestors, &n_ancestors);
    for (uint32_t i = 0; r.n && i < n_ancestors; i++) {
        store_descendants_at(s, i, &below, &n);
        uint32_t own = most_persons(&r, &ancestors[i], 1, enough);
        uint32_t most = own < enough ? most_persons(&r, below, n, enough) : 0;
        search_add(c, ancestors[i], own > most ? own : most, &place);
    }
    place = 0;
    for (size_t i = 0; i < r.n; i++) {
        at = place_from(ancestors, n_ancestors, at, (int32_t)r.id[i]);
        if (at == n_ancestors || ancestors[at] != r.id[i])
            search_add(c, r.id[i], r.persons[i], &place);
    }
    recorded_deinit(&r);
}

void discovery_local(const struct discovery *d, const struct js *parameters, const struct store *s,
                     struct sums *out)
{
    struct search c = {
        .discovery = d, .bits = bits_left(parameters), .split = bits_split(parameters), .out = out};
    for (size_t i = 0; i < d->n; i++) {
        int32_t *list = prefix_list(parameters, i, &c.n);
        c.list = list;
        search_table(&c, s, d->table[i]);
        c.at += c.n << c.split;
        free(list);
    }
}

enum status discovery_next(const struct discovery *d, const struct js *parameters, const struct sums *total,
                           struct js **next, struct err *e)
{
    int split = bits_split(parameters);
    struct js *lists = js_array();
    size_t at = 0, n, kept = 0;
    for (size_t i = 0; i < d->n; i++) {
        int32_t *list = prefix_list(parameters, i, &n);
        struct js *live = js_array();
        for (size_t k = 0; k < n << split; k++)
            if (sums_get_count(total, at + k) >= d->min_persons && ++kept <= DISCOVERY_MOST)
                js_push(live, js_integer(((int64_t)list[k >> split] << split) +
                                         (int64_t)(k & ((1U << split) - 1))));
        at += n << split;
        js_push(lists, live);
        free(list);
    }
    if (kept > DISCOVERY_MOST) {
        js_free(lists);
        return err_set(
            e, ST_INVALID,
            "more than %d concepts have at least %lld persons: raise \"min_persons\" or name fewer "
            "\"domains\"",
            DISCOVERY_MOST, (long long)d->min_persons);
    }
    *next = js_object();
    js_put_int(*next, "bits", kept ? bits_left(parameters) - split : 0);
    js_put(*next, "prefixes", lists);
    return ST_OK;
}

size_t discovery_n_found(const struct discovery *d, const struct js *parameters)
{
    return d->n && discovery_done(d, parameters) ? n_prefixes(d, parameters) : 0;
}

struct found_concept *discovery_found(const struct discovery *d, const struct js *parameters)
{
    size_t n = 0;
    struct found_concept *out = xcalloc(discovery_n_found(d, parameters) + 1, sizeof *out);
    for (size_t i = 0; i < d->n && discovery_done(d, parameters); i++)
        for (size_t k = 0; k < js_size(prefixes_of(parameters, i)); k++)
            out[n++] = (struct found_concept){i, (int32_t)js_int(js_at(prefixes_of(parameters, i), k))};
    return out;
}
