/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct attack {
    const struct system *system;
    const struct room *room;
    const bool *hidden;
    struct moves *moves;
    double *reach_up, *reach_down;             /* proven deviations by variable */
    double *reach_whole_up, *reach_whole_down; /* proven by moves in whole numbers */
    uint32_t held;                             /* the insider's variable; UINT32_MAX = none */
    int64_t solves;
};

static double stretch_of(const struct attack *a, const struct move *m, int sign)
{
    double most = INFINITY;
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t v = m->variable[i];
        double d = m->deviation[i] * sign, value = a->system->value[v];
        double low = a->hidden[v] ? a->room->hidden_low[v] : a->room->low[v];
        double high = a->hidden[v] ? a->room->hidden_high[v] : a->room->high[v];
        double room = d > 0 ? (high - value) / d : (low - value) / d;
        if (room < most)
            most = room;
    }
    return most < 0 ? 0 : most;
}

static bool is_whole(const struct move *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        if (fabs(m->deviation[i] - nearbyint(m->deviation[i])) > 1e-6)
            return false;
    return true;
}

static void raise_to(double *reach, double d)
{
    if (d > *reach)
        *reach = d;
}

/* Everything a move proves: it, stretched as far as it goes, in both directions. */
static void learn(struct attack *a, const struct move *m)
{
    bool whole = is_whole(m);
    for (int sign = -1; sign <= 1; sign += 2) {
        double stretch = stretch_of(a, m, sign) * (1 + 1e-9), floored = floor(stretch);
        for (uint32_t i = 0; i < m->n; i++) {
            double d = m->deviation[i] * sign;
            uint32_t v = m->variable[i];
            raise_to(d > 0 ? &a->reach_up[v] : &a->reach_down[v], fabs(d) * stretch);
            if (whole && floored >= 1)
                raise_to(d > 0 ? &a->reach_whole_up[v] : &a->reach_whole_down[v], fabs(d) * floored);
        }
    }
}

static bool proven(const struct attack *a, uint32_t v, int sign, double need, bool whole)
{
    double reach = whole ? (sign > 0 ? a->reach_whole_up[v] : a->reach_whole_down[v])
                         : (sign > 0 ? a->reach_up[v] : a->reach_down[v]);
    return reach >= need * (1 - 1e-9);
}

/* Whether the variable can be `need` away in this direction. */
static bool ask(struct attack *a, uint32_t v, int sign, double need, bool whole)
{
    struct move m;
    if (need <= 0 || proven(a, v, sign, need, whole))
        return true;
    if (v == a->held)
        return true;
    a->solves++;
    enum move_answer answer = moves_find(a->moves, v, sign * need, &m);
    if (answer == MOVE_FOUND && whole && !is_whole(&m)) {
        learn(a, &m);
        move_free(&m);
        a->solves++;
        answer = moves_find_whole(a->moves, v, sign * need, &m);
    }
    if (answer != MOVE_FOUND)
        return false;
    learn(a, &m);
    move_free(&m);
    return true;
}

static bool meets(struct attack *a, const struct demand *d)
{
    if (d->either)
        return ask(a, d->variable, 1, d->up, d->whole) ||
               (d->down > 0 && ask(a, d->variable, -1, d->down, d->whole));
    return ask(a, d->variable, 1, d->up, d->whole) && ask(a, d->variable, -1, d->down, d->whole);
}

/* The attacker's interval where a demand is not met. */
static enum finding measure(struct attack *a, const struct demand *d, double *low, double *high)
{
    double up = 0, down = 0, value = a->system->value[d->variable];
    a->solves += 2;
    if (moves_furthest(a->moves, d->variable, 1, &up) != MOVE_FOUND)
        up = 0;
    if (moves_furthest(a->moves, d->variable, -1, &down) != MOVE_FOUND)
        down = 0;
    *low = value - down;
    *high = value + up;
    return up + down <= 1e-6 * fmax(1, fabs(value)) ? FOUND_EXACT : FOUND_SHORT;
}

static void one_round(struct attack *a, const struct demand *demands, uint32_t n, struct attack_report *out)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = demands[i].variable;
        double low, high;
        if (out->findings[i] == FOUND_EXACT || meets(a, &demands[i])) {
            low = a->system->value[v] - a->reach_down[v];
            high = a->system->value[v] + a->reach_up[v];
        } else {
            enum finding f = measure(a, &demands[i], &low, &high);
            if (f > out->findings[i])
                out->findings[i] = f;
        }
        out->low[i] = fmax(out->low[i], low);
        out->high[i] = fmin(out->high[i], high);
    }
}

static void begin(struct attack *a, uint32_t held)
{
    size_t n = (size_t)a->system->n_variables + 1;
    a->held = held;
    a->reach_up = xcalloc(n, sizeof(double));
    a->reach_down = xcalloc(n, sizeof(double));
    a->reach_whole_up = xcalloc(n, sizeof(double));
    a->reach_whole_down = xcalloc(n, sizeof(double));
    a->moves = moves_new(a->system, a->room, a->hidden, NULL);
    if (held != UINT32_MAX)
        moves_hold(a->moves, held, true);
}

static void end(struct attack *a)
{
    moves_free(a->moves);
    free(a->reach_up);
    free(a->reach_down);
    free(a->reach_whole_up);
    free(a->reach_whole_down);
}

void attack_run(const struct system *s, const struct room *room, const bool *hidden,
                const struct demand *demands, uint32_t n_demands, const struct insiders *insiders,
                struct attack_report *out)
{
    struct attack a = {.system = s, .room = room, .hidden = hidden};
    *out = (struct attack_report){.n_demands = n_demands};
    out->findings = xcalloc((size_t)n_demands + 1, sizeof *out->findings);
    out->low = xcalloc((size_t)n_demands + 1, sizeof *out->low);
    out->high = xcalloc((size_t)n_demands + 1, sizeof *out->high);
    for (uint32_t i = 0; i < n_demands; i++) {
        out->low[i] = -INFINITY;
        out->high[i] = INFINITY;
    }
    uint32_t n_insiders = insiders ? insiders->n : 0;
    for (uint32_t k = 0; k <= n_insiders; k++) {
        begin(&a, k < n_insiders ? insiders->variable[k] : UINT32_MAX);
        one_round(&a, demands, n_demands, out);
        end(&a);
    }
    for (uint32_t i = 0; i < n_demands; i++) {
        out->n_safe += out->findings[i] == FOUND_SAFE;
        out->n_short += out->findings[i] == FOUND_SHORT;
        out->n_exact += out->findings[i] == FOUND_EXACT;
    }
    out->solves = a.solves;
}

void attack_report_deinit(struct attack_report *r)
{
    free(r->findings);
    free(r->low);
    free(r->high);
    *r = (struct attack_report){0};
}
