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
    if (js_is(cohort, JS_OBJECT) && js_get(cohort, "groups"))
        return cohort_parse_rquest(j, (int32_t)(time_now_ms() / 86400000), out, e);
    enum status s = cohort_parse(j, out, e);
    return s != ST_OK && faults ? cohort_faults(j, "", faults, e) : s;
}

enum status cohort_load(const char *path, struct cohort_definition **out, struct err *e)
{
    return cohort_load_all(path, NULL, out, e);
}

enum status cohort_load_all(const char *path, struct js *faults, struct cohort_definition **out,
                            struct err *e)
{
    struct buf text;
    struct js *j = NULL;
    const char *name = last_part(path);
    *out = NULL;
    buf_init(&text, MOST_BYTES);
    enum status s = file_read(path, &text, e);
    struct slice trimmed = slice_trim(buf_slice(&text));
    bool json = trimmed.n && (trimmed.p[0] == '{' || trimmed.p[0] == '[');
    if (s == ST_OK && !json) {
        s = cohort_parse_text(buf_slice(&text), name, out, e);
        buf_deinit(&text);
        return s;
    }
    if (s == ST_OK)
        s = js_parse(buf_slice(&text), name, &j, e);
    if (s == ST_OK) {
        s = parse_json(j, faults, out, e);
        if (s != ST_OK)
            (void)err_wrap(e, "%s", name);
    }
    js_free(j);
    buf_deinit(&text);
    return s;
}

const char *cohort_ignored_field(const struct cohort_definition *d, size_t i)
{
    return i < d->n_ignored ? d->ignored[i] : NULL;
}
