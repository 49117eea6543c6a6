/* SPDX-License-Identifier: Apache-2.0
 * Crypto with published vectors, key files, atomic files, the database door and the pool. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/db.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"

static char folder[] = "/tmp/accord-base-XXXXXX";

static char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void sha256_and_hmac_match_published_vectors(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex(SLICE("abc"), hex); /* FIPS 180-4 example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256 *h = sha256_new();
    uint8_t sum[32];
    sha256_add(h, "a", 1);
    sha256_add(h, "bc", 2);
    sha256_end(h, sum);
    char again[65];
    hex_encode(sum, 32, again);
    assert_string_equal(again, hex);
    hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), sum); /* RFC 4231 case 2 */
    hex_encode(sum, 32, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    struct hmac_key *key = hmac_key_new(SLICE("Jefe"));
    for (int i = 0; i < 2; i++) {
        memset(sum, 0, sizeof sum);
        hmac_sha256_with(key, SLICE("what do ya want for nothing?"), sum);
        hex_encode(sum, 32, again);
        assert_string_equal(again, hex);
    }
    hmac_key_free(key);
}

static void ed25519_matches_rfc_8032(void **state)
{
    (void)state;
    uint8_t seed[32], sig[64], expected[64];
    assert_true(
        hex_decode(SLICE("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), seed, 32));
    struct identity *id = identity_from_seed(seed);
    sign_detached(id, SLICE(""), sig);
    assert_true(hex_decode(
        SLICE("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
              "9b46bd25bf5f0595bbe24655141438e7a100b"),
        expected, 64));
    assert_memory_equal(sig, expected, 64);
    assert_true(sign_verify(id->sign_public, SLICE(""), sig));
    assert_false(sign_verify(id->sign_public, SLICE("x"), sig));
    identity_free(id);
}

static void both_sides_agree_and_sealed_boxes_open_only_for_their_owner(void **state)
{
    (void)state;
    struct identity *a = identity_new(), *b = identity_new(), *c = identity_new();
    uint8_t ab[32], ba[32], other[32], zero[32] = {0};
    assert_true(agree_key(a, b->box_public, SLICE("run 1"), ab));
    assert_true(agree_key(b, a->box_public, SLICE("run 1"), ba));
    assert_memory_equal(ab, ba, 32);
    assert_true(agree_key(b, a->box_public, SLICE("run 2"), other));
    assert_memory_not_equal(ab, other, 32);
    assert_false(agree_key(a, zero, SLICE("run 1"), other));
    struct buf sealed, opened;
    buf_init(&sealed, 1000);
    buf_init(&opened, 1000);
    seal(b->box_public, SLICE("sum"), &sealed);
    assert_false(seal_open(c, buf_slice(&sealed), &opened));
    assert_true(seal_open(b, buf_slice(&sealed), &opened));
    assert_string_equal(opened.p, "sum");
    sealed.p[5] ^= 1;
    assert_false(seal_open(b, buf_slice(&sealed), &opened));
    buf_deinit(&sealed);
    buf_deinit(&opened);
    identity_free(a);
    identity_free(b);
    identity_free(c);
}

static void a_stream_is_the_same_from_any_block(void **state)
{
    (void)state;
    uint8_t key[32] = {1, 2, 3}, whole[256], part[64];
    stream_bytes(key, 0, whole, sizeof whole);
    stream_bytes(key, 2, part, sizeof part);
    assert_memory_equal(whole + 128, part, sizeof part);
}

static void a_key_file_is_private_and_checked(void **state)
{
    (void)state;
    char *path = in_folder("key");
    struct identity *made, *loaded;
    struct err e = {0};
    struct stat st;
    assert_int_equal(identity_load_or_make(path, &made, &e), ST_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(identity_load(path, &loaded, &e), ST_OK);
    assert_memory_equal(made->sign_public, loaded->sign_public, 32);
    identity_free(loaded);
    identity_free(made);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(identity_load(path, &loaded, &e), ST_DENIED);
    assert_int_equal(file_replace(path, SLICE("accord-key-1:AAAA\n"), 0600, &e), ST_OK);
    assert_int_equal(identity_load(path, &loaded, &e), ST_INVALID);
    free(path);
}

static void a_replaced_file_is_whole_and_an_abandoned_one_leaves_nothing(void **state)
{
    (void)state;
    char *path = in_folder("note");
    struct err e = {0};
    struct buf text;
    struct file_new *f;
    buf_init(&text, 100);
    assert_int_equal(file_replace(path, SLICE("first"), 0644, &e), ST_OK);
    assert_int_equal(file_new_open(path, 0644, &f, &e), ST_OK);
    assert_true(fputs("half", file_new_stream(f)) >= 0);
    file_new_abandon(f);
    assert_int_equal(file_read(path, &text, &e), ST_OK);
    assert_string_equal(text.p, "first");
    char **names;
    size_t n;
    assert_int_equal(dir_list(folder, &names, &n, &e), ST_OK);
    for (size_t i = 0; i < n; i++)
        assert_null(strstr(names[i], ".new-"));
    dir_list_free(names, n);
    assert_int_equal(file_replace("/nonexistent/x", SLICE("x"), 0644, &e), ST_NOT_FOUND);
    buf_deinit(&text);
    free(path);
}

/* As root, replacing would leave a machine without its /dev/null. */
static void a_device_or_pipe_is_written_and_not_replaced(void **state)
{
    (void)state;
    char *path = in_folder("pipe"), got[8] = "";
    struct err e = {0};
    struct stat before, after;
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC); /* a reader, so that nobody waits */
    assert_true(fd >= 0);
    assert_int_equal(file_replace(path, SLICE("abc"), 0644, &e), ST_OK);
    assert_int_equal(read(fd, got, sizeof got), 3);
    assert_string_equal(got, "abc");
    close(fd);
    assert_int_equal(stat("/dev/null", &before), 0);
    assert_int_equal(file_replace("/dev/null", SLICE("abc"), 0644, &e), ST_OK);
    assert_int_equal(stat("/dev/null", &after), 0);
    assert_true(S_ISCHR(after.st_mode) && before.st_ino == after.st_ino);
    free(path);
}

static void a_database_migrates_once_and_refuses_a_newer_one(void **state)
{
    (void)state;
    static const char *const migrations[] = {
        "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
        "ALTER TABLE t ADD COLUMN extra INTEGER"};
    char *path = in_folder("t.db");
    struct err e = {0};
    struct db *d;
    struct stmt *s;
    bool row;
    assert_int_equal(db_open(path, DB_CREATE, migrations, 1, &d, &e), ST_OK);
    assert_int_equal(db_prepare(d, "INSERT INTO t(name) VALUES(?1)", &s, &e), ST_OK);
    stmt_bind_text(s, 1, "one");
    assert_int_equal(stmt_run(s, &e), ST_OK);
    assert_int_equal(db_prepare(d, "INSERT INTO t(name) VALUES(?1)", &s, &e), ST_OK);
    stmt_bind_text(s, 1, "one");
    assert_int_equal(stmt_run(s, &e), ST_CONFLICT);
    db_close(d);
    assert_int_equal(db_open(path, DB_WRITE, migrations, 2, &d, &e), ST_OK);
    assert_int_equal(db_prepare(d, "SELECT name, extra FROM t", &s, &e), ST_OK);
    assert_int_equal(stmt_step(s, &row, &e), ST_OK);
    assert_true(row);
    assert_string_equal(stmt_text(s, 0), "one");
    assert_true(stmt_is_null(s, 1));
    stmt_done(s);
    db_close(d);
    assert_int_equal(db_open(path, DB_WRITE, migrations, 1, &d, &e), ST_UNSUPPORTED);
    free(path);
}

struct squares {
    uint64_t out[1000];
    size_t fail_at;
};

static enum status square(void *context, size_t i, struct err *e)
{
    struct squares *s = context;
    if (i >= s->fail_at)
        return err_set(e, ST_INVALID, "task %zu", i);
    s->out[i] = i * i;
    return ST_OK;
}

static void a_pool_does_each_task_once_and_reports_the_first_failure(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct pool *p = pool_new(threads);
        struct squares s = {.fail_at = SIZE_MAX};
        struct err e = {0};
        assert_int_equal(pool_threads(p), threads);
        assert_int_equal(pool_run(p, 1000, square, &s, &e), ST_OK);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(s.out[i], i * i);
        s.fail_at = 500;
        assert_int_equal(pool_run(p, 1000, square, &s, &e), ST_INVALID);
        assert_string_equal(e.text, "task 500");
        pool_free(p);
    }
}

static int make_folder(void **state)
{
    (void)state;
    crypto_init();
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    struct err e;
    return dir_remove(folder, &e) == ST_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_and_hmac_match_published_vectors),
        cmocka_unit_test(ed25519_matches_rfc_8032),
        cmocka_unit_test(both_sides_agree_and_sealed_boxes_open_only_for_their_owner),
        cmocka_unit_test(a_stream_is_the_same_from_any_block),
        cmocka_unit_test(a_key_file_is_private_and_checked),
        cmocka_unit_test(a_replaced_file_is_whole_and_an_abandoned_one_leaves_nothing),
        cmocka_unit_test(a_device_or_pipe_is_written_and_not_replaced),
        cmocka_unit_test(a_database_migrates_once_and_refuses_a_newer_one),
        cmocka_unit_test(a_pool_does_each_task_once_and_reports_the_first_failure),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
