/* SPDX-License-Identifier: Apache-2.0
 * What zip writes block by block, stream reads as one text; damage and overflow are errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stream.h"
#include "base/zip.h"

enum { BLOCKS = 20, BLOCK_BYTES = 70000 };

static void make_block(char *block, int i)
{
    for (int k = 0; k < BLOCK_BYTES; k++)
        block[k] = (char)('a' + (k * (i + 3) + k / 97) % 26);
}

static void check_round_trip(enum zip z)
{
    struct err e = {0};
    struct buf packed;
    struct stream *s;
    char *block = malloc(BLOCK_BYTES), *back = malloc(BLOCK_BYTES);
    buf_init(&packed, 1 << 24);
    for (int i = 0; i < BLOCKS; i++) {
        make_block(block, i);
        assert_int_equal(zip_add(z, (struct slice){block, i == 7 ? 0 : BLOCK_BYTES}, &packed, &e), ST_OK);
    }
    if (z != ZIP_NONE)
        assert_true(packed.n < (size_t)BLOCKS * BLOCK_BYTES / 2);
    assert_int_equal(stream_open_memory(buf_slice(&packed), "packed", &s, &e), ST_OK);
    size_t got;
    for (int i = 0; i < BLOCKS; i++) {
        if (i == 7)
            continue;
        make_block(block, i);
        assert_int_equal(stream_read(s, back, BLOCK_BYTES, &got, &e), ST_OK);
        assert_int_equal(got, BLOCK_BYTES);
        assert_memory_equal(back, block, BLOCK_BYTES);
    }
    assert_int_equal(stream_read(s, back, 1, &got, &e), ST_OK);
    assert_int_equal(got, 0);
    stream_close(s);
    buf_deinit(&packed);
    free(block), free(back);
}

static void blocks_read_back_as_one_text(void **state)
{
    (void)state;
    check_round_trip(ZIP_NONE);
    check_round_trip(ZIP_GZIP);
    check_round_trip(ZIP_ZSTD);
}

static void a_ceiling_that_is_too_low_is_an_error(void **state)
{
    (void)state;
    for (enum zip z = ZIP_NONE; z <= ZIP_ZSTD; z++) {
        struct err e = {0};
        struct buf out;
        buf_init(&out, 4);
        assert_int_equal(zip_add(z, SLICE("more than four bytes"), &out, &e), ST_NO_MEMORY);
        assert_int_equal(out.n, 0);
        buf_deinit(&out);
    }
}

static void kinds_have_names_and_endings(void **state)
{
    enum zip z;
    (void)state;
    assert_true(zip_find("zstd", &z) && z == ZIP_ZSTD);
    assert_string_equal(zip_ending(z), ".zst");
    assert_true(zip_find("gzip", &z) && z == ZIP_GZIP);
    assert_false(zip_find("lz4", &z));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_read_back_as_one_text),
        cmocka_unit_test(a_ceiling_that_is_too_low_is_an_error),
        cmocka_unit_test(kinds_have_names_and_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
