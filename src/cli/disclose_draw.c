/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/disclose_draw.h"

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

enum { PICTURE_MOST = 16 << 20 };

const char disclose_draw_about[] = "Draws the pictures of a released document, as its result page shows "
                                   "them: NAME.svg for each table that has\n"
                                   "one, in the folder of --output. Suppressed values are drawn as "
                                   "suppressed. The kind of picture follows from\n"
                                   "the analysis (docs/pictures.md).";

const struct option_spec disclose_draw_options[] = {
    {"output", "DIR", "the folder for the pictures (needed)"},
    {"narrow", NULL, "NAME.narrow.svg, for narrow columns and telephones, instead"},
    {"source", "TEXT", "whose numbers they are, for the line of sources (the agreement)"},
    {"result", "ID", "the result's id, for the same line (the run)"},
    {"date", "DAY", "the day of release, for the same line"},
    {0},
};

static enum status write_one(const struct released *r, uint32_t i, const char *path, enum picture_width width,
                             const struct picture_source *source, struct err *e)
{
    struct buf text;
    buf_init(&text, PICTURE_MOST);
    released_svg(r, i, source, width, &text);
    enum status s = buf_check(&text, "picture", e);
    if (s == ST_OK)
        s = file_replace(path, buf_slice(&text), 0644, e);
    buf_deinit(&text);
    return s;
}

enum status pictures_write(const struct released *r, const char *folder, enum picture_width width,
                           const struct picture_source *source, uint32_t *n, struct err *e)
{
    struct arena *a = arena_new();
    enum status s = ST_OK;
    *n = 0;
    for (uint32_t i = 0; s == ST_OK && i < released_n_tables(r); i++) {
        const struct released_table *t = released_table(r, i);
        if (!released_pictured(t))
            continue;
        const char *path =
            arena_printf(a, "%s/%s%s.svg", folder, t->name, width == PICTURE_NARROW ? ".narrow" : "");
        s = write_one(r, i, path, width, source, e);
        *n += 1;
    }
    arena_free(a);
    return s;
}

enum status run_disclose_draw(const struct args *a, struct err *e)
{
    struct js *j = NULL;
    struct released *r = NULL;
    const char *folder = args_get(a, "output");
    struct picture_source source = {args_get(a, "source"), args_get(a, "result"), args_get(a, "date")};
    enum picture_width width = args_has(a, "narrow") ? PICTURE_NARROW : PICTURE_WIDE;
    uint32_t n = 0;
    if (!folder)
        return err_set(e, ST_USAGE, "--output is needed: the folder that the pictures go to");
    enum status s = js_load(args_operand(a, 0), &j, e);
    if (s == ST_OK)
        s = released_from_json(j, &r, e);
    if (s == ST_OK)
        s = dir_make(folder, e);
    if (s == ST_OK)
        s = pictures_write(r, folder, width, &source, &n, e);
    if (s == ST_OK)
        printf("%u pictures in %s\n", n, folder);
    released_free(r);
    js_free(j);
    return s;
}
