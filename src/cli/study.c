/* SPDX-License-Identifier: Apache-2.0
 * `accord study`: check, start and run studies on one site's store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "disclose/record_keys.h"
#include "disclose/release.h"
#include "study/example.h"
#include "study/guarding.h"
#include "study/model_card.h"
#include "study/study.h"

static enum status need_kind(const char *kind, const struct analysis **out, struct err *e)
{
    const char *names[64];
    size_t n = 0;
    for (; analyses[n] && n < 64; n++)
        names[n] = analyses[n]->kind;
    *out = analysis_find(kind);
    if (*out)
        return ST_OK;
    const char *near = text_nearest(kind, names, n);
    return err_set(e, ST_NOT_FOUND, "there is no analysis '%.40s'%s%s%s; 'accord study list' lists them",
                   kind, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum status run_new(const struct args *a, struct err *e)
{
    const struct analysis *kind;
    enum status st = need_kind(args_operand(a, 0), &kind, e);
    if (st != ST_OK)
        return st;
    struct js *study;
    st = study_example(kind, &study, e);
    if (st == ST_OK)
        st = out_json(study, e);
    js_free(study);
    fprintf(
        stderr,
        "A study with one '%s' analysis (%s).\nReplace the cohorts' definitions and the analysis's members; "
        "docs/analyses/%s.md explains each.\nMembers called \"comment\" are ignored. Then: accord study "
        "check "
        "FILE; accord study run FILE --store STORE\n",
        kind->kind, kind->summary, kind->kind);
    return st;
}

static enum status run_list(const struct args *a, struct err *e)
{
    struct out *o = out_new(a, (const char *const[]){"kind", "output", "summary", NULL});
    for (const struct analysis *const *k = analyses; *k; k++)
        out_row(o, (*k)->kind, output_type_name((*k)->output), (*k)->summary);
    return out_end(o, e);
}

static enum status check_faults(const char *path, struct err *e)
{
    struct js *document = NULL, *faults = js_array();
    enum status st = js_load(path, &document, e);
    if (st == ST_OK)
        st = study_faults(document, faults, e);
    out_faults(faults, "the study", e);
    js_free(faults);
    js_free(document);
    return st;
}

static enum status run_check(const struct args *a, struct err *e)
{
    struct study *study;
    enum status st = check_faults(args_operand(a, 0), e);
    if (st == ST_OK)
        st = study_load(args_operand(a, 0), &study, e);
    if (st != ST_OK)
        return st;
    char hash[2 * HASH_BYTES + 1];
    study_hash(study, hash);
    struct out *o = out_new(a, (const char *const[]){"analysis", "kind", NULL});
    for (size_t i = 0; i < study_n_analyses(study); i++)
        out_row(o, study_analysis_name(study, i), study_analysis_kind(study, i));
    st = out_end(o, e);
    fprintf(stderr, "'%s' is a good study: %zu cohorts, %zu analyses, hash %s\n", study_title(study),
            study_n_cohorts(study), study_n_analyses(study), hash);
    study_free(study);
    return st;
}

/* The stores a study runs over: one, or several of the same site. */
enum { MOST_STORES = 64 };
struct places {
    struct store *store[MOST_STORES];
    struct site *site[MOST_STORES];
    size_t n;
};

static enum status places_open(const struct args *a, const struct study *study, struct pool *pool,
                               struct places *p, struct err *e)
{
    const char *path;
    enum status st = args_need(a, "store", &path, e);
    for (; st == ST_OK && (path = args_get_nth(a, "store", (int)p->n)); p->n++) {
        if (p->n == MOST_STORES)
            return err_set(e, ST_USAGE, "--store: at most %d stores", MOST_STORES);
        st = store_open(path, &p->store[p->n], e);
        if (st == ST_OK)
            st = study_site_open(study, p->store[p->n], pool, &p->site[p->n], e);
    }
    return st;
}

static void places_close(struct places *p)
{
    for (size_t i = 0; i < MOST_STORES; i++) {
        study_site_close(p->site[i]);
        store_close(p->store[i]);
    }
}

/* What the disclosure record says of where the tables come from. */
static struct js *context_of(const struct study *study, const struct places *p)
{
    char hash[2 * HASH_BYTES + 1];
    struct js *context = js_object(), *snapshots = js_array();
    study_hash(study, hash);
    js_put_str(context, "study_sha256", hash);
    js_put(context, "cohorts_sha256", study_cohort_hashes(study));
    for (size_t i = 0; i < p->n; i++)
        js_push(snapshots, js_string(store_snapshot_id(p->store[i])));
    js_put(context, "snapshots", snapshots);
    return context;
}

static enum status print_csv(const struct released *released, struct err *e)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    for (uint32_t i = 0; i < released_n_tables(released); i++) {
        const struct released_table *t = released_table(released, i);
        buf_printf(&text, "%s# %s\n", i ? "\n" : "", t->name);
        released_csv(t, &text);
    }
    enum status st = buf_check(&text, "the tables as CSV", e);
    if (st == ST_OK && (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0))
        st = err_errno(e, errno, "cannot write to", "stdout");
    buf_deinit(&text);
    return st;
}

static enum status print_released(const struct args *a, const struct released *released, struct err *e)
{
    enum out_format format = args_format(a);
    if (format == OUT_CSV)
        return print_csv(released, e);
    if (format == OUT_TABLE) {
        released_print(released, stdout);
        if (fflush(stdout) != 0 || ferror(stdout))
            return err_errno(e, errno, "cannot write to", "stdout");
        return ST_OK;
    }
    struct js *j = released_to_json(released);
    enum status st = out_json(j, e);
    js_free(j);
    return st;
}

/* The differencing guard of the site's node, where the release is for people outside. */
static enum status guard(const struct args *a, const struct study *study, const struct policy *policy,
                         const struct places *places, struct err *e)
{
    const char *node = args_get(a, "node");
    struct guard_answer answer;
    char hash[2 * HASH_BYTES + 1], rules[2 * HASH_BYTES + 1];
    if (!node)
        return ST_OK;
    if (!dir_exists(node))
        return err_set(e, ST_NOT_FOUND, "--node: there is no such folder; 'accord node init' makes one");
    study_hash(study, hash);
    policy_hash(policy, rules);
    char *book = xasprintf("%s/guard.db", node);
    char *run = xasprintf("local:%.16s:%.16s:%.16s", hash, rules, store_snapshot_id(places->store[0]));
    struct guarding how = {.book = book,
                           .run = run,
                           .project = args_get_or(a, "project", "local"),
                           .policy = policy,
                           .insist = args_has(a, "reviewed")};
    enum status st = study_guard(&how, places->site, places->n, &answer, e);
    if (st == ST_OK && answer.verdict != GUARD_ALLOW) {
        fprintf(stderr, "for the site's own people: '%s' with '%s'\n", answer.cell, answer.with);
        st = err_set(e, ST_UNSAFE,
                     "the differencing rule: " GUARD_REFUSAL
                     "; an output checker of the site may let it pass with --reviewed");
    }
    free(run);
    free(book);
    return st;
}

/* The keys of a policy that prints counts with the noise of their persons' keys. */
static enum status give_keys(const struct args *a, const struct policy *policy, struct record_keys *keys,
                             struct places *places, struct js *context, struct err *e)
{
    const char *node = args_get(a, "node");
    if (policy->rounding != ROUNDING_CELL_KEY)
        return ST_OK;
    if (!node || !dir_exists(node))
        return err_set(e, ST_USAGE,
                       "the policy prints counts with noise by cell key: give the node's folder, which holds "
                       "the site's record key, with --node");
    enum status st = record_keys_open(node, keys, e);
    for (size_t i = 0; st == ST_OK && i < places->n; i++)
        study_site_give_keys(places->site[i], keys);
    if (st == ST_OK)
        js_put_str(context, "record_key", keys->id);
    return st;
}

static enum status run_over(const struct args *a, const struct study *study, const struct policy *policy,
                            struct places *places, struct err *e)
{
    struct result *result = NULL;
    struct record_keys keys = {0};
    struct released *released = NULL;
    struct js *context = context_of(study, places);
    enum status st = give_keys(a, policy, &keys, places, context, e);
    if (st == ST_OK)
        st = study_run_at(study, places->site, places->n, &result, e);
    if (st == ST_OK)
        st = disclose_release(result, policy, context, &released, e);
    if (st == ST_OK)
        st = guard(a, study, policy, places, e);
    if (st == ST_OK)
        st = print_released(a, released, e);
    record_keys_wipe(&keys);
    released_free(released);
    result_free(result);
    js_free(context);
    return st;
}

static enum status run_run(const struct args *a, struct err *e)
{
    struct study *study = NULL;
    struct places places = {0};
    struct policy policy;
    struct pool *pool = pool_new(0);
    enum status st = study_load(args_operand(a, 0), &study, e);
    if (st == ST_OK)
        st = args_get(a, "policy") ? policy_load(args_get(a, "policy"), &policy, e)
                                   : policy_profile(NULL, &policy, e);
    if (st == ST_OK)
        st = places_open(a, study, pool, &places, e);
    if (st == ST_OK)
        st = run_over(a, study, &policy, &places, e);
    places_close(&places);
    study_free(study);
    pool_free(pool);
    return st;
}

/* --- model card --- */

static enum status load_released(const char *path, struct released **out, struct err *e)
{
    struct js *j = NULL;
    enum status st = js_load(path, &j, e);
    if (st == ST_OK)
        st = released_from_json(j, out, e);
    js_free(j);
    return st;
}

static enum status print_card(const struct args *a, const struct js *card, struct err *e)
{
    if (args_format(a) == OUT_JSON)
        return out_json(card, e);
    struct buf text;
    buf_init(&text, (size_t)16 << 20);
    model_card_text(card, &text);
    fputs(text.p, stdout);
    buf_deinit(&text);
    return fflush(stdout) == 0 ? ST_OK : err_errno(e, errno, "cannot write to", "stdout");
}

static enum status run_card(const struct args *a, struct err *e)
{
    struct study *study = NULL;
    struct released *released = NULL;
    struct js *statements = NULL, *card = NULL;
    const char *result, *said = args_get(a, "statements");
    enum status st = args_need(a, "result", &result, e);
    if (st == ST_OK)
        st = study_load(args_operand(a, 0), &study, e);
    if (st == ST_OK)
        st = load_released(result, &released, e);
    if (st == ST_OK && said)
        st = js_load(said, &statements, e);
    if (st == ST_OK)
        st = model_card(study, args_get(a, "model"), released, statements, &card, e);
    if (st == ST_OK)
        st = print_card(a, card, e);
    js_free(card);
    js_free(statements);
    released_free(released);
    study_free(study);
    return st;
}

static const struct option_spec card_options[] = {
    {"result", "RESULT.json",
     "the released result of this study, as 'study run --format json' or the hub gives it"},
    {"model", "NAME", "which risk_model, where the study has several"},
    {"statements", "FILE.json", "what only people can say, by item: {\"3a\": \"...\", \"26\": \"...\"}"},
    {0},
};

static const struct option_spec run_options[] = {
    {"store", "STORE",
     "the patient store that 'accord node import' made; given several times, their persons are pooled"},
    {"policy", "POLICY", "disclosure policy: a file, or a profile's name (default sde-10)"},
    {"node", "DIR",
     "the site's node: its guard compares the persons counted with all that it released; its record key "
     "makes "
     "the noise of a policy with 'rounding: cell_key'"},
    {"project", "NAME", "with --node: whom the release is for (local)"},
    {"reviewed", NULL, "with --node: an output checker has looked at what the guard found and lets it pass"},
    {0},
};

const struct command study_commands[] = {
    {"run", "STUDY.json", "run a study on a site's stores and print its released tables",
     "Evaluates the study's cohorts, runs its analyses and prints the tables after disclosure control. There "
     "is no "
     "way to print them before it.",
     run_options, 1, 1, run_run},
    {"check", "STUDY.json", "explain every mistake in a study, or say that there is none", NULL, NULL, 1, 1,
     run_check},
    {"new", "KIND", "print a study with one analysis of a kind, to start from", NULL, NULL, 1, 1, run_new},
    {"card", "STUDY.json", "the model card of a released risk model, in the items of TRIPOD+AI",
     "Fills in what the study and its released result say by themselves; the rest comes from --statements, "
     "and "
     "what\nnobody has said is listed as missing. Markdown, or --format json.",
     card_options, 1, 1, run_card},
    {"list", "", "list the kinds of analyses", NULL, NULL, 0, 0, run_list},
    {0},
};
