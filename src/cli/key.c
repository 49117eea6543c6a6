/* SPDX-License-Identifier: Apache-2.0
 * `accord key`: the Ed25519 keys that people, nodes and the hub sign with. */
#include <stdio.h>

#include "base/crypto.h"
#include "base/file.h"
#include "cli/command.h"

static enum status print_key(const struct args *a, const struct identity *id, struct err *e)
{
    static const char *const columns[] = {"key", NULL};
    char hex[2 * SIGN_PUBLIC_BYTES + 1];
    hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, hex);
    struct out *o = out_new(a, columns);
    out_row(o, hex);
    return out_end(o, e);
}

static enum status run_new(const struct args *a, struct err *e)
{
    const char *path = args_operand(a, 0);
    if (file_exists(path))
        return err_set(e, ST_CONFLICT, "there is a file of this name already; a key is never overwritten");
    struct identity *id = identity_new();
    enum status s = identity_save(id, path, e);
    if (s == ST_OK)
        s = print_key(a, id, e);
    identity_free(id);
    return s;
}

static enum status run_show(const struct args *a, struct err *e)
{
    struct identity *id;
    enum status s = identity_load(args_operand(a, 0), &id, e);
    if (s != ST_OK)
        return s;
    s = print_key(a, id, e);
    identity_free(id);
    return s;
}

const struct command key_commands[] = {
    {"new", "FILE", "make a signing key and print its public part",
     "Writes a new Ed25519 key into FILE, readable by its owner only, and prints the public key that the "
     "register "
     "knows its owner by. Keep a copy of the file in a safe place: nobody can make it again.",
     NULL, 1, 1, run_new},
    {"show", "FILE", "print the public part of a key file", NULL, NULL, 1, 1, run_show},
    {0},
};
