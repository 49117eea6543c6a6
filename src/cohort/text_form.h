/* SPDX-License-Identifier: Apache-2.0
 *
 * What the writer and the parser of the text form share (docs/cohort-language.md).
 */
#ifndef ACCORD_COHORT_TEXT_FORM_H
#define ACCORD_COHORT_TEXT_FORM_H

#include "base/text.h"
#include "cohort/tree.h"

enum { TEXT_FORM_WORD = 48 };
/* An attribute's name in the text form: "ValueAsConceptCS" is "value-as-concept-cs". */
void text_form_word(const char *key, char out[TEXT_FORM_WORD]);
/* A count column's: "START_DATE" is "start-date". */
void text_form_column(enum count_column c, char out[TEXT_FORM_WORD]);
/* In double quotes, with \" \\ and \n. */
void text_form_quote(const char *s, struct buf *out);

#endif
