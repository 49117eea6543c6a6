/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes: an invitation with the hash of a one-time token, then an enrolment that the node signs with its own
 * key. */
#include "govern/nouns.h"

const struct field node_invite_fields[] = {
    {"body", F_ID, true, "body", 0, NULL},
    {"token_hash", F_HASH, true, NULL, 0, NULL},
    {"until", F_DATE, true, NULL, 0, NULL},
    {"name", F_TEXT, false, NULL, 0, NULL},
    {0},
};
const struct field node_enrol_fields[] = {
    {"token", F_TEXT, true, NULL, 128, NULL},
    {"box_key", F_HASH, true, NULL, 0, NULL},
    {"software", F_TEXT, false, NULL, 60, NULL},
    {0},
};
const struct field node_describe_fields[] = {
    {"opt_outs_checked", F_DATE, false, NULL, 0, NULL},
    {"software", F_TEXT, false, NULL, 60, NULL},
    {"policy", F_OBJECT, false, NULL, 0, NULL},
    {"quality", F_OBJECT, false, NULL, 0, NULL},
    {0},
};

GUARD(node_enrol_guard)
{
    char hash[2 * HASH_BYTES + 1];
    sha256_hex(slice_of(js_get_str(c->body, "token")), hash);
    if (!doc_is(c->doc, "token_hash", hash) || doc_day(c->doc, "until") < c->today)
        return refuse(e, RULE_TOKEN, NULL);
    return actor_is_free(c, c->entry->actor, e);
}

FOLD(node_enrol_fold)
{
    merge_all(c);
    js_drop(c->doc, "token"); /* used up; only its hash stays in the document */
    js_put_str(c->doc, "key", c->entry->actor);
    return actor_add(c, c->entry->actor, "node", c->id, e);
}

FOLD(node_retire_fold)
{
    enum status s = keep_reason_fold(c, e);
    return s == ST_OK ? db_change(c->db, "DELETE FROM actor WHERE kind='node' AND id=?1", PARAMS(c->id), e)
                      : s;
}
