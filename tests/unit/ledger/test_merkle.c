/* SPDX-License-Identifier: Apache-2.0
 * The Merkle tree beside published vectors and beside a naive tree made from the definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/merkle.h"

enum { MOST = 70 };

/* A tree in memory that keeps what merkle_append gives it. */
struct memory_tree {
    uint8_t hash[8][MOST][HASH_BYTES];
    bool have[8][MOST];
};

static enum status memory_get(void *context, unsigned level, uint64_t at, uint8_t out[HASH_BYTES],
                              struct err *e)
{
    struct memory_tree *t = context;
    (void)e;
    assert_true(t->have[level][at]);
    memcpy(out, t->hash[level][at], HASH_BYTES);
    return ST_OK;
}

static enum status memory_put(void *context, unsigned level, uint64_t at, const uint8_t hash[HASH_BYTES],
                              struct err *e)
{
    struct memory_tree *t = context;
    (void)e;
    assert_false(t->have[level][at]);
    t->have[level][at] = true;
    memcpy(t->hash[level][at], hash, HASH_BYTES);
    return ST_OK;
}

/* The inputs of the reference test of the Certificate Transparency implementation and its roots by size. */
static const char *const ct_leaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const char *const ct_roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void ct_leaf(unsigned i, uint8_t out[HASH_BYTES])
{
    uint8_t bytes[16];
    size_t n = strlen(ct_leaves[i]) / 2;
    assert_true(hex_decode(slice_of(ct_leaves[i]), bytes, n));
    merkle_leaf((struct slice){(const char *)bytes, n}, out);
}

static void assert_hex(const uint8_t hash[HASH_BYTES], const char *expected)
{
    char hex[2 * HASH_BYTES + 1];
    hex_encode(hash, HASH_BYTES, hex);
    assert_string_equal(hex, expected);
}

static struct merkle_nodes grow(struct memory_tree *t, unsigned n, void (*leaf)(unsigned, uint8_t *))
{
    struct merkle_nodes nodes = {t, memory_get, memory_put};
    for (unsigned i = 0; i < n; i++) {
        uint8_t hash[HASH_BYTES];
        leaf(i, hash);
        assert_int_equal(merkle_append(&nodes, i, hash, NULL), ST_OK);
    }
    return nodes;
}

static void roots_equal_the_published_ones(void **state)
{
    struct memory_tree *t = xcalloc(1, sizeof *t);
    struct merkle_edge edge = {0};
    struct merkle_nodes nodes = grow(t, 8, ct_leaf);
    uint8_t root[HASH_BYTES];
    (void)state;
    for (unsigned n = 0; n <= 8; n++) {
        assert_int_equal(merkle_root(&nodes, n, root, NULL), ST_OK);
        assert_hex(root, ct_roots[n]);
        merkle_edge_root(&edge, root);
        assert_hex(root, ct_roots[n]);
        if (n < 8) {
            ct_leaf(n, root);
            merkle_edge_add(&edge, root);
        }
    }
    free(t);
}

static void paths_equal_the_published_ones(void **state)
{
    struct memory_tree *t = xcalloc(1, sizeof *t);
    struct merkle_nodes nodes = grow(t, 8, ct_leaf);
    struct merkle_proof p;
    (void)state;
    assert_int_equal(merkle_inclusion(&nodes, 0, 8, &p, NULL), ST_OK);
    assert_int_equal(p.n, 3);
    assert_hex(p.hash[0], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    assert_hex(p.hash[1], "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
    assert_hex(p.hash[2], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    assert_int_equal(merkle_inclusion(&nodes, 5, 8, &p, NULL), ST_OK);
    assert_int_equal(p.n, 3);
    assert_hex(p.hash[0], "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
    assert_hex(p.hash[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    assert_hex(p.hash[2], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    assert_int_equal(merkle_consistency(&nodes, 6, 8, &p, NULL), ST_OK);
    assert_int_equal(p.n, 3);
    assert_hex(p.hash[0], "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
    assert_hex(p.hash[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    assert_hex(p.hash[2], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    free(t);
}

/* MTH of RFC 6962, word for word. */
static void naive_root(uint8_t (*leaves)[HASH_BYTES], unsigned n, uint8_t out[HASH_BYTES])
{
    uint8_t left[HASH_BYTES], right[HASH_BYTES];
    unsigned k = 1;
    if (n == 0) {
        sha256("", 0, out);
        return;
    }
    if (n == 1) {
        memcpy(out, leaves[0], HASH_BYTES);
        return;
    }
    while (2 * k < n)
        k *= 2;
    naive_root(leaves, k, left);
    naive_root(leaves + k, n - k, right);
    merkle_node(left, right, out);
}

static void numbered_leaf(unsigned i, uint8_t out[HASH_BYTES])
{
    merkle_leaf((struct slice){(const char *)&i, sizeof i}, out);
}

struct fixture {
    struct memory_tree tree;
    struct merkle_nodes nodes;
    uint8_t leaves[MOST][HASH_BYTES], roots[MOST + 1][HASH_BYTES];
};

static struct fixture *fixture_new(void)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->nodes = grow(&f->tree, MOST, numbered_leaf);
    for (unsigned i = 0; i < MOST; i++)
        numbered_leaf(i, f->leaves[i]);
    for (unsigned n = 0; n <= MOST; n++)
        naive_root(f->leaves, n, f->roots[n]);
    return f;
}

static void every_root_and_edge_equals_the_naive_one(void **state)
{
    struct fixture *f = fixture_new();
    struct merkle_edge edge = {0};
    uint8_t root[HASH_BYTES];
    (void)state;
    for (unsigned n = 0; n <= MOST; n++) {
        assert_int_equal(merkle_root(&f->nodes, n, root, NULL), ST_OK);
        assert_memory_equal(root, f->roots[n], HASH_BYTES);
        merkle_edge_root(&edge, root);
        assert_memory_equal(root, f->roots[n], HASH_BYTES);
        if (n < MOST)
            merkle_edge_add(&edge, f->leaves[n]);
    }
    free(f);
}

static void every_inclusion_proof_holds_for_its_leaf_only(void **state)
{
    struct fixture *f = fixture_new();
    struct merkle_proof p;
    (void)state;
    for (unsigned n = 1; n <= MOST; n++)
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(merkle_inclusion(&f->nodes, i, n, &p, NULL), ST_OK);
            assert_true(merkle_check_inclusion(&p, i, n, f->leaves[i], f->roots[n]));
            assert_false(merkle_check_inclusion(&p, i, n, f->leaves[(i + 1) % MOST], f->roots[n]));
            assert_false(merkle_check_inclusion(&p, i + 1, n, f->leaves[i], f->roots[n]));
            if (p.n) {
                p.hash[p.n / 2][3] ^= 1;
                assert_false(merkle_check_inclusion(&p, i, n, f->leaves[i], f->roots[n]));
                p.hash[p.n / 2][3] ^= 1;
                p.n--;
                assert_false(merkle_check_inclusion(&p, i, n, f->leaves[i], f->roots[n]));
            }
        }
    assert_int_equal(merkle_inclusion(&f->nodes, 5, 5, &p, NULL), ST_INVALID);
    free(f);
}

static void every_consistency_proof_holds_for_its_sizes_only(void **state)
{
    struct fixture *f = fixture_new();
    struct merkle_proof p;
    (void)state;
    for (unsigned to = 1; to <= MOST; to++)
        for (unsigned from = 1; from <= to; from++) {
            assert_int_equal(merkle_consistency(&f->nodes, from, to, &p, NULL), ST_OK);
            assert_true(merkle_check_consistency(&p, from, to, f->roots[from], f->roots[to]));
            assert_false(merkle_check_consistency(&p, from, to, f->roots[from - 1], f->roots[to]));
            if (p.n) {
                p.hash[0][0] ^= 0x80;
                assert_false(merkle_check_consistency(&p, from, to, f->roots[from], f->roots[to]));
                p.hash[0][0] ^= 0x80;
                p.n--;
                assert_false(merkle_check_consistency(&p, from, to, f->roots[from], f->roots[to]));
            }
        }
    assert_int_equal(merkle_consistency(&f->nodes, 0, 5, &p, NULL), ST_INVALID);
    assert_int_equal(merkle_consistency(&f->nodes, 6, 5, &p, NULL), ST_INVALID);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_equal_the_published_ones),
        cmocka_unit_test(paths_equal_the_published_ones),
        cmocka_unit_test(every_root_and_edge_equals_the_naive_one),
        cmocka_unit_test(every_inclusion_proof_holds_for_its_leaf_only),
        cmocka_unit_test(every_consistency_proof_holds_for_its_sizes_only),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
