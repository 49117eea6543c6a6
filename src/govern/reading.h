/* SPDX-License-Identifier: Apache-2.0
 *
 * How old a reader must be to follow an English text: the Flesch-Kincaid grade (Kincaid and others, Naval
 * Technical Training Command, Research Branch Report 8-75, 1975) plus five years,
 *
 *     0.39 x words/sentences + 11.8 x syllables/words - 15.59 + 5
 *
 * with syllables counted by their vowels. A guide for the writer, never a reason to refuse.
 */
#ifndef ACCORD_GOVERN_READING_H
#define ACCORD_GOVERN_READING_H

/* Above this age a text for everybody is pointed out. */
enum { READING_AGE_MOST = 14 };

/* In years; 0 for a text without words. */
double reading_age(const char *text);

#endif
