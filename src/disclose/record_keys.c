/* SPDX-License-Identifier: Apache-2.0 */
#include "disclose/record_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const char prefix[] = "accord-record-key-1:";

static void set_id(struct record_keys *k)
{
    uint8_t hash[HASH_BYTES];
    hmac_sha256((struct slice){(const char *)k->secret, sizeof k->secret}, SLICE("accord record key id"),
                hash);
    hex_encode(hash, 8, k->id);
}

static enum status load(const char *path, struct record_keys *out, struct err *e)
{
    struct buf text;
    buf_init(&text, 4096);
    enum status s = secret_file_read(path, &text, e);
    struct slice line = slice_trim(buf_slice(&text));
    size_t n = sizeof prefix - 1;
    if (s == ST_OK &&
        (line.n < n || memcmp(line.p, prefix, n) != 0 ||
         base64_decode((struct slice){line.p + n, line.n - n}, out->secret, HASH_BYTES) != HASH_BYTES)) {
        s = err_set(e, ST_CORRUPT,
                    "record.key in the node's folder is damaged; put it back from a backup: with another key "
                    "counts get other noise, which can be averaged out");
        err_detail(e, "%s", path);
    }
    if (s == ST_OK)
        set_id(out);
    secret_deinit(&text);
    return s;
}

/* Written beside, then given its name where nobody else did so meanwhile. */
static enum status make(const char *folder, const char *path, struct err *e)
{
    struct record_keys k;
    struct buf line;
    char *beside = xasprintf("%s/record.key.%ld", folder, (long)getpid());
    random_bytes(k.secret, sizeof k.secret);
    buf_init(&line, 4096);
    buf_adds(&line, prefix);
    base64_encode(k.secret, sizeof k.secret, &line);
    buf_addc(&line, '\n');
    enum status s = file_replace(beside, buf_slice(&line), 0600, e);
    if (s == ST_OK && link(beside, path) != 0 && errno != EEXIST)
        s = err_errno(e, errno, "cannot make the record key", path);
    unlink(beside);
    if (s == ST_OK)
        s = dir_sync(folder, e);
    record_keys_wipe(&k);
    secret_deinit(&line);
    free(beside);
    return s;
}

enum status record_keys_open(const char *folder, struct record_keys *out, struct err *e)
{
    char *path = xasprintf("%s/record.key", folder);
    enum status s = file_exists(path) ? ST_OK : make(folder, path, e);
    if (s == ST_OK)
        s = load(path, out, e);
    free(path);
    return s;
}

void record_keys_wipe(struct record_keys *k)
{
    secret_wipe(k, sizeof *k);
}
