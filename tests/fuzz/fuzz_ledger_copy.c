/* SPDX-License-Identifier: Apache-2.0
 * The reader of copied logs and of proofs, on anything. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ledger/copy.h"
#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_copy(const uint8_t *data, size_t size)
{
    struct ledger_verified v;
    FILE *from = fmemopen((void *)(uintptr_t)data, size, "r");
    if (!from)
        return;
    (void)!ledger_verify(from, NULL, NULL, &v, NULL);
    fclose(from);
}

static void try_proof(const uint8_t *data, size_t size)
{
    struct js *proof;
    struct ledger_entry entry;
    struct checkpoint c;
    if (js_parse((struct slice){(const char *)data, size}, "proof", &proof, NULL) != ST_OK)
        return;
    (void)!proof_check(proof, NULL, &entry, &c, NULL);
    ledger_entry_deinit(&entry);
    js_free(proof);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint c;
    struct note_key key;
    struct slice text = {(const char *)data, size};
    static bool started;
    if (!started)
        crypto_init();
    started = true;
    try_copy(data, size);
    try_proof(data, size);
    (void)!note_vkey_parse(text, &key, NULL);
    struct note_key peter = {.name = "a", .type = NOTE_ED25519};
    (void)!checkpoint_check(text, &peter, &c, NULL);
    (void)checkpoint_signatures(text);
    return 0;
}
