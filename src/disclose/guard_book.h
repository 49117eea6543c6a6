/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard's book: the persons behind every cell that this site printed or gave to a run, on disk. It never
 * leaves the node (mode 0600, docs/formats/guard.md). A request's cells are judged and written in one
 * transaction before anything of it goes out: requests of several processes are judged one after the other,
 * each against all before it, and a node that is killed at any moment has either nothing sent or everything
 * remembered.
 *
 * Opening reads sketches; a set, and which sets a person is in, are read when a decision comes to it. Persons are numbered by their pseudonym,
 * for ever: numbers are never given twice, so that sets of different imports can be compared. One book may be
 * kept open over many requests; one thread at a time.
 */
#ifndef ACCORD_DISCLOSE_GUARD_BOOK_H
#define ACCORD_DISCLOSE_GUARD_BOOK_H

#include "base/json.h"
#include "disclose/guard.h"

enum { PSEUDONYM_BYTES = 16 };
/* What a requester is told; it is the same whatever was found. */
#define GUARD_REFUSAL                                                                                        \
    "with what was released before, this could single out fewer persons than the policy's minimum"
/* An answer is given at the end of a whole period of this length, so that its time tells nothing either. */
enum { GUARD_PERIOD_MS = 2000 };

struct guard_book;
/* Makes the book when there is none. `minimum` is k, of the policy that governs. */
MUST_CHECK enum status guard_book_open(const char *path, int64_t minimum, struct guard_book **out,
                                       struct err *e);
void guard_book_close(struct guard_book *b); /* NULL is fine */

/* Everybody in a store (or in several): the name says which persons in which order, as a snapshot's hash
   does. Their complements are compared with it, and who they are is written down once. */
struct guard_population {
    const char *name;
    size_t n;
    void (*pseudonym)(const void *context, size_t person, uint8_t out[PSEUDONYM_BYTES]);
    const void *context;
};
/* The number of each of them; somebody may be there twice. */
MUST_CHECK enum status guard_book_number(struct guard_book *b, const struct guard_population *p,
                                         uint32_t *numbers, struct err *e);

struct guard_print {
    const char *name;        /* "by_age_sex: total, 40-49" */
    struct persons *persons; /* borrowed */
    int64_t low, high;
    bool open; /* as in struct guard_cell */
};
struct guard_request {
    const char *run, *project, *title, *snapshot;
    const char *state; /* once written: "given" to a run whose outcome is open, or "released" */
    bool insist;       /* a person of the site has looked at a review and lets it pass */
    const struct guard_print *prints;
    size_t n_prints;
};
struct guard_answer {
    enum guard_verdict verdict;
    char cell[160]; /* the worst cell, and an earlier one that it goes with: for the site's own people */
    char with[160];
};
/* Judges all cells against what other requests printed, and writes the request down where it may pass: the
   verdict is then GUARD_ALLOW. Otherwise nothing is written. A run that was recorded before is allowed. Waits
   for other processes that decide. */
MUST_CHECK enum status guard_book_decide(struct guard_book *b, const struct guard_request *r,
                                         struct guard_answer *out, struct err *e);
/* Once decisions are made and answered: brings the index up to date where it is worth it. Should it fail, the
   next decision takes longer; that is logged. */
void guard_book_tidy(struct guard_book *b);
/* Nothing of a run that was given left after all: it counts no more. ST_NOT_FOUND when there is none. */
MUST_CHECK enum status guard_book_withdraw(struct guard_book *b, const char *run, struct err *e);

/* What was released: an array of {project, run, title, state, made, snapshot, cells, overlaps: [runs that
   count some of the same persons]}. project NULL = all. It has no numbers of persons. The caller frees it. */
MUST_CHECK enum status guard_book_history(struct guard_book *b, const char *project, struct js **out,
                                          struct err *e);

/* When an answer may be given: at the end of the period of those that began at `started_ns`
   (time_monotonic_ns) that is under way. */
int64_t guard_answer_at(int64_t started_ns, int64_t now_ns);
/* Waits for it, unless interrupted. */
void guard_wait(int64_t started_ns);

#endif
