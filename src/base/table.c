/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <stdlib.h>

void table_fault_add(struct table_chunk *c, uint32_t line, size_t column, const char *expected)
{
    if (c->faults.n < FAULTS_KEPT)
        c->faults.first[c->faults.n] = (struct table_fault){line, (uint32_t)column, expected};
    c->faults.n++;
}

void table_fault_format(const struct table_scan *s, const struct table_fault *f, struct err *e)
{
    err_set(e, ST_INVALID, "%s line %llu, column %d (%s): expected %s", s->name, (unsigned long long)f->line,
            s->positions[f->column] + 1, s->columns[f->column].name, f->expected);
}

enum status table_faults_take(const struct table_scan *s, struct table_chunk *c, struct table_faults *total,
                              struct err *e)
{
    size_t kept = c->faults.n < FAULTS_KEPT ? (size_t)c->faults.n : FAULTS_KEPT;
    for (size_t i = 0; i < kept; i++) {
        struct table_fault f = c->faults.first[i];
        f.line += c->lines_before;
        if (!s->skip) {
            table_fault_format(s, &f, e);
            return ST_INVALID;
        }
        if (total->n + i < FAULTS_KEPT)
            total->first[total->n + i] = f;
    }
    total->n += c->faults.n;
    c->faults.n = 0;
    return ST_OK;
}

void table_scan_deinit(struct table_scan *s)
{
    for (size_t i = 0; i < s->n_unknown; i++)
        free(s->unknown[i]);
    free(s->unknown);
    free(s->positions);
    free(s->name);
}
