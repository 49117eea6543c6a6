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

/* public_front.c: the front page, and the numbers behind its picture. */
MUST_CHECK enum status public_front(struct call *c, struct err *e);
MUST_CHECK enum status public_activity(struct call *c, struct err *e);

/* public_nouns.c */
struct page_choice {
    const char *name, *label; /* of a member whose values the reader may choose among; NULL ends a list */
};
struct noun_page {
    const char *path, *noun;  /* "bodies", "body" */
    const char *title, *lead; /* of the list */
    const char *none,
        *of_item; /* in the list's place; the first paragraph of an item without words of its own */
    const struct shown *columns, *fields;
    const struct page_choice *choices; /* of the list; at most three */
};
extern const struct noun_page noun_pages[];               /* ended by {0} */
const struct noun_page *noun_page_find(const char *path); /* NULL: there is none */

/* public_lists.c */
/* The list of a noun's items that the query asks for. */
MUST_CHECK enum status public_list(struct call *c, const struct noun_page *page, struct err *e);
/* Which part of so many items the query asks for (page=, from 1): into *at and into q's limit and skip.
   ST_NOT_FOUND behind the last. */
MUST_CHECK enum status public_part(struct call *c, int64_t per, int64_t total, struct registry_query *q,
                                   int64_t *at, struct err *e);

/* public_log.c: the log's page and that of an entry. */
MUST_CHECK enum status public_log(struct call *c, struct err *e);
MUST_CHECK enum status public_entry(struct call *c, struct err *e);

/* public_story.c */
/* What a verb did, in the past tense: "The agreement was signed". */
const char *story_phrase(const char *verb);
/* The entries of these subjects (ended by NULL) in order, each with its number in the log: the part that the
   query's page= asks for, with links to the others; `address` is theirs up to the number. */
MUST_CHECK enum status story_write(struct public_page *p, const char *const *subjects, const char *address,
                                   struct err *e);
/* Everything from a project's first need to its last measure. */
MUST_CHECK enum status story_project(struct public_page *p, const struct js *project, const char *address,
                                     struct err *e);
/* ", by " and the body of whoever signed with the key; nothing for the hub itself. */
void story_actor(struct public_page *p, const char *key);
/* Entries [from, to) as a table, newest first. */
MUST_CHECK enum status story_table(struct public_page *p, const char *caption, int64_t from, int64_t to,
                                   struct err *e);
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
