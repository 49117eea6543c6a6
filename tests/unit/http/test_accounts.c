/* SPDX-License-Identifier: Apache-2.0
 * Accounts: what opens a session, what ends it, what a token may do, and what lies in the file. Buckets of
 * the limiter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/totp.h"
#include "http/accounts.h"
#include "http/limiter.h"

enum { NOW_S = 1800000000 };
static const char password[] = "correct horse battery";

struct fixture {
    char path[64];
    struct identity *hub;
    struct accounts *a;
    struct account_new made;
};

static int begin(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/accord-accounts-%ld.db", (long)getpid());
    f->hub = identity_new();
    assert_int_equal(accounts_open(f->path, f->hub, &f->a, NULL), ST_OK);
    assert_int_equal(
        account_create(f->a, &(struct account_wanted){.person = "ada", .password = password}, &f->made, NULL),
        ST_OK);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    static const char *const tails[] = {"", "-wal", "-shm"};
    accounts_close(f->a);
    identity_free(f->hub);
    for (size_t i = 0; i < 3; i++) {
        char *path = xasprintf("%s%s", f->path, tails[i]);
        unlink(path);
        free(path);
    }
    free(f);
    return 0;
}

/* The code that an app would show. */
static void code_at(const char *base32, int64_t time_s, char out[7])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t secret[TOTP_SECRET_BYTES] = {0};
    for (size_t bit = 0; bit < 8 * sizeof secret; bit++) {
        unsigned digit = (unsigned)(strchr(digits, base32[bit / 5]) - digits);
        if (digit >> (4 - bit % 5) & 1)
            secret[bit / 8] = (uint8_t)(secret[bit / 8] | 0x80 >> bit % 8);
    }
    snprintf(out, 7, "%06u", totp_code(secret, (uint64_t)time_s / 30));
}

static void a_session_needs_name_password_and_a_fresh_code(void **state)
{
    struct fixture *f = *state;
    struct session_new session;
    struct account_use use = {0};
    char code[7];
    code_at(f->made.totp_secret, NOW_S, code);
    int64_t now = (int64_t)NOW_S * 1000;
    assert_int_equal(account_login(f->a, "ada", "wrong password!", code, now, &session, NULL),
                     ST_UNAUTHENTICATED);
    assert_int_equal(account_login(f->a, "bob", password, code, now, &session, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(account_login(f->a, "ada", password, "000000", now, &session, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(account_login(f->a, "ada", password, code, now, &session, NULL), ST_OK);
    assert_int_equal(account_by_session(f->a, session.token, now + 1000, &use, NULL), ST_OK);
    assert_string_equal(use.person, "ada");
    assert_true(account_may(&use, "act:run"));
    struct session_new again;
    assert_int_equal(account_login(f->a, "ada", password, code, now, &again, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(account_by_session(f->a, session.csrf, now, &use, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(account_logout(f->a, session.token, NULL), ST_OK);
    assert_int_equal(account_by_session(f->a, session.token, now, &use, NULL), ST_UNAUTHENTICATED);
}

static void an_idle_session_ends(void **state)
{
    struct fixture *f = *state;
    struct session_new session;
    struct account_use use = {0};
    char code[7];
    int64_t now = (int64_t)(NOW_S + 600) * 1000;
    code_at(f->made.totp_secret, NOW_S + 600, code);
    assert_int_equal(account_login(f->a, "ada", password, code, now, &session, NULL), ST_OK);
    assert_int_equal(account_by_session(f->a, session.token, now + 3500000, &use, NULL), ST_OK);
    assert_int_equal(account_by_session(f->a, session.token, now + 7000000, &use, NULL), ST_OK);
    assert_int_equal(account_by_session(f->a, session.token, now + 7000000 + 3700000, &use, NULL),
                     ST_UNAUTHENTICATED);
}

static void tokens_do_what_their_scopes_say(void **state)
{
    struct fixture *f = *state;
    struct account_use use = {0};
    char token[ACCOUNT_TOKEN_DIGITS + 1];
    assert_int_equal(account_token_new(f->a, "ada", "ci", "read act:signal", 2000, token, NULL), ST_OK);
    assert_int_equal(account_token_new(f->a, "ada", "ci", "read", 2000, token, NULL), ST_CONFLICT);
    assert_int_equal(account_token_new(f->a, "ada", "x", "root", 2000, token, NULL), ST_INVALID);
    assert_int_equal(account_token_end(f->a, "ada", "ci", NULL), ST_OK);
    assert_int_equal(account_token_new(f->a, "ada", "ci", "read act:signal", 2000, token, NULL), ST_OK);
    assert_int_equal(account_by_token(f->a, token, 1000, &use, NULL), ST_OK);
    assert_true(account_may(&use, "read") && account_may(&use, "act:signal"));
    assert_false(account_may(&use, "act:run") || account_may(&use, "act") || account_may(&use, "*"));
    assert_int_equal(account_by_token(f->a, token, 2001, &use, NULL), ST_UNAUTHENTICATED);
    assert_int_equal(account_token_end(f->a, "bob", "ci", NULL), ST_NOT_FOUND);
}

static void new_accounts_are_checked(void **state)
{
    struct fixture *f = *state;
    struct account_new made;
    assert_int_equal(
        account_create(f->a, &(struct account_wanted){.person = "ada", .password = password}, &made, NULL),
        ST_CONFLICT);
    assert_int_equal(
        account_create(f->a, &(struct account_wanted){.person = "Bob", .password = password}, &made, NULL),
        ST_INVALID);
    assert_int_equal(
        account_create(f->a, &(struct account_wanted){.person = "bob", .password = "short"}, &made, NULL),
        ST_INVALID);
    assert_int_equal(account_create(f->a,
                                    &(struct account_wanted){.person = "bob", .password = "aaaaaaaaaaaaaaaa"},
                                    &made, NULL),
                     ST_INVALID);
}

static void the_file_shows_no_secret(void **state)
{
    struct fixture *f = *state;
    struct identity *ada, *stranger = identity_new();
    struct accounts *other = NULL;
    struct buf bytes;
    char *wal = xasprintf("%s-wal", f->path);
    assert_int_equal(account_identity(f->a, "ada", &ada, NULL), ST_OK);
    buf_init(&bytes, 1 << 24);
    assert_int_equal(file_read(f->path, &bytes, NULL), ST_OK);
    assert_int_equal(file_read(wal, &bytes, NULL), ST_OK);
    assert_null(memmem(bytes.p, bytes.n, ada->seed, SEED_BYTES));
    assert_null(memmem(bytes.p, bytes.n, password, sizeof password - 1));
    assert_non_null(memmem(bytes.p, bytes.n, "argon2id", 8));
    identity_free(ada);
    /* Another hub's key opens nothing. */
    assert_int_equal(accounts_open(f->path, stranger, &other, NULL), ST_OK);
    assert_int_equal(account_identity(other, "ada", &ada, NULL), ST_CORRUPT);
    accounts_close(other);
    identity_free(stranger);
    buf_deinit(&bytes);
    free(wal);
}

static void buckets_empty_and_fill_again(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    for (int i = 0; i < 5; i++)
        assert_true(limiter_take(l, "a", 5, 10, 0));
    assert_false(limiter_take(l, "a", 5, 10, 0));
    assert_true(limiter_take(l, "b", 5, 10, 0));
    assert_false(limiter_take(l, "a", 5, 10, 1000000000));
    assert_true(limiter_take(l, "a", 5, 10, 3000000000));
    limiter_free(l);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_needs_name_password_and_a_fresh_code),
        cmocka_unit_test(an_idle_session_ends),
        cmocka_unit_test(tokens_do_what_their_scopes_say),
        cmocka_unit_test(new_accounts_are_checked),
        cmocka_unit_test(the_file_shows_no_secret),
        cmocka_unit_test(buckets_empty_and_fill_again),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
