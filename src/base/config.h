/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML configuration (libyaml behind this door): policy files, node and hub settings. A file is read into a
 * tree of maps, lists and scalars that remembers lines; config_read then fills a struct from a map after a
 * table of fields. An unknown key is an error that names file, line and the nearest key; so are duplicate
 * keys, anchors, tags, several documents, and nesting over 32. Nothing is guessed: `yes` and `no` are not
 * booleans, only `true` and `false`.
 */
#ifndef ACCORD_BASE_CONFIG_H
#define ACCORD_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct config; /* a node of the tree; the root owns all of it, and every text read from it */

/* `name` is what errors call the text. The root must be a map; an empty text is an empty map. */
MUST_CHECK enum status config_parse(struct slice text, const char *name, struct config **out, struct err *e);
MUST_CHECK enum status config_load(const char *path, struct config **out, struct err *e); /* at most 1 MiB */
void config_free(struct config *root);                                                    /* NULL is fine */

enum config_type {
    CONFIG_TEXT,   /* const char *: borrowed from the tree */
    CONFIG_INT,    /* int64_t within min and max */
    CONFIG_REAL,   /* double within min and max */
    CONFIG_FLAG,   /* bool */
    CONFIG_CHOICE, /* int: the index in `choices`, names ended by NULL */
    CONFIG_MAP,    /* const struct config * */
    CONFIG_LIST    /* const struct config * */
};
struct config_field {
    const char *key;
    enum config_type type;
    size_t offset; /* of the member in the struct that is filled */
    double min, max;
    const char *const *choices;
    bool required;
};
/* Fills what the map gives and leaves the rest of `into` as it is. `fields` is ended by an empty entry. */
MUST_CHECK enum status config_read(const struct config *map, const struct config_field *fields, void *into,
                                   struct err *e);
/* The value of a key, or NULL where the map does not give it. */
const struct config *config_get(const struct config *map, const char *key);

size_t config_size(const struct config *list_or_map);
const struct config *config_at(const struct config *list, size_t i); /* NULL past the end */
const char *config_text(const struct config *scalar);                /* NULL if it is not one */
const char *config_key(const struct config *map, size_t i);          /* the i-th key of a map */
const struct config *config_value(const struct config *map, size_t i);
/* "policy.yaml, line 7: " and the message: an error about a node that a caller found wanting. */
enum status config_refuse(const struct config *node, struct err *e, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
