/* SPDX-License-Identifier: Apache-2.0
 * Raw results and policies of foreign bytes (a policy, a zero byte, a result; or one text that is tried as
 * both) through the whole gate. What comes out, if anything does, must pass the second look: no crash, and no
 * fail-open. What the attacker makes of whole tables is fuzz_gate's question. */
#include <stdlib.h>
#include <string.h>

#include "disclose/release.h"

static void release(const struct js *j, const struct policy *policy)
{
    struct result *result = NULL;
    struct released *released = NULL;
    struct err e = {0};
    if (result_from_json(j, &result, &e) != ST_OK)
        return;
    uint64_t cells = 0;
    for (uint32_t i = 0; i < result->n_tables; i++)
        cells += result->tables[i].n_cells;
    if (cells <= 400 && disclose_release(result, policy, NULL, &released, &e) == ST_OK &&
        released_verify(released, &e) != ST_OK)
        abort();
    released_free(released);
    result_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct js *j = NULL;
    struct policy policy;
    struct err e = {0};
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : size;
    struct slice rules = {(const char *)data, n};
    struct slice text = end ? (struct slice){(const char *)end + 1, size - n - 1} : rules;
    bool own = policy_parse(rules, "policy", &policy, &e) == ST_OK;
    if (own && policy.minimum < 2)
        abort();
    if (!own && policy_profile(size % 2 ? "sde-10" : "gel-5", &policy, &e) != ST_OK)
        abort();
    if (js_parse(text, "result", &j, &e) == ST_OK)
        release(j, &policy);
    js_free(j);
    return 0;
}
