/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/discovery_task.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grid/discovery_tally.h"

enum { FILE_MOST = 32 << 20 };

static void tally_add(struct tallies *t, struct tally one)
{
    GROW(t->list, t->n + 1, t->capacity);
    t->list[t->n++] = one;
}

/* SHA-256 of the canonical question, the data and the day. */
static enum status name_question(const struct js *task, const char *member, const struct discovery_site *site,
                                 char out[2 * HASH_BYTES + 1], struct err *e)
{
    struct buf text;
    buf_init(&text, FILE_MOST);
    enum status s = js_canonical(js_get(task, member), &text, e);
    buf_printf(&text, " %s %d", store_snapshot_id(site->store), (int)site->today);
    if (s == ST_OK)
        s = buf_check(&text, "the question", e);
    sha256_hex(buf_slice(&text), out);
    buf_deinit(&text);
    return s;
}

static enum status pass(const struct tallies *t, const struct js *task, const char *member,
                        const struct discovery_site *site, int64_t *told, struct err *e)
{
    char question[2 * HASH_BYTES + 1];
    enum status s = tallies_gate(t, site->policy, told, e);
    if (s == ST_OK && site->guard)
        s = name_question(task, member, site, question, e);
    return s == ST_OK && site->guard ? tallies_guard(t, told, question, site, e) : s;
}

/* --- availability ----------------------------------------------------------------------------------------
 */

static enum status availability(const struct js *task, const struct discovery_site *site, int64_t *count,
                                struct err *e)
{
    struct cohort_definition *query = NULL;
    struct cohort_rows rows = {0};
    int64_t told = -1;
    enum status s = cohort_parse_rquest(task, site->today, &query, e);
    if (s == ST_OK)
        s = cohort_evaluate(query, site->store, site->pool, &rows, e);
    if (s == ST_OK) {
        struct tally one = {.category = "query", .persons = rows.n_persons, .rows = &rows};
        s = pass(&(struct tallies){&one, 1, 1}, task, "cohort", site, &told, e);
    }
    *count = told < 0 ? 0 : told;
    cohort_rows_deinit(&rows);
    cohort_definition_free(query);
    return s;
}

/* --- distributions ---------------------------------------------------------------------------------------
 */

static const struct domain {
    const char *name;
    enum store_table table;
} domains[] = {{"Condition", STORE_CONDITION},     {"Drug", STORE_DRUG},
               {"Measurement", STORE_MEASUREMENT}, {"Observation", STORE_OBSERVATION},
               {"Procedure", STORE_PROCEDURE},     {"Specimen", STORE_SPECIMEN}};

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Persons by the values of one of their attributes, ids ascending. */
static void tally_persons(const struct store_persons *p, const int32_t *of_person, const char *category,
                          struct tallies *out)
{
    int32_t *ids = xcalloc(p->n + 1, sizeof *ids);
    size_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (p->in_person[i] && of_person[i] != NONE_I32)
            ids[n++] = of_person[i];
    qsort(ids, n, sizeof *ids, ascending);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && ids[to] == ids[from];)
            to++;
        tally_add(out, (struct tally){.category = category,
                                      .concept = ids[from],
                                      .persons = (int64_t)(to - from),
                                      .attribute = of_person});
    }
    free(ids);
}

/* The store's own table of runs: no row is read. */
static void tally_codes(const struct store *store, struct tallies *out)
{
    const struct store_persons *p = store_persons(store);
    const struct store_run *runs;
    uint32_t n;
    for (size_t d = 0; d < sizeof domains / sizeof *domains; d++) {
        store_runs(store, domains[d].table, &runs, &n);
        for (uint32_t i = 0; i < n; i++)
            tally_add(out, (struct tally){.category = domains[d].name,
                                          .concept = runs[i].concept_id,
                                          .persons = runs[i].persons,
                                          .table = domains[d].table,
                                          .first = runs[i].first,
                                          .n = runs[i].n});
    }
    tally_persons(p, p->ethnicity, "Ethnicity", out);
    tally_persons(p, p->gender, "Gender", out);
    tally_persons(p, p->race, "Race", out);
}

/* A field of a TSV row: tabs and line ends in names become spaces. */
static void add_field(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_addc(out, iscntrl((unsigned char)*text) ? ' ' : *text);
}

static const char *name_of(const struct store *store, int32_t concept)
{
    struct store_concept c;
    return store_concept_find(store, concept, &c) ? c.name : "";
}

static int64_t write_codes(const struct discovery_site *site, const struct tallies *t, const int64_t *told,
                           struct buf *out)
{
    int64_t rows = 0;
    buf_adds(out, "BIOBANK\tCODE\tCOUNT\tDESCRIPTION\tMIN\tQ1\tMEDIAN\tMEAN\tQ3\tMAX\tALTERNATIVES\tDATASET\t"
                  "OMOP\tOMOP_DESCR\tCATEGORY");
    for (size_t i = 0; i < t->n; i++) {
        if (told[i] <= 0)
            continue;
        buf_addc(out, '\n');
        add_field(out, site->collection);
        buf_printf(out, "\tOMOP:%d\t%lld\t\t\t\t\t\t\t\t\t\t%d\t", (int)t->list[i].concept,
                   (long long)told[i], (int)t->list[i].concept);
        add_field(out, name_of(site->store, t->list[i].concept));
        buf_printf(out, "\t%s", t->list[i].category);
        rows++;
    }
    return rows;
}

/* The sexes have names also where a site keeps no names of concepts. */
static const char *sex_of(const struct store *store, int32_t concept)
{
    enum { MALE = 8507, FEMALE = 8532 };
    const char *name = name_of(store, concept);
    return *name ? name : concept == MALE ? "Male" : concept == FEMALE ? "Female" : "Unknown";
}

/* "Male" of "MALE". */
static void add_title(struct buf *out, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        unsigned char c = (unsigned char)text[i];
        bool first = i == 0 || !isalpha((unsigned char)text[i - 1]);
        buf_addc(out, (char)(iscntrl(c) || c == '|' || c == '^' ? ' ' : first ? toupper(c) : tolower(c)));
    }
}

/* The row's count is the sum of the counts it lists: it tells nothing that they do not. */
static int64_t write_sexes(const struct discovery_site *site, const struct tallies *t, const int64_t *told,
                           struct buf *out)
{
    int64_t sum = 0;
    for (size_t i = 0; i < t->n; i++)
        sum += told[i] > 0 ? told[i] : 0;
    buf_adds(out, "BIOBANK\tCODE\tDESCRIPTION\tCOUNT\tMIN\tQ1\tMEDIAN\tMEAN\tQ3\tMAX\tALTERNATIVES\tDATASET\t"
                  "OMOP\tOMOP_DESCR\tCATEGORY\n");
    add_field(out, site->collection);
    buf_printf(out, "\tSEX\tSex\t%lld\t\t\t\t\t\t\t^", (long long)sum);
    for (size_t i = 0; i < t->n; i++) {
        if (told[i] <= 0)
            continue;
        add_title(out, sex_of(site->store, t->list[i].concept));
        buf_printf(out, "|%lld^", (long long)told[i]);
    }
    buf_adds(out, "\tperson\t\t\tDEMOGRAPHICS");
    return 1;
}

static void push_file(struct js *files, const char *name, const char *about, struct slice text)
{
    struct buf data;
    struct js *f = js_object();
    buf_init(&data, (size_t)2 * FILE_MOST);
    base64_encode((const uint8_t *)text.p, text.n, &data);
    js_put_str(f, "file_name", name);
    js_put_str(f, "file_data", data.p ? data.p : "");
    js_put_str(f, "file_description", about);
    js_put(f, "file_size", js_real((double)data.n / 1000));
    js_put_str(f, "file_type", "BCOS");
    js_put(f, "file_sensitive", js_boolean(true));
    js_put_str(f, "file_reference", "");
    js_push(files, f);
    buf_deinit(&data);
}

/* Who answered, and with which rules: the threshold and rounding that were really applied. */
static void push_metadata(const struct discovery_site *site, struct js *files)
{
    struct buf text;
    buf_init(&text, FILE_MOST);
    buf_adds(&text, "BIOBANK\tPROTOCOL\tOS\tBCLINK\tDATAMODEL\tROUNDING\tTHRESHOLD\n");
    add_field(&text, site->collection);
    buf_printf(&text, "\tAccord\t\t\tOMOP\t%lld\t%lld",
               (long long)(site->policy->rounding == ROUNDING_NONE ? 0 : site->policy->base),
               (long long)site->policy->minimum);
    push_file(files, "metadata.bcos", "Who answered, and the rules that were applied", buf_slice(&text));
    buf_deinit(&text);
}

static enum status distribution(const struct js *task, const struct discovery_site *site, struct js *files,
                                int64_t *count, struct err *e)
{
    const struct store_persons *p = store_persons(site->store);
    const char *code = js_get_str(task, "code");
    bool codes = code && strcmp(code, "GENERIC") == 0;
    struct tallies t = {0};
    struct buf text;
    if (!codes && (!code || strcmp(code, "DEMOGRAPHICS") != 0))
        return err_set(e, ST_UNSUPPORTED, "$.code: this site answers GENERIC and DEMOGRAPHICS");
    if (codes)
        tally_codes(site->store, &t);
    else
        tally_persons(p, p->gender, "Gender", &t);
    int64_t *told = xcalloc(t.n + 1, sizeof *told);
    buf_init(&text, FILE_MOST);
    enum status s = pass(&t, task, "code", site, told, e);
    if (s == ST_OK) {
        *count = codes ? write_codes(site, &t, told, &text) : write_sexes(site, &t, told, &text);
        s = buf_check(&text, "the distribution", e);
    }
    if (s == ST_OK) {
        push_file(files, codes ? "code.distribution" : "demographics.distribution",
                  codes ? "Persons by code" : "Persons by sex", buf_slice(&text));
        push_metadata(site, files);
    }
    buf_deinit(&text);
    free(told);
    free(t.list);
    return s;
}

/* --- the answer ------------------------------------------------------------------------------------------
 */

static enum status solve(const struct js *task, const struct discovery_site *site, struct js *files,
                         int64_t *count, struct err *e)
{
    const char *analysis = js_get_str(task, "analysis");
    if (js_get(task, "cohort"))
        return availability(task, site, count, e);
    if (analysis && strcmp(analysis, "DISTRIBUTION") == 0)
        return distribution(task, site, files, count, e);
    return err_set(e, ST_UNSUPPORTED,
                   "$: expected a task with a cohort, or with \"analysis\": \"DISTRIBUTION\"");
}

/* Only what the task itself is at fault for is told to the one who asked. */
static const char *reason_of(enum status s, const struct err *e)
{
    if (s == ST_INVALID || s == ST_UNSUPPORTED)
        return e->text;
    if (s == ST_UNSAFE)
        return "the site's disclosure rules do not let an answer out";
    log_err(LOG_ERROR, "discovery.answer", e);
    return "the site could not answer; its operators can see why";
}

struct js *discovery_answer(const struct js *task, const struct discovery_site *site)
{
    struct err e = {0};
    struct js *answer = js_object(), *result = js_object(), *files = js_array();
    int64_t count = 0;
    enum status s = solve(task, site, files, &count, &e);
    const char *uuid = js_get_str(task, "uuid");
    js_put_str(answer, "status", s == ST_OK ? "ok" : "error");
    js_put_str(answer, "protocolVersion", "v2");
    js_put_str(answer, "uuid", uuid ? uuid : "");
    js_put_str(answer, "collection_id", site->collection);
    js_put_str(answer, "message", s == ST_OK ? "" : reason_of(s, &e));
    js_put_int(result, "count", s == ST_OK ? count : 0);
    js_put_int(result, "datasetCount", s == ST_OK && js_size(files) ? 1 : 0);
    js_put(result, "files", files);
    js_put(answer, "queryResult", result);
    return answer;
}
