/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of roles and rules, and refusing by rule. */
#include <stdio.h>

#include "govern/verb.h"

static const struct {
    const char *name, *proof, *about;
    bool interests;
} roles[] = {
#define X(name, text, proof, interests, about) {text, proof, about, interests},
#include "govern/roles.def"
#undef X
};

static const struct {
    const char *name, *about;
    enum status status;
} rules[] = {
#define X(name, text, status, about) {text, about, ST_##status},
#include "govern/rules.def"
#undef X
};

const char *role_name(enum role r)
{
    return roles[r].name;
}

const char *role_proof(enum role r)
{
    return roles[r].proof;
}

bool role_needs_interests(enum role r)
{
    return roles[r].interests;
}

const char *role_about(enum role r)
{
    return roles[r].about;
}

bool role_find(const char *name, enum role *out)
{
    for (int r = 0; r < ROLES; r++)
        if (strcmp(roles[r].name, name) == 0) {
            *out = (enum role)r;
            return true;
        }
    return false;
}

const char *rule_name(enum rule r)
{
    return rules[r].name;
}

const char *rule_about(enum rule r)
{
    return rules[r].about;
}

enum status refuse(struct err *e, enum rule r, const char *format, ...)
{
    char detail[256] = "";
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(detail, sizeof detail, format, args);
        va_end(args);
    }
    return err_set(e, rules[r].status, "rule %s: %s%s%s", rules[r].name, rules[r].about, *detail ? "; " : "",
                   detail);
}

const struct verb *verb_find(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

bool verb_in_state(const struct verb *v, const char *state)
{
    if (!state)
        return !v->from || word_in(v->from, "new");
    if (!v->from)
        return false;
    return strcmp(v->from, "*") == 0 || word_in(v->from, state);
}
