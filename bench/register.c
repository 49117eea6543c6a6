/* SPDX-License-Identifier: Apache-2.0
 *
 * The register at scale, in one process: fills a register with bodies, people, projects and entries, then
 * measures what a hub does with it: opening, pages, appends, a full replay, proofs. One line of JSON per
 * figure.
 *
 *   accord_bench_register FILE BODIES PEOPLE PROJECTS ENTRIES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/mem.h"
#include "govern/register.h"
#include "ledger/proof.h"

enum { BATCH = 2000, PAGES = 2000 };

struct bench {
    struct registry *r;
    struct identity *hub, *steward, *lead;
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

/* Commands share a commit, as they do when a hub takes many at once. */
static void act(struct bench *b, const struct identity *who, const char *verb, char *subject, struct js *body)
{
    struct err e = {0};
    if (b->in_batch == 0)
        must(registry_begin(b->r, &e), &e);
    must(registry_act(b->r, who, verb, subject, body, &e), &e);
    if (++b->in_batch == BATCH) {
        must(registry_commit(b->r, &e), &e);
        b->in_batch = 0;
    }
    free(subject);
}

static void flush(struct bench *b)
{
    struct err e = {0};
    if (b->in_batch)
        must(registry_commit(b->r, &e), &e);
    b->in_batch = 0;
}

static struct js *text_body(const char *const *members)
{
    struct js *body = js_object();
    for (; *members; members += 2)
        js_put_str(body, members[0], members[1]);
    return body;
}
#define BODY(...) text_body((const char *const[]){__VA_ARGS__, NULL})

static void add_bodies(struct bench *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        act(b, b->steward, "body.add", xasprintf("body:B%lld", (long long)i),
            BODY("name", "An organisation with a name of usual length", "kind", i < 36 ? "icb" : "trust"));
}

/* Each person has a key of their own; the first is B0's lead. */
static void add_people(struct bench *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct identity *who = i ? identity_new() : b->lead;
        struct js *body = js_object(), *hidden = js_object();
        char hash[65], at[24];
        snprintf(hash, sizeof hash, "%064llx", (long long)i);
        snprintf(at, sizeof at, "B%lld", (long long)(i % 2000));
        js_put_str(hidden, "hashed", hash);
        js_put(body, "name", hidden);
        js_put_str(body, "body", i ? at : "B0");
        act(b, who, "person.register", xasprintf("person:p%lld", (long long)i), body);
        if (i)
            identity_free(who);
    }
    act(b, b->steward, "grant.offer", xstrdup("grant:p0.lead.B0"),
        BODY("person", "p0", "role", "lead", "body", "B0", "until", "2999-01-01"));
    act(b, b->lead, "grant.hold", xstrdup("grant:p0.lead.B0"), js_object());
}

static void add_projects(struct bench *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct js *parties = js_array(),
                  *body = BODY(
                      "title", "Finding people with undiagnosed COPD", "body", "B0", "lay",
                      "A summary that everybody can read, of about the length that such summaries have in "
                      "practice, so that the size of a project's document is honest.");
        js_push(parties, BODY("body", "B0", "role", "lead"));
        js_put(body, "parties", parties);
        act(b, b->lead, "project.draft", xasprintf("project:j%lld", (long long)i), body);
    }
}

static void add_edits(struct bench *b, int64_t projects, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        act(b, b->lead, "project.edit", xasprintf("project:j%lld", (long long)(i * 7919 % projects)),
            BODY("decision", "Where to send spirometers in the next year"));
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void report(const char *name, double *ms, int n)
{
    char text[80];
    qsort(ms, (size_t)n, sizeof *ms, by_number);
    snprintf(text, sizeof text, "%s, median", name);
    figure(text, ms[n / 2], "ms");
    snprintf(text, sizeof text, "%s, 99th percentile", name);
    figure(text, ms[n * 99 / 100], "ms");
}

static void measure_pages(struct bench *b, int64_t projects)
{
    static double item[PAGES], list[PAGES], proof[PAGES];
    struct err e = {0};
    int64_t size;
    must(ledger_size(registry_ledger(b->r), &size, &e), &e);
    for (int i = 0; i < PAGES; i++) {
        struct js *j;
        char id[32];
        const struct registry_query q = {.noun = "project", .body = "B0", .after = id, .limit = 50};
        snprintf(id, sizeof id, "j%lld", (long long)(i * 104729LL % projects));
        int64_t start = time_monotonic_ns();
        must(registry_item(b->r, "project", id, &j, &e), &e);
        item[i] = 1000 * seconds_since(start);
        js_free(j);
        start = time_monotonic_ns();
        must(registry_list(b->r, &q, &j, &e), &e);
        list[i] = 1000 * seconds_since(start);
        js_free(j);
        start = time_monotonic_ns();
        must(proof_make(registry_ledger(b->r), i * 7919LL % size, &j, &e), &e);
        proof[i] = 1000 * seconds_since(start);
        js_free(j);
    }
    report("one item", item, PAGES);
    report("a page of 50 items", list, PAGES);
    report("inclusion proof with entry", proof, PAGES);
}

static void measure_appends(struct bench *b, int64_t projects)
{
    int64_t start = time_monotonic_ns();
    struct err e = {0};
    for (int i = 0; i < 200; i++) {
        char subject[40];
        snprintf(subject, sizeof subject, "project:j%lld", (long long)(i % projects));
        must(registry_act(b->r, b->lead, "project.edit", subject, BODY("decision", "x"), &e), &e);
    }
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

static void open_register(struct bench *b, const char *path)
{
    struct err e = {0};
    must(registry_open(path, DB_CREATE, b->hub, "bench.example/register", &b->r, &e), &e);
}

static int64_t number(const char *text)
{
    int64_t n;
    if (!parse_i64(slice_of(text), &n) || n < 1) {
        fprintf(stderr, "bench: '%s' is no count\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct err e = {0};
    struct rusage usage;
    struct stat st;
    if (argc != 6) {
        fprintf(stderr, "usage: accord_bench_register FILE BODIES PEOPLE PROJECTS ENTRIES\n");
        return 2;
    }
    int64_t bodies = number(argv[2]), people = number(argv[3]), projects = number(argv[4]),
            entries = number(argv[5]);
    crypto_init();
    b.hub = identity_new();
    b.steward = identity_new();
    b.lead = identity_new();
    open_register(&b, argv[1]);
    must(registry_found(b.r, "national", "National", "stella", b.steward->sign_public, &e), &e);
    int64_t start = time_monotonic_ns();
    add_bodies(&b, bodies);
    add_people(&b, people);
    add_projects(&b, projects);
    add_edits(&b, projects, entries - bodies - people - projects);
    flush(&b);
    figure("entries", (double)entries, "");
    figure("filling, batches of 2,000", (double)entries / seconds_since(start), "1/s");
    registry_close(b.r);
    start = time_monotonic_ns();
    open_register(&b, argv[1]);
    figure("cold start", seconds_since(start), "s");
    measure_pages(&b, projects);
    measure_appends(&b, projects);
    measure_replay(&b);
    getrusage(RUSAGE_SELF, &usage);
    figure("peak memory", (double)usage.ru_maxrss / 1024, "MiB");
    if (stat(argv[1], &st) == 0)
        figure("bytes on disk per entry", (double)st.st_size / (double)entries, "bytes");
    registry_close(b.r);
    identity_free(b.hub);
    identity_free(b.steward);
    identity_free(b.lead);
    return 0;
}
