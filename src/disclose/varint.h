/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole numbers as bytes in the guard's book: seven bits a byte, the lowest first, the top bit set where more
 * follow.
 */
#ifndef ACCORD_DISCLOSE_VARINT_H
#define ACCORD_DISCLOSE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

static inline void varint_put(struct buf *out, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_addc(out, (char)(v | 128));
    buf_addc(out, (char)v);
}

/* Takes a number from the front; false where it does not end. */
static inline bool varint_get(struct slice *s, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; s->n && shift < 63; shift += 7) {
        uint8_t byte = (uint8_t)*s->p;
        s->p++;
        s->n--;
        *out |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128))
            return true;
    }
    return false;
}

#endif
