/* SPDX-License-Identifier: Apache-2.0
 * `accord register`: beginning the register, rebuilding it, and any verb at all. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/connect.h"
#include "cli/register_import.h"
#include "ledger/copy.h"

static enum status run_found(const struct args *a, struct err *e)
{
    struct identity *hub = NULL;
    struct registry *r = NULL;
    const char *hub_file, *origin, *body, *name, *steward, *key_hex;
    uint8_t key[SIGN_PUBLIC_BYTES];
    enum status s = args_need(a, "hub-identity", &hub_file, e);
    if (s == ST_OK)
        s = args_need(a, "origin", &origin, e);
    if (s == ST_OK)
        s = args_need(a, "steward", &steward, e);
    if (s == ST_OK)
        s = args_need(a, "steward-key", &key_hex, e);
    body = args_get_or(a, "body", "national");
    name = args_get_or(a, "name", "The national body");
    if (s == ST_OK && !hex_decode(slice_of(key_hex), key, sizeof key))
        s = err_set(e, ST_USAGE, "--steward-key must be 64 hex digits, as 'accord key show' prints them");
    if (s == ST_OK)
        s = identity_load_or_make(hub_file, &hub, e);
    if (s == ST_OK)
        s = registry_open(args_operand(a, 0), DB_CREATE, hub, origin, &r, e);
    if (s == ST_OK)
        s = registry_found(r, body, name, steward, key, e);
    registry_close(r);
    if (hub)
        identity_free(hub);
    return s;
}

static enum status run_replay(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"digest", NULL};
    struct registry *r = NULL;
    uint8_t digest[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
    enum status s = registry_open(args_operand(a, 0), DB_WRITE, NULL, NULL, &r, e);
    if (s == ST_OK)
        s = registry_replay(r, e);
    if (s == ST_OK)
        s = registry_digest(r, digest, e);
    registry_close(r);
    if (s != ST_OK)
        return s;
    hex_encode(digest, sizeof digest, hex);
    struct out *o = out_new(a, columns);
    out_row(o, hex);
    return out_end(o, e);
}

/* An empty register of the log that the copy is of; `hub` must be its key. */
static enum status begin_from(FILE *copy, const char *path, const char *hub_file, struct pool *pool,
                              struct registry **out, struct err *e)
{
    struct ledger_verified of;
    struct identity *hub = NULL;
    if (!hub_file)
        return err_set(e, ST_USAGE,
                       "there is no register at '%s'; to make it from the copy alone, give --hub-identity "
                       "with the hub's key",
                       path);
    enum status s = identity_load(hub_file, &hub, e);
    if (s == ST_OK)
        s = ledger_verify(copy, NULL, pool, &of, e);
    if (s == ST_OK && memcmp(of.key.public_key, hub->sign_public, SIGN_PUBLIC_BYTES) != 0)
        s = err_set(e, ST_DENIED, "the copy is of another hub's log than that of the key in --hub-identity");
    rewind(copy);
    if (s == ST_OK)
        s = registry_open(path, DB_CREATE, hub, of.checkpoint.origin, out, e);
    if (hub)
        identity_free(hub);
    return s;
}

/* Into the register that is there, or into a new one that gets its name when it is whole. */
static enum status restore(const char *path, FILE *copy, const char *hub_file, struct pool *pool,
                           int64_t *added, struct err *e)
{
    struct registry *r = NULL;
    bool is_new = !file_exists(path);
    char *partial = xasprintf("%s%s", path, is_new ? ".partial" : "");
    if (is_new)
        (void)remove(partial);
    enum status s = is_new ? begin_from(copy, partial, hub_file, pool, &r, e)
                           : registry_open(path, DB_WRITE, NULL, NULL, &r, e);
    if (s == ST_OK)
        s = registry_restore(r, copy, pool, added, e);
    registry_close(r);
    if (s == ST_OK && is_new && rename(partial, path) != 0)
        s = err_errno(e, errno, "cannot name", path);
    if (s != ST_OK && is_new)
        (void)remove(partial);
    free(partial);
    return s;
}

static enum status run_restore(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"entries_added", NULL};
    const char *from = args_operand(a, 1);
    int64_t added = 0;
    char text[24];
    FILE *copy = fopen(from, "re");
    if (!copy)
        return err_errno(e, errno, "cannot open", from);
    struct pool *pool = pool_new(0);
    enum status s = restore(args_operand(a, 0), copy, args_get(a, "hub-identity"), pool, &added, e);
    pool_free(pool);
    fclose(copy);
    if (s != ST_OK)
        return s;
    snprintf(text, sizeof text, "%" PRId64, added);
    struct out *o = out_new(a, columns);
    out_row(o, text);
    return out_end(o, e);
}

static const struct option_spec restore_options[] = {
    {"hub-identity", "KEYFILE", "the hub's key, when there is no DB yet"}, {0}};

static const struct option_spec found_options[] = {
    {"hub-identity", "KEYFILE", "the hub's key; made when there is none"},
    {"origin", "NAME", "the log's name for good, such as 'accord.example/register'"},
    {"steward", "ID", "the first steward's id"},
    {"steward-key", "HEX", "the first steward's public key"},
    {"body", "ID", "the national body's id (default: national)"},
    {"name", "NAME", "and its name"},
    {0},
};

static const struct option_spec import_options[] = {CONNECT_OPTIONS, IDENTITY_OPTION, {0}};

const struct command register_commands[] = {
    {"found", "DB", "begin a register: its file, the log's name, the first steward",
     "Makes DB with an empty log that only this hub's key can sign, and writes the first entry. Founding the "
     "same register "
     "again changes nothing.",
     found_options, 1, 1, run_found},
    {"replay", "DB", "rebuild every table from the log and print the digest of the state",
     "Two registers with the same log have the same digest.", NULL, 1, 1, run_replay},
    {"import", "FILE...", "load vocabularies, price lists and lists of bodies from TSV files",
     "The files of vocab/ are of this form; vocab/README.md describes it. A steward's key signs.",
     import_options, 1, -1, run_register_import},
    {"restore", "DB COPY", "take what a register lacks from a copy of its log",
     "COPY is what 'accord ledger copy' writes: anybody's will do, for it is verified first against the "
     "register's\n"
     "key. The hub must not be running. Entries come back exactly as they were, all of them or none; "
     "personal\n"
     "texts are in no copy, they come back with a backup only. Without a DB one is made.",
     restore_options, 2, 2, run_restore},
    {0},
};
