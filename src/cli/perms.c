/* SPDX-License-Identifier: Apache-2.0
 * `accord perms`: the permission table, the rules and the fields of a verb, as the program applies them. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "govern/fields.h"
#include "govern/verb.h"

static void role_words(uint32_t roles, struct buf *out)
{
    for (int r = 0; r < ROLES; r++)
        if (roles >> r & 1)
            buf_printf(out, "%s%s", out->n ? " " : "", role_name((enum role)r));
}

static enum status print_verbs(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"verb", "roles", "of", "from", "to", "what", NULL};
    static const char *const relations[] = {[OF_ANY] = "any body",
                                            [OF_SELF] = "themselves",
                                            [OF_OWNER] = "the item's body",
                                            [OF_PARTY] = "a party",
                                            [OF_OUTSIDE] = "no party"};
    struct out *o = out_new(a, columns);
    for (const struct verb *v = verbs; v->name; v++) {
        struct buf roles;
        buf_init(&roles, 400);
        role_words(v->roles, &roles);
        out_row(o, v->name, roles.p, relations[v->relation], v->from ? v->from : "(new)",
                v->to ? v->to : "(same)", v->about);
        buf_deinit(&roles);
    }
    return out_end(o, e);
}

static enum status print_rules(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"rule", "says", NULL};
    struct out *o = out_new(a, columns);
    for (int r = 0; r < RULES; r++)
        out_row(o, rule_name((enum rule)r), rule_about((enum rule)r));
    return out_end(o, e);
}

static enum status print_roles(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"role", "training", "interests", "may", NULL};
    struct out *o = out_new(a, columns);
    for (int r = 0; r < ROLES; r++)
        out_row(o, role_name((enum role)r), role_proof((enum role)r),
                role_needs_interests((enum role)r) ? "declared" : "", role_about((enum role)r));
    return out_end(o, e);
}

static enum status print_fields(const struct args *a, const char *name, struct err *e)
{
    static const char *const columns[] = {"field", "type", "needed", "values", NULL};
    const struct verb *v = verb_find(name);
    if (!v)
        return err_set(e, ST_NOT_FOUND, "there is no verb '%.60s'; 'accord perms' lists them", name);
    struct out *o = out_new(a, columns);
    for (const struct field *f = v->fields; f && f->name; f++) {
        out_row(o, f->name, field_type_name(f->type), f->required ? "yes" : "", f->arg);
        for (const struct field *sub = f->sub; sub && sub->name; sub++) {
            char inner[80];
            snprintf(inner, sizeof inner, "%s%s%s", f->name, f->type == F_OBJECT ? "." : "[].", sub->name);
            out_row(o, inner, field_type_name(sub->type), sub->required ? "yes" : "", sub->arg);
        }
    }
    return out_end(o, e);
}

static enum status run_perms(const struct args *a, struct err *e)
{
    if (args_has(a, "rules"))
        return print_rules(a, e);
    if (args_has(a, "roles"))
        return print_roles(a, e);
    return args_has(a, "verb") ? print_fields(a, args_get(a, "verb"), e) : print_verbs(a, e);
}

static const struct option_spec perms_options[] = {
    {"rules", NULL, "the rules that refuse a command, by name"},
    {"roles", NULL, "the roles, and what each one needs"},
    {"verb", "VERB", "the fields of one verb, such as agreement.draft"},
    {0},
};

const struct command perms_commands[] = {
    {NULL, "", "print who may do what, in which states",
     "Every command that the register accepts, with the roles that may give it, for which body the role must "
     "be held, the "
     "states it is possible in and the state that follows. Nothing is decided anywhere else.",
     perms_options, 0, 0, run_perms},
    {0},
};
