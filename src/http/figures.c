/* SPDX-License-Identifier: Apache-2.0 */
#include "http/figures.h"

#include <string.h>

#include "http/html.h"

/* Cells from which a table is long: beside a picture that shows them, and alone. */
enum { LONG_BESIDE = 12, LONG_ALONE = 30, SAYS_MOST = 1 << 16 };

static void write_picture(struct buf *out, const struct released *r, uint32_t i, const char *folder)
{
    const char *name = released_table(r, i)->name;
    struct buf says;
    buf_init(&says, SAYS_MOST);
    released_describe(r, i, &says);
    html_add(
        out,
        "<figure class=\"accord-picture\"><picture><source media=\"screen and (max-width: 800px)\" "
        "srcset=\"%s/%s.narrow.svg\"><img src=\"%s/%s.svg\" alt=\"%s\" loading=\"lazy\"></picture></figure>",
        folder, name, folder, name, says.p ? says.p : "");
    buf_deinit(&says);
}

void figure_write(struct buf *out, const struct released *r, uint32_t i, const char *folder, bool folded)
{
    const struct released_table *t = released_table(r, i);
    bool pictured = released_pictured(t);
    folded = folded && t->n_cells > (pictured ? LONG_BESIDE : LONG_ALONE);
    if (pictured)
        write_picture(out, r, i, folder);
    if (folded) {
        html_details_begin(out, NULL);
        buf_adds(out, pictured ? "The numbers as a table: " : "Table: ");
        html_result_title(out, t->title);
        html_details_inside(out);
    }
    html_released(out, t);
    if (folded)
        html_details_end(out);
}

static bool is_file(const char *file, const char *name, const char *ending)
{
    size_t n = strlen(name);
    return strncmp(file, name, n) == 0 && strcmp(file + n, ending) == 0;
}

enum status figure_file(const struct released *r, const char *file, const struct picture_source *source,
                        struct buf *out, const char **type, struct err *e)
{
    for (uint32_t i = 0; i < released_n_tables(r); i++) {
        const struct released_table *t = released_table(r, i);
        bool wide = is_file(file, t->name, ".svg"), narrow = is_file(file, t->name, ".narrow.svg");
        if (is_file(file, t->name, ".csv")) {
            *type = "text/csv; charset=utf-8";
            released_csv(t, out);
            return buf_check(out, "the table", e);
        }
        if ((wide || narrow) && released_pictured(t)) {
            *type = "image/svg+xml";
            released_svg(r, i, source, narrow ? PICTURE_NARROW : PICTURE_WIDE, out);
            return buf_check(out, "the picture", e);
        }
    }
    return err_set(e, ST_NOT_FOUND, "the result has no such table or picture");
}
