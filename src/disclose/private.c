/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/private.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { PARTS = 1000 }; /* variance and scale are whole multiples of 1/1000, rounded up */

static bool has_parts(const struct result_dimension *d, uint32_t level)
{
    for (uint32_t i = 0; i < d->n_levels; i++)
        if (d->levels[i].parent == (int32_t)level)
            return true;
    return false;
}

static uint32_t n_roots(const struct result_dimension *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n_levels; i++)
        n += d->levels[i].parent < 0;
    return n;
}

static enum status check_table(const struct result_table *t, const struct private_how *how, struct err *e)
{
    uint64_t whole = 1;
    if (t->type != OUTPUT_COUNT)
        return err_set(e, ST_INVALID, "table '%s': noise is for counts; this is of type %s", t->name,
                       output_type_name(t->type));
    for (uint32_t i = 0; i < t->n_dimensions; i++) {
        const struct result_dimension *d = &t->dimensions[i];
        whole *= d->n_levels;
        if (!how->cells_per_person && (d->nested || n_roots(d) > 1))
            return err_set(e, ST_INVALID,
                           "table '%s': a person may be in several levels of '%s'; say in how many cells at "
                           "most (--cells-per-person)",
                           t->name, d->name);
    }
    if (whole != t->n_cells)
        return err_set(e, ST_INVALID,
                       "table '%s' leaves cells out: with noise every cell is printed, also those of nobody",
                       t->name);
    return ST_OK;
}

/* Row-major place of a cell. */
static uint64_t place_of(const struct result_table *t, const uint32_t *at)
{
    uint64_t place = 0;
    for (uint32_t i = 0; i < t->n_dimensions; i++)
        place = place * t->dimensions[i].n_levels + at[i];
    return place;
}

static int depth_of(const struct result_dimension *d, uint32_t level)
{
    int depth = 0;
    for (int32_t p = d->levels[level].parent; p >= 0; p = d->levels[p].parent)
        depth++;
    return depth;
}

/* Adds the levels of one dimension into their parents, the deepest first. */
static void add_up(const struct result_table *t, uint32_t dimension, int64_t *count)
{
    const struct result_dimension *d = &t->dimensions[dimension];
    uint64_t inner = 1;
    int deepest = 0;
    for (uint32_t i = dimension + 1; i < t->n_dimensions; i++)
        inner *= t->dimensions[i].n_levels;
    for (uint32_t i = 0; i < d->n_levels; i++)
        deepest = depth_of(d, i) > deepest ? depth_of(d, i) : deepest;
    for (int depth = deepest; depth > 0; depth--)
        for (uint64_t c = 0; c < t->n_cells; c++) {
            uint32_t level = (uint32_t)(c / inner % d->n_levels);
            if (depth_of(d, level) == depth)
                count[c - level * inner + (uint64_t)d->levels[level].parent * inner] += count[c];
        }
}

static int64_t draw(const struct private_how *how, double spread)
{
    uint64_t parts = (uint64_t)ceil(spread * PARTS);
    return how->laplace ? noise_laplace(how->from, PARTS, parts) : noise_gaussian(how->from, parts, PARTS);
}

static bool is_leaf(const struct result_table *t, const struct result_cell *c)
{
    for (uint32_t i = 0; i < t->n_dimensions; i++)
        if (has_parts(&t->dimensions[i], c->at[i]))
            return false;
    return true;
}

static void noise_table(struct result_table *t, const struct private_how *how, double spread)
{
    int64_t *count = xcalloc(t->n_cells ? t->n_cells : 1, sizeof *count);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        if (!is_leaf(t, &t->cells[i]))
            continue;
        int64_t noisy = t->cells[i].persons + draw(how, spread);
        count[place_of(t, t->cells[i].at)] = noisy > 0 ? noisy : 0;
    }
    for (uint32_t d = 0; d < t->n_dimensions; d++)
        add_up(t, d, count);
    for (uint64_t i = 0; i < t->n_cells; i++) {
        t->cells[i].persons = count[place_of(t, t->cells[i].at)];
        t->cells[i].value = (double)t->cells[i].persons;
    }
    free(count);
}

static struct js *record_of(const struct private_how *how, double spread)
{
    struct js *j = js_object();
    js_put_str(j, "noise", how->laplace ? "discrete laplace" : "discrete gaussian");
    js_put(j, how->laplace ? "scale" : "variance", js_real(ceil(spread * PARTS) / PARTS));
    js_put(j, "rho", js_real(how->rho));
    js_put(j, "epsilon_at_delta_1e-6", js_real(epsilon_of(how->rho, 1e-6)));
    js_put_str(j, "data_set", how->data_set);
    js_put_str(j, "project", how->project);
    return j;
}

static enum status copy_of(const struct result *r, struct result **out, struct err *e)
{
    struct js *j = result_to_json(r);
    enum status s = result_from_json(j, out, e);
    js_free(j);
    return s;
}

/* The noise's scale or variance: a person changes at most k counts by one each. */
static enum status spread_of(const struct result *raw, const struct private_how *how, double *out,
                             struct err *e)
{
    enum status s = result_check(raw, e);
    for (uint32_t i = 0; s == ST_OK && i < raw->n_tables; i++)
        s = check_table(&raw->tables[i], how, e);
    if (s != ST_OK)
        return s;
    double k = (double)(how->cells_per_person ? how->cells_per_person : 1) * (double)raw->n_tables;
    *out = how->laplace ? k / sqrt(2 * how->rho) : k / (2 * how->rho);
    if (!(*out >= 1.0 / PARTS && *out <= 1e3))
        return err_set(e, ST_INVALID, "a rho of %g makes noise of a size that is of no use: %g", how->rho,
                       *out);
    return ST_OK;
}

enum status private_plan(const struct result *raw, const struct private_how *how, struct privacy_book *book,
                         struct js **record, struct err *e)
{
    double spread, left;
    *record = NULL;
    enum status s = spread_of(raw, how, &spread, e);
    if (s == ST_OK)
        s = privacy_left(book, how->data_set, how->project, how->rho, &left, e);
    if (s != ST_OK)
        return s;
    *record = record_of(how, spread);
    js_put(*record, "left", js_real(left));
    return ST_OK;
}

enum status private_result(const struct result *raw, const struct private_how *how, struct privacy_book *book,
                           struct result **out, struct js **record, struct err *e)
{
    double spread;
    *out = NULL;
    *record = NULL;
    enum status s = spread_of(raw, how, &spread, e);
    if (s == ST_OK)
        s = copy_of(raw, out, e);
    if (s == ST_OK)
        s = privacy_charge(book, how->data_set, how->project, how->rho, raw->title, e);
    if (s != ST_OK) {
        result_free(*out);
        *out = NULL;
        return s;
    }
    for (uint32_t i = 0; i < (*out)->n_tables; i++)
        noise_table(&(*out)->tables[i], how, spread);
    *record = record_of(how, spread);
    return ST_OK;
}
