/* SPDX-License-Identifier: Apache-2.0
 * The log: what is appended stays, once, and can be proved; a copy with any byte changed is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/copy.h"
#include "ledger/proof.h"

struct fixture {
    struct identity *hub, *actor;
    struct ledger *l;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->hub = identity_new();
    f->actor = identity_new();
    assert_int_equal(ledger_open(":memory:", DB_CREATE, f->hub, "test.example/log", &f->l, NULL), ST_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ledger_close(f->l);
    identity_free(f->hub);
    identity_free(f->actor);
    free(f);
    return 0;
}

static struct js *command(const struct identity *actor, int number)
{
    struct js *c, *body = js_object();
    js_put_int(body, "number", number);
    assert_int_equal(command_make(actor, "test.note", "test:1", body, &c, NULL), ST_OK);
    return c;
}

static void append_some(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        struct js *c = command(f->actor, i);
        assert_int_equal(ledger_append(f->l, c, NULL, NULL, NULL, NULL), ST_OK);
        js_free(c);
    }
}

static int64_t size_of(struct fixture *f)
{
    int64_t size;
    assert_int_equal(ledger_size(f->l, &size, NULL), ST_OK);
    return size;
}

static void an_entry_comes_back_as_it_was_signed(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry entry, again;
    struct js *c = command(f->actor, 7);
    assert_int_equal(ledger_append(f->l, c, NULL, NULL, &entry, NULL), ST_OK);
    assert_int_equal(entry.seq, 0);
    assert_false(entry.repeated);
    assert_int_equal(ledger_get(f->l, 0, &again, NULL), ST_OK);
    assert_true(slice_equal(buf_slice(&entry.text), buf_slice(&again.text)));
    assert_string_equal(again.verb, "test.note");
    assert_int_equal(js_get_int(again.body, "number", 0), 7);
    assert_int_equal(command_check_signature(again.json, NULL), ST_OK);
    ledger_entry_deinit(&entry);
    ledger_entry_deinit(&again);
    js_free(c);
}

static void the_same_command_twice_is_one_entry(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry entry;
    struct js *c = command(f->actor, 1), *other;
    append_some(f, 2);
    assert_int_equal(ledger_append(f->l, c, NULL, NULL, NULL, NULL), ST_OK);
    append_some(f, 2);
    assert_int_equal(ledger_append(f->l, c, NULL, NULL, &entry, NULL), ST_OK);
    assert_true(entry.repeated);
    assert_int_equal(entry.seq, 2);
    assert_int_equal(size_of(f), 5);
    other = command_new("test.note", "test:2", js_object(), js_get_str(c, "nonce"));
    assert_int_equal(command_sign(other, f->actor, NULL), ST_OK);
    assert_int_equal(ledger_append(f->l, other, NULL, NULL, NULL, NULL), ST_CONFLICT);
    assert_int_equal(command_sign(other, f->hub, NULL), ST_OK); /* another actor may use the same nonce */
    assert_int_equal(ledger_append(f->l, other, NULL, NULL, NULL, NULL), ST_OK);
    ledger_entry_deinit(&entry);
    js_free(c);
    js_free(other);
}

static void a_command_that_is_wrong_is_refused_by_member(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *member, *value, *says;
        enum status status;
    } cases[] = {
        {"body", "{\"number\":2}", "signature", ST_UNAUTHENTICATED},
        {"subject", "\"test:2\"", "signature", ST_UNAUTHENTICATED},
        {"signature", "\"00\"", "$.signature", ST_INVALID},
        {"actor", "\"zz\"", "$.actor", ST_INVALID},
        {"verb", "\"Test\"", "$.verb", ST_INVALID},
        {"verb", "7", "verb", ST_INVALID},
        {"nonce", "\"short\"", "$.nonce", ST_INVALID},
        {"body", "[]", "body", ST_INVALID},
        {"v", "2", "v", ST_INVALID},
        {"extra", "1", "extra", ST_INVALID},
        {"personal", "{\"00\":{\"salt\":\"00\",\"text\":\"x\"}}", "$.personal", ST_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct js *c = command(f->actor, 1), *value;
        assert_int_equal(js_parse(slice_of(cases[i].value), "value", &value, NULL), ST_OK);
        js_put(c, cases[i].member, value);
        assert_int_equal(ledger_append(f->l, c, NULL, NULL, NULL, &e), cases[i].status);
        assert_non_null(strstr(e.text, cases[i].says));
        js_free(c);
    }
    assert_int_equal(size_of(f), 0);
}

static enum status refuse(void *context, struct db *d, const struct ledger_entry *entry, struct err *e)
{
    (void)context, (void)d;
    return js_get_int(entry->body, "number", 0) % 2 ? err_set(e, ST_DENIED, "odd") : ST_OK;
}

static void a_refused_command_leaves_nothing_alone_or_in_a_batch(void **state)
{
    struct fixture *f = *state;
    uint8_t root[HASH_BYTES], after[HASH_BYTES];
    struct js *odd = command(f->actor, 1), *even = command(f->actor, 2);
    append_some(f, 3);
    assert_int_equal(ledger_root(f->l, -1, root, NULL), ST_OK);
    assert_int_equal(ledger_append(f->l, odd, refuse, NULL, NULL, NULL), ST_DENIED);
    assert_int_equal(ledger_root(f->l, -1, after, NULL), ST_OK);
    assert_memory_equal(root, after, HASH_BYTES);
    assert_int_equal(ledger_begin(f->l, NULL), ST_OK);
    assert_int_equal(ledger_append(f->l, odd, refuse, NULL, NULL, NULL), ST_DENIED);
    assert_int_equal(ledger_append(f->l, even, refuse, NULL, NULL, NULL), ST_OK);
    assert_int_equal(ledger_append(f->l, odd, refuse, NULL, NULL, NULL), ST_DENIED);
    assert_int_equal(ledger_commit(f->l, NULL), ST_OK);
    assert_int_equal(size_of(f), 4);
    js_free(odd);
    js_free(even);
}

static void personal_text_lies_beside_the_entry_and_can_be_erased(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry entry, after;
    struct merkle_proof p;
    struct buf text;
    uint8_t leaf[HASH_BYTES], root[HASH_BYTES];
    struct js *c = command_new("test.person", "person:1", js_object(), NULL);
    command_put_personal(c, "name", "Ada Lovelace");
    assert_int_equal(command_sign(c, f->actor, NULL), ST_OK);
    assert_int_equal(ledger_append(f->l, c, NULL, NULL, &entry, NULL), ST_OK);
    const char *hash = js_get_str(js_get(entry.body, "name"), "hashed");
    assert_null(strstr(entry.text.p, "Ada"));
    buf_init(&text, 100);
    assert_int_equal(ledger_personal(f->l, hash, &text, NULL), ST_OK);
    assert_string_equal(text.p, "Ada Lovelace");
    assert_int_equal(ledger_personal_erase(ledger_db(f->l), hash, NULL), ST_OK);
    assert_int_equal(ledger_personal(f->l, hash, &text, NULL), ST_NOT_FOUND);
    assert_int_equal(ledger_get(f->l, 0, &after, NULL), ST_OK);
    assert_int_equal(command_check_signature(after.json, NULL), ST_OK);
    merkle_leaf(buf_slice(&after.text), leaf);
    assert_int_equal(ledger_inclusion(f->l, 0, -1, &p, NULL), ST_OK);
    assert_int_equal(ledger_root(f->l, -1, root, NULL), ST_OK);
    assert_true(merkle_check_inclusion(&p, 0, 1, leaf, root));
    buf_deinit(&text);
    ledger_entry_deinit(&entry);
    ledger_entry_deinit(&after);
    js_free(c);
}

static void keys_are_written_as_other_tools_write_them(void **state)
{
    /* The example of the Go module golang.org/x/mod/sumdb/note. */
    static const char peter[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct note_key key;
    struct buf again;
    (void)state;
    assert_int_equal(note_vkey_parse(slice_of(peter), &key, NULL), ST_OK);
    assert_string_equal(key.name, "PeterNeumann");
    buf_init(&again, 200);
    note_vkey_format(&key, &again);
    assert_string_equal(again.p, peter);
    buf_deinit(&again);
    for (size_t i = 0; i < sizeof peter - 1; i++) {
        char bad[sizeof peter];
        memcpy(bad, peter, sizeof peter);
        bad[i] ^= 1;
        assert_int_equal(note_vkey_parse(slice_of(bad), &key, NULL), ST_INVALID);
    }
}

static struct note_key witness_key(const struct identity *id)
{
    struct note_key k = {.name = "witness.example/w", .type = NOTE_COSIGNATURE};
    memcpy(k.public_key, id->sign_public, SIGN_PUBLIC_BYTES);
    return k;
}

static void witnesses_sign_what_the_hub_signed(void **state)
{
    struct fixture *f = *state;
    struct identity *w = identity_new();
    struct note_key key = witness_key(w);
    struct buf note, line;
    int64_t when = 0;
    buf_init(&note, NOTE_MOST);
    buf_init(&line, NOTE_MOST);
    append_some(f, 3);
    assert_int_equal(ledger_witness_add(f->l, &key, NULL), ST_OK);
    assert_int_equal(ledger_witness_add(f->l, &key, NULL), ST_OK);
    assert_int_equal(ledger_checkpoint(f->l, &note, NULL), ST_OK);
    assert_int_equal(ledger_cosign(f->l, buf_slice(&note), NULL), ST_INVALID); /* nobody has signed yet */
    checkpoint_cosign(buf_slice(&note), key.name, w, 1700000000, &line);
    buf_add(&note, line.p, line.n);
    assert_int_equal(ledger_cosign(f->l, buf_slice(&note), NULL), ST_OK);
    buf_clear(&note);
    assert_int_equal(ledger_checkpoint(f->l, &note, NULL), ST_OK);
    assert_int_equal(checkpoint_cosigned(buf_slice(&note), &key, &when, NULL), ST_OK);
    assert_int_equal(when, 1700000000);
    memcpy(key.public_key, f->actor->sign_public, SIGN_PUBLIC_BYTES);
    assert_int_equal(ledger_witness_add(f->l, &key, NULL), ST_CONFLICT);
    buf_deinit(&note);
    buf_deinit(&line);
    identity_free(w);
}

static void a_proof_stands_by_itself(void **state)
{
    struct fixture *f = *state;
    struct checkpoint c;
    struct ledger_entry entry;
    struct js *proof;
    append_some(f, 11);
    for (int64_t i = 0; i < 11; i++) {
        assert_int_equal(proof_make(f->l, i, &proof, NULL), ST_OK);
        assert_int_equal(proof_check(proof, ledger_key(f->l), &entry, &c, NULL), ST_OK);
        assert_int_equal(entry.seq, i);
        assert_int_equal(c.size, 11);
        ledger_entry_deinit(&entry);
        struct js *changed = js_copy(js_get(proof, "entry"));
        js_put_str(changed, "time", "2001-01-01T00:00:00Z");
        js_put(proof, "entry", changed);
        assert_int_equal(proof_check(proof, NULL, &entry, &c, NULL), ST_CORRUPT);
        js_free(proof);
    }
    assert_int_equal(proof_make(f->l, 11, &proof, NULL), ST_NOT_FOUND);
}

static void log_to_bytes(struct fixture *f, char **bytes, size_t *n)
{
    FILE *to = open_memstream(bytes, n);
    assert_int_equal(ledger_copy(f->l, to, NULL), ST_OK);
    fclose(to);
}

static enum status verify_bytes(char *bytes, size_t n, const struct note_key *pinned, struct err *e)
{
    struct ledger_verified v;
    FILE *from = fmemopen(bytes, n, "r");
    enum status s = ledger_verify(from, pinned, NULL, &v, e);
    fclose(from);
    return s;
}

/* Number of the line at a byte, 0 = the header. */
static int line_at(const char *bytes, size_t at)
{
    int line = 0;
    for (size_t i = 0; i < at; i++)
        line += bytes[i] == '\n';
    return line;
}

static void one_flipped_byte_anywhere_is_found_and_named(void **state)
{
    struct fixture *f = *state;
    struct identity *w = identity_new();
    struct note_key key = witness_key(w);
    struct buf note;
    char *bytes;
    size_t n;
    buf_init(&note, NOTE_MOST);
    append_some(f, 3);
    assert_int_equal(ledger_witness_add(f->l, &key, NULL), ST_OK);
    assert_int_equal(ledger_checkpoint(f->l, &note, NULL), ST_OK);
    checkpoint_cosign(buf_slice(&note), key.name, w, 1700000000, &note);
    assert_int_equal(ledger_cosign(f->l, buf_slice(&note), NULL), ST_OK);
    log_to_bytes(f, &bytes, &n);
    assert_int_equal(verify_bytes(bytes, n, ledger_key(f->l), NULL), ST_OK);
    static const unsigned char flips[] = {0x01, 0x20, 0x80};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof flips; k++) {
            struct err e = {0};
            char expected[32];
            int line = line_at(bytes, i);
            bytes[i] = (char)(bytes[i] ^ flips[k]);
            assert_int_equal(verify_bytes(bytes, n, NULL, &e), ST_CORRUPT);
            bytes[i] = (char)(bytes[i] ^ flips[k]);
            snprintf(expected, sizeof expected, line ? "entry %d:" : "header:", line - 1);
            assert_memory_equal(e.text, expected, strlen(expected));
        }
    free(bytes);
    buf_deinit(&note);
    identity_free(w);
}

static void a_copy_that_is_cut_or_rearranged_is_refused(void **state)
{
    struct fixture *f = *state;
    char *bytes;
    size_t n;
    append_some(f, 3);
    log_to_bytes(f, &bytes, &n);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(verify_bytes(bytes, cut ? cut : 1, NULL, NULL), ST_CORRUPT);
    char *line1 = strchr(bytes, '\n') + 1, *line2 = strchr(line1, '\n') + 1, *line3 = strchr(line2, '\n') + 1;
    char *swapped = xasprintf("%.*s%.*s%.*s%s", (int)(line1 - bytes), bytes, (int)(line3 - line2), line2,
                              (int)(line2 - line1), line1, line3);
    assert_int_equal(verify_bytes(swapped, n, NULL, NULL), ST_CORRUPT);
    free(swapped);
    struct note_key other = *ledger_key(f->l);
    memcpy(other.public_key, f->actor->sign_public, SIGN_PUBLIC_BYTES);
    assert_int_equal(verify_bytes(bytes, n, &other, NULL), ST_CORRUPT);
    free(bytes);
}

static void a_changed_entry_with_a_matching_leaf_still_fails(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    char *bytes, leaf_hex[2 * HASH_BYTES + 1];
    size_t n;
    uint8_t leaf[HASH_BYTES];
    append_some(f, 2);
    log_to_bytes(f, &bytes, &n);
    char *entry = strstr(bytes, "\n{\"entry\":") + strlen("\n{\"entry\":"),
         *end = strstr(entry, ",\"leaf\":\"");
    char *when = strstr(entry, "\"time\":\"20") + strlen("\"time\":\"20");
    when[0] = '1'; /* earlier than it was, signed by nobody but the tree */
    merkle_leaf((struct slice){entry, (size_t)(end - entry)}, leaf);
    hex_encode(leaf, HASH_BYTES, leaf_hex);
    memcpy(end + strlen(",\"leaf\":\""), leaf_hex, 2 * HASH_BYTES);
    assert_int_equal(verify_bytes(bytes, n, NULL, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "root"));
    free(bytes);
}

static void a_log_belongs_to_its_hub(void **state)
{
    struct identity *hub = identity_new(), *other = identity_new();
    struct ledger *l;
    char path[] = "/tmp/accord-ledger-test-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    fclose(fdopen(fd, "w"));
    assert_int_equal(ledger_open(path, DB_CREATE, hub, "bad name", &l, NULL), ST_INVALID);
    assert_int_equal(ledger_open(path, DB_CREATE, hub, "test.example/log", &l, NULL), ST_OK);
    ledger_close(l);
    assert_int_equal(ledger_open(path, DB_CREATE, other, "test.example/log", &l, NULL), ST_DENIED);
    assert_int_equal(ledger_open(path, DB_READ, NULL, NULL, &l, NULL), ST_OK);
    struct buf note;
    buf_init(&note, NOTE_MOST);
    assert_int_equal(ledger_checkpoint(l, &note, NULL), ST_DENIED);
    assert_int_equal(ledger_checkpoint_last(l, &note, NULL), ST_NOT_FOUND);
    buf_deinit(&note);
    ledger_close(l);
    identity_free(hub);
    identity_free(other);
    unlink(path);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_entry_comes_back_as_it_was_signed),
        CASE(the_same_command_twice_is_one_entry),
        CASE(a_command_that_is_wrong_is_refused_by_member),
        CASE(a_refused_command_leaves_nothing_alone_or_in_a_batch),
        CASE(personal_text_lies_beside_the_entry_and_can_be_erased),
        cmocka_unit_test(keys_are_written_as_other_tools_write_them),
        CASE(witnesses_sign_what_the_hub_signed),
        CASE(a_proof_stands_by_itself),
        CASE(one_flipped_byte_anywhere_is_found_and_named),
        CASE(a_copy_that_is_cut_or_rearranged_is_refused),
        CASE(a_changed_entry_with_a_matching_leaf_still_fails),
        cmocka_unit_test(a_log_belongs_to_its_hub),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
