/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML pages in the NHS design system: the frame that every page has, and a printf that escapes. No page has
 * inline script or style.
 */
#ifndef ACCORD_HTTP_HTML_H
#define ACCORD_HTTP_HTML_H

#include "base/mem.h"
#include "base/text.h"
#include "disclose/release.h"

/* The pages' Content-Security-Policy: everything from this server, nothing inline; text can become script
   nowhere. */
extern const char html_policy[];

/* "%s" is escaped for text and quoted attributes (NULL gives nothing), "%d", "%ld" and "%%" as in printf;
   nothing else. The format itself is HTML. */
void html_add(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

struct html_link {
    const char *path, *label;
};
struct html_frame {
    const char *title;            /* the window's and the page's */
    const char *name;             /* of the site, in the head: "Accord" */
    const struct html_link *menu; /* ended by {0}; may be NULL */
    const char *path;             /* of this page: its entry in the menu is marked; may be NULL */
    const char *foot;             /* a sentence */
    bool script;                  /* the web UI's script and its sign-in come with it */
};
void html_begin(const struct html_frame *frame, struct buf *out); /* up to within <main>, before <h1> */
void html_end(const struct html_frame *frame, struct buf *out);

/* A table that reads across on a wide page and, on a narrow one, as a block for each row with every value
   beside its column's label. */
struct html_column {
    const char *label; /* NULL ends a list */
    bool numeric;
};
void html_table_begin(struct buf *out, const char *caption, const struct html_column *columns);
void html_row_begin(struct buf *out);
void html_cell_begin(struct buf *out, const struct html_column *column); /* end it with "</td>" */
void html_table_end(struct buf *out);

/* What is folded until somebody opens it; works without a script. A summary that is more than text is written
   between html_details_begin with NULL and html_details_inside. */
void html_details_begin(struct buf *out, const char *summary);
void html_details_inside(struct buf *out);
void html_details_end(struct buf *out);

/* A part of a long list: page `at` (from 1), `per` items on each, `total` in all. */
struct html_part {
    int64_t at, per, total;
};
/* "Projects: 51 to 100 of 1,776", "Projects: 4" where all are here; arena memory. */
const char *html_part_caption(struct arena *a, const char *title, const struct html_part *part);
/* Links to the pages before and behind (rel=prev, rel=next); nothing where there is one page. `address` is
   theirs up to the number. */
void html_part_links(struct buf *out, const char *address, const struct html_part *part);
/* The same for what is not counted in pages; an address may be NULL: there is none. Texts say which part. */
struct html_step {
    const char *address, *label, *says;
};
void html_steps(struct buf *out, const struct html_step *previous, const struct html_step *next);

/* "2026-11-22" or "2026-11-22T21:41:44Z" as "22 November 2026", within <time>; html_time with "at 21:41". Any
   other text as it is. */
void html_day(struct buf *out, const char *day);
void html_time(struct buf *out, const char *time);
/* 2500000 pence as "£25,000", 143150 as "£1,431.50". */
void html_pounds(struct buf *out, int64_t pence);
/* 1234567 as "1,234,567". */
void html_number(struct buf *out, int64_t n);
/* A released value for people to read: as released_format, with separators from 1,000 on. Nothing for NaN. */
void html_figure(struct buf *out, double v);
/* The coloured tag of a state: "in_force" as "in force". */
void html_state(struct buf *out, const char *state);
/* A name of the data as words: "lead_site" as "Lead site", "icb" as "Integrated care board (ICB)". */
void html_words(struct buf *out, const char *name);

/* The title of a result's table: "Persons [by_sex_age]" as "Persons (by sex age)". */
void html_result_title(struct buf *out, const char *title);
/* A released table: hidden cells as [c], cells that are not listed as zero, the last dimension across where
   it has room. */
void html_released(struct buf *out, const struct released_table *t);

#endif
