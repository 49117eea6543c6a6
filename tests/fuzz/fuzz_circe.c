/* SPDX-License-Identifier: Apache-2.0
 * Foreign bytes as a Circe or Cohort Discovery definition: read, written, read again, or refused. */
#include <stdlib.h>

#include "cohort/cohort.h"

static void use(struct cohort_definition *d)
{
    struct buf text;
    struct js *circe = NULL;
    struct err e = {0};
    buf_init(&text, (size_t)64 << 20);
    cohort_describe(d, &text);
    cohort_format_text(d, &text);
    if (cohort_to_circe(d, &circe, &e) == ST_OK) {
        struct cohort_definition *again;
        if (cohort_parse(circe, &again, &e) != ST_OK)
            abort(); /* what is written can be read */
        cohort_definition_free(again);
    }
    js_free(circe);
    buf_deinit(&text);
    cohort_definition_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct js *j;
    struct err e = {0};
    struct cohort_definition *d;
    if (js_parse((struct slice){(const char *)bytes, n}, "fuzz", &j, &e) != ST_OK)
        return 0;
    if (cohort_parse(j, &d, &e) == ST_OK)
        use(d);
    if (cohort_parse_rquest(j, 20000, &d, &e) == ST_OK)
        use(d);
    js_free(j);
    return 0;
}
