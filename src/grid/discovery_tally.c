/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/discovery_tally.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "disclose/guard_book.h"
#include "disclose/release.h"
#include "disclose/rounding.h"

/* --- the release gate -------------------------------------------------------------------------------------
 */

static struct result *result_of(const struct tallies *t)
{
    struct result *r = result_new("Cohort discovery");
    struct result_table *table = result_add_table(r, "persons", "Persons", OUTPUT_COUNT, 1, t->n);
    struct result_level *levels = arena_array(r->arena, t->n, sizeof *levels);
    uint32_t *at = arena_array(r->arena, t->n, sizeof *at);
    for (size_t i = 0; i < t->n; i++) {
        const char *label = arena_printf(r->arena, "%s %d", t->list[i].category, (int)t->list[i].concept);
        levels[i] = (struct result_level){label, -1};
        at[i] = (uint32_t)i;
        table->cells[i].at = &at[i];
        table->cells[i].persons = t->list[i].persons;
        table->cells[i].value = (double)t->list[i].persons;
    }
    table->unit = "persons";
    table->dimensions[0] = (struct result_dimension){"count of", levels, (uint32_t)t->n, false};
    return r;
}

enum status tallies_gate(const struct tallies *t, const struct policy *policy, int64_t *told, struct err *e)
{
    struct released *released = NULL;
    if (!t->n)
        return ST_OK;
    struct result *raw = result_of(t);
    enum status s = disclose_release(raw, policy, NULL, &released, e);
    for (uint32_t i = 0; s == ST_OK && i < t->n; i++) {
        const struct released_cell *cell = released_cell_find(released_table(released, 0), &i);
        told[i] = !cell ? 0 : cell->hidden ? -1 : (int64_t)cell->value;
    }
    released_free(released);
    result_free(raw);
    return s;
}

/* --- the differencing guard
 * --------------------------------------------------------------------------------- */

struct asking {
    const struct discovery_site *site;
    uint32_t *numbers; /* in the guard's book, per person of the store */
    uint32_t *list;    /* room for everybody */
    struct guard_print *prints;
    size_t n;
    char (*names)[64];
};

/* Rows of a concept come by person. */
static enum status list_rows(struct asking *a, const struct tally *t, size_t *n, struct err *e)
{
    enum { AT_ONCE = 1 << 16 };
    int32_t *person = xmalloc(AT_ONCE * sizeof *person), last = -1;
    enum status s = ST_OK;
    for (uint64_t at = 0; s == ST_OK && at < t->n; at += AT_ONCE) {
        uint64_t here = t->n - at < AT_ONCE ? t->n - at : AT_ONCE;
        s = interrupted()
                ? interrupted_err(e)
                : store_read_i32(a->site->store, t->table, COL_PERSON, t->first + at, here, person, e);
        for (uint64_t i = 0; s == ST_OK && i < here; i++)
            if (person[i] != last) {
                last = person[i];
                a->list[(*n)++] = a->numbers[last];
            }
    }
    free(person);
    return s;
}

static enum status list_persons(struct asking *a, const struct tally *t, size_t *n, struct err *e)
{
    const struct store_persons *p = store_persons(a->site->store);
    *n = 0;
    if (t->n)
        return list_rows(a, t, n, e);
    for (uint32_t i = 0; t->attribute && i < p->n; i++)
        if (p->in_person[i] && t->attribute[i] == t->concept)
            a->list[(*n)++] = a->numbers[i];
    for (size_t i = 0; t->rows && i < t->rows->n; i++)
        if (i == 0 || t->rows->person[i] != t->rows->person[i - 1])
            a->list[(*n)++] = a->numbers[t->rows->person[i]];
    return ST_OK;
}

static enum status add_print(struct asking *a, const struct tally *t, int64_t told, struct err *e)
{
    const struct policy *p = a->site->policy;
    size_t n;
    enum status s = list_persons(a, t, &n, e);
    if (s != ST_OK)
        return s;
    struct count_range range = print_range(p, told, policy_minimum(p, OUTPUT_COUNT));
    snprintf(a->names[a->n], sizeof *a->names, "%s %d", t->category, (int)t->concept);
    a->prints[a->n] =
        (struct guard_print){a->names[a->n], persons_gather(a->list, n), range.low, range.high, false};
    a->n++;
    return ST_OK;
}

static void pseudonym_of(const void *context, size_t person, uint8_t out[PSEUDONYM_BYTES])
{
    store_pseudonym(context, (uint32_t)person, out);
}

static enum status decide(struct asking *a, const char *question, struct guard_answer *answer, struct err *e)
{
    char run[96];
    snprintf(run, sizeof run, "cohort-discovery-%.64s", question);
    struct guard_request r = {run,
                              "cohort-discovery",
                              "Cohort discovery",
                              store_snapshot_id(a->site->store),
                              "released",
                              false,
                              a->prints,
                              a->n};
    enum status s = guard_book_decide(a->site->guard, &r, answer, e);
    guard_book_tidy(a->site->guard);
    return s;
}

static enum status ask(struct asking *a, const struct tallies *t, const int64_t *told, const char *question,
                       struct guard_answer *answer, struct err *e)
{
    const struct store *store = a->site->store;
    struct guard_population everybody = {store_snapshot_id(store), store_persons(store)->n, pseudonym_of,
                                         store};
    enum status s = guard_book_number(a->site->guard, &everybody, a->numbers, e);
    for (size_t i = 0; s == ST_OK && i < t->n; i++)
        if (told[i] > 0)
            s = add_print(a, &t->list[i], told[i], e);
    return s == ST_OK ? decide(a, question, answer, e) : s;
}

enum status tallies_guard(const struct tallies *t, const int64_t *told, const char *question,
                          const struct discovery_site *site, struct err *e)
{
    size_t persons = store_persons(site->store)->n + (size_t)1;
    struct asking a = {.site = site,
                       .numbers = xmalloc(persons * sizeof *a.numbers),
                       .list = xmalloc(persons * sizeof *a.list),
                       .prints = xcalloc(t->n + 1, sizeof *a.prints),
                       .names = xcalloc(t->n + 1, sizeof *a.names)};
    struct guard_answer answer = {0};
    int64_t started = time_monotonic_ns();
    enum status s = ask(&a, t, told, question, &answer, e);
    for (size_t i = 0; i < a.n; i++)
        persons_free(a.prints[i].persons);
    free(a.prints);
    free(a.names);
    free(a.numbers);
    free(a.list);
    if (s != ST_OK || answer.verdict == GUARD_ALLOW)
        return s;
    log_event(LOG_WARN, "discovery.differencing", "cell", answer.cell, "with", answer.with, NULL);
    guard_wait(started);
    return err_set(e, ST_UNSAFE, GUARD_REFUSAL);
}
