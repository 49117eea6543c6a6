/* SPDX-License-Identifier: Apache-2.0
 * The reading age of texts whose words, sentences and syllables were counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "govern/reading.h"

static double age(double words, double sentences, double syllables)
{
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59 + 5;
}

static void counts_are_those_of_a_reader(void **state)
{
    (void)state;
    assert_float_equal(reading_age("The cat sat on the mat."), age(6, 1, 6), 1e-9);
    assert_float_equal(reading_age("The cat sat. It was fat! Was it?"), age(8, 3, 8), 1e-9);
    assert_float_equal(reading_age("We care for people"), age(4, 1, 5), 1e-9); /* no full stop at the end */
    assert_float_equal(reading_age("Version 2.5 of the table."), age(4, 1, 6),
                       1e-9); /* a point within a number */
    assert_float_equal(reading_age("It isn't late\n\nGo"), age(4, 2, 4), 1e-9);
    assert_float_equal(reading_age(""), 0, 0);
    assert_float_equal(reading_age("12 %"), 0, 0);
}

static void long_words_in_long_sentences_are_for_the_old(void **state)
{
    (void)state;
    assert_true(reading_age("We find people who are ill sooner. Then they get help in time.") <
                READING_AGE_MOST);
    assert_true(
        reading_age("Longitudinal characterisation of heterogeneous multimorbidity trajectories facilitates "
                    "prognostication of adverse cardiometabolic outcomes.") > READING_AGE_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_a_reader),
        cmocka_unit_test(long_words_in_long_sentences_are_for_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
