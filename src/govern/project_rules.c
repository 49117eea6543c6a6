/* SPDX-License-Identifier: Apache-2.0
 *
 * What a project must hold before it is submitted, and what is worked out from it. */
#include <math.h>
#include <stdio.h>

#include "base/date.h"
#include "govern/items.h"
#include "govern/project.h"
#include "govern/reading.h"

#define NHS_KINDS "icb|trust|place|pcn|sde"

const char *substitution_name(enum substitution s)
{
    static const char *const names[] = {[SUBSTITUTION_NONE] = "none",
                                        [SUBSTITUTIVE] = "substitutive",
                                        [SUBSTITUTION_PART] = "part",
                                        [ADDITIVE] = "additive"};
    return names[s];
}

struct substitution_case substitution_of(const struct js *project, int32_t day)
{
    struct substitution_case k = {.new_pence = js_get_int(project, "cost_per_year", 0)};
    const struct js *lines = js_get(project, "substitutes");
    for (size_t i = 0; i < js_size(lines); i++) {
        const struct js *line = js_at(lines, i);
        int64_t pence = js_bool(js_get(line, "cash_releasing")) ? js_get_int(line, "cost_per_year", 0) : 0;
        int32_t until = doc_day(line, "double_running_until");
        k.claimed_pence += pence;
        if (js_get(line, "confirmed"))
            k.confirmed_pence += pence;
        if (until != DATE_NONE && until < day && !js_bool(js_get(line, "stopped")))
            k.overrun++;
    }
    if (!js_size(lines) && !k.new_pence)
        k.class = SUBSTITUTION_NONE;
    else
        k.class = k.claimed_pence >= k.new_pence && js_size(lines) ? SUBSTITUTIVE
                  : k.claimed_pence > 0                            ? SUBSTITUTION_PART
                                                                   : ADDITIVE;
    return k;
}

int64_t contribution_of(const struct js *party)
{
    const struct js *list = js_get(party, "contributions");
    int64_t pence = 0;
    for (size_t i = 0; i < js_size(list); i++)
        pence += js_get_int(js_at(list, i), "value", 0);
    return pence;
}

double contribution_balance(const struct js *project)
{
    const struct js *parties = js_get(project, "parties");
    double total = 0, entropy = 0;
    size_t n = js_size(parties);
    for (size_t i = 0; i < n; i++)
        total += (double)contribution_of(js_at(parties, i));
    if (n < 2 || total <= 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        double share = (double)contribution_of(js_at(parties, i)) / total;
        if (share > 0)
            entropy -= share * log(share);
    }
    return entropy / log((double)n);
}

const char *const *project_perspectives(const struct js *project)
{
    static const char *const light[] = {"patient", "ig", NULL};
    const char *data = js_get_str(project, "data");
    bool short_lane = js_get(project, "emergency") || (data && word_in("open|aggregate", data));
    return short_lane ? light : project_all_perspectives();
}

const char *const *project_all_perspectives(void)
{
    static const char *const full[] = {"patient", "clinical", "research", "finance", "commercial", NULL};
    return full;
}

bool project_lane_closed(const struct js *project, int32_t day)
{
    int32_t until = doc_day(js_get(project, "emergency"), "until");
    return until != DATE_NONE && until < day;
}

static void fault(struct js *faults, struct err *first, enum rule rule, const char *detail)
{
    struct err e = {0};
    (void)!refuse(&e, rule, detail ? "%s" : NULL, detail);
    if (js_size(faults) == 0 && first)
        *first = e;
    js_push(faults, js_string(e.text));
}

static bool all_texts(const struct js *object, const char *const *keys)
{
    for (; *keys; keys++)
        if (!js_get_str(object, *keys))
            return false;
    return true;
}

static void check_benefits(const struct js *p, struct js *faults, struct err *first)
{
    static const char *const three[] = {"patients", "nhs", "partner", NULL};
    const struct js *benefits = js_get(p, "benefits");
    if (!all_texts(benefits, three))
        fault(faults, first, RULE_TRIPLE_BENEFIT, NULL);
    if (!js_get_str(benefits, "uk"))
        fault(faults, first, RULE_UK_BENEFIT, NULL);
}

static enum status check_parties(struct db *d, const struct js *p, struct js *faults, struct err *first,
                                 struct err *e)
{
    const struct js *parties = js_get(p, "parties");
    int64_t total = 0;
    bool nhs = false, whole = true, roles = true;
    for (size_t i = 0; i < js_size(parties); i++)
        total += contribution_of(js_at(parties, i));
    for (size_t i = 0; i < js_size(parties); i++) {
        const struct js *party = js_at(parties, i);
        struct item body = {0};
        bool found = false;
        enum status s = item_find(d, "body", js_get_str(party, "body"), &body, &found, e);
        if (s != ST_OK)
            return s;
        const char *kind = js_get_str(body.doc, "kind");
        int64_t share = contribution_of(party);
        nhs |= kind && word_in(NHS_KINDS, kind);
        whole &= share > 0 && (share * 10 >= total || js_get_str(party, "note"));
        roles &= js_get_str(party, "role") != NULL;
        item_deinit(&body);
    }
    if (!nhs)
        fault(faults, first, RULE_NHS_PARTY, NULL);
    if (!whole || js_size(parties) == 0)
        fault(faults, first, RULE_CONTRIBUTIONS, NULL);
    if (!roles)
        fault(faults, first, RULE_ROLES_COMPLETE, NULL);
    return ST_OK;
}

static void check_substitution(const struct js *p, struct js *faults, struct err *first)
{
    struct substitution_case k = substitution_of(p, DATE_MIN);
    if (k.class == SUBSTITUTION_NONE && !js_get(p, "cost_per_year"))
        fault(faults, first, RULE_SUBSTITUTION, "give 'cost_per_year' and 'substitutes'");
    if (k.class == ADDITIVE && !js_get(p, "funder"))
        fault(faults, first, RULE_ADDITIVE, "give 'funder'");
}

/* Purposes that the European Health Data Space prohibits, where a project names its purpose in these codes.
 */
static enum status check_purposes(struct db *d, const struct js *p, struct js *faults, struct err *first,
                                  struct err *e)
{
    const struct js *codes = js_get(p, "codes");
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < js_size(codes); i++) {
        const char *code = js_get_str(js_at(codes, i), "code");
        int64_t n = 0;
        if (!doc_is(js_at(codes, i), "scheme", "ehds-purposes"))
            continue;
        s = db_number(d,
                      "SELECT count(*) FROM vocabulary WHERE scheme='ehds-purposes' AND code=?1 AND "
                      "parent='prohibited'",
                      PARAMS(code), 0, &n, e);
        if (s == ST_OK && n)
            fault(faults, first, RULE_PURPOSE, code);
    }
    return s;
}

/* LSOA codes are those of the Office for National Statistics: E01, and W01 in Wales. */
static void check_areas(const struct js *p, struct js *faults, struct err *first)
{
    const struct js *areas = js_get(p, "areas");
    for (size_t i = 0; i < js_size(areas); i++) {
        const char *code = js_str(js_at(areas, i));
        if (strlen(code) != 9 || !word_in("E01|W01", (char[4]){code[0], code[1], code[2]}) ||
            strspn(code + 3, "0123456789") != 6)
            fault(faults, first, RULE_AREA, code);
    }
}

static void check_conduct(const struct js *p, struct js *faults, struct err *first)
{
    const struct js *red = js_get(p, "red_questions");
    const char *kind = js_get_str(p, "kind"), *access = js_get_str(p, "access"),
               *uses = js_get_str(p, "purpose_kind");
    if (access && strcmp(access, "out") == 0)
        fault(faults, first, RULE_ACCESS_OUT, NULL);
    if (uses && word_in("marketing|insurance|advertising|harm", uses))
        fault(faults, first, RULE_PURPOSE, uses);
    if (kind && word_in("collaborative|joint", kind)) {
        bool yes = js_size(red) > 0;
        for (void *it = js_first(red); it; it = js_next(red, it))
            yes &= js_bool(js_value(it));
        if (!yes)
            fault(faults, first, RULE_RED_QUESTIONS, NULL);
    }
    if (js_bool(js_get(p, "machine_learning")) && !js_get_str(p, "model_plan"))
        fault(faults, first, RULE_ML_PLAN, NULL);
}

enum status project_faults(struct db *d, const struct js *project, struct js *faults, struct err *first)
{
    struct err e = {0};
    check_benefits(project, faults, first);
    enum status s = check_parties(d, project, faults, first, &e);
    check_substitution(project, faults, first);
    check_conduct(project, faults, first);
    check_areas(project, faults, first);
    if (s == ST_OK)
        s = check_purposes(d, project, faults, first, &e);
    if (s != ST_OK && first)
        *first = e;
    return s;
}

void project_advice(const struct js *project, struct js *advice)
{
    char text[160];
    double age = js_get_str(project, "lay") ? reading_age(js_get_str(project, "lay")) : 0;
    if (!js_get(project, "lay"))
        js_push(advice, js_string("there is no summary for everybody ('lay')"));
    if (age > READING_AGE_MOST) {
        snprintf(text, sizeof text,
                 "the summary for everybody asks for a reader of %.0f; write for %d or younger", age,
                 READING_AGE_MOST);
        js_push(advice, js_string(text));
    }
    if (!js_get(project, "population"))
        js_push(advice, js_string("it does not say which people it is for ('population')"));
    if (!js_get(project, "groups") && !js_get(project, "areas"))
        js_push(advice, js_string("it names no group of people and no small area ('groups': codes such as "
                                  "core20plus5:core20 or plus-group:homeless; 'areas': LSOA codes)"));
}
