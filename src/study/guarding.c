/* SPDX-License-Identifier: Apache-2.0 */
#include "study/guarding.h"

#include <stdlib.h>

#include "base/date.h"
#include "disclose/rounding.h"
#include "study/members.h"
#include "study/parts.h"

/* The site's cells, in the numbers of the guard's book. */
struct cells {
    struct guard_print *prints;
    size_t n;
    struct members **members; /* one per store */
    uint32_t *all;            /* the numbers of all stores' persons */
    uint32_t **numbers;       /* per store, in `all`: the number of each person */
};

/* Everybody of all stores, one store after the other. */
struct everybody {
    struct site *const *sites;
    size_t n;
};

static void pseudonym_of(const void *context, size_t person, uint8_t out[PSEUDONYM_BYTES])
{
    const struct everybody *all = context;
    size_t i = 0;
    for (; person >= store_persons(study_site_store(all->sites[i]))->n; i++)
        person -= store_persons(study_site_store(all->sites[i]))->n;
    store_pseudonym(study_site_store(all->sites[i]), (uint32_t)person, out);
}

static enum status number_stores(struct cells *c, struct guard_book *b, struct site *const *sites, size_t n,
                                 struct err *e)
{
    struct everybody all = {sites, n};
    struct guard_population p = {.pseudonym = pseudonym_of, .context = &all};
    char *name = xstrdup("");
    for (size_t i = 0; i < n; i++) {
        char *longer = xasprintf("%s%s%s", name, i ? "+" : "", store_snapshot_id(study_site_store(sites[i])));
        free(name);
        name = longer;
        p.n += store_persons(study_site_store(sites[i]))->n;
    }
    p.name = name;
    c->all = xmalloc((p.n + 1) * sizeof *c->all);
    for (size_t i = 0, before = 0; i < n; i++) {
        c->numbers[i] = c->all + before;
        before += store_persons(study_site_store(sites[i]))->n;
    }
    enum status s = guard_book_number(b, &p, c->all, e);
    free(name);
    return s;
}

/* Cell i over all stores, which may share persons. */
static struct persons *cell_set(const struct cells *c, size_t i, size_t n_stores)
{
    uint32_t *numbers = NULL;
    size_t total = 0, n;
    for (size_t k = 0; k < n_stores; k++) {
        const uint32_t *persons = members_persons(c->members[k], i, &n);
        numbers = xrealloc_array(numbers, total + n + 1, sizeof *numbers);
        for (size_t j = 0; j < n; j++)
            numbers[total++] = c->numbers[k][persons[j]];
    }
    struct persons *set = persons_gather(numbers, total);
    free(numbers);
    return set;
}

static struct guard_print print_of(const struct guarding *how, const char *name, struct persons *set)
{
    const struct policy *p = how->policy;
    int64_t n = (int64_t)persons_count(set), minimum = policy_minimum(p, OUTPUT_COUNT);
    struct count_range range = print_worst(p, n, minimum);
    return (struct guard_print){name, set, range.low, range.high,
                                how->federated && p->rounding != ROUNDING_NONE};
}

static enum status collect(struct cells *c, const struct guarding *how, struct guard_book *b,
                           struct site *const *sites, size_t n, struct err *e)
{
    int64_t minimum = policy_minimum(how->policy, OUTPUT_COUNT);
    enum status s = number_stores(c, b, sites, n, e);
    for (size_t i = 0; s == ST_OK && i < n; i++)
        s = study_site_members(sites[i], &c->members[i], e);
    if (s != ST_OK)
        return s;
    c->prints = xcalloc(members_n(c->members[0]) + 1, sizeof *c->prints);
    for (size_t i = 0; i < members_n(c->members[0]); i++) {
        struct persons *set = cell_set(c, i, n);
        if ((int64_t)persons_count(set) >= minimum)
            c->prints[c->n++] = print_of(how, members_name(c->members[0], i), set);
        else
            persons_free(set);
    }
    return ST_OK;
}

static void cells_deinit(struct cells *c, size_t n_stores)
{
    for (size_t i = 0; i < c->n; i++)
        persons_free(c->prints[i].persons);
    for (size_t i = 0; i < n_stores; i++)
        members_free(c->members[i]);
    free(c->all);
    free(c->prints);
    free(c->members);
    free(c->numbers);
}

enum status study_guard(const struct guarding *how, struct site *const *sites, size_t n,
                        struct guard_answer *answer, struct err *e)
{
    struct guard_book *b = NULL;
    struct cells c = {.members = xcalloc(n, sizeof *c.members), .numbers = xcalloc(n, sizeof *c.numbers)};
    int64_t started = time_monotonic_ns();
    *answer = (struct guard_answer){0};
    enum status s = guard_book_open(how->book, policy_minimum(how->policy, OUTPUT_COUNT), &b, e);
    if (s == ST_OK)
        s = collect(&c, how, b, sites, n, e);
    if (s == ST_OK) {
        struct guard_request r = {how->run,
                                  how->project,
                                  study_title(study_site_study(sites[0])),
                                  store_snapshot_id(study_site_store(sites[0])),
                                  how->federated ? "given" : "released",
                                  how->insist,
                                  c.prints,
                                  c.n};
        s = guard_book_decide(b, &r, answer, e);
        guard_book_tidy(b);
    }
    cells_deinit(&c, n);
    guard_book_close(b);
    if (s == ST_OK && answer->verdict != GUARD_ALLOW)
        guard_wait(started);
    return s;
}
