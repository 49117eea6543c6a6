/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord cohort`: what does a definition mean, whom does it find on this store? Rows never leave the site:
 * commands print counts for the site's own people; digest prints hashes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cohort/evaluate.h"
#include "cohort/plan.h"
#include "cohort/saved.h"

/* --- shared --- */

struct site {
    const char *path; /* of the store */
    struct store *store;
    struct pool *pool;
};

static enum status site_open(const struct args *a, struct site *out, struct err *e)
{
    *out = (struct site){0};
    enum status s = args_need(a, "store", &out->path, e);
    if (s == ST_OK)
        s = store_open(out->path, &out->store, e);
    if (s == ST_OK)
        out->pool = pool_new(0);
    return s;
}

static void site_close(struct site *s)
{
    pool_free(s->pool);
    if (s->store)
        store_close(s->store);
}

static void count_text(char out[24], uint64_t n)
{
    snprintf(out, 24, "%" PRIu64, n);
}

static void warn_ignored(const struct cohort_definition *d)
{
    const char *path;
    for (size_t i = 0; (path = cohort_ignored_field(d, i)); i++)
        fprintf(stderr, "accord: remark: Circe does not know the field %s; it changes nothing\n", path);
}

static enum status load(const char *path, struct cohort_definition **out, struct err *e)
{
    enum status s = cohort_load(path, out, e);
    if (s == ST_OK)
        warn_ignored(*out);
    return s;
}

/* "saved:NAME" stands for a saved cohort where a file could; NULL for files. */
static const char *saved_name(const char *operand)
{
    static const char prefix[] = "saved:";
    return strncmp(operand, prefix, sizeof prefix - 1) == 0 ? operand + sizeof prefix - 1 : NULL;
}

/* --- check --- */

static enum status check_json(const struct cohort_definition *d, const char *meaning, struct err *e)
{
    struct js *o = js_object(), *ignored = js_array();
    const char *path;
    for (size_t i = 0; (path = cohort_ignored_field(d, i)); i++)
        js_push(ignored, js_string(path));
    js_put(o, "valid", js_boolean(true));
    js_put(o, "ignored", ignored);
    js_put_str(o, "meaning", meaning);
    enum status s = out_json(o, e);
    js_free(o);
    return s;
}

static enum status run_check(const struct args *a, struct err *e)
{
    struct cohort_definition *d;
    struct buf text;
    struct js *faults = js_array();
    enum status s = cohort_load_all(args_operand(a, 0), faults, &d, e);
    if (s != ST_OK)
        out_faults(faults, "the definition", e);
    js_free(faults);
    if (s != ST_OK)
        return s;
    buf_init(&text, (size_t)64 << 20);
    cohort_describe(d, &text);
    if (args_format(a) == OUT_JSON) {
        s = check_json(d, text.p, e);
    } else {
        warn_ignored(d);
        fputs(text.p, stdout);
    }
    buf_deinit(&text);
    cohort_definition_free(d);
    return s;
}

/* --- run --- */

struct stopwatch {
    int64_t wall, cpu;
};

static struct stopwatch stopwatch_start(void)
{
    return (struct stopwatch){time_monotonic_ns(), time_cpu_ns()};
}

static void stopwatch_say(const struct args *a, struct stopwatch w, const struct cohort_rows *r)
{
    if (args_has(a, "quiet"))
        return;
    fprintf(stderr, "%zu rows, %u persons; %.2f ms, CPU %.2f ms\n", r->n, r->n_persons,
            (double)(time_monotonic_ns() - w.wall) / 1e6, (double)(time_cpu_ns() - w.cpu) / 1e6);
}

static enum status print_attrition(const struct args *a, const struct cohort_rows *r, struct err *e)
{
    static const char *const columns[] = {"step", "#persons", "#events", NULL};
    struct out *o = out_new(a, columns);
    char persons[24], events[24];
    for (size_t i = 0; i < r->n_steps; i++) {
        count_text(persons, r->steps[i].persons);
        count_text(events, r->steps[i].events);
        out_row(o, r->steps[i].name, persons, events);
    }
    return out_end(o, e);
}

static void mask_text(uint64_t mask, struct buf *out)
{
    buf_clear(out);
    for (int i = 0; i < 64; i++)
        if (mask >> i & 1)
            buf_printf(out, "%s%d", out->n ? " " : "", i + 1);
    if (!out->n)
        buf_adds(out, "none");
}

static enum status print_combinations(const struct args *a, const struct cohort_definition *d,
                                      const struct site *site, struct err *e)
{
    static const char *const columns[] = {"rules that hold", "#persons", "#events", NULL};
    struct cohort_combination *list;
    struct buf rules;
    char persons[24], events[24];
    size_t n;
    enum status s = cohort_combinations(d, site->store, site->pool, &list, &n, e);
    if (s != ST_OK)
        return s;
    struct out *o = out_new(a, columns);
    buf_init(&rules, 1024);
    for (size_t i = n; i-- > 0;) {
        mask_text(list[i].mask, &rules);
        count_text(persons, list[i].persons);
        count_text(events, list[i].events);
        out_row(o, rules.p, persons, events);
    }
    buf_deinit(&rules);
    free(list);
    return out_end(o, e);
}

static enum status save(const struct args *a, const struct cohort_definition *d,
                        const struct cohort_rows *rows, const struct site *site, struct err *e)
{
    struct saved_cohort saved;
    enum status s = saved_cohort_write(site->path, args_get(a, "save"), site->store, d, rows, &saved, e);
    if (s == ST_OK && !args_has(a, "quiet"))
        fprintf(stderr, "saved in the store as '%s', id %s\n", saved.name, saved.id);
    saved_cohort_deinit(&saved);
    return s;
}

static enum status run_run(const struct args *a, struct err *e)
{
    struct cohort_definition *d = NULL;
    struct cohort_rows rows;
    struct site site;
    enum status s = site_open(a, &site, e);
    if (s == ST_OK)
        s = load(args_operand(a, 0), &d, e);
    struct stopwatch w = stopwatch_start();
    if (s == ST_OK && args_has(a, "combinations") && args_has(a, "save"))
        s = err_set(e, ST_USAGE, "--combinations counts and finds no rows to save; leave out one of the two");
    if (s == ST_OK && args_has(a, "combinations"))
        s = print_combinations(a, d, &site, e);
    else if (s == ST_OK && (s = cohort_evaluate(d, site.store, site.pool, &rows, e)) == ST_OK) {
        stopwatch_say(a, w, &rows);
        s = print_attrition(a, &rows, e);
        if (s == ST_OK && args_has(a, "save"))
            s = save(a, d, &rows, &site, e);
        cohort_rows_deinit(&rows);
    }
    cohort_definition_free(d);
    site_close(&site);
    return s;
}

/* --- saved cohorts --- */

static enum status run_saved(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"name", "#rows", "#persons", "import", "id", NULL};
    struct saved_cohort *list = NULL;
    struct site site;
    size_t n = 0;
    char rows[24], persons[24];
    enum status s = site_open(a, &site, e);
    if (s == ST_OK)
        s = saved_cohort_list(site.path, &list, &n, e);
    struct out *o = s == ST_OK ? out_new(a, columns) : NULL;
    for (size_t i = 0; i < n; i++) {
        count_text(rows, list[i].rows);
        count_text(persons, list[i].persons);
        if (o)
            out_row(o, list[i].name, rows, persons,
                    strcmp(list[i].snapshot, store_snapshot_id(site.store)) == 0 ? "current" : "another",
                    list[i].id);
        saved_cohort_deinit(&list[i]);
    }
    free(list);
    site_close(&site);
    return o ? out_end(o, e) : s;
}

static enum status run_forget(const struct args *a, struct err *e)
{
    const char *path;
    enum status s = args_need(a, "store", &path, e);
    for (int i = 0; s == ST_OK && i < args_count(a); i++)
        s = saved_cohort_remove(path, args_operand(a, i), e);
    return s;
}

/* --- explain --- */

static enum status print_plan(const struct args *a, const struct cohort_plan *p, struct err *e)
{
    static const char *const columns[] = {"step",       "events of",      "#runs",         "#rows (estimate)",
                                          "#rows read", "#bytes decoded", "#events found", NULL};
    struct out *o = out_new(a, columns);
    char runs[24], estimate[24], rows[24], bytes[24], events[24];
    for (size_t i = 0; i < p->n; i++) {
        count_text(runs, p->steps[i].runs);
        count_text(estimate, p->steps[i].estimate);
        count_text(rows, p->steps[i].rows);
        count_text(bytes, p->steps[i].bytes);
        count_text(events, p->steps[i].events);
        out_row(o, p->steps[i].path, p->steps[i].what, runs, estimate, rows, bytes, events);
    }
    return out_end(o, e);
}

static enum status run_explain(const struct args *a, struct err *e)
{
    struct cohort_definition *d = NULL;
    struct cohort_plan plan = {0};
    struct cohort_rows rows;
    struct site site;
    enum status s = site_open(a, &site, e);
    if (s == ST_OK)
        s = load(args_operand(a, 0), &d, e);
    struct stopwatch w = stopwatch_start();
    if (s == ST_OK)
        s = cohort_evaluate_noted(d, site.store, site.pool, &plan, NULL, &rows, e);
    if (s == ST_OK) {
        stopwatch_say(a, w, &rows);
        s = print_plan(a, &plan, e);
        cohort_rows_deinit(&rows);
    }
    plan_deinit(&plan);
    cohort_definition_free(d);
    site_close(&site);
    return s;
}

/* --- diff --- */

struct side {
    struct cohort_definition *d;
    struct cohort_rows rows;
    struct cohort_trace trace;
};

/* A saved cohort has its members only. */
static enum status side_read(struct side *x, const char *name, const struct site *site, struct err *e)
{
    enum status s = saved_cohort_read(site->path, name, site->store, &x->rows, e);
    if (s != ST_OK)
        return s;
    x->trace = (struct cohort_trace){(size_t)store_persons(site->store)->n / 64 + 1, 1, NULL};
    x->trace.persons = xcalloc(1, sizeof *x->trace.persons);
    x->trace.persons[0] = xcalloc(x->trace.n_words, sizeof **x->trace.persons);
    for (size_t i = 0; i < x->rows.n; i++)
        x->trace.persons[0][x->rows.person[i] >> 6] |= (uint64_t)1 << (x->rows.person[i] & 63);
    return ST_OK;
}

static enum status side_open(struct side *x, const char *path, const struct site *site, struct err *e)
{
    const char *name = saved_name(path);
    if (name)
        return side_read(x, name, site, e);
    enum status s = load(path, &x->d, e);
    return s == ST_OK ? cohort_evaluate_noted(x->d, site->store, site->pool, NULL, &x->trace, &x->rows, e)
                      : s;
}

static void side_close(struct side *x)
{
    cohort_rows_deinit(&x->rows);
    cohort_trace_deinit(&x->trace);
    cohort_definition_free(x->d);
}

static const uint64_t *members(const struct side *x)
{
    return x->trace.persons[x->trace.n_steps - 1];
}

/* Members of `in` that `out` lost at its step i: there before, gone after. */
static uint64_t lost_at(const struct side *in, const struct side *out, size_t i)
{
    uint64_t n = 0;
    for (size_t w = 0; w < in->trace.n_words; w++) {
        uint64_t before = i ? out->trace.persons[i - 1][w] : ~(uint64_t)0;
        n += (uint64_t)__builtin_popcountll(members(in)[w] & before & ~out->trace.persons[i][w]);
    }
    return n;
}

static void print_lost(struct out *o, const char *who, const struct side *in, const struct side *out)
{
    char persons[24];
    for (size_t i = 0; i < out->trace.n_steps; i++) {
        count_text(persons, lost_at(in, out, i));
        if (strcmp(persons, "0") != 0)
            out_row(o, who, out->rows.steps[i].name, persons);
    }
}

static enum status print_diff(const struct args *a, const struct side *x, const struct side *y, struct err *e)
{
    static const char *const columns[] = {"persons", "lost at", "#count", NULL};
    struct out *o = out_new(a, columns);
    uint64_t both = 0;
    char text[24];
    for (size_t w = 0; w < x->trace.n_words; w++)
        both += (uint64_t)__builtin_popcountll(members(x)[w] & members(y)[w]);
    count_text(text, both);
    out_row(o, "in both", "", text);
    count_text(text, x->rows.n_persons - both);
    out_row(o, "only in the first", "", text);
    print_lost(o, "  of these, the second loses", x, y);
    count_text(text, y->rows.n_persons - both);
    out_row(o, "only in the second", "", text);
    print_lost(o, "  of these, the first loses", y, x);
    return out_end(o, e);
}

static enum status run_diff(const struct args *a, struct err *e)
{
    struct side x = {0}, y = {0};
    struct site site;
    enum status s = site_open(a, &site, e);
    if (s == ST_OK)
        s = side_open(&x, args_operand(a, 0), &site, e);
    if (s == ST_OK)
        s = side_open(&y, args_operand(a, 1), &site, e);
    if (s == ST_OK)
        s = print_diff(a, &x, &y, e);
    side_close(&x);
    side_close(&y);
    site_close(&site);
    return s;
}

/* --- digest --- */

struct line {
    char text[48];
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void digest_rows(const struct cohort_rows *r, const int64_t *ids, char hex[2 * HASH_BYTES + 1])
{
    struct line *lines = xcalloc(r->n, sizeof *lines);
    struct sha256 *h = sha256_new();
    uint8_t hash[HASH_BYTES];
    for (size_t i = 0; i < r->n; i++) {
        char start[11], end[11];
        date_format(r->start[i], start);
        date_format(r->end[i], end);
        snprintf(lines[i].text, sizeof lines[i].text, "%" PRId64 ",%s,%s\n", ids[r->person[i]], start, end);
    }
    qsort(lines, r->n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < r->n; i++)
        sha256_add(h, lines[i].text, strlen(lines[i].text));
    sha256_end(h, hash);
    hex_encode(hash, sizeof hash, hex);
    free(lines);
}

static char *cohort_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(slash ? slash + 1 : path);
    size_t n = strlen(name);
    if (n > 5 && strcmp(name + n - 5, ".json") == 0)
        name[n - 5] = '\0';
    return name;
}

static enum status rows_of(const char *operand, const struct site *site, struct cohort_rows *out,
                           struct err *e)
{
    const char *name = saved_name(operand);
    struct cohort_definition *d = NULL;
    if (name)
        return saved_cohort_read(site->path, name, site->store, out, e);
    enum status s = cohort_load(operand, &d, e);
    if (s == ST_OK)
        s = cohort_evaluate(d, site->store, site->pool, out, e);
    cohort_definition_free(d);
    return s;
}

static enum status digest_one(const char *path, const struct site *site, const int64_t *ids, struct err *e)
{
    struct cohort_rows rows;
    char hex[2 * HASH_BYTES + 1];
    enum status s = rows_of(path, site, &rows, e);
    if (s != ST_OK)
        return s;
    char *name = cohort_name(path);
    digest_rows(&rows, ids, hex);
    printf("%s\t%zu\t%u\t%s\n", name, rows.n, rows.n_persons, hex);
    free(name);
    cohort_rows_deinit(&rows);
    return out_flush(e);
}

/* A cohort that fails is reported and the others still printed. */
static enum status digest_all(const struct args *a, const struct site *site, const int64_t *ids,
                              struct err *e)
{
    enum status first = ST_OK;
    int failed = 0;
    for (int i = 0; i < args_count(a); i++) {
        struct err one = {0};
        if (interrupted())
            return interrupted_err(e);
        enum status s = digest_one(args_operand(a, i), site, ids, &one);
        if (s == ST_OK)
            continue;
        fprintf(stderr, "accord: %s: %s\n", args_operand(a, i), one.text);
        failed++;
        first = first == ST_OK ? s : first;
    }
    return failed ? err_set(e, first, "%d of %d cohorts could not be evaluated", failed, args_count(a))
                  : ST_OK;
}

static enum status run_digest(const struct args *a, struct err *e)
{
    int64_t *ids = NULL;
    struct site site;
    enum status s = site_open(a, &site, e);
    if (s == ST_OK) {
        char *beside = xasprintf("%s.key", args_get(a, "store"));
        s = store_source_ids(site.store, args_get_or(a, "key", beside), &ids, e);
        free(beside);
    }
    interrupt_watch();
    if (s == ST_OK)
        s = digest_all(a, &site, ids, e);
    free(ids);
    site_close(&site);
    return s;
}

/* --- format --- */

static enum status print_circe(const struct cohort_definition *d, struct err *e)
{
    struct js *o;
    enum status s = cohort_to_circe(d, &o, e);
    if (s == ST_OK)
        s = out_json(o, e);
    js_free(o);
    return s;
}

static enum status print_text(const struct cohort_definition *d, struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)64 << 20);
    cohort_format_text(d, &text);
    enum status s = buf_check(&text, "the text form", e);
    if (s == ST_OK)
        fputs(text.p, stdout);
    buf_deinit(&text);
    return s;
}

static enum status run_format(const struct args *a, struct err *e)
{
    struct cohort_definition *d;
    const char *as;
    enum status s = args_need(a, "as", &as, e);
    if (s != ST_OK)
        return s;
    if (strcmp(as, "text") != 0 && strcmp(as, "circe") != 0)
        return err_set(e, ST_USAGE, "--as %.40s: expected text or circe", as);
    s = load(args_operand(a, 0), &d, e);
    if (s != ST_OK)
        return s;
    s = strcmp(as, "text") == 0 ? print_text(d, e) : print_circe(d, e);
    cohort_definition_free(d);
    return s;
}

/* --- the table --- */

#define STORE_OPTION                                                                                         \
    {                                                                                                        \
        "store", "STORE", "the site's store"                                                                 \
    }

static const struct option_spec run_options[] = {
    STORE_OPTION,
    {"combinations", NULL, "count by combination of inclusion rules instead of rule after rule"},
    {"save", "NAME", "keep the rows in the site's store under a name (see 'cohort saved')"},
    {0},
};
static const struct option_spec store_options[] = {STORE_OPTION, {0}};
static const struct option_spec digest_options[] = {
    STORE_OPTION,
    {"key", "FILE", "the site's key (default: beside the store, STORE.key)"},
    {0},
};
static const struct option_spec format_options[] = {
    {"as", "FORM", "text (docs/cohort-language.md) or circe"},
    {0},
};

static const char notations[] =
    "FILE is an OHDSI Circe cohort definition (the JSON of ATLAS and the PhenotypeLibrary), an HDR UK "
    "Cohort\n"
    "Discovery query, or the text form (docs/cohort-language.md); the content tells which.";

static const char compared[] =
    "FILE as for 'accord cohort run', or saved:NAME for a cohort that 'cohort run --save NAME' kept. For "
    "the\n"
    "persons of each that the other does not find it says at which step the other loses them.";

static const char explained[] =
    "FILE as for 'accord cohort run'. Steps are in the order in which they ran; a criterion that is not "
    "there was\n"
    "not needed. Runs are the concepts of it that the store has rows of. The estimate of rows is made before "
    "a\n"
    "step, from the store's statistics and the persons that are left; rows read are those that were then "
    "looked at,\n"
    "some twice; events found are those of persons that are left, with the attributes asked for.";

const struct command cohort_commands[] = {
    {"check", "FILE", "is the definition valid, and what does it mean in plain English", notations, NULL, 1,
     1, run_check},
    {"run", "FILE", "evaluate it on a store: how many are left after each step", notations, run_options, 1, 1,
     run_run},
    {"saved", "", "the cohorts that are saved in a store: how many rows and persons, of which import",
     "'cohort run --save NAME' saves one: its rows go into the store's folder, for its owner only, and "
     "nowhere else.\n"
     "'cohort diff' and 'cohort digest' take saved:NAME in place of a file. A cohort that was saved from "
     "another import\n"
     "than the store holds now is refused there: run and save it again.",
     store_options, 0, 0, run_saved},
    {"forget", "NAME...", "remove saved cohorts from a store", NULL, store_options, 1, -1, run_forget},
    {"explain", "FILE", "evaluate it and show what was read: runs, rows, bytes, events found", explained,
     store_options, 1, 1, run_explain},
    {"diff", "FILE FILE", "how many persons two definitions differ in, and at which rule", compared,
     store_options, 2, 2, run_diff},
    {"digest", "FILE...", "per cohort, tab-separated: name, rows, persons, SHA-256 of the sorted rows",
     "The hash is over the bytewise sorted lines \"person_id,start,end\" with the source's person ids and "
     "ISO dates,\n"
     "for comparing engines without showing rows. A cohort that fails is reported on stderr and in the exit "
     "code;\n"
     "the others are still printed.",
     digest_options, 1, -1, run_digest},
    {"format", "FILE", "the same definition as text or as Circe JSON", notations, format_options, 1, 1,
     run_format},
    {0},
};
