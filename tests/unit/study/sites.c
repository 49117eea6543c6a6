/* SPDX-License-Identifier: Apache-2.0 */
#include "sites.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "source/source.h"
#include "store/import.h"
#include "synth/rng.h"

static void fine(enum status st, const struct err *e)
{
    if (st != ST_OK)
        fail_msg("%s (%s)", e->text, e->detail);
}

/* key: that of another store, for the same pseudonyms; NULL = its own. */
static struct store *import_with(const char *folder, const char *store, const char *key)
{
    struct err e = {0};
    struct import_options o = {.source_name = "test", .store = store, .key = key, .memory_bytes = 64 << 20};
    struct js *report = NULL;
    struct store *out;
    fine(source_open_csv(folder, &o.source, &e), &e);
    fine(store_import(&o, &report, &e), &e);
    js_free(report);
    o.source->close(o.source);
    fine(store_open(store, &out, &e), &e);
    return out;
}

static struct store *import(const char *folder, const char *store)
{
    return import_with(folder, store, NULL);
}

/* Puts a file's rows behind those of another; the header once. */
static void append(const char *from, const char *to)
{
    struct buf text;
    struct err e = {0};
    bool first = !file_exists(to);
    buf_init(&text, 256 << 20);
    fine(file_read(from, &text, &e), &e);
    const char *rows = first ? text.p : strchr(text.p, '\n') + 1;
    FILE *f = fopen(to, "ab");
    assert_non_null(f);
    fwrite(rows, 1, text.n - (size_t)(rows - text.p), f);
    fclose(f);
    buf_deinit(&text);
}

/* Vocabulary files are the same everywhere: one copy. */
static void pool_files(const char *folder, size_t n, const char *into)
{
    struct err e = {0};
    fine(dir_make(into, &e), &e);
    for (size_t s = 0; s < n; s++) {
        char site[128], from[256], to[256];
        char **names;
        size_t n_names;
        snprintf(site, sizeof site, "%s/site%zu", folder, s);
        fine(dir_list(site, &names, &n_names, &e), &e);
        for (size_t i = 0; i < n_names; i++) {
            snprintf(from, sizeof from, "%s/%s", site, names[i]);
            snprintf(to, sizeof to, "%s/%s", into, names[i]);
            bool shared = strncmp(names[i], "concept", 7) == 0 || strcmp(names[i], "truth.json") == 0;
            if (s == 0 || !shared)
                append(from, to);
        }
        dir_list_free(names, n_names);
    }
}

static struct sites *sites_in_folder(void)
{
    struct sites *s = calloc(1, sizeof *s);
    crypto_init();
    snprintf(s->folder, sizeof s->folder, "/tmp/accord-study-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    return s;
}

static struct store *make_site(const struct sites *s, size_t i, const char *name, uint64_t persons,
                               struct synth_summary *summary)
{
    struct err e = {0};
    char folder[128], store[128];
    snprintf(folder, sizeof folder, "%s/site%zu", s->folder, i);
    snprintf(store, sizeof store, "%s/store%zu", s->folder, i);
    struct synth_options o = {.site = name, .folder = folder, .persons = persons, .seed = 7};
    fine(synth_generate(&o, NULL, summary, &e), &e);
    return import(folder, store);
}

struct sites *sites_of_files(const char *const *files)
{
    struct sites *s = sites_in_folder();
    struct err e = {0};
    char folder[128], path[256];
    snprintf(folder, sizeof folder, "%s/files", s->folder);
    fine(dir_make(folder, &e), &e);
    for (; *files; files += 2) {
        snprintf(path, sizeof path, "%s/%s.csv", folder, files[0]);
        fine(file_replace(path, slice_of(files[1]), 0600, &e), &e);
    }
    snprintf(path, sizeof path, "%s/store", s->folder);
    s->site[0] = import(folder, path);
    return s;
}

struct sites *sites_make_planted(struct synth_summary *planted)
{
    struct sites *s = sites_in_folder();
    s->site[0] = make_site(s, 0, "South East London", PLANTED_PERSONS, planted);
    return s;
}

double planted_value(const struct synth_summary *planted, const char *name)
{
    for (size_t i = 0; i < planted->n_truths; i++)
        if (strcmp(planted->truths[i].name, name) == 0)
            return planted->truths[i].value;
    fail_msg("nothing called %s is planted", name);
    return NAN;
}

static struct sites *make_sites(size_t n, uint64_t persons)
{
    static const char *const names[N_SITES] = {"Kent and Medway", "South East London", "West Yorkshire",
                                               "Greater Manchester", "Cornwall and the Isles of Scilly"};
    struct sites *s = sites_in_folder();
    struct synth_summary summary;
    for (size_t i = 0; i < n; i++)
        s->site[i] = make_site(s, i, names[i], persons, &summary);
    return s;
}

static void make_pooled(struct sites *s, size_t n)
{
    char folder[128], store[128];
    snprintf(folder, sizeof folder, "%s/pooled%zu", s->folder, n);
    snprintf(store, sizeof store, "%s/pooled-store%zu", s->folder, n);
    pool_files(s->folder, n, folder);
    s->pooled[n] = import(folder, store);
}

struct store *sites_import(const struct sites *s, const char *folder)
{
    char from[128], to[128], key[128];
    snprintf(from, sizeof from, "%s/%s", s->folder, folder);
    snprintf(to, sizeof to, "%s/%s-of-one-key", s->folder, folder);
    snprintf(key, sizeof key, "%s/store0.key", s->folder);
    return import_with(from, to, key);
}

struct sites *sites_make(void)
{
    struct sites *s = make_sites(N_SITES, FEW_PERSONS);
    for (size_t n = 2; n <= N_SITES; n += n - 1)
        make_pooled(s, n);
    return s;
}

/* The lines of a file behind its header in an order that has nothing to do with theirs. */
static void shuffle_file(const char *from, const char *to)
{
    struct buf text, out;
    struct err e = {0};
    size_t n = 0, most;
    buf_init(&text, 256 << 20);
    buf_init(&out, 256 << 20);
    fine(file_read(from, &text, &e), &e);
    char **lines = calloc(text.n + 1, sizeof *lines), *rest = text.p;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (*line)
            lines[n++] = line;
    struct rng random = {88172645463325252u};
    for (most = n; most > 2; most--) { /* lines[0] is the header */
        size_t k = 1 + rng_next(&random) % (most - 1);
        char *last = lines[most - 1];
        lines[most - 1] = lines[k];
        lines[k] = last;
    }
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s\n", lines[i]);
    fine(file_replace(to, (struct slice){out.p, out.n}, 0600, &e), &e);
    free(lines);
    buf_deinit(&text);
    buf_deinit(&out);
}

struct sites *sites_make_shuffled(size_t n, uint64_t persons, struct store **shuffled)
{
    struct sites *s = make_sites(n, persons);
    char folder[128], from[512], to[512];
    char **names;
    size_t n_names;
    struct err e = {0};
    make_pooled(s, n);
    snprintf(folder, sizeof folder, "%s/shuffled", s->folder);
    fine(dir_make(folder, &e), &e);
    snprintf(from, sizeof from, "%s/site0", s->folder);
    fine(dir_list(from, &names, &n_names, &e), &e);
    for (size_t i = 0; i < n_names; i++) {
        size_t length = strlen(names[i]);
        snprintf(from, sizeof from, "%s/site0/%s", s->folder, names[i]);
        snprintf(to, sizeof to, "%s/%s", folder, names[i]);
        if (length > 4 && strcmp(names[i] + length - 4, ".csv") == 0)
            shuffle_file(from, to);
    }
    dir_list_free(names, n_names);
    snprintf(to, sizeof to, "%s/shuffled-store", s->folder);
    snprintf(from, sizeof from, "%s/store0.key", s->folder);
    *shuffled = import_with(folder, to, from);
    return s;
}

void sites_free(struct sites *s)
{
    struct err e;
    for (size_t i = 0; i < N_SITES; i++)
        if (s->site[i])
            store_close(s->site[i]);
    for (size_t i = 0; i <= N_SITES; i++)
        if (s->pooled[i])
            store_close(s->pooled[i]);
    fine(dir_remove(s->folder, &e), &e);
    free(s);
}

static bool among(const char *kind, const char *const *kinds)
{
    for (; *kinds; kinds++)
        if (strcmp(kind, *kinds) == 0)
            return true;
    return false;
}

struct study *truth_study(const char *const *kinds, bool only)
{
    struct js *document;
    struct study *study;
    struct err e = {0};
    fine(js_load(SOURCE_DIR "/tests/unit/study/truth_study.json", &document, &e), &e);
    const struct js *all = js_get(document, "analyses");
    struct js *kept = js_array();
    for (size_t i = 0; i < js_size(all); i++)
        if (among(js_get_str(js_at(all, i), "kind"), kinds) == only)
            js_push(kept, js_share(js_at(all, i)));
    js_put(document, "analyses", kept);
    fine(study_parse(document, &study, &e), &e);
    js_free(document);
    return study;
}

static struct sums round_total(const struct study_run *run, struct site *const *sites, size_t n, size_t first)
{
    struct sums total = {0};
    struct err e = {0};
    for (size_t i = 0; i < n; i++) {
        struct sums part;
        fine(study_local(sites[(first + i) % n], study_run_parameters(run), &part, &e), &e);
        if (i == 0) {
            total = part;
            continue;
        }
        fine(sums_add(&total, &part, &e), &e);
        sums_deinit(&part);
    }
    return total;
}

/* The run is saved and read back after every round: a killed lead goes on where it was. */
static struct study_run *reopened(const struct study *study, struct study_run *run)
{
    struct err e = {0};
    struct study_run *again;
    struct js *saved = study_run_save(run);
    study_run_free(run);
    fine(study_run_restore(study, saved, &again, &e), &e);
    js_free(saved);
    return again;
}

struct result *run_over(const struct study *study, struct store *const *stores, size_t n, size_t first)
{
    struct site *sites[N_SITES];
    struct result *result;
    struct err e = {0};
    for (size_t i = 0; i < n; i++)
        fine(study_site_open(study, stores[i], NULL, &sites[i], &e), &e);
    struct study_run *run = study_run_new(study);
    while (!study_run_finished(run)) {
        struct sums total = round_total(run, sites, n, first);
        fine(study_run_advance(run, &total, &e), &e);
        sums_deinit(&total);
        run = reopened(study, run);
    }
    fine(study_run_finish(run, &result, &e), &e);
    fine(result_check(result, &e), &e);
    study_run_free(run);
    for (size_t i = 0; i < n; i++)
        study_site_close(sites[i]);
    return result;
}

struct study *study_of(const char *analysis)
{
    struct js *document, *one;
    struct study *study;
    struct err e;
    assert_int_equal(js_load(SOURCE_DIR "/tests/unit/study/truth_study.json", &document, &e), ST_OK);
    if (js_parse(slice_of(analysis), "analysis", &one, &e) != ST_OK)
        fail_msg("%s", e.text);
    struct js *list = js_array();
    js_push(list, one);
    js_put(document, "analyses", list);
    if (study_parse(document, &study, &e) != ST_OK)
        fail_msg("%s", e.text);
    js_free(document);
    return study;
}
