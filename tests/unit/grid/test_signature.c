/* SPDX-License-Identifier: Apache-2.0
 * Signed requests: what was signed is accepted once and inside the clock window; any change is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "grid/signature.h"

static const struct signed_message message = {"POST", {"/api/v1/runs", 12}, {"wait=30", 7}, {"{\"a\":1}", 7}};

struct made {
    struct identity *id;
    struct signature_headers h;
    const char *digest, *input, *signature;
};

static void make(struct made *m, int64_t now_ms)
{
    m->id = identity_new();
    signature_headers_init(&m->h);
    signature_make(&message, m->id, now_ms, &m->h);
    m->digest = strchr(m->h.digest.p, ' ') + 1;
    m->input = strchr(m->h.input.p, ' ') + 1;
    m->signature = strchr(m->h.signature.p, ' ') + 1;
}

static void unmake(struct made *m)
{
    signature_headers_deinit(&m->h);
    identity_free(m->id);
}

static void a_signed_request_is_accepted(void **state)
{
    (void)state;
    struct made m;
    struct signature sig;
    make(&m, 1800000000123);
    assert_int_equal(signature_check(&message, m.digest, m.input, m.signature, &sig, NULL), ST_OK);
    assert_memory_equal(sig.key, m.id->sign_public, SIGN_PUBLIC_BYTES);
    assert_true(sig.created_ms == 1800000000000);
    unmake(&m);
}

static void any_change_is_refused(void **state)
{
    (void)state;
    struct made m;
    struct signature sig;
    make(&m, 1800000000000);
    struct signed_message changed[4] = {message, message, message, message};
    changed[0].method = "PUT";
    changed[1].path = SLICE("/api/v1/run");
    changed[2].query = SLICE("");
    changed[3].body = SLICE("{\"a\":2}");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(signature_check(&changed[i], m.digest, m.input, m.signature, &sig, NULL),
                         ST_UNAUTHENTICATED);
    assert_int_equal(signature_check(&message, m.digest, NULL, m.signature, &sig, NULL), ST_UNAUTHENTICATED);
    unmake(&m);
}

/* Every byte of the two headers counts: flipping any one makes the request refused. */
static void every_byte_of_the_headers_counts(void **state)
{
    (void)state;
    struct made m;
    struct signature sig;
    make(&m, 1800000000000);
    struct buf *lines[2] = {&m.h.input, &m.h.signature};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = (size_t)(strchr(lines[k]->p, ' ') - lines[k]->p) + 1; i < lines[k]->n; i++) {
            lines[k]->p[i] ^= 1;
            assert_int_equal(signature_check(&message, m.digest, m.input, m.signature, &sig, NULL),
                             ST_UNAUTHENTICATED);
            lines[k]->p[i] ^= 1;
        }
    assert_int_equal(signature_check(&message, m.digest, m.input, m.signature, &sig, NULL), ST_OK);
    unmake(&m);
}

static struct signature signature_of(int64_t created_ms, int serial)
{
    struct signature s = {.created_ms = created_ms};
    snprintf(s.nonce, sizeof s.nonce, "n%d", serial);
    return s;
}

static void a_replay_and_a_wrong_clock_are_refused(void **state)
{
    (void)state;
    int64_t now = 1800000000000;
    struct replay_guard *g = replay_guard_new(now - 120000);
    struct signature s = signature_of(now, 1), early = signature_of(now - SIGNATURE_SKEW_MS - 1000, 2),
                     late = signature_of(now + SIGNATURE_SKEW_MS + 1000, 3);
    assert_int_equal(replay_guard_admit(g, &s, now, NULL), ST_OK);
    assert_int_equal(replay_guard_admit(g, &s, now + 50000, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(replay_guard_admit(g, &early, now, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(replay_guard_admit(g, &late, now, NULL), ST_UNAUTHENTICATED);
    replay_guard_free(g);
    g = replay_guard_new(now + 2000); /* a restart: what was signed before it is not taken again */
    assert_int_equal(replay_guard_admit(g, &s, now + 3000, NULL), ST_UNAUTHENTICATED);
    replay_guard_free(g);
}

static void the_guard_forgets_only_what_is_out_of_time(void **state)
{
    (void)state;
    int64_t now = 1800000000000;
    struct replay_guard *g = replay_guard_new(now);
    for (int i = 0; i < 20000; i++) {
        struct signature s = signature_of(now + i * 10, i);
        assert_int_equal(replay_guard_admit(g, &s, now + i * 10, NULL), ST_OK);
        if (i >= 5000) {
            struct signature again = signature_of(now + (i - 5000) * 10, i - 5000);
            assert_int_equal(replay_guard_admit(g, &again, now + i * 10, NULL), ST_UNAUTHENTICATED);
        }
    }
    replay_guard_free(g);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_request_is_accepted),
        cmocka_unit_test(any_change_is_refused),
        cmocka_unit_test(every_byte_of_the_headers_counts),
        cmocka_unit_test(a_replay_and_a_wrong_clock_are_refused),
        cmocka_unit_test(the_guard_forgets_only_what_is_out_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
