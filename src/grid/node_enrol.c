/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment: the node shows its one-time token, signed with its own new key; from then on the key is known.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "grid/node_state.h"
#include "ledger/command.h"

static enum status pin_hub(struct node *n, struct hub_client *hub, const char *expected, char **vkey,
                           struct err *e)
{
    struct js *answer = NULL;
    struct note_key key;
    *vkey = NULL;
    enum status s = hub_get(hub, "/api/v1/hub", 0, &answer, e);
    const char *told = js_get_str(answer, "key");
    if (s == ST_OK && (!told || note_vkey_parse(slice_of(told), &key, e) != ST_OK))
        s = err_set(e, ST_NETWORK, "the hub did not tell its key in the expected form");
    if (s == ST_OK && expected && strcmp(expected, told) != 0)
        s = err_set(e, ST_DENIED, "the hub's key is %.100s, not the one given with --hub-key", told);
    if (s == ST_OK)
        s = meta_get(n, "hub_key", vkey, e);
    if (s == ST_OK && *vkey && strcmp(*vkey, told) != 0)
        s = err_set(e, ST_DENIED, "this node was enrolled at another hub before; use a new folder");
    free(*vkey);
    *vkey = s == ST_OK ? xstrdup(told) : NULL;
    js_free(answer);
    return s;
}

static enum status register_key(struct node *n, struct hub_client *hub, const struct node_enrolment *how,
                                struct err *e)
{
    char box[2 * BOX_PUBLIC_BYTES + 1], *subject = xasprintf("node:%s", how->name);
    struct js *body = js_object(), *command = NULL;
    hex_encode(n->id->box_public, BOX_PUBLIC_BYTES, box);
    js_put_str(body, "token", how->token);
    js_put_str(body, "box_key", box);
    js_put_str(body, "software", "accord " ACCORD_VERSION);
    enum status s = command_make(n->id, "node.enrol", subject, body, &command, e);
    if (s == ST_OK)
        s = hub_post(hub, "/api/v1/commands", command, NULL, e);
    js_free(command);
    free(subject);
    return s;
}

static enum status find_body(struct node *n, struct hub_client *hub, char **body, struct err *e)
{
    struct js *actor = NULL;
    char *target = xasprintf("/api/v1/keys/%s", n->key_hex);
    *body = NULL;
    enum status s = hub_get(hub, target, 0, &actor, e);
    const char *of = js_get_str(actor, "body");
    if (s == ST_OK && !of)
        s = err_set(e, ST_NETWORK, "the hub did not say which body this node is of");
    if (s == ST_OK)
        *body = xstrdup(of);
    js_free(actor);
    free(target);
    return s;
}

static enum status keep(struct node *n, const struct node_enrolment *how, const char *vkey, const char *body,
                        struct err *e)
{
    enum status s = db_begin(n->db, e);
    if (s != ST_OK)
        return s;
    s = meta_set(n, "hub_url", how->hub_url, e);
    if (s == ST_OK)
        s = meta_set(n, "hub_key", vkey, e);
    if (s == ST_OK)
        s = meta_set(n, "name", how->name, e);
    if (s == ST_OK)
        s = meta_set(n, "body", body, e);
    if (s == ST_OK && how->ca_file)
        s = meta_set(n, "ca_file", how->ca_file, e);
    if (s == ST_OK)
        return db_commit(n->db, e);
    db_rollback(n->db);
    return s;
}

enum status node_enrol(const char *data, const struct node_enrolment *how, struct js **answer, struct err *e)
{
    struct node *n = NULL;
    struct hub_client *hub = NULL;
    char *vkey = NULL, *body = NULL;
    *answer = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s == ST_OK)
        s = hub_client_open(how->hub_url, how->ca_file, n->id, NULL, &hub, e);
    if (s == ST_OK)
        s = pin_hub(n, hub, how->hub_key, &vkey, e);
    /* After a crash between the hub's yes and our note of it, the key is known already. */
    if (s == ST_OK && find_body(n, hub, &body, e) != ST_OK) {
        s = register_key(n, hub, how, e);
        if (s == ST_OK)
            s = find_body(n, hub, &body, e);
    }
    if (s == ST_OK)
        s = keep(n, how, vkey, body, e);
    if (s == ST_OK) {
        *answer = js_object();
        js_put_str(*answer, "body", body);
        js_put_str(*answer, "key", n->key_hex);
        js_put_str(*answer, "hub_key", vkey);
    }
    free(vkey);
    free(body);
    hub_client_close(hub);
    node_close(n);
    return s;
}

/* How far the hub's log was read here, and the root of the tree: what others' copies must agree with. */
static enum status add_log(struct node *n, struct js *status, struct err *e)
{
    struct log_reading r;
    uint8_t root[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1], size[24];
    enum status s = log_reading_load(n, &r, e);
    if (s != ST_OK)
        return s;
    merkle_edge_root(&r.edge, root);
    hex_encode(root, HASH_BYTES, hex);
    snprintf(size, sizeof size, "%" PRIu64, r.edge.size);
    js_put_str(status, "log_entries", size);
    js_put_str(status, "log_root", r.edge.size ? hex : "");
    log_reading_deinit(&r);
    return ST_OK;
}

enum status node_status(const char *data, struct js **out, struct err *e)
{
    struct node *n;
    static const char *const names[] = {"name", "body", "hub_url", "hub_key", "halted", NULL};
    *out = NULL;
    enum status s = node_open(data, false, NULL, &n, e);
    if (s != ST_OK)
        return s;
    struct js *status = js_object();
    js_put_str(status, "key", n->key_hex);
    for (size_t i = 0; s == ST_OK && names[i]; i++) {
        char *value;
        s = meta_get(n, names[i], &value, e);
        js_put_str(status, names[i], value ? value : "");
        free(value);
    }
    if (s == ST_OK)
        s = add_log(n, status, e);
    node_close(n);
    if (s == ST_OK)
        *out = status;
    else
        js_free(status);
    return s;
}
