/* SPDX-License-Identifier: Apache-2.0
 * Tables with hierarchies and demands of foreign bytes (a JSON text, a zero byte, a CSV text) read, protected
 * and attacked: no crash, and nothing that protection calls done leaves a demand without an alternative table
 * unless the attacker, who is asked before anything is written, says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "disclose/attack.h"
#include "disclose/instance.h"

static const char *folder(void)
{
    static char path[] = "/tmp/accord-fuzz-instance-XXXXXX";
    static bool made;
    if (!made && !mkdtemp(path))
        abort();
    made = true;
    return path;
}

static void protect(struct instance *in)
{
    struct room room;
    struct attack_report report;
    struct protection p = {.hidden = xcalloc((size_t)in->n_cells + 1, sizeof(bool))};
    struct err e;
    uint32_t n;
    struct demand *demands = instance_demands(in, &n);
    instance_room(in, false, &room);
    for (uint32_t v = 0; v < in->n_cells; v++)
        p.hidden[v] = in->cells[v].primary;
    enum status s = protect_run(&in->system, &room, instance_weights(in), demands, n, NULL, &p, &e);
    if (s == ST_OK) {
        attack_run(&in->system, &room, p.hidden, demands, n, NULL, &report);
        if (report.n_safe + report.n_short + report.n_exact != n || report.n_exact > 0)
            abort();
        attack_report_deinit(&report);
    }
    free(p.hidden);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char json[128], csv[128];
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : size, rest = end ? size - n - 1 : 0;
    struct instance *in;
    struct err e;
    snprintf(json, sizeof json, "%s/i.json", folder());
    snprintf(csv, sizeof csv, "%s/c.csv", folder());
    struct slice first = {(const char *)data, n}, second = {end ? (const char *)end + 1 : "", rest};
    if (file_replace(json, first, 0600, &e) != ST_OK || file_replace(csv, second, 0600, &e) != ST_OK)
        abort();
    if (instance_load(json, &in, &e) != ST_OK)
        return 0;
    if (in->n_cells <= 100)
        protect(in);
    instance_free(in);
    return 0;
}
