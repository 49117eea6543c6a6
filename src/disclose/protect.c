/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/protect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "disclose/exact.h"

#define NONE UINT32_MAX
enum { EXCHANGE_MOST = 1500, EXCHANGE_ROUNDS = 4, PUBLISH_ITERATIONS = 50 };

/* One thing to prove: that a demand is met in one direction (sign 0: in either), for an attacker who knows
   what is printed, or also an insider's own cell. */
struct question {
    uint32_t demand, insider;
    int sign;
    uint32_t proof; /* the move that answers it; NONE */
};

/* Moves by id; ids that include a variable are found through by_variable. */
struct id_list {
    uint32_t *id;
    size_t n, capacity;
};

struct work {
    const struct system *system;
    const struct room *room;
    const double *weight;
    const struct demand *demands;
    bool *hidden;
    struct moves *moves;
    struct question *questions;
    size_t n_questions, questions_capacity;
    uint32_t *order, *first; /* questions by variable: order[first[v]] .. */
    struct move *proofs;
    struct id_list *users; /* questions by proof */
    size_t n_proofs, proofs_capacity, users_capacity;
    struct id_list *by_variable;
    int64_t solves;
};

static void push(struct id_list *l, uint32_t id)
{
    GROW(l->id, l->n + 1, l->capacity);
    l->id[l->n++] = id;
}

static double need_of(const struct demand *d, int sign)
{
    if (sign == 0)
        return d->up > d->down ? d->up : d->down;
    return sign > 0 ? d->up : d->down;
}

static void add_question(struct work *w, uint32_t demand, int sign, uint32_t insider)
{
    if (need_of(&w->demands[demand], sign) <= 0 || insider == w->demands[demand].variable)
        return;
    GROW(w->questions, w->n_questions + 1, w->questions_capacity);
    w->questions[w->n_questions++] = (struct question){demand, insider, sign, NONE};
}

static void add_questions(struct work *w, uint32_t n_demands, uint32_t insider)
{
    for (uint32_t d = 0; d < n_demands; d++) {
        if (w->demands[d].either) {
            add_question(w, d, 0, insider);
        } else {
            add_question(w, d, 1, insider);
            add_question(w, d, -1, insider);
        }
    }
}

static void index_questions(struct work *w)
{
    uint32_t n = w->system->n_variables;
    w->first = xcalloc((size_t)n + 2, sizeof *w->first);
    w->order = xcalloc(w->n_questions + 1, sizeof *w->order);
    for (size_t q = 0; q < w->n_questions; q++)
        w->first[w->demands[w->questions[q].demand].variable + 2]++;
    for (uint32_t v = 0; v < n; v++)
        w->first[v + 2] += w->first[v + 1];
    for (uint32_t q = 0; q < w->n_questions; q++)
        w->order[w->first[w->demands[w->questions[q].demand].variable + 1]++] = q;
}

/* How far a move may be stretched (sign +1) or turned round and stretched (-1). */
static double stretch_of(const struct work *w, const struct move *m, int sign)
{
    double most = INFINITY;
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t v = m->variable[i];
        double d = m->deviation[i] * sign, value = w->system->value[v];
        double low = w->hidden[v] ? w->room->hidden_low[v] : w->room->low[v];
        double high = w->hidden[v] ? w->room->hidden_high[v] : w->room->high[v];
        double room = d > 0 ? (high - value) / d : (low - value) / d;
        if (room < most)
            most = room;
    }
    return most;
}

static bool touches(const struct move *m, uint32_t variable)
{
    uint32_t low = 0, high = m->n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (m->variable[middle] < variable)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->n && m->variable[low] == variable;
}

static bool is_whole(const struct move *m, double factor)
{
    for (uint32_t i = 0; i < m->n; i++) {
        double d = m->deviation[i] * factor;
        if (fabs(d - nearbyint(d)) > 1e-6)
            return false;
    }
    return true;
}

/* Whether the move answers the question: its i-th variable is the question's. stretch: [0] turned, [1] not.
 */
static bool answers(const struct work *w, const struct move *m, uint32_t i, const double stretch[2],
                    const struct question *q)
{
    const struct demand *d = &w->demands[q->demand];
    double deviation = m->deviation[i];
    bool straight = q->sign == 0 || (deviation > 0) == (q->sign > 0);
    double need = q->sign == 0 ? (deviation > 0 ? d->up : d->down) : need_of(d, q->sign);
    double factor = need / fabs(deviation);
    if (!(factor <= stretch[straight] * (1 + 1e-9)) || (d->whole && !is_whole(m, factor)))
        return false;
    return q->insider == NONE || !touches(m, q->insider);
}

/* Keeps a move as a proof, and lets it answer every open question it can. */
static void keep(struct work *w, struct move m)
{
    const double stretch[2] = {stretch_of(w, &m, -1), stretch_of(w, &m, 1)};
    uint32_t id = (uint32_t)w->n_proofs++;
    GROW(w->proofs, w->n_proofs, w->proofs_capacity);
    GROW(w->users, w->n_proofs, w->users_capacity);
    w->proofs[id] = m;
    w->users[id] = (struct id_list){0};
    for (uint32_t i = 0; i < m.n; i++) {
        uint32_t v = m.variable[i];
        push(&w->by_variable[v], id);
        for (uint32_t k = w->first[v]; k < w->first[v + 1]; k++) {
            struct question *q = &w->questions[w->order[k]];
            if (q->proof == NONE && answers(w, &m, i, stretch, q)) {
                q->proof = id;
                push(&w->users[id], w->order[k]);
            }
        }
    }
}

static enum move_answer find(struct work *w, const struct question *q, int sign, bool whole, struct move *out)
{
    const struct demand *d = &w->demands[q->demand];
    double deviation = sign * need_of(d, sign);
    w->solves++;
    return whole ? moves_find_whole(w->moves, d->variable, deviation, out)
                 : moves_find(w->moves, d->variable, deviation, out);
}

/* The cheaper of the directions the question allows. */
static enum move_answer find_cheapest(struct work *w, const struct question *q, bool whole, struct move *out)
{
    enum move_answer best = MOVE_NONE;
    double cost = INFINITY;
    for (int sign = 1; sign >= -1; sign -= 2) {
        struct move m;
        if (q->sign == -sign || find(w, q, sign, whole, &m) != MOVE_FOUND)
            continue;
        if (best == MOVE_FOUND && moves_cost(w->moves) >= cost) {
            move_free(&m);
            continue;
        }
        if (best == MOVE_FOUND)
            move_free(out);
        cost = moves_cost(w->moves);
        *out = m;
        best = MOVE_FOUND;
    }
    return best;
}

/* A move that answers the question by itself. Where counts are wanted and the linear one is not whole, and
   `thorough`, an integer programme looks for one. */
static enum move_answer solve(struct work *w, const struct question *q, bool thorough, struct move *out)
{
    bool whole = w->demands[q->demand].whole;
    if (q->insider != NONE)
        moves_hold(w->moves, q->insider, true);
    enum move_answer a = find_cheapest(w, q, false, out);
    if (a == MOVE_FOUND && whole && !is_whole(out, 1)) {
        move_free(out);
        a = thorough ? find_cheapest(w, q, true, out) : MOVE_NONE;
    }
    if (q->insider != NONE)
        moves_hold(w->moves, q->insider, false);
    return a;
}

/* Hides what a move needs beyond what is printed; lists it in `added` (may be NULL). */
static void hide_for(struct work *w, const struct move *m, struct id_list *added)
{
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t v = m->variable[i];
        double at = w->system->value[v] + m->deviation[i], slack = 1e-6 * fabs(m->deviation[i]);
        if (w->hidden[v] || (at >= w->room->low[v] - slack && at <= w->room->high[v] + slack))
            continue;
        w->hidden[v] = true;
        moves_hide(w->moves, v);
        if (added)
            push(added, v);
    }
}

/* Questions in the order they are asked: insiders last, the largest needs first, then by number. */
struct asked {
    double need;
    uint32_t question;
    bool insider;
};

static int compare_asked(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    if (x->insider != y->insider)
        return x->insider ? 1 : -1;
    if (x->need != y->need)
        return x->need > y->need ? -1 : 1;
    return x->question < y->question ? -1 : 1;
}

static enum status answer_all(struct work *w, struct err *e)
{
    struct asked *asked = xcalloc(w->n_questions + 1, sizeof *asked);
    enum status s = ST_OK;
    for (uint32_t i = 0; i < w->n_questions; i++) {
        const struct question *q = &w->questions[i];
        asked[i] = (struct asked){need_of(&w->demands[q->demand], q->sign), i, q->insider != NONE};
    }
    qsort(asked, w->n_questions, sizeof *asked, compare_asked);
    for (size_t i = 0; s == ST_OK && i < w->n_questions; i++) {
        const struct question *q = &w->questions[asked[i].question];
        struct move m;
        if (q->proof != NONE)
            continue;
        if (interrupted()) {
            s = interrupted_err(e);
            break;
        }
        if (solve(w, q, true, &m) != MOVE_FOUND) {
            s = err_set(e, ST_UNSAFE,
                        "a protected cell cannot be made uncertain enough whatever else is hidden; merge "
                        "levels or drop a margin");
            break;
        }
        hide_for(w, &m, NULL);
        keep(w, m);
        if (q->proof == NONE)
            s = err_set(e, ST_UNSAFE, "a protected cell could not be proven safe");
    }
    free(asked);
    return s;
}

/* Every question whose proof moves the variable loses it; they are listed. */
static void unprove(struct work *w, uint32_t variable, struct id_list *lost, struct id_list *old)
{
    for (size_t i = 0; i < w->by_variable[variable].n; i++) {
        uint32_t id = w->by_variable[variable].id[i];
        for (size_t k = 0; k < w->users[id].n; k++) {
            uint32_t q = w->users[id].id[k];
            if (w->questions[q].proof != id)
                continue;
            push(lost, q);
            push(old, id);
            w->questions[q].proof = NONE;
        }
    }
}

/* Answers the lost questions again, hiding more (into `added`) where the moves may. False when it cannot, or
   when that would hide as much as `most`. */
static bool answer_lost(struct work *w, const struct id_list *lost, double most, struct id_list *added)
{
    double spent = 0;
    for (size_t i = 0; i < lost->n; i++) {
        const struct question *q = &w->questions[lost->id[i]];
        struct move m;
        size_t before = added->n;
        if (q->proof != NONE)
            continue;
        if (solve(w, q, false, &m) != MOVE_FOUND)
            return false;
        hide_for(w, &m, added);
        for (size_t k = before; k < added->n; k++)
            spent += w->weight[added->id[k]];
        keep(w, m);
        if (q->proof == NONE || spent >= most)
            return false;
    }
    return true;
}

/* Publishes one secondary again if every proof that used it has another that hides less in sum. */
static bool try_publish(struct work *w, uint32_t variable)
{
    struct id_list lost = {0}, old = {0}, added = {0};
    w->hidden[variable] = false;
    moves_close(w->moves, variable);
    unprove(w, variable, &lost, &old);
    bool good = answer_lost(w, &lost, w->weight[variable] * (1 - 1e-9), &added);
    if (!good) {
        for (size_t i = 0; i < added.n; i++) {
            w->hidden[added.id[i]] = false;
            moves_open(w->moves, added.id[i]);
        }
        w->hidden[variable] = true;
        moves_hide(w->moves, variable);
        for (size_t i = 0; i < lost.n; i++)
            w->questions[lost.id[i]].proof = old.id[i];
    }
    free(lost.id);
    free(old.id);
    free(added.id);
    return good;
}

struct dear {
    double weight;
    uint32_t variable;
};

static int compare_dear(const void *a, const void *b)
{
    const struct dear *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->variable < y->variable ? -1 : 1;
}

/* One pass over the secondaries, dearest first. */
static bool publish_again(struct work *w, const bool *primary)
{
    struct dear *dear = xcalloc((size_t)w->system->n_variables + 1, sizeof *dear);
    size_t n = 0;
    bool any = false;
    for (uint32_t v = 0; v < w->system->n_variables; v++)
        if (w->hidden[v] && !primary[v])
            dear[n++] = (struct dear){w->weight[v], v};
    qsort(dear, n, sizeof *dear, compare_dear);
    for (size_t i = 0; i < n && !interrupted(); i++)
        if (w->hidden[dear[i].variable])
            any |= try_publish(w, dear[i].variable);
    free(dear);
    return any;
}

/* Opens again what earlier exchanges closed. */
static void reopen(struct work *w)
{
    for (uint32_t v = 0; v < w->system->n_variables; v++)
        if (!w->hidden[v])
            moves_open(w->moves, v);
}

static bool is_used(const struct work *w, uint32_t variable)
{
    for (size_t i = 0; i < w->by_variable[variable].n; i++) {
        uint32_t id = w->by_variable[variable].id[i];
        for (size_t k = 0; k < w->users[id].n; k++)
            if (w->questions[w->users[id].id[k]].proof == id)
                return true;
    }
    return false;
}

/* Publishes what no proof needs. */
static void publish_unused(struct work *w, const bool *primary)
{
    for (uint32_t v = 0; v < w->system->n_variables; v++)
        if (w->hidden[v] && !primary[v] && !is_used(w, v)) {
            w->hidden[v] = false;
            moves_open(w->moves, v);
        }
}

/* Small systems: exchange against cheaper cells while that helps, then publish what can be. In large ones
   that was measured to save under 3% of the hidden value at several times the cost of everything else. */
static void improve(struct work *w, const bool *primary)
{
    publish_unused(w, primary);
    if (w->system->n_variables > EXCHANGE_MOST)
        return;
    for (int round = 0; round < EXCHANGE_ROUNDS && publish_again(w, primary); round++)
        reopen(w);
    moves_free(w->moves);
    w->moves = moves_new(w->system, w->room, w->hidden, NULL);
    moves_limit(w->moves, PUBLISH_ITERATIONS);
    publish_again(w, primary);
}

static void work_deinit(struct work *w)
{
    for (size_t i = 0; i < w->n_proofs; i++) {
        move_free(&w->proofs[i]);
        free(w->users[i].id);
    }
    for (uint32_t v = 0; v < w->system->n_variables; v++)
        free(w->by_variable[v].id);
    free(w->by_variable);
    free(w->proofs);
    free(w->users);
    free(w->questions);
    free(w->order);
    free(w->first);
    moves_free(w->moves);
}

enum status protect_run(const struct system *s, const struct room *room, const double *weight,
                        const struct demand *demands, uint32_t n_demands, const struct insiders *insiders,
                        struct protection *p, struct err *e)
{
    struct work w = {.system = s, .room = room, .weight = weight, .demands = demands, .hidden = p->hidden};
    bool *primary = xcalloc((size_t)s->n_variables + 1, sizeof *primary);
    memcpy(primary, p->hidden, s->n_variables * sizeof *primary);
    w.by_variable = xcalloc((size_t)s->n_variables + 1, sizeof *w.by_variable);
    w.moves = moves_new(s, room, p->hidden, weight);
    add_questions(&w, n_demands, NONE);
    for (uint32_t i = 0; insiders && i < insiders->n; i++)
        add_questions(&w, n_demands, insiders->variable[i]);
    index_questions(&w);
    enum status status = answer_all(&w, e);
    p->iterations = moves_iterations(w.moves);
    if (status == ST_OK)
        improve(&w, primary);
    p->iterations += moves_iterations(w.moves);
    if (status == ST_OK && !(insiders && insiders->n))
        exact_improve(s, room, weight, demands, n_demands, primary, EXACT_MOST, p->hidden, &p->n_optimal,
                      &p->n_components);
    p->solves = w.solves;
    p->n_added = 0;
    for (uint32_t v = 0; v < s->n_variables; v++)
        p->n_added += p->hidden[v] && !primary[v];
    work_deinit(&w);
    free(primary);
    return status;
}
