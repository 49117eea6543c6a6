/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time codes by time: RFC 6238 with SHA-1, 30 seconds and six digits, which is what authenticator apps
 * speak.
 */
#ifndef ACCORD_BASE_TOTP_H
#define ACCORD_BASE_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { TOTP_SECRET_BYTES = 20, TOTP_STEP_SECONDS = 30, TOTP_BASE32_DIGITS = 32 };

/* The code of a time step (unix seconds / 30), 0 to 999,999. */
uint32_t totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step);
/* Six digits, of the present step or one beside it, and of a step after `last_step` (a code counts once);
 *step is the one it was. Constant time over the three. */
bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct slice code, int64_t unix_time,
                uint64_t last_step, uint64_t *step);
/* RFC 4648 base32 without padding, as apps want the secret. */
void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_DIGITS + 1]);

#endif
