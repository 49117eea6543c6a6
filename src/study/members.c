/* SPDX-License-Identifier: Apache-2.0 */
#include "study/members.h"

#include <stdlib.h>

#include "study/parts.h"

struct cell {
    char *name;
    uint32_t *persons;
    size_t n, room;
};

struct members {
    struct cell *cells;
    size_t n, room;
};

struct members *members_new(void)
{
    return xcalloc(1, sizeof(struct members));
}

void members_free(struct members *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++) {
        free(m->cells[i].name);
        free(m->cells[i].persons);
    }
    free(m->cells);
    free(m);
}

/* Takes the name over. */
static size_t new_cell(struct members *m, char *name)
{
    GROW(m->cells, m->n + 1, m->room);
    m->cells[m->n] = (struct cell){.name = name};
    return m->n++;
}

static void put_person(struct cell *c, uint32_t person)
{
    GROW(c->persons, c->n + 1, c->room);
    c->persons[c->n++] = person;
}

void members_add(struct members *m, const char *name, const uint32_t *persons, size_t n)
{
    size_t at = new_cell(m, xstrdup(name));
    for (size_t i = 0; i < n; i++)
        put_person(&m->cells[at], persons[i]);
}

/* A level of each dimension; the one behind the last stands for the total. */
static size_t n_places(const struct dimension *d)
{
    return d->n_levels + (d->no_total ? 0u : 1u);
}

char *members_cell_name(const char *table, const char *const *labels, size_t n)
{
    char *name = xasprintf("%s:", table);
    for (size_t i = 0; i < n; i++) {
        char *longer = xasprintf("%s%s %s", name, i ? "," : "", labels[i]);
        free(name);
        name = longer;
    }
    return name;
}

static char *place_name(const char *table, const struct dimension *d, size_t n, size_t cell)
{
    const char *labels[MAX_DIMENSIONS];
    for (size_t i = n; i-- > 0; cell /= n_places(&d[i])) {
        size_t level = cell % n_places(&d[i]);
        labels[i] = level < d[i].n_levels ? d[i].labels[level] : "total";
    }
    return members_cell_name(table, labels, n);
}

/* A person's levels, and the cells of every choice of level or total. */
static void put_everywhere(struct cell *cells, const struct dimension *d, size_t n, uint32_t stratum,
                           uint32_t person)
{
    size_t level[MAX_DIMENSIONS];
    for (size_t i = n; i-- > 0; stratum /= d[i].n_levels)
        level[i] = stratum % d[i].n_levels;
    for (size_t totals = 0; totals < (size_t)1 << n; totals++) {
        size_t cell = 0;
        bool exists = true;
        for (size_t i = 0; i < n; i++) {
            bool total = totals >> i & 1;
            exists = exists && !(total && d[i].no_total);
            cell = cell * n_places(&d[i]) + (total ? d[i].n_levels : level[i]);
        }
        if (exists)
            put_person(&cells[cell], person);
    }
}

void members_table(struct members *m, const char *name, const struct dimension *dimensions,
                   size_t n_dimensions, const uint32_t *persons, const uint32_t *stratum, size_t n)
{
    size_t first = m->n, n_cells = 1;
    for (size_t i = 0; i < n_dimensions; i++)
        n_cells *= n_places(&dimensions[i]);
    for (size_t c = 0; c < n_cells; c++)
        new_cell(m, place_name(name, dimensions, n_dimensions, c));
    for (size_t i = 0; i < n; i++)
        put_everywhere(m->cells + first, dimensions, n_dimensions, stratum[i], persons[i]);
}

size_t members_n(const struct members *m)
{
    return m->n;
}

const char *members_name(const struct members *m, size_t i)
{
    return m->cells[i].name;
}

const uint32_t *members_persons(const struct members *m, size_t i, size_t *n)
{
    *n = m->cells[i].n;
    return m->cells[i].persons;
}

static void add_cohort(struct members *m, const char *name, const struct cohort_rows *rows)
{
    size_t at = new_cell(m, xasprintf("cohort %s", name));
    for (size_t i = 0; i < rows->n; i++)
        if (i == 0 || rows->person[i] != rows->person[i - 1])
            put_person(&m->cells[at], rows->person[i]);
}

enum status members_collect(const struct study *s, const struct study_site *site, struct members **out,
                            struct err *e)
{
    struct members *m = members_new();
    enum status st = ST_OK;
    for (size_t i = 0; i < s->n_cohorts; i++)
        add_cohort(m, s->cohort_names[i], &site->cohorts[i]);
    for (size_t i = 0; st == ST_OK && i < s->n_analyses; i++) {
        const struct study_analysis *a = &s->analyses[i];
        if (a->analysis->members)
            st = a->analysis->members(a->spec, site, m, e);
        if (st != ST_OK)
            err_wrap(e, "analysis %s", a->name);
    }
    if (st != ST_OK) {
        members_free(m);
        m = NULL;
    }
    *out = m;
    return st;
}
