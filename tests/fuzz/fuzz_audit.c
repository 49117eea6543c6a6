/* SPDX-License-Identifier: Apache-2.0
 * Published tables of foreign bytes (CSV texts between zero bytes, laid beside each other) through the audit: no
 * crash, and an interval of every hidden cell that is one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "disclose/audit.h"

enum { MOST_TABLES = 4, MOST_BYTES = 2000 };

static const char *path(void)
{
    static char folder[] = "/tmp/accord-fuzz-audit-XXXXXX", file[64];
    if (!file[0] && !mkdtemp(folder))
        abort();
    snprintf(file, sizeof file, "%s/t.csv", folder);
    return file;
}

static enum status add_tables(struct audit *a, const uint8_t *data, size_t size, int64_t base, struct err *e)
{
    const struct audit_form form = {.base = base};
    enum status s = ST_OK;
    for (int i = 0; s == ST_OK && i < MOST_TABLES && size > 0; i++) {
        const uint8_t *end = memchr(data, 0, size);
        size_t n = end ? (size_t)(end - data) : size, used = n + (end != NULL);
        if (file_replace(path(), (struct slice){(const char *)data, n}, 0600, e) != ST_OK)
            abort();
        s = audit_add_csv(a, path(), &form, e);
        data += used;
        size -= used;
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit *a = audit_new();
    struct err e = {0};
    if (size > 1 && size <= MOST_BYTES && add_tables(a, data + 1, size - 1, data[0] % 6, &e) == ST_OK &&
        audit_run(a, 2 + data[0] / 6 % 12, &e) == ST_OK)
        for (uint32_t i = 0; i < audit_n_cells(a); i++) {
            const struct audit_cell *c = audit_cell(a, i);
            if (!(c->low >= 0 && c->low <= c->high + 1e-6 * (1 + c->high)))
                abort();
        }
    audit_free(a);
    return 0;
}
