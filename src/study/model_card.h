/* SPDX-License-Identifier: Apache-2.0
 *
 * The model card of a released risk_model in the items of TRIPOD+AI (G. Collins et al., BMJ 385 (2024)
 * e078378): what the study and the released result say by themselves is filled in, what only people can say
 * comes from their statements, and what nobody said is listed as missing.
 */
#ifndef ACCORD_STUDY_MODEL_CARD_H
#define ACCORD_STUDY_MODEL_CARD_H

#include "disclose/release.h"
#include "study/study.h"

/* {"format": "accord-model-card-1", "model", "title", "study_sha256", "items": [{"item": "12c", "section",
   "asks", "says" (null = missing), "by": "study" | "result" | "statement"}], "missing": how many}. `model` is
   the name of a risk_model analysis, NULL = the only one; `statements` maps items to texts, NULL = none.
   ST_INVALID when the result is not this study's, or a statement's item does not exist. The caller frees. */
MUST_CHECK enum status model_card(const struct study *s, const char *model, const struct released *r,
                                  const struct js *statements, struct js **out, struct err *e);
/* As Markdown, for people. */
void model_card_text(const struct js *card, struct buf *out);

#endif
