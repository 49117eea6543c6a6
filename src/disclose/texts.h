/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that leaves with a result: titles, units, names and labels. Analyses make them of a study and never of
 * a person's data, but a raw result can come from another program, and a study from anybody; so what looks
 * like a person's data in them is shown to the checkers first.
 */
#ifndef ACCORD_DISCLOSE_TEXTS_H
#define ACCORD_DISCLOSE_TEXTS_H

/* What in the text looks like data of a person: "an NHS number" (ten digits, together or as 3 3 4, with a good
   check digit), "an e-mail address", "control characters"; NULL for none. Clinical codes of ten digits can
   look like an NHS number too: this is for people to decide. */
const char *text_like_data(const char *s);

#endif
