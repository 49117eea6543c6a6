/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/linked.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MOST_PLACES = 1 << 21 };

/* A dimension of all tables. Levels lie in an arena; there is room for one more than the tables have. */
struct axis {
    const char *name;
    struct result_level *levels;
    uint32_t n_levels;
    int32_t all; /* the level that stands for the whole; -1 = none */
};

struct layout {
    const struct result_table *const *tables;
    uint32_t n_tables, n_axes;
    struct axis *axes;
    uint32_t **axis_of;   /* [table][dimension] */
    uint32_t ***level_of; /* [table][dimension][level] */
    struct arena *arena;
};

struct entry {
    uint64_t key, cell;
    uint32_t table;
};

double count_of(const struct result_table *t, const struct result_cell *c)
{
    if (t->type == OUTPUT_RATE)
        return c->event_persons >= 0 ? (double)c->event_persons : c->numerator;
    return c->value;
}

static uint32_t axis_named(struct layout *y, const char *name)
{
    for (uint32_t i = 0; i < y->n_axes; i++)
        if (strcmp(y->axes[i].name, name) == 0)
            return i;
    size_t room = 1;
    for (uint32_t t = 0; t < y->n_tables; t++)
        for (uint32_t d = 0; d < y->tables[t]->n_dimensions; d++)
            if (strcmp(y->tables[t]->dimensions[d].name, name) == 0)
                room += y->tables[t]->dimensions[d].n_levels;
    y->axes[y->n_axes] = (struct axis){name, arena_array(y->arena, room, sizeof(struct result_level)), 0, -1};
    return y->n_axes++;
}

static uint32_t level_labelled(const struct axis *x, const char *label)
{
    uint32_t i = 0;
    while (i < x->n_levels && strcmp(x->levels[i].label, label) != 0)
        i++;
    return i;
}

/* Levels of one table's dimension on its axis. False where a label is there twice. */
static bool place_levels(struct layout *y, struct axis *x, const struct result_dimension *d, uint32_t *place)
{
    for (uint32_t i = 0; i < d->n_levels; i++) {
        place[i] = y->n_tables > 1 ? level_labelled(x, d->levels[i].label) : i;
        for (uint32_t k = 0; y->n_tables > 1 && k < i; k++)
            if (place[k] == place[i])
                return false;
        if (place[i] == x->n_levels)
            x->levels[x->n_levels++] = (struct result_level){d->levels[i].label, -1};
    }
    for (uint32_t i = 0; i < d->n_levels; i++) {
        int32_t parent = d->levels[i].parent < 0 ? -1 : (int32_t)place[d->levels[i].parent];
        int32_t *known = &x->levels[place[i]].parent;
        if (parent >= 0 && *known >= 0 && *known != parent)
            return false;
        if (parent >= 0)
            *known = parent;
    }
    return true;
}

static bool has_cycle(const struct axis *x)
{
    for (uint32_t i = 0; i < x->n_levels; i++) {
        uint32_t steps = 0;
        for (int32_t at = (int32_t)i; at >= 0; at = x->levels[at].parent)
            if (steps++ > x->n_levels)
                return true;
    }
    return false;
}

static bool has_parts(const struct axis *x, uint32_t level)
{
    for (uint32_t i = 0; i < x->n_levels; i++)
        if (x->levels[i].parent == (int32_t)level)
            return true;
    return false;
}

/* The only root with parts; where no root has any, a new one over all of them. */
static bool find_whole(struct axis *x)
{
    uint32_t n = x->n_levels;
    for (uint32_t i = 0; i < n; i++)
        if (x->levels[i].parent < 0 && has_parts(x, i)) {
            if (x->all >= 0)
                return false;
            x->all = (int32_t)i;
        }
    if (x->all >= 0)
        return true;
    x->all = (int32_t)n;
    for (uint32_t i = 0; i < n; i++)
        x->levels[i].parent = x->all;
    x->levels[x->n_levels++] = (struct result_level){"", -1};
    return true;
}

static bool lacks(const struct layout *y, uint32_t table, uint32_t axis)
{
    for (uint32_t d = 0; d < y->tables[table]->n_dimensions; d++)
        if (y->axis_of[table][d] == axis)
            return false;
    return true;
}

static bool lay_axes(struct layout *y)
{
    uint32_t most = 0;
    for (uint32_t t = 0; t < y->n_tables; t++)
        most += y->tables[t]->n_dimensions;
    y->axes = arena_array(y->arena, most, sizeof *y->axes);
    y->axis_of = arena_array(y->arena, y->n_tables, sizeof(uint32_t *));
    y->level_of = arena_array(y->arena, y->n_tables, sizeof(uint32_t **));
    for (uint32_t t = 0; t < y->n_tables; t++) {
        const struct result_table *table = y->tables[t];
        y->axis_of[t] = arena_array(y->arena, table->n_dimensions, sizeof(uint32_t));
        y->level_of[t] = arena_array(y->arena, table->n_dimensions, sizeof(uint32_t *));
        for (uint32_t d = 0; d < table->n_dimensions; d++) {
            uint32_t x = y->n_tables > 1 ? axis_named(y, table->dimensions[d].name) : y->n_axes++;
            if (y->n_tables == 1)
                y->axes[x] = (struct axis){
                    table->dimensions[d].name,
                    arena_array(y->arena, table->dimensions[d].n_levels + 1, sizeof(struct result_level)), 0,
                    -1};
            y->axis_of[t][d] = x;
            y->level_of[t][d] = arena_array(y->arena, table->dimensions[d].n_levels, sizeof(uint32_t));
            if (!place_levels(y, &y->axes[x], &table->dimensions[d], y->level_of[t][d]))
                return false;
        }
    }
    for (uint32_t x = 0; x < y->n_axes; x++) {
        bool lacking = false;
        for (uint32_t t = 0; t < y->n_tables; t++)
            lacking |= lacks(y, t, x);
        if (has_cycle(&y->axes[x]) || (lacking && !find_whole(&y->axes[x])))
            return false;
    }
    return true;
}

static struct lattice_dimension dimension_of(const struct axis *x, struct arena *a)
{
    struct lattice_sum *sums = arena_array(a, x->n_levels, sizeof *sums);
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->n_levels; i++) {
        if (!has_parts(x, i))
            continue;
        uint32_t *children = arena_array(a, x->n_levels, sizeof *children), many = 0;
        for (uint32_t k = 0; k < x->n_levels; k++)
            if (x->levels[k].parent == (int32_t)i)
                children[many++] = k;
        sums[n++] = (struct lattice_sum){i, many, children};
    }
    return (struct lattice_dimension){x->n_levels, sums, n};
}

static uint64_t key_of(const struct layout *y, const struct lattice *l, uint32_t table,
                       const struct result_cell *c, uint32_t *at)
{
    for (uint32_t x = 0; x < y->n_axes; x++)
        at[x] = y->axes[x].all >= 0 ? (uint32_t)y->axes[x].all : 0;
    for (uint32_t d = 0; d < y->tables[table]->n_dimensions; d++)
        at[y->axis_of[table][d]] = y->level_of[table][d][c->at[d]];
    return lattice_key(l, at);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return x->cell < y->cell ? -1 : x->cell > y->cell;
}

/* Cells of one place are one variable, numbered by the first of them. False where their counts differ. */
static bool number_cells(const struct layout *y, const struct entry *entries, uint64_t n, struct linked *out)
{
    const struct entry **first = arena_array(y->arena, n, sizeof *first);
    bool *leads = arena_array(y->arena, n, sizeof *leads);
    uint64_t *start = arena_array(y->arena, y->n_tables + 1, sizeof *start);
    for (uint32_t t = 0; t < y->n_tables; t++)
        start[t + 1] = start[t] + y->tables[t]->n_cells;
    for (uint64_t i = 0; i < n; i++) {
        const struct entry *e = &entries[i],
                           *lead = i && entries[i - 1].key == e->key
                                       ? first[start[entries[i - 1].table] + entries[i - 1].cell]
                                       : e;
        const struct result_cell *a = &y->tables[e->table]->cells[e->cell],
                                 *b = &y->tables[lead->table]->cells[lead->cell];
        if (count_of(y->tables[e->table], a) != count_of(y->tables[lead->table], b) ||
            a->persons != b->persons)
            return false;
        first[start[e->table] + e->cell] = lead;
        leads[start[e->table] + e->cell] = lead == e;
    }
    for (uint32_t t = 0; t < y->n_tables; t++) {
        out->variable[t] = arena_array(y->arena, y->tables[t]->n_cells, sizeof **out->variable);
        for (uint64_t c = 0; c < y->tables[t]->n_cells; c++) {
            const struct entry *lead = first[start[t] + c];
            bool own = leads[start[t] + c];
            out->variable[t][c] = own ? out->n_cells : out->variable[lead->table][lead->cell];
            if (own)
                out->lattice.cells[out->n_cells] = (struct lattice_cell){lead->key, out->n_cells};
            out->n_cells += own;
        }
    }
    return true;
}

/* --- margins ------------------------------------------------------------------------------------------- */

/* The level that each is a part of; -1 = none. */
static int32_t *parents_of(const struct lattice_dimension *d, struct arena *a)
{
    int32_t *parent = arena_array(a, d->n_levels, sizeof *parent);
    for (uint32_t i = 0; i < d->n_levels; i++)
        parent[i] = -1;
    for (uint32_t k = 0; k < d->n_sums; k++)
        for (uint32_t c = 0; c < d->sums[k].n_children; c++)
            parent[d->sums[k].children[c]] = (int32_t)d->sums[k].total;
    return parent;
}

/* Adds every place above a known one along dimension d. False beyond MOST_PLACES. */
static bool raise_places(struct lattice *l, uint32_t d, uint64_t stride, struct arena *a)
{
    const int32_t *parent = parents_of(&l->dimensions[d], a);
    struct lattice raised = *l;
    uint64_t n = 0, room = l->n_cells;
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < l->n_cells; i++) {
            uint64_t level = l->cells[i].key / stride % l->dimensions[d].n_levels;
            uint64_t base = l->cells[i].key - level * stride;
            for (int32_t up = parent[level]; up >= 0; up = parent[up]) {
                uint64_t key = base + (uint64_t)up * stride;
                if (pass == 0)
                    room++;
                else if (!lattice_find(l, key))
                    raised.cells[raised.n_cells++] = (struct lattice_cell){key, UINT32_MAX};
            }
        }
        if (room > MOST_PLACES)
            return false;
        if (pass == 0) {
            raised.cells = arena_array(a, room, sizeof *raised.cells);
            memcpy(raised.cells, l->cells, l->n_cells * sizeof *l->cells);
        }
    }
    lattice_sort(&raised);
    for (uint64_t i = 0; i < raised.n_cells; i++)
        if (i == 0 || raised.cells[i].key != raised.cells[n - 1].key)
            raised.cells[n++] = raised.cells[i];
    raised.n_cells = n;
    *l = raised;
    return true;
}

struct deep {
    uint32_t depth;
    uint64_t place;
};

static int compare_deep(const void *a, const void *b)
{
    const struct deep *x = a, *y = b;
    if (x->depth != y->depth)
        return x->depth > y->depth ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The places that are no cells, numbered so that parts come before what they are parts of. */
static void number_margins(struct linked *l, struct arena *a)
{
    const struct lattice *y = &l->lattice;
    int32_t **parent = arena_array(a, y->n_dimensions, sizeof *parent);
    struct deep *deep = arena_array(a, y->n_cells - l->n_cells, sizeof *deep);
    for (uint32_t d = 0; d < y->n_dimensions; d++)
        parent[d] = parents_of(&y->dimensions[d], a);
    for (uint64_t i = 0; i < y->n_cells; i++) {
        uint64_t rest = y->cells[i].key;
        struct deep *m = &deep[l->n_margins];
        if (y->cells[i].variable != UINT32_MAX)
            continue;
        *m = (struct deep){0, i};
        for (uint32_t d = y->n_dimensions; d-- > 0; rest /= y->dimensions[d].n_levels)
            for (int32_t up = parent[d][rest % y->dimensions[d].n_levels]; up >= 0; up = parent[d][up])
                m->depth++;
        l->n_margins++;
    }
    qsort(deep, l->n_margins, sizeof *deep, compare_deep);
    l->margin = arena_array(a, l->n_margins, sizeof *l->margin);
    for (uint32_t i = 0; i < l->n_margins; i++) {
        y->cells[deep[i].place].variable = l->n_cells + i;
        l->margin[i] = y->cells[deep[i].place].key;
    }
}

static enum status lay_margins(struct linked *l, struct arena *a, struct err *e)
{
    uint64_t stride = 1;
    for (uint32_t d = l->lattice.n_dimensions; d-- > 0; stride *= l->lattice.dimensions[d].n_levels)
        if (!raise_places(&l->lattice, d, stride, a))
            return err_set(e, ST_UNSAFE, "linked tables have over %d margins; release some of them apart",
                           MOST_PLACES);
    number_margins(l, a);
    return ST_OK;
}

enum status linked_lay(const struct result_table *const *tables, uint32_t n, struct arena *a,
                       struct linked *out, struct err *e)
{
    struct layout y = {.tables = tables, .n_tables = n, .arena = a};
    uint64_t n_entries = 0, at_entry = 0;
    *out = (struct linked){.variable = arena_array(a, n, sizeof *out->variable)};
    if (!lay_axes(&y))
        return err_set(e, ST_INVALID, "the levels of linked tables contradict each other");
    struct lattice_dimension *dimensions = arena_array(a, y.n_axes, sizeof *dimensions);
    for (uint32_t x = 0; x < y.n_axes; x++)
        dimensions[x] = dimension_of(&y.axes[x], a);
    for (uint32_t t = 0; t < n; t++)
        n_entries += tables[t]->n_cells;
    out->lattice =
        (struct lattice){dimensions, y.n_axes, arena_array(a, n_entries, sizeof *out->lattice.cells), 0};
    enum status status = lattice_check(&out->lattice, e);
    if (status != ST_OK)
        return status;
    struct entry *entries = arena_array(a, n_entries, sizeof *entries);
    uint32_t *at = arena_array(a, y.n_axes + 1, sizeof *at);
    for (uint32_t t = 0; t < n; t++)
        for (uint64_t c = 0; c < tables[t]->n_cells; c++)
            entries[at_entry++] =
                (struct entry){key_of(&y, &out->lattice, t, &tables[t]->cells[c], at), c, t};
    qsort(entries, n_entries, sizeof *entries, compare_entries);
    if (!number_cells(&y, entries, n_entries, out))
        return err_set(e, ST_INVALID, "linked tables count one place differently");
    out->lattice.n_cells = out->n_cells;
    lattice_sort(&out->lattice);
    return n > 1 ? lay_margins(out, a, e) : ST_OK;
}

/* --- equations ----------------------------------------------------------------------------------------- */

/* One total with the parts that are counted anywhere. */
struct parted {
    const struct lattice *lattice;
    const struct lattice_cell *total;
    const struct lattice_sum *sum;
    uint64_t stride;
};

/* The variable of its part c; NULL where that is no place. */
static const struct lattice_cell *part_of(const struct parted *p, uint32_t c)
{
    uint64_t base = p->total->key - p->sum->total * p->stride;
    return lattice_find(p->lattice, base + p->sum->children[c] * p->stride);
}

/* Calls visit for every sum over a place; stops at the first false. */
static bool each_sum(const struct lattice *l, const struct lattice_cell *place,
                     bool (*visit)(const struct parted *p, void *context), void *context)
{
    uint64_t stride = 1, rest = place->key;
    for (uint32_t d = l->n_dimensions; d-- > 0; stride *= l->dimensions[d].n_levels) {
        const struct lattice_dimension *dimension = &l->dimensions[d];
        uint32_t level = (uint32_t)(rest % dimension->n_levels);
        rest /= dimension->n_levels;
        for (uint32_t k = 0; k < dimension->n_sums; k++) {
            struct parted p = {l, place, &dimension->sums[k], stride};
            if (dimension->sums[k].total == level && !visit(&p, context))
                return false;
        }
    }
    return true;
}

struct counting {
    const struct system *system;
    double most;
};

static bool count_parts(const struct parted *p, void *context)
{
    struct counting *counting = context;
    double n = 0;
    for (uint32_t c = 0; c < p->sum->n_children; c++) {
        const struct lattice_cell *part = part_of(p, c);
        n += part ? counting->system->value[part->variable] : 0;
    }
    counting->most = n > counting->most ? n : counting->most;
    return true;
}

void linked_add_margins(const struct linked *l, struct system *s)
{
    for (uint32_t i = 0; i < l->n_margins; i++) {
        struct counting counting = {s, 0};
        each_sum(&l->lattice, lattice_find(&l->lattice, l->margin[i]), count_parts, &counting);
        system_add_variable(s, counting.most, 0, HUGE_VAL);
    }
}

struct adding {
    struct system *system;
    bool alone;
};

/* An equation where the sum holds, with a variable for what is counted nowhere where the parts are less. */
static bool add_sum(const struct parted *p, void *context)
{
    const struct adding *adding = context;
    struct system *s = adding->system;
    uint32_t found = 0;
    double rest = s->value[p->total->variable];
    for (uint32_t c = 0; c < p->sum->n_children; c++) {
        const struct lattice_cell *part = part_of(p, c);
        if (part) {
            found++;
            rest -= s->value[part->variable];
            system_add_term(s, part->variable, 1);
        }
    }
    if (found == 0 && !adding->alone)
        return true;
    if (!adding->alone && rest < 0)
        return false;
    system_add_term(s, p->total->variable, -1);
    if (!adding->alone && rest > 0)
        system_add_term(s, system_add_variable(s, rest, 0, HUGE_VAL), 1);
    system_end_equation(s);
    return true;
}

bool linked_add_equations(const struct linked *l, uint32_t n_tables, struct system *s)
{
    struct adding adding = {s, n_tables == 1};
    for (uint64_t i = 0; i < l->lattice.n_cells; i++)
        if (!each_sum(&l->lattice, &l->lattice.cells[i], add_sum, &adding))
            return false;
    return true;
}
