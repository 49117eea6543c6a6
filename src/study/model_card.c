/* SPDX-License-Identifier: Apache-2.0 */
#include "study/model_card.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cohort/cohort.h"

/* What the items are filled from. */
struct card {
    const struct study *study;
    const struct released *released;
    const struct js *analysis; /* the specification of the model */
    const char *name;
    const struct released_table *people, *performance, *coefficients;
    struct buf *out;
};
typedef void (*fill_fn)(const struct card *c);

/* --- from the study ---------------------------------------------------------------------------------------
 */

static void study_title_item(const struct card *c)
{
    buf_adds(c->out, study_title(c->study));
}

static const struct js *definition_of(const struct card *c, const char *cohort)
{
    const struct js *cohorts = js_get(study_document(c->study), "cohorts");
    for (size_t i = 0; i < js_size(cohorts); i++)
        if (cohort && strcmp(js_get_str(js_at(cohorts, i), "name"), cohort) == 0)
            return js_get(js_at(cohorts, i), "definition");
    return NULL;
}

static void describe_cohort(const struct card *c, const char *member)
{
    const char *cohort = js_get_str(c->analysis, member);
    struct cohort_definition *d = NULL;
    struct err e;
    const struct js *definition = definition_of(c, cohort);
    if (!definition || cohort_parse(definition, &d, &e) != ST_OK)
        return;
    buf_printf(c->out, "%s: ", cohort);
    cohort_describe(d, c->out);
    cohort_definition_free(d);
}

static void eligibility(const struct card *c)
{
    describe_cohort(c, "cohort");
}

/* "[1, 365]" as days. */
static void write_window(const struct card *c, const struct js *window)
{
    const struct js *from = js_at(window, 0), *to = js_at(window, 1);
    if (!js_is(window, JS_ARRAY))
        buf_adds(c->out, "in the days 1 to 365 from entry");
    else if (js_is(to, JS_INTEGER))
        buf_printf(c->out, "in the days %lld to %lld from entry", (long long)js_int(from),
                   (long long)js_int(to));
    else
        buf_printf(c->out, "from day %lld after entry", (long long)js_int(from));
}

static void outcome(const struct card *c)
{
    describe_cohort(c, "outcome");
    buf_adds(c->out, "\nCounted ");
    write_window(c, js_get(c->analysis, "window"));
    buf_addc(c->out, '.');
}

static void outcome_assessors(const struct card *c)
{
    buf_adds(c->out, "Nobody assessed the outcome for this study: it is what was recorded in routine care.");
}

static void predictors(const struct card *c)
{
    const struct js *list = js_get(c->analysis, "covariates");
    for (size_t i = 0; i < js_size(list); i++) {
        const struct js *one = js_at(list, i);
        const char *name = js_is(one, JS_STRING) ? js_str(one) : js_get_str(one, "name");
        if (!name)
            name = js_get_str(one, "number") ? js_get_str(one, "number") : js_get_str(one, "by");
        buf_printf(c->out, "%s%s", i ? ", " : "", name ? name : "");
    }
    buf_adds(c->out, ". All were named before any data were read.");
}

static void predictor_definitions(const struct card *c)
{
    js_format(js_get(c->analysis, "covariates"), JS_COMPACT, c->out);
}

static void missing_data(const struct card *c)
{
    buf_adds(c->out,
             "Categories have a level 'unknown'; people who lack a number that the model uses are left "
             "out. Nothing was imputed.");
}

static double number_or(const struct card *c, const char *key, double absent)
{
    const struct js *v = js_get(c->analysis, key);
    return js_is_number(v) ? js_num(v) : absent;
}

static void data_use(const struct card *c)
{
    buf_printf(
        c->out,
        "One split before training: %g%% of people, by the first byte of their pseudonym, were kept for "
        "the test set and never trained on. One set of coefficients for all sites together.",
        100 * number_or(c, "test_share", 0.3));
}

static void predictor_handling(const struct card *c)
{
    buf_adds(c->out,
             "Numbers enter as (x - centre) / per, categories as one 0/1 column for each level but the "
             "reference. No predictor was selected or dropped by the data.");
}

static void model_type(const struct card *c)
{
    buf_printf(
        c->out,
        "Logistic regression by joint maximum likelihood over all sites with a ridge penalty of %g; no "
        "resampling, no tuning.",
        number_or(c, "ridge", 0.0001));
}

static void heterogeneity(const struct card *c)
{
    buf_adds(c->out, "The intercept is common to all sites, so that the score can be used elsewhere.");
}

static void measures(const struct card *c)
{
    buf_adds(c->out,
             "AUROC (DeLong), observed over expected, calibration intercept and slope, Brier score, net "
             "benefit at stated thresholds, in the training set, the test set and by group.");
}

static void no_updating(const struct card *c)
{
    buf_adds(c->out, "The model was not updated after training.");
}

static void predictions(const struct card *c)
{
    buf_adds(c->out, "risk = 1 / (1 + exp(-(sum of coefficient times column))).");
}

static void imbalance(const struct card *c)
{
    buf_adds(c->out, "Classes were neither weighted nor resampled.");
}

static void fairness(const struct card *c)
{
    const struct js *by = js_get(c->analysis, "by");
    for (size_t i = 0; i < js_size(by); i++) {
        const struct js *one = js_at(by, i);
        const char *name = js_is(one, JS_STRING) ? js_str(one) : js_get_str(one, "name");
        name = name ? name : js_get_str(one, "by");
        buf_printf(c->out, "%s%s", i ? ", " : "Performance was measured by ", name ? name : "");
    }
    if (js_size(by))
        buf_adds(c->out, ". No figure says that a score is fair: compare the groups.");
}

static void model_output(const struct card *c)
{
    buf_adds(c->out, "A probability.");
}

static void same_source(const struct card *c)
{
    buf_adds(c->out, "None: training and test set are people of the same sites, at random.");
}

static void protocol(const struct card *c)
{
    char hash[2 * HASH_BYTES + 1];
    study_hash(c->study, hash);
    buf_printf(c->out, "The study document with SHA-256 %s is the protocol; it was fixed before it ran.",
               hash);
}

/* --- from the released result ------------------------------------------------------------------------------
 */

static const struct js *context(const struct card *c)
{
    return js_get(released_record(c->released), "context");
}

static void data_source(const struct card *c)
{
    const struct js *sites = js_get(context(c), "sites");
    buf_adds(c->out, "Routinely collected records in the OMOP Common Data Model");
    for (size_t i = 0; i < js_size(sites); i++)
        buf_printf(c->out, "%s%s", i ? ", " : " at ", js_str(js_at(sites, i)));
    buf_adds(c->out, "; they were read where they are kept, and only sums left the sites.");
}

static void approval(const struct card *c)
{
    const char *agreement = js_get_str(context(c), "agreement");
    if (agreement)
        buf_printf(c->out, "Data access agreement %s on the public register, with its reviews.", agreement);
}

static void registration(const struct card *c)
{
    const char *run = js_get_str(context(c), "run");
    if (run)
        buf_printf(c->out, "Run %s on the public register.", run);
}

static void data_sharing(const struct card *c)
{
    buf_adds(c->out, "Patient data are not shared. The released tables and their disclosure record are.");
}

static void code_sharing(const struct card *c)
{
    const char *software = js_get_str(released_record(c->released), "software");
    buf_printf(c->out, "%s, Apache-2.0; the study document is all that it needs.",
               software ? software : "accord");
}

static void write_estimate(const struct card *c, const struct released_cell *cell)
{
    char value[32], lower[32], upper[32];
    released_format(cell->value, value);
    buf_adds(c->out, value);
    if (cell->lower == cell->lower) {
        released_format(cell->lower, lower);
        released_format(cell->upper, upper);
        buf_printf(c->out, " (%s to %s)", lower, upper);
    }
}

/* One line per level of the first dimension from `from` on: its figures, hidden ones said so. */
static void write_levels(const struct card *c, const struct released_table *t, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; t && i < t->dimensions[0].n_levels && i < to; i++) {
        buf_printf(c->out, "%s%s:", i > from ? "\n" : "", t->dimensions[0].levels[i].label);
        for (uint32_t k = 0; k < (t->n_dimensions > 1 ? t->dimensions[1].n_levels : 1); k++) {
            uint32_t at[] = {i, k};
            const struct released_cell *cell = released_cell_find(t, at);
            buf_printf(c->out, "%s %s ", k ? ";" : "",
                       t->n_dimensions > 1 ? t->dimensions[1].levels[k].label : "");
            if (!cell || cell->hidden)
                buf_adds(c->out, cell && cell->not_estimated ? "[not available]" : "[suppressed]");
            else
                write_estimate(c, cell);
        }
    }
}

static void people(const struct card *c)
{
    write_levels(c, c->people, 0, UINT32_MAX);
}

static void study_size_item(const struct card *c)
{
    buf_adds(c->out, "Everybody who was eligible at the sites took part:\n");
    people(c);
}

static void specification(const struct card *c)
{
    write_levels(c, c->coefficients, 0, UINT32_MAX);
}

static void performance(const struct card *c)
{
    write_levels(c, c->performance, 0, 2); /* training set and test set */
}

static void performance_by_group(const struct card *c)
{
    write_levels(c, c->performance, 2, UINT32_MAX);
}

/* --- the items --------------------------------------------------------------------------------------------
 */

static const struct item {
    const char *number, *section, *asks;
    fill_fn fill; /* NULL: only people can say */
    bool from_result;
} items[] = {
    {"1", "Title", "the study, its target population and outcome", study_title_item, false},
    {"2", "Abstract", "a structured summary", NULL, false},
    {"3a", "Introduction", "healthcare context, rationale, existing models", NULL, false},
    {"3b", "Introduction", "target population, intended purpose and users", NULL, false},
    {"3c", "Introduction", "known health inequalities between sociodemographic groups", NULL, false},
    {"4", "Introduction", "objectives: development, validation or both", NULL, false},
    {"5a", "Methods", "sources of data for development and evaluation", data_source, true},
    {"5b", "Methods", "dates of the data: start and end of accrual, end of follow-up", NULL, false},
    {"6a", "Methods", "setting: number, kind and place of the centres", NULL, false},
    {"6b", "Methods", "eligibility criteria", eligibility, false},
    {"6c", "Methods", "treatments received, and how they were handled", NULL, false},
    {"7", "Methods", "data preparation and quality, also across groups", NULL, false},
    {"8a", "Methods", "outcome, time horizon, how and when assessed", outcome, false},
    {"8b", "Methods", "qualifications of outcome assessors", outcome_assessors, false},
    {"8c", "Methods", "blinding of the outcome's assessment", outcome_assessors, false},
    {"9a", "Methods", "choice of initial predictors", predictors, false},
    {"9b", "Methods", "definition of all predictors", predictor_definitions, false},
    {"9c", "Methods", "qualifications of predictor assessors", NULL, false},
    {"10", "Methods", "study size and how it was arrived at", study_size_item, true},
    {"11", "Methods", "missing data", missing_data, false},
    {"12a", "Methods", "how the data were used and split", data_use, false},
    {"12b", "Methods", "how predictors were handled", predictor_handling, false},
    {"12c", "Methods", "type of model, steps of building, internal validation", model_type, false},
    {"12d", "Methods", "heterogeneity between clusters", heterogeneity, false},
    {"12e", "Methods", "measures of performance", measures, false},
    {"12f", "Methods", "model updating", no_updating, false},
    {"12g", "Methods", "how predictions are calculated", predictions, false},
    {"13", "Methods", "class imbalance", imbalance, false},
    {"14", "Methods", "approaches to fairness", fairness, false},
    {"15", "Methods", "the model's output", model_output, false},
    {"16", "Methods", "differences between development and evaluation data", same_source, false},
    {"17", "Methods", "ethical approval", approval, true},
    {"18a", "Open science", "funding and the role of funders", NULL, false},
    {"18b", "Open science", "conflicts of interest", NULL, false},
    {"18c", "Open science", "protocol", protocol, false},
    {"18d", "Open science", "registration", registration, true},
    {"18e", "Open science", "availability of data", data_sharing, true},
    {"18f", "Open science", "availability of code", code_sharing, true},
    {"19", "Patient and public involvement", "involvement in design, conduct, reporting", NULL, false},
    {"20a", "Results", "flow of participants, numbers with and without the outcome", people, true},
    {"20b", "Results", "characteristics overall and by centre", NULL, false},
    {"20c", "Results", "comparison of development and evaluation data", NULL, false},
    {"21", "Results", "participants and events in each analysis", people, true},
    {"22", "Results", "the full model", specification, true},
    {"23a", "Results", "performance with intervals, also in key groups", performance, true},
    {"23b", "Results", "heterogeneity of performance", performance_by_group, true},
    {"24", "Results", "results of updating", no_updating, false},
    {"25", "Discussion", "interpretation, also of fairness", NULL, false},
    {"26", "Discussion", "limitations", NULL, false},
    {"27a", "Discussion", "poor quality or unavailable input when the model is used", NULL, false},
    {"27b", "Discussion", "interaction and expertise that users need", NULL, false},
    {"27c", "Discussion", "next steps", NULL, false},
};
enum { N_ITEMS = sizeof items / sizeof *items };

static enum status check_statements(const struct js *statements, struct err *e)
{
    const char *numbers[N_ITEMS + 1] = {NULL};
    for (size_t i = 0; i < N_ITEMS; i++)
        numbers[i] = items[i].number;
    if (!statements)
        return ST_OK;
    if (!js_is(statements, JS_OBJECT))
        return err_set(e, ST_INVALID, "$: expected an object of items and texts, such as {\"3a\": \"...\"}");
    enum status s = js_only(statements, numbers, "$", e);
    for (void *it = js_first(statements); s == ST_OK && it; it = js_next(statements, it))
        if (!js_str(js_value(it)))
            s = err_set(e, ST_INVALID, "$.%s: expected a text", js_key(it));
    return s;
}

static struct js *item_of(const struct card *c, const struct item *item, const struct js *statements,
                          int64_t *missing)
{
    struct js *j = js_object();
    const char *said = js_get_str(statements, item->number), *by = "statement";
    buf_clear(c->out);
    if (item->fill)
        item->fill(c);
    if (!said && c->out->n) {
        said = c->out->p;
        by = item->from_result ? "result" : "study";
    } else if (said && c->out->n) { /* what is known is not replaced by what is claimed */
        buf_printf(c->out, "\n%s", said);
        said = c->out->p;
    }
    *missing += !said;
    js_put_str(j, "item", item->number);
    js_put_str(j, "section", item->section);
    js_put_str(j, "asks", item->asks);
    js_put(j, "says", said ? js_string(said) : js_null());
    if (said)
        js_put_str(j, "by", by);
    return j;
}

/* --- finding the model ------------------------------------------------------------------------------------
 */

static enum status find_model(struct card *c, const char *model, struct err *e)
{
    const struct js *list = js_get(study_document(c->study), "analyses");
    size_t found = 0;
    for (size_t i = 0; i < js_size(list); i++) {
        const struct js *one = js_at(list, i);
        if (strcmp(js_get_str(one, "kind"), "risk_model") != 0 ||
            (model && strcmp(js_get_str(one, "name"), model) != 0))
            continue;
        c->analysis = one;
        c->name = js_get_str(one, "name");
        found++;
    }
    if (found == 1)
        return ST_OK;
    return found ? err_set(e, ST_INVALID, "the study has %zu risk models: say which", found)
                 : err_set(e, ST_NOT_FOUND, "the study has no risk_model%s%s", model ? " called " : "",
                           model ? model : "");
}

/* The result must be of this very study. */
static enum status check_result(const struct card *c, struct err *e)
{
    char hash[2 * HASH_BYTES + 1];
    const char *of = js_get_str(context(c), "study_sha256");
    study_hash(c->study, hash);
    if (!of || strcmp(of, hash) != 0)
        return err_set(e, ST_INVALID, "the result is of another study than this one (SHA-256 %s)", hash);
    return c->performance && c->coefficients
               ? ST_OK
               : err_set(e, ST_INVALID, "the result has no tables of the model '%s'", c->name);
}

static const struct released_table *table_of(const struct card *c, const char *suffix)
{
    size_t n = strlen(c->name);
    for (uint32_t i = 0; i < released_n_tables(c->released); i++) {
        const struct released_table *t = released_table(c->released, i);
        if (strncmp(t->name, c->name, n) == 0 && strcmp(t->name + n, suffix) == 0)
            return t;
    }
    return NULL;
}

enum status model_card(const struct study *study, const char *model, const struct released *r,
                       const struct js *statements, struct js **out, struct err *e)
{
    struct buf text;
    struct card c = {.study = study, .released = r, .out = &text};
    char hash[2 * HASH_BYTES + 1];
    int64_t missing = 0;
    *out = NULL;
    enum status s = find_model(&c, model, e);
    if (s != ST_OK)
        return s;
    c.people = table_of(&c, "_people");
    c.performance = table_of(&c, "_performance");
    c.coefficients = table_of(&c, "_coefficients");
    s = check_result(&c, e);
    if (s == ST_OK)
        s = check_statements(statements, e);
    if (s != ST_OK)
        return s;
    struct js *list = js_array();
    buf_init(&text, (size_t)4 << 20);
    for (size_t i = 0; i < N_ITEMS; i++)
        js_push(list, item_of(&c, &items[i], statements, &missing));
    buf_deinit(&text);
    *out = js_object();
    study_hash(study, hash);
    js_put_str(*out, "format", "accord-model-card-1");
    js_put_str(*out, "model", c.name);
    js_put_str(*out, "title", study_title(study));
    js_put_str(*out, "study_sha256", hash);
    js_put(*out, "items", list);
    js_put_int(*out, "missing", missing);
    return ST_OK;
}

void model_card_text(const struct js *card, struct buf *out)
{
    const struct js *list = js_get(card, "items");
    const char *section = "";
    buf_printf(out, "# Model card: %s\n\n%s. Items of TRIPOD+AI; %lld of %zu are missing.\n",
               js_get_str(card, "model"), js_get_str(card, "title"),
               (long long)js_get_int(card, "missing", 0), js_size(list));
    for (size_t i = 0; i < js_size(list); i++) {
        const struct js *item = js_at(list, i);
        const char *says = js_get_str(item, "says");
        if (strcmp(section, js_get_str(item, "section")) != 0) {
            section = js_get_str(item, "section");
            buf_printf(out, "\n## %s\n", section);
        }
        buf_printf(out, "\n**%s** %s\n%s\n", js_get_str(item, "item"), js_get_str(item, "asks"),
                   says ? says : "MISSING: nobody has said");
    }
}
