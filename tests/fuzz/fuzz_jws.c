/* SPDX-License-Identifier: Apache-2.0
 *
 * A token from a sign-in provider, and its key set: the token, then (behind a zero byte) the keys. Nothing
 * that anybody can write is accepted: a right signature would need a private key.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = memchr(data, 0, size);
    size_t n = zero ? (size_t)(zero - data) : size;
    struct slice token = {(const char *)data, n};
    struct js *keys = NULL, *claims;
    struct err e;
    if (zero && js_parse((struct slice){(const char *)zero + 1, size - n - 1}, "keys", &keys, &e) != ST_OK)
        keys = NULL;
    for (int algorithm = JWS_RS256; algorithm <= JWS_EDDSA; algorithm++) {
        (void)jws_key_known(token, keys, (enum jws_algorithm)algorithm);
        if (jws_verify(token, keys, (enum jws_algorithm)algorithm, &claims, &e) == ST_OK)
            js_free(claims);
        else if (e.status != ST_UNAUTHENTICATED || claims)
            abort();
    }
    js_free(keys);
    return 0;
}
