/* SPDX-License-Identifier: Apache-2.0
 * Foreign bytes as the text form of a cohort: what is read is written in a form that reads the same. */
#include <stdlib.h>
#include <string.h>

#include "cohort/cohort.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct err e = {0};
    struct cohort_definition *d, *again;
    struct buf first, second;
    if (cohort_parse_text((struct slice){(const char *)bytes, n}, "fuzz", &d, &e) != ST_OK)
        return 0;
    buf_init(&first, (size_t)64 << 20);
    buf_init(&second, (size_t)64 << 20);
    cohort_format_text(d, &first);
    if (cohort_parse_text(buf_slice(&first), "again", &again, &e) != ST_OK)
        abort();
    cohort_format_text(again, &second);
    if (strcmp(first.p, second.p) != 0)
        abort();
    buf_deinit(&first);
    buf_deinit(&second);
    cohort_definition_free(d);
    cohort_definition_free(again);
    return 0;
}
