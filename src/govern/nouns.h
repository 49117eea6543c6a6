/* SPDX-License-Identifier: Apache-2.0
 *
 * What the nouns' files give the table of verbs, and what they share. */
#ifndef ACCORD_GOVERN_NOUNS_H
#define ACCORD_GOVERN_NOUNS_H

#include "govern/access.h"

#define GUARD(name) enum status name(struct change *c, struct err *e)
#define FOLD(name)  enum status name(struct change *c, struct err *e)

/* body.c */
extern const struct field found_fields[], body_apply_fields[], body_add_fields[], body_check_fields[],
    body_describe_fields[], body_close_fields[], reason_fields[], vocabulary_fields[], template_fields[];
GUARD(found_guard);
FOLD(found_fold);
FOLD(body_add_fold);
FOLD(body_register_fold);
FOLD(body_check_fold);
GUARD(body_close_guard);
FOLD(vocabulary_fold);

/* person.c */
extern const struct field person_register_fields[], person_prove_fields[], person_declare_fields[],
    person_rekey_fields[], grant_offer_fields[], grant_renew_fields[];
GUARD(person_register_guard);
FOLD(person_register_fold);
GUARD(person_prove_guard);
FOLD(person_prove_fold);
GUARD(person_declare_guard);
FOLD(person_declare_fold);
GUARD(person_rekey_guard);
FOLD(person_rekey_fold);
FOLD(person_erase_fold);
GUARD(grant_offer_guard);
GUARD(grant_hold_guard);
FOLD(grant_hold_fold);
FOLD(grant_revoke_fold);
FOLD(keep_reason_fold);

/* node.c */
extern const struct field node_invite_fields[], node_enrol_fields[], node_describe_fields[];
GUARD(node_enrol_guard);
FOLD(node_enrol_fold);
FOLD(node_retire_fold);

/* agreement.c, agreement_rules.c */
extern const struct field agreement_draft_fields[], agreement_edit_fields[], agreement_summarise_fields[],
    agreement_sign_fields[];
GUARD(agreement_draft_guard);
FOLD(agreement_draft_fold);
FOLD(agreement_edit_fold);
GUARD(agreement_check_guard);
FOLD(agreement_check_fold);
FOLD(agreement_summarise_fold);
GUARD(agreement_sign_guard);
FOLD(agreement_sign_fold);
FOLD(agreement_stop_fold);
FOLD(agreement_vary_fold);

/* annex.c */
extern const struct field annex_add_fields[];
GUARD(annex_add_guard);
FOLD(annex_add_fold);
GUARD(annex_withdraw_guard);
FOLD(annex_withdraw_fold);

/* due.c */
extern const struct field artefact_withhold_fields[];
GUARD(artefact_withhold_guard);
FOLD(artefact_withhold_fold);
GUARD(artefact_fall_open_guard);
FOLD(artefact_fall_open_fold);
GUARD(project_lapse_guard);
FOLD(project_lapse_fold);

/* run.c */
extern const struct field run_request_fields[], run_admit_fields[], run_attempt_fields[], run_part_fields[],
    run_round_fields[], artefact_hold_fields[], artefact_release_fields[], artefact_open_fields[],
    artefact_publish_fields[], run_act_fields[], review_ask_fields[], review_give_fields[];
GUARD(run_request_guard);
FOLD(run_request_fold);
GUARD(run_site_guard);
GUARD(run_lead_guard);
GUARD(run_admit_guard);
FOLD(run_admit_fold);
FOLD(run_decline_fold);
FOLD(run_event_fold);
FOLD(run_act_fold);
GUARD(artefact_hold_guard);
FOLD(artefact_hold_fold);
GUARD(artefact_release_guard);
FOLD(artefact_release_fold);
FOLD(artefact_withdraw_fold);
FOLD(artefact_open_fold);
GUARD(artefact_publish_guard);

/* review.c */
FOLD(review_ask_fold);
GUARD(review_give_guard);
FOLD(review_give_fold);

/* signal.c */
extern const struct field signal_draft_fields[], signal_edit_fields[], signal_idea_fields[], contact_fields[],
    text_fields[], question_fields[];
GUARD(signal_publish_guard);
FOLD(signal_publish_fold);
FOLD(signal_idea_fold);
FOLD(signal_end_fold);
GUARD(contact_guard);
FOLD(contact_fold);
FOLD(contact_answer_fold);

/* project.c */
extern const struct field project_draft_fields[], project_edit_fields[], project_confirm_fields[],
    project_close_fields[];
FOLD(project_draft_fold);
GUARD(project_submit_guard);
FOLD(project_submit_fold);
GUARD(project_approve_guard);
GUARD(project_confirm_guard);
FOLD(project_confirm_fold);
GUARD(project_start_guard);
GUARD(project_close_guard);

/* measure.c */
extern const struct field measure_propose_fields[], measure_baseline_fields[], measure_read_fields[],
    transfer_promise_fields[], transfer_make_fields[];
FOLD(measure_propose_fold);
FOLD(measure_accept_fold);
GUARD(measure_read_guard);
FOLD(measure_read_fold);
FOLD(transfer_promise_fold);
FOLD(transfer_make_fold);
GUARD(transfer_waive_guard);

/* Shared: shared.c */
/* Puts the command's body into the document, as a verb without a fold does. */
void merge_all(struct change *c);
/* Gives another item a state (and marks it changed by this entry); nothing when it is not there. */
MUST_CHECK enum status item_set_state(struct change *c, const char *noun, const char *id, const char *state,
                                      struct err *e);
/* {"person" or "node","body","at":seq,"time"}: who did this. */
struct js *done_by(const struct change *c);
MUST_CHECK enum status actor_add(struct change *c, const char *key, const char *kind, const char *id,
                                 struct err *e);
MUST_CHECK enum status actor_is_free(struct change *c, const char *key, struct err *e);
MUST_CHECK enum status held_add(struct change *c, const char *person, const char *role, const char *body,
                                const char *scope, int32_t from, int32_t until, struct err *e);
/* Public text of the item for the search: title and lay text, or name. */
MUST_CHECK enum status index_text(struct change *c, struct err *e);

#endif
