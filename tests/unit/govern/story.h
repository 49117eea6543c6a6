/* SPDX-License-Identifier: Apache-2.0
 *
 * A small register for tests: a steward, three trusts with nodes, a company with an analyst, two checkers, a
 * certifier, and an agreement in force between them. */
#ifndef STORY_H
#define STORY_H

#include "govern/register.h"

enum { SITES = 3 };
struct story {
    struct registry *r;
    struct identity *hub, *steward, *analyst, *checker[2], *certifier, *signer[SITES + 1], *controller,
        *node[SITES];
    char day[11], later[11]; /* today, and in a year */
    char path[64];
};

struct story *story_new(void);         /* founded: the steward only */
struct story *story_on_disk(void);     /* the same in a file */
void story_people(struct story *s);    /* bodies, people, grants, nodes, a template, prices */
void story_agreement(struct story *s); /* agreement:a1 in force */
void story_free(struct story *s);

/* JSON with ' for "; "$day", "$later" and "$key:N" are filled in. Returns what registry_apply says. */
enum status act(struct story *s, const struct identity *who, const char *verb, const char *subject,
                const char *body);
enum status act_err(struct story *s, const struct identity *who, const char *verb, const char *subject,
                    const char *body, struct err *e);
void must(struct story *s, const struct identity *who, const char *verb, const char *subject,
          const char *body);
/* A person of a body with one role held. */
struct identity *person_with(struct story *s, const char *id, const char *body, const char *role,
                             const char *scope);
const char *state_of(struct story *s, const char *noun, const char *id); /* valid until the next call */
char *terms_of(struct story *s, const char *agreement);                  /* malloced: {'terms': '…'} */
/* Rebuilds the projections and fails the test unless they are the same, byte for byte. */
void assert_replay_equal(struct story *s);

#endif
