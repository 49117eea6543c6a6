/* SPDX-License-Identifier: Apache-2.0
 *
 * One table describes the rules: it reads them from YAML and JSON, writes them, and knows which way each is
 * stricter.
 */
#include "disclose/policy.h"

#include <stdio.h>

#include "base/config.h"
#include "base/file.h"

enum sense { HIGHER_STRICTER, LOWER_STRICTER };

struct rule {
    const char *key;
    enum config_type type;
    size_t offset;
    double min, max;
    enum sense stricter;
};

#define AT(member) offsetof(struct policy, member)
static const struct rule rules[] = {
    {"minimum", CONFIG_INT, AT(minimum), 2, 1000000, HIGHER_STRICTER},
    {"minimum_rate", CONFIG_INT, AT(minimum_by_type[OUTPUT_RATE]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_sum", CONFIG_INT, AT(minimum_by_type[OUTPUT_SUM]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_quantile", CONFIG_INT, AT(minimum_by_type[OUTPUT_QUANTILE]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_survival", CONFIG_INT, AT(minimum_by_type[OUTPUT_SURVIVAL]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_regression", CONFIG_INT, AT(minimum_by_type[OUTPUT_REGRESSION]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_test", CONFIG_INT, AT(minimum_by_type[OUTPUT_TEST]), 0, 1000000, HIGHER_STRICTER},
    {"minimum_model", CONFIG_INT, AT(minimum_by_type[OUTPUT_MODEL]), 0, 1000000, HIGHER_STRICTER},
    {"zero_shown", CONFIG_FLAG, AT(zero_shown), 0, 1, LOWER_STRICTER},
    {"base", CONFIG_INT, AT(base), 1, 1000, HIGHER_STRICTER},
    {"top1_share", CONFIG_REAL, AT(top1_share), 0, 1, LOWER_STRICTER},
    {"top2_share", CONFIG_REAL, AT(top2_share), 0, 1, LOWER_STRICTER},
    {"p_ratio", CONFIG_REAL, AT(p_ratio), 0, 10, HIGHER_STRICTER},
    {"sum_protection", CONFIG_REAL, AT(sum_protection), 0, 1, HIGHER_STRICTER},
    {"degrees_of_freedom", CONFIG_INT, AT(degrees_of_freedom), 1, 1000000, HIGHER_STRICTER},
    {"parameter_share", CONFIG_REAL, AT(parameter_share), 0, 1, LOWER_STRICTER},
    {"model_gap", CONFIG_REAL, AT(model_gap), 0, 1, LOWER_STRICTER},
    {"model_attack", CONFIG_REAL, AT(model_attack), 0, 1, LOWER_STRICTER},
};
enum { N_RULES = sizeof rules / sizeof *rules };

/* The p-table; only policies with cell keys have it, and no part of it is stricter by itself. */
static const struct rule noise_rules[] = {
    {"noise_most", CONFIG_INT, AT(noise_most), 1, 30, HIGHER_STRICTER},
    {"noise_variance", CONFIG_REAL, AT(noise_variance), 0, 900, HIGHER_STRICTER},
    {"noise_skip", CONFIG_INT, AT(noise_skip), 0, 29, HIGHER_STRICTER},
};
enum { N_NOISE = sizeof noise_rules / sizeof *noise_rules };

static const char *const roundings[] = {"none",     "nearest", "nearest_even", "midpoint", "controlled",
                                        "cell_key", NULL};

/* Sources of the profiles: UK LLC guidebook and ACRO defaults (sde-10); NHS Digital HES/ECDS method, 2018
   (nhs-hes: 1-7 hidden, others to 5); OpenSAFELY outputs/sdc (opensafely); ONS 10-5 p-table, which hides
   zeros as well (ons-10-5); Genomics England airlock rules (gel-5: under 5 masked). */
#define COMMON                                                                                               \
    .version = 1, .top1_share = 1, .top2_share = 0.9, .p_ratio = 0.1, .sum_protection = 0.1,                 \
    .degrees_of_freedom = 10, .parameter_share = 0.33, .model_gap = 0.1, .model_attack = 0.6
static const struct policy profiles[] = {
    {.name = "sde-10",
     .inherits = "sde-10",
     .minimum = 10,
     .rounding = ROUNDING_NEAREST,
     .base = 5,
     .zero_shown = true,
     COMMON},
    {.name = "nhs-hes",
     .inherits = "nhs-hes",
     .minimum = 8,
     .rounding = ROUNDING_NEAREST,
     .base = 5,
     .zero_shown = true,
     COMMON},
    {.name = "opensafely",
     .inherits = "opensafely",
     .minimum = 8,
     .rounding = ROUNDING_NEAREST,
     .base = 5,
     .zero_shown = true,
     COMMON},
    {.name = "ons-10-5",
     .inherits = "ons-10-5",
     .minimum = 10,
     .rounding = ROUNDING_NEAREST,
     .base = 5,
     .zero_shown = false,
     COMMON},
    {.name = "gel-5",
     .inherits = "gel-5",
     .minimum = 5,
     .rounding = ROUNDING_NONE,
     .base = 1,
     .zero_shown = true,
     COMMON},
};
enum { N_PROFILES = sizeof profiles / sizeof *profiles };

int64_t policy_minimum(const struct policy *p, enum output_type type)
{
    int64_t own = p->minimum_by_type[type];
    return own > p->minimum ? own : p->minimum;
}

struct ptable_rules policy_ptable(const struct policy *p)
{
    return (struct ptable_rules){p->noise_most, p->noise_variance, p->noise_skip, 0};
}

static double value_of(const struct policy *p, const struct rule *r)
{
    const char *at = (const char *)p + r->offset;
    switch (r->type) {
    case CONFIG_INT:
        return (double)*(const int64_t *)(const void *)at;
    case CONFIG_REAL:
        return *(const double *)(const void *)at;
    default:
        return *(const bool *)at;
    }
}

static void set_value(struct policy *p, const struct rule *r, double v)
{
    char *at = (char *)p + r->offset;
    if (r->type == CONFIG_INT)
        *(int64_t *)(void *)at = (int64_t)v;
    else if (r->type == CONFIG_REAL)
        *(double *)(void *)at = v;
    else
        *(bool *)at = v != 0;
}

static bool looser(const struct rule *r, double given, double reference)
{
    return r->stricter == HIGHER_STRICTER ? given < reference : given > reference;
}

static const struct policy *profile_find(const char *name)
{
    for (size_t i = 0; i < N_PROFILES; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

enum status policy_profile(const char *name, struct policy *out, struct err *e)
{
    const struct policy *p = profile_find(name ? name : "sde-10");
    if (!p)
        return err_set(e, ST_NOT_FOUND,
                       "there is no profile '%.40s': sde-10, nhs-hes, opensafely, ons-10-5, gel-5", name);
    *out = *p;
    return ST_OK;
}

/* Counts that a reader of a printed one cannot tell apart. */
static int64_t width_of(const struct policy *p)
{
    switch (p->rounding) {
    case ROUNDING_NONE:
        return 1;
    case ROUNDING_CELL_KEY:
        return 2 * p->noise_most + 1;
    default:
        return p->base;
    }
}

/* A rule that is looser than in the inherited profile, or NULL. */
static const char *loosened(const struct policy *p, const struct policy *profile)
{
    for (size_t i = 0; i < N_RULES; i++)
        if (looser(&rules[i], value_of(p, &rules[i]), value_of(profile, &rules[i])))
            return rules[i].key;
    return width_of(p) < width_of(profile) ? "rounding" : NULL;
}

static enum status check_noise(const struct policy *p, const char *where, struct err *e)
{
    struct ptable *t;
    for (size_t i = 0; p->rounding != ROUNDING_CELL_KEY && i < N_NOISE; i++)
        if (value_of(p, &noise_rules[i]) != 0)
            return err_set(e, ST_INVALID, "%s: '%s' belongs to 'rounding: cell_key'", where,
                           noise_rules[i].key);
    if (p->rounding != ROUNDING_CELL_KEY)
        return ST_OK;
    if (p->noise_most == 0 || !(p->noise_variance > 0))
        return err_set(e, ST_INVALID,
                       "%s: 'rounding: cell_key' needs noise_most and noise_variance, such as 5 and 3",
                       where);
    struct ptable_rules wanted = policy_ptable(p);
    enum status s = ptable_make(&wanted, &t, e);
    ptable_free(t);
    return s == ST_OK ? ST_OK : err_wrap(e, "%s", where);
}

static enum status check(const struct policy *p, const char *where, struct err *e)
{
    const struct policy *profile = profile_find(p->inherits);
    const char *rule = profile ? loosened(p, profile) : NULL;
    enum status s = check_noise(p, where, e);
    if (s != ST_OK)
        return s;
    if (p->rounding == ROUNDING_MIDPOINT && (p->base < 2 || p->base % 2 != 0))
        return err_set(e, ST_INVALID, "%s: midpoint rounding needs an even base, such as 6", where);
    if (p->rounding == ROUNDING_CONTROLLED && p->base < 2)
        return err_set(e, ST_INVALID, "%s: controlled rounding needs a base of 2 or more, such as 5", where);
    if (rule && !*p->approved_by)
        return err_set(e, ST_DENIED,
                       "%s: '%s' is looser than in the profile %s; name who approved that with approved_by",
                       where, rule, profile->name);
    return ST_OK;
}

struct heading {
    const char *name, *inherits, *approved_by;
    int64_t version;
    int rounding;
};

static const struct config_field heading_fields[] = {
    {"name", CONFIG_TEXT, offsetof(struct heading, name), 0, 0, NULL, true},
    {"version", CONFIG_INT, offsetof(struct heading, version), 1, 1000000, NULL, true},
    {"inherits", CONFIG_TEXT, offsetof(struct heading, inherits), 0, 0, NULL, false},
    {"approved_by", CONFIG_TEXT, offsetof(struct heading, approved_by), 0, 0, NULL, false},
    {"rounding", CONFIG_CHOICE, offsetof(struct heading, rounding), 0, 0, roundings, false},
};
enum { N_HEADING = sizeof heading_fields / sizeof *heading_fields };

/* Heading and rules lie in one struct while they are read, so that one table names every key. */
struct file_form {
    struct heading heading;
    struct policy policy;
};

enum { N_FIELDS = N_HEADING + N_RULES + N_NOISE };
static void file_fields(struct config_field fields[N_FIELDS + 1])
{
    memcpy(fields, heading_fields, sizeof heading_fields);
    for (size_t i = 0; i < N_RULES + N_NOISE; i++) {
        const struct rule *r = i < N_RULES ? &rules[i] : &noise_rules[i - N_RULES];
        size_t offset = offsetof(struct file_form, policy) + r->offset;
        fields[N_HEADING + i] = (struct config_field){r->key, r->type, offset, r->min, r->max, NULL, false};
    }
    fields[N_FIELDS] = (struct config_field){0};
}

static enum status take_heading(const struct config *root, const struct heading *h, struct policy *p,
                                struct err *e)
{
    if (strlen(h->name) >= sizeof p->name || !*h->name)
        return config_refuse(root, e, "'name' must have 1 to %zu bytes", sizeof p->name - 1);
    if (profile_find(h->name))
        return config_refuse(root, e, "'%s' is the name of a built-in profile; choose another", h->name);
    if (h->approved_by && strlen(h->approved_by) >= sizeof p->approved_by)
        return config_refuse(root, e, "'approved_by' is longer than %zu bytes", sizeof p->approved_by - 1);
    snprintf(p->name, sizeof p->name, "%s", h->name);
    snprintf(p->approved_by, sizeof p->approved_by, "%s", h->approved_by ? h->approved_by : "");
    p->version = h->version;
    if (h->rounding >= 0)
        p->rounding = h->rounding;
    return ST_OK;
}

static enum status read_policy(const struct config *root, struct policy *out, struct err *e)
{
    struct config_field fields[N_FIELDS + 1];
    struct file_form form = {.heading = {.rounding = -1}};
    file_fields(fields);
    /* The profile first, then what the file changes. */
    form.heading.inherits = config_text(config_get(root, "inherits"));
    enum status s = policy_profile(form.heading.inherits, &form.policy, e);
    if (s != ST_OK)
        return config_refuse(root, e, "'inherits' must be sde-10, nhs-hes, opensafely, ons-10-5 or gel-5");
    s = config_read(root, fields, &form, e);
    if (s == ST_OK)
        s = take_heading(root, &form.heading, &form.policy, e);
    if (s == ST_OK)
        *out = form.policy;
    return s;
}

enum status policy_parse(struct slice yaml, const char *name, struct policy *out, struct err *e)
{
    struct config *root;
    enum status s = config_parse(yaml, name, &root, e);
    if (s != ST_OK)
        return s;
    s = read_policy(root, out, e);
    if (s == ST_OK)
        s = check(out, name, e);
    config_free(root);
    return s;
}

enum status policy_load(const char *path, struct policy *out, struct err *e)
{
    struct buf text;
    const char *slash = strrchr(path, '/');
    if (profile_find(path))
        return policy_profile(path, out, e);
    buf_init(&text, 1 << 20);
    enum status s = file_read(path, &text, e);
    if (s == ST_OK)
        s = policy_parse(buf_slice(&text), slash ? slash + 1 : path, out, e);
    buf_deinit(&text);
    return s;
}

void policy_strictest(const struct policy *a, const struct policy *b, struct policy *out)
{
    struct policy p = *a;
    for (size_t i = 0; i < N_RULES; i++)
        if (looser(&rules[i], value_of(&p, &rules[i]), value_of(b, &rules[i])))
            set_value(&p, &rules[i], value_of(b, &rules[i]));
    /* The way to print counts goes as a whole: where both leave as much open, the first party's. */
    if (width_of(b) > width_of(a) || (width_of(b) == width_of(a) && b->noise_variance > a->noise_variance)) {
        p.rounding = b->rounding;
        p.noise_most = b->noise_most;
        p.noise_variance = b->noise_variance;
        p.noise_skip = b->noise_skip;
    }
    if (p.rounding == ROUNDING_MIDPOINT)
        p.base += p.base % 2;
    if (strcmp(a->name, b->name) != 0)
        snprintf(p.name, sizeof p.name, "%.30s+%.30s", a->name, b->name);
    if (!*p.approved_by)
        memcpy(p.approved_by, b->approved_by, sizeof p.approved_by);
    *out = p;
}

static struct js *value_to_json(const struct policy *p, const struct rule *r)
{
    double v = value_of(p, r);
    return r->type == CONFIG_INT    ? js_integer((int64_t)v)
           : r->type == CONFIG_REAL ? js_real(v)
                                    : js_boolean(v != 0);
}

struct js *policy_to_json(const struct policy *p)
{
    struct js *j = js_object();
    js_put_str(j, "name", p->name);
    js_put_int(j, "version", p->version);
    js_put_str(j, "inherits", p->inherits);
    if (*p->approved_by)
        js_put_str(j, "approved_by", p->approved_by);
    js_put_str(j, "rounding", roundings[p->rounding]);
    for (size_t i = 0; i < N_RULES; i++)
        js_put(j, rules[i].key, value_to_json(p, &rules[i]));
    for (size_t i = 0; p->rounding == ROUNDING_CELL_KEY && i < N_NOISE; i++)
        js_put(j, noise_rules[i].key, value_to_json(p, &noise_rules[i]));
    return j;
}

static enum status rule_from_json(const struct js *j, const struct rule *r, struct policy *p, struct err *e)
{
    const struct js *v = js_get(j, r->key);
    bool right = r->type == CONFIG_FLAG  ? js_is_bool(v)
                 : r->type == CONFIG_INT ? js_is(v, JS_INTEGER)
                                         : js_is_number(v);
    double value = r->type == CONFIG_FLAG ? js_bool(v) : right ? js_num(v) : 0;
    if (!right || value < r->min || value > r->max)
        return err_set(e, ST_INVALID, "policy.%s: expected a value from %.15g to %.15g", r->key, r->min,
                       r->max);
    set_value(p, r, value);
    return ST_OK;
}

static enum status text_from_json(const struct js *j, const char *key, char *out, size_t size, struct err *e)
{
    const char *text;
    enum status s = js_need_str(j, key, "policy", &text, e);
    if (s != ST_OK)
        return s;
    if (strlen(text) >= size)
        return err_set(e, ST_INVALID, "policy.%s: longer than %zu bytes", key, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return ST_OK;
}

enum status policy_from_json(const struct js *j, struct policy *out, struct err *e)
{
    struct policy p = {0};
    const char *rounding;
    enum status s = text_from_json(j, "name", p.name, sizeof p.name, e);
    if (s == ST_OK)
        s = text_from_json(j, "inherits", p.inherits, sizeof p.inherits, e);
    if (s == ST_OK && js_get(j, "approved_by"))
        s = text_from_json(j, "approved_by", p.approved_by, sizeof p.approved_by, e);
    if (s == ST_OK)
        s = js_need_int(j, "version", "policy", 1, 1000000, &p.version, e);
    if (s == ST_OK)
        s = js_need_str(j, "rounding", "policy", &rounding, e);
    for (size_t i = 0; s == ST_OK && i < N_RULES; i++)
        s = rule_from_json(j, &rules[i], &p, e);
    if (s != ST_OK)
        return s;
    if (!profile_find(p.inherits))
        return err_set(e, ST_INVALID, "policy.inherits: there is no profile '%s'", p.inherits);
    while (roundings[p.rounding] && strcmp(roundings[p.rounding], rounding) != 0)
        p.rounding++;
    if (!roundings[p.rounding])
        return err_set(e, ST_INVALID,
                       "policy.rounding: expected none, nearest, nearest_even, midpoint, controlled or "
                       "cell_key");
    for (size_t i = 0; s == ST_OK && i < N_NOISE; i++)
        if (p.rounding == ROUNDING_CELL_KEY || js_get(j, noise_rules[i].key))
            s = rule_from_json(j, &noise_rules[i], &p, e);
    if (s == ST_OK)
        s = check(&p, "policy", e);
    if (s == ST_OK)
        *out = p;
    return s;
}

void policy_hash(const struct policy *p, char hex[2 * HASH_BYTES + 1])
{
    struct js *j = policy_to_json(p);
    struct buf text;
    struct err e;
    buf_init(&text, 1 << 16);
    if (js_canonical(j, &text, &e) != ST_OK) /* cannot happen: every number is within 2^53 */
        buf_clear(&text);
    sha256_hex(buf_slice(&text), hex);
    buf_deinit(&text);
    js_free(j);
}
