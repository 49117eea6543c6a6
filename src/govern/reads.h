/* SPDX-License-Identifier: Apache-2.0
 *
 * What an answer was read from, and what the log has changed since: so that an answer which many ask for is
 * made again only when something that it shows has changed.
 *
 * A watched registry takes down what is read: an item, a noun's items, those of a body, those about an item.
 * Whatever is read without being taken down (the log itself, a search) counts as everything, so that a
 * function that forgets to say what it reads costs time and never gives an old answer.
 *
 * Names are kept as hashes. Two names with one hash only make an answer be made once too often.
 */
#ifndef ACCORD_GOVERN_READS_H
#define ACCORD_GOVERN_READS_H

#include "govern/register.h"

enum { READS_MOST = 64 };
struct reads {
    bool everything; /* of the log, or more than fits */
    size_t n;
    uint64_t of[READS_MOST];
};

/* From here on what is read goes into *into, until registry_unwatch. */
void registry_watch(struct registry *r, struct reads *into);
void registry_unwatch(struct registry *r);

/* For functions that know what they read: whatever runs between the two is covered by what reads_add was told
   in between. May be nested; costs next to nothing when nobody watches. */
struct reading {
    int64_t statements, told;
};
struct reading reads_begin(const struct registry *r);
void reads_end(struct registry *r, struct reading begun);
void reads_item(struct registry *r, const char *noun, const char *id);
void reads_of_body(struct registry *r, const char *noun, const char *body);
void reads_about(struct registry *r, const char *noun, const char *about);
void reads_nouns(struct registry *r, const char *nouns); /* separated by | */

/* What the entries from number `since` on have changed: `changed` is told the hash of each name that covers
   an item of them, and the size of the log behind the entry that changed it last. */
MUST_CHECK enum status registry_changes(struct registry *r, int64_t since,
                                        void (*changed)(void *context, uint64_t name, int64_t size),
                                        void *context, struct err *e);

#endif
