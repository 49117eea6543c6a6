/* SPDX-License-Identifier: Apache-2.0
 *
 * The register at scale: fills the register of a hub's folder, writes what accord_bench_load is to ask for,
 * and measures in one process what needs no server: opening, appends, a full replay. One line of JSON per
 * figure.
 *
 *   accord_bench_register fill DIR BODIES PEOPLE PROJECTS DATASETS ENTRIES
 *   accord_bench_register pages DIR | commands DIR N | measure DIR
 *
 * DIR holds hub.key, steward.key and register.db, founded, with the vocabularies and ICBs of vocab/ loaded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/register.h"

enum { BATCH = 5000, ICBS = 36, PARTNERS = 264, LEADS = ICBS + PARTNERS, NEEDS = 20, OFFERS = 4 };
enum { PAGES_PER_KIND = 200 };

struct bench {
    struct registry *r;
    struct identity *hub, *steward, *lead[LEADS];
    char body[LEADS][24]; /* that lead i leads: ICBs first */
    int64_t in_batch;
};

static void must(enum status s, const struct err *e)
{
    if (s == ST_OK)
        return;
    fprintf(stderr, "bench: %s (%s)\n", e->text, e->detail);
    exit(1);
}

static void figure(const char *name, double value, const char *unit)
{
    printf("{\"figure\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"}\n", name, value, unit);
    fflush(stdout);
}

static double seconds_since(int64_t ns)
{
    return (double)(time_monotonic_ns() - ns) / 1e9;
}

static void flush(struct bench *b)
{
    struct err e = {0};
    if (b->in_batch)
        must(registry_commit(b->r, &e), &e);
    b->in_batch = 0;
}

/* Commands share a commit, as they do when a hub takes many at once. */
static void act(struct bench *b, const struct identity *who, const char *verb, char *subject, struct js *body)
{
    struct err e = {0};
    if (b->in_batch == 0)
        must(registry_begin(b->r, &e), &e);
    must(registry_act(b->r, who, verb, subject, body, &e), &e);
    if (++b->in_batch == BATCH)
        flush(b);
    free(subject);
}

static struct js *text_body(const char *const *members)
{
    struct js *body = js_object();
    for (; *members; members += 2)
        js_put_str(body, members[0], members[1]);
    return body;
}
#define BODY(...) text_body((const char *const[]){__VA_ARGS__, NULL})

/* --- filling ------------------------------------------------------------------------------------------- */

static void add_bodies(struct bench *b, int64_t n)
{
    static const char *const kinds[] = {"trust", "company", "university", "charity"};
    for (int64_t i = 0; i < n - ICBS; i++) {
        const char *kind = i < PARTNERS ? kinds[1 + i % 2] : kinds[i % 4];
        struct js *body = BODY("name", "An organisation with a name of usual length", "kind", kind);
        if (strcmp(kind, "trust") == 0)
            js_put_str(body, "parent", b->body[i % ICBS]);
        act(b, b->steward, "body.add", xasprintf("body:B%" PRId64, i), body);
    }
}

static void add_person(struct bench *b, const struct identity *who, const char *id, const char *body)
{
    struct js *j = js_object(), *hidden = js_object();
    char hash[65];
    sha256_hex(slice_of(id), hash);
    js_put_str(hidden, "hashed", hash);
    js_put(j, "name", hidden);
    js_put_str(j, "body", body);
    act(b, who, "person.register", xasprintf("person:%s", id), j);
}

static void add_lead(struct bench *b, int i)
{
    char id[24];
    snprintf(id, sizeof id, "lead%d", i);
    add_person(b, b->lead[i], id, b->body[i]);
    char *grant = xasprintf("grant:%s.lead.%s", id, b->body[i]);
    act(b, b->steward, "grant.offer", xstrdup(grant),
        BODY("person", id, "role", "lead", "body", b->body[i], "until", "2999-01-01"));
    act(b, b->lead[i], "grant.hold", grant, js_object());
}

static void add_people(struct bench *b, int64_t n, int64_t bodies)
{
    for (int i = 0; i < LEADS; i++)
        add_lead(b, i);
    for (int64_t i = 0; i < n - LEADS; i++) {
        struct identity *who = identity_new();
        char id[24], body[24];
        snprintf(id, sizeof id, "p%" PRId64, i);
        snprintf(body, sizeof body, "B%" PRId64, i % (bodies - ICBS));
        add_person(b, who, id, body);
        identity_free(who);
    }
}

static struct js *codes_of(int64_t i)
{
    static const char *const qof[] = {"AF", "AST", "CAN", "CHD", "CKD", "COPD", "DEM", "DM", "HYP", "MH"};
    struct js *list = js_array();
    for (int k = 0; k < 3; k++)
        js_push(list, BODY("scheme", "qof", "code", qof[(i + k * 3) % 10]));
    return list;
}

static void add_signal(struct bench *b, int lead, int n, bool need)
{
    char *id = xasprintf("%s-%d", b->body[lead], n);
    struct js *body = BODY("body", b->body[lead], "side", need ? "need" : "offer", "type",
                           n % 2 ? "capacity" : "capability", "stage", n % 3 ? "diagnostics" : "prevention",
                           "title", "Find people with undiagnosed disease sooner", "lay",
                           "A text that everybody can read, of about the length that such texts have.");
    js_put(body, "codes", codes_of(lead * 7 + n));
    js_put_int(body, "rank", n + 1);
    js_put_int(body, "population", 1000 * (n + 1));
    act(b, b->lead[lead], "signal.draft", xasprintf("signal:%s", id), body);
    act(b, b->lead[lead], "signal.publish", xasprintf("signal:%s", id), js_object());
    free(id);
}

static void add_signals(struct bench *b)
{
    for (int i = 0; i < LEADS; i++)
        for (int n = 0; n < (i < ICBS ? NEEDS : OFFERS); n++)
            add_signal(b, i, n, i < ICBS);
}

static struct js *party(const char *body, const char *role)
{
    struct js *p = BODY("body", body, "role", role), *list = js_array(),
              *given = BODY("type", "capacity", "what", "Analysts for a year");
    js_put_int(given, "value", 4000000);
    js_push(list, given);
    js_put(p, "contributions", list);
    return p;
}

static struct js *project_body(const struct bench *b, int64_t i)
{
    const char *icb = b->body[i % ICBS];
    struct js *parties = js_array(),
              *body = BODY(
                  "title", "Finding people with undiagnosed COPD", "body", icb, "lay",
                  "A summary that everybody can read, of about the length that such summaries have in "
                  "practice, so that the size of a project's document is honest.",
                  "kind", "evaluation", "data", "aggregate", "access", "nhs_runs", "purpose_kind", "care");
    js_push(parties, party(icb, "lead"));
    js_push(parties, party(b->body[ICBS + i % PARTNERS], "partner"));
    js_put(body, "parties", parties);
    js_put(body, "codes", codes_of(i));
    js_put(body, "benefits",
           BODY("patients", "Earlier treatment", "nhs", "Fewer admissions", "partner", "Knowledge of use",
                "uk", "Healthier people"));
    js_put(body, "substitutes", js_array());
    js_put_int(body, "cost_per_year", 100000);
    js_put_str(body, "funder", icb);
    js_drop(body, "substitutes");
    return body;
}

/* A fifth are submitted, and wait for their reviews. */
static void add_projects(struct bench *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct identity *lead = b->lead[i % ICBS];
        act(b, lead, "project.draft", xasprintf("project:j%" PRId64, i), project_body(b, i));
        if (i % 5 == 0)
            act(b, lead, "project.submit", xasprintf("project:j%" PRId64, i), js_object());
    }
}

static void add_datasets(struct bench *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct js *body = BODY("body", b->body[i % ICBS], "kind", "dataset", "title", "Spirometry results",
                               "lay", "Measurements of breath, by practice, with dates.", "licence",
                               "OGL-UK-3.0", "deidentified", "Counts only; attested by the data's owner");
        char hash[65];
        sha256_hex(slice_of(b->body[i % ICBS]), hash);
        js_put_str(body, "hash", hash);
        act(b, b->lead[i % ICBS], "artefact.publish", xasprintf("artefact:d%" PRId64, i), body);
    }
}

/* A project that may be edited: number k of those that were not submitted. */
static int64_t draft_number(int64_t k, int64_t projects)
{
    int64_t at = k % projects;
    return at % 5 == 0 ? at + 1 : at;
}

static void edit(struct bench *b, int64_t k, int64_t projects)
{
    int64_t i = draft_number(k * 7919, projects);
    act(b, b->lead[i % ICBS], "project.edit", xasprintf("project:j%" PRId64, i),
        BODY("decision", "Where to send spirometers in the next year"));
}

static int64_t size_of(struct bench *b)
{
    struct err e = {0};
    int64_t size;
    must(ledger_size(registry_ledger(b->r), &size, &e), &e);
    return size;
}

static void fill(struct bench *b, const int64_t *counts)
{
    int64_t start = time_monotonic_ns(), before = size_of(b);
    add_bodies(b, counts[0]);
    add_people(b, counts[1], counts[0]);
    add_signals(b);
    add_projects(b, counts[2]);
    add_datasets(b, counts[3]);
    for (int64_t k = 0, left = counts[4] - size_of(b); k < left; k++)
        edit(b, k, counts[2]);
    flush(b);
    figure("entries", (double)size_of(b), "");
    figure("filling, batches of 5,000", (double)(size_of(b) - before) / seconds_since(start), "1/s");
}

/* --- what is asked for --------------------------------------------------------------------------------- */

static void pages(struct bench *b)
{
    static const char *const fixed[][2] = {{"api-hub", "/api/v1/hub"},
                                           {"api-list", "/api/v1/register/project"},
                                           {"api-list", "/api/v1/register/signal"},
                                           {"api-list", "/api/v1/register/body"},
                                           {"api-icbs", "/api/v1/register/body?kind=icb&on=2026-11-22"},
                                           {"api-log", "/api/v1/log/entries?from=1000"},
                                           {"api-search", "/api/v1/search?q=undiagnosed"},
                                           {"api-clocks", "/api/v1/clocks"},
                                           {"api-suggest", "/api/v1/suggest"},
                                           {"page-home", "/"},
                                           {"page-list", "/projects"},
                                           {"page-list", "/signals"},
                                           {"page-list", "/bodies"},
                                           {"page-log", "/log"}};
    int64_t size = size_of(b);
    for (int i = 0; i < PAGES_PER_KIND; i++) {
        const char *const *f = fixed[i % (int)(sizeof fixed / sizeof *fixed)];
        int64_t project = i * 7 % 2000;
        printf("%s %s\n", f[0], f[1]);
        printf("api-item /api/v1/register/project/j%" PRId64 "\n", project);
        printf("page-item /projects/j%" PRId64 "\n", project);
        printf("api-list-of-body /api/v1/register/project?body=%s&limit=50\n", b->body[i % ICBS]);
        printf("api-match /api/v1/match/%s\n", b->body[i % LEADS]);
        printf("api-proof /api/v1/log/entries/%" PRId64 "/proof\n", (int64_t)i * 7919 % size);
        printf("api-history /api/v1/log/entries?subject=project:j%" PRId64 "\n", project);
    }
}

static void commands(struct bench *b, int64_t n)
{
    struct err e = {0};
    for (int64_t k = 0; k < n; k++) {
        int64_t i = draft_number(k * 104729, 2000);
        struct js *command;
        struct buf text;
        char *subject = xasprintf("project:j%" PRId64, i);
        must(command_make(b->lead[i % ICBS], "project.edit", subject, BODY("decision", "Where to look first"),
                          &command, &e),
             &e);
        buf_init(&text, COMMAND_MOST);
        js_format(command, JS_COMPACT, &text);
        puts(text.p);
        buf_deinit(&text);
        js_free(command);
        free(subject);
    }
}

/* --- without a server ---------------------------------------------------------------------------------- */

static void measure_appends(struct bench *b)
{
    int64_t start = time_monotonic_ns();
    struct err e = {0};
    for (int i = 0; i < 200; i++)
        must(registry_act(b->r, b->lead[1], "project.edit", "project:j1", BODY("decision", "x"), &e), &e);
    figure("appends, each on disk before the next", 200 / seconds_since(start), "1/s");
}

static void measure_replay(struct bench *b)
{
    uint8_t before[HASH_BYTES], after[HASH_BYTES];
    struct err e = {0};
    must(registry_digest(b->r, before, &e), &e);
    int64_t start = time_monotonic_ns(), cpu = time_cpu_ns();
    must(registry_replay(b->r, &e), &e);
    figure("full replay", seconds_since(start), "s");
    figure("full replay, CPU", (double)(time_cpu_ns() - cpu) / 1e9, "s");
    must(registry_digest(b->r, after, &e), &e);
    if (memcmp(before, after, HASH_BYTES) != 0) {
        fprintf(stderr, "bench: the replay gave another state\n");
        exit(1);
    }
}

static void measure(struct bench *b, const char *file)
{
    struct rusage usage;
    struct stat st;
    measure_appends(b);
    measure_replay(b);
    getrusage(RUSAGE_SELF, &usage);
    figure("peak memory of the replay", (double)usage.ru_maxrss / 1024, "MiB");
    if (stat(file, &st) == 0)
        figure("bytes on disk per entry", (double)st.st_size / (double)size_of(b), "bytes");
}

static int64_t number(const char *text)
{
    int64_t n;
    if (!parse_i64(slice_of(text), &n) || n < 0) {
        fprintf(stderr, "bench: '%s' is no count\n", text);
        exit(2);
    }
    return n;
}

/* Leads have the same keys in every call: made from their number. */
static void find_leads(struct bench *b)
{
    const struct registry_query q = {
        .noun = "body", .kind = "icb", .state = "registered", .on = "2026-11-22"};
    struct js *icbs;
    struct err e = {0};
    must(registry_list(b->r, &q, &icbs, &e), &e);
    if (js_size(icbs) != ICBS) {
        fprintf(stderr, "bench: there are %zu ICBs instead of %d\n", js_size(icbs), ICBS);
        exit(1);
    }
    for (int i = 0; i < LEADS; i++) {
        uint8_t seed[SEED_BYTES] = {(uint8_t)i, (uint8_t)(i >> 8), 77};
        b->lead[i] = identity_from_seed(seed);
        if (i < ICBS)
            snprintf(b->body[i], sizeof b->body[i], "%s", js_get_str(js_at(icbs, (size_t)i), "id"));
        else
            snprintf(b->body[i], sizeof b->body[i], "B%d", i - ICBS);
    }
    js_free(icbs);
}

static struct identity *load_key(const char *dir, const char *name)
{
    struct identity *id;
    struct err e = {0};
    char *path = xasprintf("%s/%s", dir, name);
    must(identity_load(path, &id, &e), &e);
    free(path);
    return id;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct err e = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: accord_bench_register fill|pages|commands|measure DIR ...\n");
        return 2;
    }
    crypto_init();
    char *file = xasprintf("%s/register.db", argv[2]);
    b.hub = load_key(argv[2], "hub.key");
    b.steward = load_key(argv[2], "steward.key");
    must(registry_open(file, DB_WRITE, b.hub, NULL, &b.r, &e), &e);
    must(db_exec(ledger_db(registry_ledger(b.r)), "PRAGMA cache_size=-400000", &e), &e);
    find_leads(&b);
    if (strcmp(argv[1], "fill") == 0 && argc == 8)
        fill(&b, (int64_t[]){number(argv[3]), number(argv[4]), number(argv[5]), number(argv[6]),
                             number(argv[7])});
    else if (strcmp(argv[1], "pages") == 0)
        pages(&b);
    else if (strcmp(argv[1], "commands") == 0 && argc == 4)
        commands(&b, number(argv[3]));
    else
        measure(&b, file);
    registry_close(b.r);
    identity_free(b.hub);
    identity_free(b.steward);
    for (int i = 0; i < LEADS; i++)
        identity_free(b.lead[i]);
    free(file);
    return 0;
}
