/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/texts.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { NHS_DIGITS = 10 };

/* The check digit of an NHS number (NHS Data Dictionary, "NHS NUMBER"): weights 10 to 2, modulo 11. */
static bool has_check_digit(const int digits[NHS_DIGITS])
{
    int sum = 0;
    for (int i = 0; i < NHS_DIGITS - 1; i++)
        sum += digits[i] * (10 - i);
    return (11 - sum % 11) % 11 == digits[NHS_DIGITS - 1];
}

/* Ten digits from here on, no more behind them, a space or hyphen after the third and sixth at most. */
static bool is_nhs_number(const char *s)
{
    int digits[NHS_DIGITS];
    for (int i = 0; i < NHS_DIGITS; i++) {
        if ((i == 3 || i == 6) && (*s == ' ' || *s == '-'))
            s++;
        if (!isdigit((unsigned char)*s))
            return false;
        digits[i] = *s++ - '0';
    }
    return !isdigit((unsigned char)*s) && has_check_digit(digits);
}

/* Something@something.something, without spaces. */
static bool is_address(const char *text, const char *at)
{
    const char *dot = strpbrk(at + 1, ". ");
    return at > text && isalnum((unsigned char)at[-1]) && dot && *dot == '.' && dot > at + 1 &&
           isalnum((unsigned char)dot[1]);
}

const char *text_like_data(const char *s)
{
    for (const char *c = s; *c; c++) {
        if (iscntrl((unsigned char)*c))
            return "control characters";
        if (*c == '@' && is_address(s, c))
            return "an e-mail address";
        if ((c == s || !isdigit((unsigned char)c[-1])) && is_nhs_number(c))
            return "an NHS number";
    }
    return NULL;
}
