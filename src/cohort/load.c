/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"
#include "base/file.h"
#include "cohort/cohort.h"
#include "cohort/tree.h"

enum { MOST_BYTES = 64 << 20 };

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum status parse_json(const struct js *j, struct js *faults, struct cohort_definition **out,
                              struct err *e)
{
    const struct js *cohort = js_get(j, "cohort");
    if (js_is(j, JS_ARRAY))
        return err_set(e, ST_INVALID, "this is a list of %zu; expected one cohort definition in a file",
                       js_size(j));
    if (js_get(j, "items") || js_get(js_get(j, "expression"), "items"))
        return err_set(e, ST_INVALID,
                       "this is a concept set; expected a cohort definition, which names its "
                       "PrimaryCriteria");
    if (js_is(js_get(j, "cohorts"), JS_ARRAY) && js_get(j, "analyses"))
        return err_set(
            e, ST_INVALID,
            "this is a study; expected a cohort definition ('accord study check' looks at studies)");
    if (js_is(cohort, JS_OBJECT) && js_get(cohort, "groups"))
        return cohort_parse_rquest(j, (int32_t)(time_now_ms() / 86400000), out, e);
    enum status s = cohort_parse(j, out, e);
    return s != ST_OK && faults ? cohort_faults(j, "", faults, e) : s;
}

static enum status load_json(struct slice text, const char *name, struct js *faults,
                             struct cohort_definition **out, struct err *e)
{
    struct js *j = NULL;
    enum status s = js_parse(text, name, &j, e);
    if (s == ST_OK) {
        s = parse_json(j, faults, out, e);
        if (s != ST_OK)
            (void)err_wrap(e, "%s", name);
    }
    js_free(j);
    return s;
}

static enum status load(struct slice text, const char *name, struct js *faults,
                        struct cohort_definition **out, struct err *e)
{
    struct slice trimmed = slice_trim(text);
    if (trimmed.n == 0)
        return err_set(e, ST_INVALID, "%s is empty; expected a cohort definition", name);
    return trimmed.p[0] == '{' || trimmed.p[0] == '[' ? load_json(text, name, faults, out, e)
                                                      : cohort_parse_text(text, name, out, e);
}

enum status cohort_load(const char *path, struct cohort_definition **out, struct err *e)
{
    return cohort_load_all(path, NULL, out, e);
}

enum status cohort_load_all(const char *path, struct js *faults, struct cohort_definition **out,
                            struct err *e)
{
    struct buf bytes;
    struct slice text;
    const char *name = last_part(path);
    *out = NULL;
    buf_init(&bytes, MOST_BYTES);
    enum status s = file_read(path, &bytes, e);
    if (s == ST_OK)
        s = text_of_file(buf_slice(&bytes), name, &text, e);
    if (s == ST_OK)
        s = load(text, name, faults, out, e);
    buf_deinit(&bytes);
    return s;
}

const char *cohort_ignored_field(const struct cohort_definition *d, size_t i)
{
    return i < d->n_ignored ? d->ignored[i] : NULL;
}
