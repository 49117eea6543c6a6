/* SPDX-License-Identifier: Apache-2.0
 * `accord disclose policy`: the rules that a policy file or a profile comes to. */
#include "cli/disclose_policy.h"

#include <stdio.h>

#include "base/mem.h"
#include "disclose/policy.h"

const char disclose_policy_about[] =
    "Every rule with its value, what the file inherits included, and the hash that agreements, requests and\n"
    "disclosure records name. With --format json in the form that 'accord agreement draft --policy' takes.";

/* What a person who chooses noise by cell key has to know before the first run. */
static const char keyless[] =
    "cell_key: counts, cross-tabulations, histograms and pathways print with noise. Counts of which no\n"
    "analysis says who is in them have no key and are hidden: numbers at risk beside curves, persons by\n"
    "preference score, the people of a risk model. Rates are made of counts rounded to the base.\n";

static enum status print_rules(const struct args *args, const struct js *rules, struct err *e)
{
    static const char *const columns[] = {"rule", "value", NULL};
    struct out *o = out_new(args, columns);
    struct buf value;
    buf_init(&value, 4096);
    for (void *it = js_first(rules); it; it = js_next(rules, it)) {
        const char *text = js_str(js_value(it));
        buf_clear(&value);
        if (!text)
            js_format(js_value(it), JS_COMPACT, &value);
        out_row(o, js_key(it), text ? text : value.p);
    }
    buf_deinit(&value);
    return out_end(o, e);
}

enum status run_disclose_policy(const struct args *a, struct err *e)
{
    struct policy policy;
    char hash[2 * HASH_BYTES + 1];
    enum status s = policy_load(args_count(a) ? args_operand(a, 0) : "sde-10", &policy, e);
    if (s != ST_OK)
        return s;
    struct js *rules = policy_to_json(&policy);
    policy_hash(&policy, hash);
    s = args_format(a) == OUT_JSON ? out_json(rules, e) : print_rules(a, rules, e);
    if (s == ST_OK)
        fprintf(stderr, "hash %s\n", hash);
    if (s == ST_OK && policy.rounding == ROUNDING_CELL_KEY)
        fputs(keyless, stderr);
    js_free(rules);
    return s;
}
