/* SPDX-License-Identifier: Apache-2.0 */
#include "govern/reading.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_vowel(char c)
{
    return c && strchr("aeiouyAEIOUY", c);
}

/* Groups of vowels; a silent e at the end does not count. */
static int syllables_of(const char *word, size_t n)
{
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += is_vowel(word[i]) && (i == 0 || !is_vowel(word[i - 1]));
    bool silent = n > 2 && (word[n - 1] | 32) == 'e' && !is_vowel(word[n - 2]) && (word[n - 2] | 32) != 'l';
    count -= silent && count > 1;
    return count ? count : 1;
}

double reading_age(const char *text)
{
    int words = 0, sentences = 0, syllables = 0;
    bool open = false; /* a sentence has begun */
    while (*text) {
        size_t n = 0;
        while (isalpha((unsigned char)text[n]) || (n && text[n] == '\''))
            n++;
        if (n) {
            words++;
            syllables += syllables_of(text, n);
            open = true;
            text += n;
            continue;
        }
        if (open && strchr(".!?\n", *text) && !isalnum((unsigned char)text[1])) {
            sentences++;
            open = false;
        }
        text++;
    }
    sentences += open;
    return words ? 0.39 * words / sentences + 11.8 * syllables / words - 15.59 + 5 : 0;
}
