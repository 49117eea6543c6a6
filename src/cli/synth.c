/* SPDX-License-Identifier: Apache-2.0
 * `accord synth`: a synthetic population as a folder of OMOP CSV files. */
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "cli/command.h"
#include "synth/synth.h"

static const struct {
    const char *name;
    enum synth_profile profile;
    int64_t persons; /* when not given */
} profiles[] = {
    {"uk", SYNTH_UK, 50000},
    {"bench-1m", SYNTH_BENCH_1M, 1000000},
    {"bench-dense", SYNTH_BENCH_DENSE, 100000},
};
enum { N_PROFILES = sizeof profiles / sizeof profiles[0] };

static enum status find_profile(const char *wanted, size_t *at, struct err *e)
{
    const char *names[N_PROFILES];
    for (*at = 0; *at < N_PROFILES; (*at)++) {
        names[*at] = profiles[*at].name;
        if (strcmp(names[*at], wanted) == 0)
            return ST_OK;
    }
    const char *near = text_nearest(wanted, names, N_PROFILES);
    return err_set(e, ST_USAGE,
                   "there is no profile '%.40s'%s%s%s; the profiles are uk, bench-1m and bench-dense", wanted,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum status read_options(const struct args *a, struct synth_options *o, struct err *e)
{
    int64_t persons = 0, seed = 0;
    size_t at = 0;
    *o = (struct synth_options){.site = args_get_or(a, "site", synth_site_name(0))};
    enum status s = find_profile(args_get_or(a, "profile", "uk"), &at, e);
    if (s == ST_OK)
        s = args_need(a, "out", &o->folder, e);
    if (s == ST_OK)
        s = args_int(a, "persons", 1, SYNTH_MOST_PERSONS, profiles[at].persons, &persons, e);
    if (s == ST_OK)
        s = args_int(a, "seed", 0, INT64_MAX, 1, &seed, e);
    if (s != ST_OK)
        return s;
    const char *zip = args_get_or(a, "compress", "none");
    if (!zip_find(zip, &o->zip))
        return err_set(e, ST_USAGE, "--compress takes none, gzip or zstd, not '%.40s'", zip);
    o->profile = profiles[at].profile;
    o->persons = (uint64_t)persons;
    o->seed = (uint64_t)seed;
    return ST_OK;
}

static void say_what_was_made(const struct synth_options *o, const struct synth_summary *made,
                              int64_t started_ns)
{
    uint64_t rows = 0;
    for (int t = 0; t < made->n_tables; t++)
        rows += made->rows[t];
    double seconds = (double)(time_monotonic_ns() - started_ns) / 1e9;
    fprintf(stderr,
            "%s: %llu persons, %llu rows, %.1f MB of OMOP CDM 5.4 CSV in %.1f s (%.2f million rows/s)\n",
            o->site, (unsigned long long)o->persons, (unsigned long long)rows, (double)made->bytes / 1e6,
            seconds, (double)rows / 1e6 / (seconds > 0 ? seconds : 1));
    for (size_t i = 0; synth_site_name(i); i++)
        if (strcmp(o->site, synth_site_name(i)) == 0)
            return;
    fprintf(stderr, "%s has no mix of its own; England's was taken\n", o->site);
}

static enum status print_rows(const struct args *a, const struct synth_summary *made, struct err *e)
{
    static const char *const columns[] = {"table", "#rows", NULL};
    struct out *out = out_new(a, columns);
    for (int t = 0; t < made->n_tables; t++) {
        char rows[24];
        snprintf(rows, sizeof rows, "%llu", (unsigned long long)made->rows[t]);
        out_row(out, synth_table_names[t], rows);
    }
    return out_end(out, e);
}

static enum status print_truths(const struct args *a, const struct synth_summary *made, struct err *e)
{
    static const char *const columns[] = {"truth", "#value", "what", NULL};
    struct out *out = out_new(a, columns);
    for (size_t i = 0; i < made->n_truths; i++) {
        char value[32];
        snprintf(value, sizeof value, "%.6g", made->truths[i].value);
        out_row(out, made->truths[i].name, value, made->truths[i].brief);
    }
    return out_end(out, e);
}

static enum status run_synth(const struct args *a, struct err *e)
{
    struct synth_options o;
    struct synth_summary made;
    enum status s = read_options(a, &o, e);
    if (s != ST_OK)
        return s;
    int64_t started_ns = time_monotonic_ns();
    struct pool *pool = pool_new(0);
    s = synth_generate(&o, pool, &made, e);
    pool_free(pool);
    if (s != ST_OK)
        return s;
    if (!args_has(a, "quiet"))
        say_what_was_made(&o, &made, started_ns);
    return o.profile == SYNTH_UK ? print_truths(a, &made, e) : print_rows(a, &made, e);
}

static const struct option_spec synth_options[] = {
    {"out", "DIR", "the folder to make; it must not exist or be empty"},
    {"persons", "N",
     "how many persons (1 to 100000000; default 50000, for bench-1m 1000000, for bench-dense 100000)"},
    {"seed", "S", "the seed of all randomness (default 1); the same options give the same bytes everywhere"},
    {"site", "NAME", "whose mix of age, ethnicity and deprivation (default England)"},
    {"profile", "PROFILE", "uk (default), bench-1m or bench-dense"},
    {"compress", "KIND", "none (default), gzip or zstd: the large files as .csv.gz or .csv.zst"},
    {0},
};

const struct command synth_commands[] = {
    {NULL, "", "make a synthetic population as OMOP CDM 5.4 CSV files",
     "Makes persons who do not exist, with the age, ethnicity and deprivation of an English place, illness "
     "with\n"
     "gradients by age, sex, deprivation and ethnicity, and effects of known size planted in it. What was "
     "planted is\n"
     "printed and written to truth.json in the folder; docs/synthetic-data.md explains each. Sites with a "
     "mix of\n"
     "their own: England, Kent and Medway, South East London, West Yorkshire, Greater Manchester, Birmingham "
     "and\n"
     "Solihull, Cornwall and the Isles of Scilly; any other name takes England's. Row ids of two sites "
     "never\n"
     "overlap, so their files can be pooled. The bench profiles make 113 or 1,000 events a person over "
     "26,525\n"
     "concepts, for measuring speed.",
     synth_options, 0, 0, run_synth},
    {0},
};
