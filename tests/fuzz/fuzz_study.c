/* SPDX-License-Identifier: Apache-2.0
 *
 * A study document from anybody, and round parameters from another machine: parsed and checked, never
 * trusted. The input is the study, then (behind a zero byte) the parameters.
 */
#include <stdlib.h>
#include <string.h>

#include "study/study.h"

static void check_parameters(const struct study *s, struct slice text)
{
    struct js *j;
    struct err e;
    size_t n;
    if (js_parse(text, "parameters", &j, &e) != ST_OK)
        return;
    if (study_size(s, j, &n, &e) == ST_OK) {
        sum_t *bounds = calloc(n ? n : 1, sizeof *bounds);
        if (study_bounds(s, j, bounds, n, &e) != ST_OK)
            abort();
        free(bounds);
    }
    js_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = memchr(data, 0, size);
    size_t n = zero ? (size_t)(zero - data) : size;
    struct js *j;
    struct study *s;
    struct err e;
    if (js_parse((struct slice){(const char *)data, n}, "study", &j, &e) != ST_OK)
        return 0;
    struct js *faults = js_array();
    enum status parsed = study_parse(j, &s, &e);
    if ((study_faults(j, faults, &e) == ST_OK) != (parsed == ST_OK) ||
        (js_size(faults) == 0) != (parsed == ST_OK))
        abort(); /* who wants every fault finds one where there is one */
    js_free(faults);
    if (parsed == ST_OK) {
        struct study_run *run = study_run_new(s);
        if (study_size(s, study_run_parameters(run), &n, &e) != ST_OK && e.status != ST_INVALID)
            abort();
        if (zero)
            check_parameters(s, (struct slice){(const char *)zero + 1, size - (size_t)(zero - data) - 1});
        study_run_free(run);
        study_free(s);
    }
    js_free(j);
    return 0;
}
