/* SPDX-License-Identifier: Apache-2.0
 * One-time codes: the vectors of RFC 6238 appendix B (SHA-1, last six digits), and that a code counts once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/totp.h"

static const uint8_t secret[] = "12345678901234567890";

static void codes_are_those_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        int64_t time;
        uint32_t code;
    } vectors[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                   {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal(totp_code(secret, (uint64_t)vectors[i].time / 30), vectors[i].code);
}

static void a_code_counts_near_its_time_and_once(void **state)
{
    (void)state;
    uint64_t step = 0;
    assert_true(totp_check(secret, SLICE("081804"), 1111111109, 0, &step));
    assert_int_equal(step, 1111111109 / 30);
    assert_false(totp_check(secret, SLICE("081804"), 1111111109, step, &step));
    assert_true(totp_check(secret, SLICE("081804"), 1111111109 + 30, 0, &step));
    assert_false(totp_check(secret, SLICE("081804"), 1111111109 + 90, 0, &step));
    assert_false(totp_check(secret, SLICE("81804"), 1111111109, 0, &step));
    assert_false(totp_check(secret, SLICE("08180x"), 1111111109, 0, &step));
}

static void secrets_are_written_as_base32(void **state)
{
    (void)state;
    char text[TOTP_BASE32_DIGITS + 1];
    totp_base32(secret, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_the_rfc),
        cmocka_unit_test(a_code_counts_near_its_time_and_once),
        cmocka_unit_test(secrets_are_written_as_base32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
