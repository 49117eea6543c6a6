/* SPDX-License-Identifier: Apache-2.0
 *
 * The register's items as HTML: which members of a noun's document are shown, in which order, by which words
 * and how. One table for a noun's list and one for its page; what no table names is in the JSON beside it.
 */
#ifndef ACCORD_HTTP_SHOW_H
#define ACCORD_HTTP_SHOW_H

#include "base/json.h"
#include "govern/register.h"
#include "http/html.h"

enum how {
    SHOW_TEXT,
    SHOW_WORDS, /* a name of the vocabulary, as words */
    SHOW_STATE,
    SHOW_DAY,
    SHOW_TIME,
    SHOW_NUMBER,
    SHOW_POUNDS,
    SHOW_PERCENT,
    SHOW_BODY,    /* an organisation's id: its name, linked */
    SHOW_BODIES,  /* [{"body", "role"}] */
    SHOW_ITEM,    /* an id of `noun`, linked */
    SHOW_ITEMS,   /* [id] of `noun` */
    SHOW_ABOUT,   /* "noun:id", linked */
    SHOW_BY,      /* {"time", "person", "body"} */
    SHOW_SIGNED,  /* [{"time", "person", "body"}] */
    SHOW_CODES,   /* [{"scheme", "code"}] */
    SHOW_PAIRS,   /* {name: text} */
    SHOW_VALUE,   /* value mechanisms of an agreement, in words */
    SHOW_CHECKS,  /* [{"kind", "until"}] */
    SHOW_READINGS /* [{"date", "value", "source"}] */
};

struct shown {
    const char *member; /* NULL ends a table */
    const char *label;
    enum how how;
    const char *noun; /* of SHOW_ITEM and SHOW_ITEMS: the page's first segment, "projects" */
};

/* Where names and titles are read, and those of bodies that were read already; an id that is not there shows
   itself. */
struct names {
    struct js *by_id;          /* {id: name} of bodies; grows */
    struct registry *registry; /* may be NULL: then only what by_id has */
};
/* A body's name, NULL when there is none. Borrowed from by_id. */
const char *show_body_name(const struct names *names, const char *id);

/* One value; nothing for an absent one. */
void show_value(struct buf *out, const struct names *names, const struct shown *field,
                const struct js *value);
/* The members that the item has, as a list of keys and values. */
void show_item(struct buf *out, const struct names *names, const struct shown *fields, const struct js *item);
/* Items as a table; the first column links to /<path>/<id> unless path is NULL. */
void show_table(struct buf *out, const struct names *names, const struct shown *columns, const char *path,
                const char *caption, const struct js *items);
/* What an item is called: its title, what a transfer is for, whose view a review is. */
void show_title(struct buf *out, const struct names *names, const char *noun, const char *id);
/* "noun:id" by what it is called, linked where it has a page. */
void show_about(struct buf *out, const struct names *names, const char *about);
/* A body's name, linked. */
void show_body(struct buf *out, const struct names *names, const char *id);
/* The page of an item: "projects" for "project"; NULL for a noun without pages. */
const char *show_path(const char *noun, size_t n);

#endif
