/* SPDX-License-Identifier: Apache-2.0
 *
 * The public pages: every noun's list and items, the log, who uses data for what, the boards and their leads,
 * and downloads, as HTML that is whole without a script. The script adds comfort: checking an entry in the
 * reader's own browser, and what a signed-in person may do. */
#ifndef ACCORD_HTTP_PUBLIC_H
#define ACCORD_HTTP_PUBLIC_H

#include "http/route.h"
#include "govern/reads.h"
#include "http/show.h"

/* A page that is being written. */
struct public_page {
    struct call *call;
    struct names names;
    struct js *by_id; /* owns the names */
    struct html_frame frame;
    struct buf out;
};

extern const struct html_link public_menu[];
extern const char public_foot[];

/* Begins with title and first paragraph. */
MUST_CHECK enum status public_begin(struct public_page *p, struct call *c, const char *title,
                                    const char *lead, struct err *e);
/* Ends the page and makes it the answer; after an error only frees. `api`: the same as data, or NULL. */
MUST_CHECK enum status public_end(struct public_page *p, enum status s, const char *api, struct err *e);

/* A page of a heading and a paragraph: what the script fills, or a word between two pages. */
MUST_CHECK enum status public_notice(struct call *c, const char *title, const char *lead, struct err *e);

/* public_story.c */
/* What a verb did, in the past tense: "The agreement was signed". */
const char *story_phrase(const char *verb);
/* The entries of these subjects (ended by NULL) in order, each with its number in the log. */
MUST_CHECK enum status story_write(struct public_page *p, const char *const *subjects, struct err *e);
/* Everything from a project's first need to its last measure. */
MUST_CHECK enum status story_project(struct public_page *p, const struct js *project, struct err *e);
/* Entries [from, to) as a table, newest first. */
MUST_CHECK enum status story_table(struct public_page *p, int64_t from, int64_t to, struct err *e);
/* Where the script puts the check of an entry; without it a link to the entry. */
void story_verify(struct buf *out, int64_t seq);

/* public_boards.c */
/* The page of the ICBs as they are today: a map of tiles and a table. */
MUST_CHECK enum status public_boards(struct call *c, struct err *e);

/* public_items.c */
MUST_CHECK enum status public_item_extra(struct public_page *p, const char *noun, const struct js *item,
                                         struct err *e);
/* A released table as a file: "<table>.svg", "<table>.narrow.svg" or "<table>.csv". */
MUST_CHECK enum status public_artefact_file(struct call *c, struct err *e);

#endif
