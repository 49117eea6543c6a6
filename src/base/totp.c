/* SPDX-License-Identifier: Apache-2.0 */
#include "base/totp.h"

#include "base/crypto.h"

enum { CODE_DIGITS = 6, CODES = 1000000 };

uint32_t totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step)
{
    uint8_t counter[8], mac[HMAC_SHA1_BYTES];
    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)(step >> (8 * (7 - i)));
    hmac_sha1((struct slice){(const char *)secret, TOTP_SECRET_BYTES},
              (struct slice){(const char *)counter, sizeof counter}, mac);
    /* RFC 4226 section 5.3: dynamic truncation. */
    const uint8_t *at = mac + (mac[HMAC_SHA1_BYTES - 1] & 0x0f);
    uint32_t bits =
        (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    return bits % CODES;
}

bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct slice code, int64_t unix_time,
                uint64_t last_step, uint64_t *step)
{
    uint64_t given, now = (uint64_t)unix_time / TOTP_STEP_SECONDS;
    bool good = false;
    if (code.n != CODE_DIGITS || !parse_u64(code, &given))
        return false;
    for (uint64_t s = now - 1; s <= now + 1; s++) {
        uint32_t expected = totp_code(secret, s), offered = (uint32_t)given;
        if (secret_equal(&expected, &offered, sizeof expected) && s > last_step && !good) {
            *step = s;
            good = true;
        }
    }
    return good;
}

void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_DIGITS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (int i = 0; i < TOTP_BASE32_DIGITS; i++) {
        int bit = i * 5, byte = bit / 8, shift = bit % 8;
        unsigned pair = (unsigned)secret[byte] << 8 | (byte + 1 < TOTP_SECRET_BYTES ? secret[byte + 1] : 0U);
        out[i] = digits[pair >> (11 - shift) & 31];
    }
    out[TOTP_BASE32_DIGITS] = '\0';
}
