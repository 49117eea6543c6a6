/* SPDX-License-Identifier: Apache-2.0
 * Foreign bytes as a block of a store: decoded in each way alike, or refused. What is decoded is encoded to
 * the same. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/block.h"

static void encode_again(const int64_t *values)
{
    uint8_t bytes[BLOCK_MOST_BYTES];
    int64_t again[BLOCK_ROWS];
    size_t n = block_encode(values, 5, bytes);
    if (n != block_cost(values) || !block_decode_i64(bytes, n, again) || block_user(bytes) != 5 ||
        memcmp(values, again, sizeof again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int64_t wide[BLOCK_ROWS], one;
    int32_t narrow[BLOCK_ROWS];
    uint8_t *copy = xmalloc(n); /* so that reads behind the end show */
    if (n)
        memcpy(copy, bytes, n);
    bool fine = block_decode_i64(copy, n, wide), fits = block_decode_i32(copy, n, narrow);
    for (unsigned i = 0; fine && i < BLOCK_ROWS; i++) {
        if (!block_value(copy, n, i, &one) || one != wide[i])
            abort();
        if (fits && wide[i] >= INT32_MIN && wide[i] <= INT32_MAX && narrow[i] != (int32_t)wide[i])
            abort();
    }
    if (fine)
        encode_again(wide);
    free(copy);
    return 0;
}
