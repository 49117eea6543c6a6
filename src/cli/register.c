/* SPDX-License-Identifier: Apache-2.0
 * `accord register`: beginning the register, rebuilding it, and any verb at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/connect.h"
#include "cli/register_import.h"

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
    {0},
};
