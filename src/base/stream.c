/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

/* linux/fs.h, since 6.14: pages that the read brings into the system's cache leave it again, those that were there
 * stay. */
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

/* What is read at once, at multiples of it: a huge page. Pieces that begin elsewhere, and smaller ones, are cached in
 * small pages; that takes four to eight times the CPU time. */
enum { INPUT_BYTES = 2 << 20 };

struct stream {
    char *name;
    int fd;    /* -1: over memory */
    int flags; /* of its reads */
    struct slice memory;
    uint64_t size, taken;
    enum status (*read)(struct stream *s, char *out, size_t n, size_t *got, struct err *e);
    /* Input of the decoders: [at, end) of `input` is unread. */
    unsigned char *input;
    size_t at, end;
    bool ended;  /* the file has no more bytes */
    bool inside; /* in the middle of a member or frame */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

/* Each byte is read once, and of files larger than the machine's memory: in its cache they would take the place of
 * what others use, and fresh memory for them costs more time than the reading. Not every file system knows how. */
static ssize_t read_some(struct stream *s, char *out, size_t n)
{
    struct iovec to = {out, n};
    ssize_t k = preadv2(s->fd, &to, 1, -1, s->flags);
    if (k >= 0 || !s->flags || errno == EINTR || errno == EIO)
        return k;
    s->flags = 0;
    return preadv2(s->fd, &to, 1, -1, s->flags);
}

/* The file's own bytes. */
static enum status raw_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e)
{
    *got = 0;
    if (s->fd < 0) {
        size_t left = s->memory.n - (size_t)s->taken;
        *got = n < left ? n : left;
        if (*got)
            memcpy(out, s->memory.p + s->taken, *got);
    }
    while (s->fd >= 0 && *got < n) {
        ssize_t k = read_some(s, out + *got, n - *got);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return err_errno(e, errno, "cannot read", s->name);
        if (k == 0)
            break;
        *got += (size_t)k;
    }
    s->taken += *got;
    return ST_OK;
}

static enum status refill(struct stream *s, struct err *e)
{
    s->at = 0;
    enum status st = raw_read(s, (char *)s->input, INPUT_BYTES, &s->end, e);
    s->ended = s->end == 0;
    return st;
}

static enum status cut_short(const struct stream *s, const char *format, struct err *e)
{
    return err_set(e, ST_INVALID, "%s is cut short: its %s stream has no end; copy the file again, complete",
                   s->name, format);
}

static enum status damaged(const struct stream *s, const char *format, const char *why, struct err *e)
{
    return err_set(e, ST_INVALID, "%s is damaged: not a valid %s stream%s%s", s->name, format,
                   why ? ": " : "", why ? why : "");
}

static enum status gzip_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e)
{
    s->gzip.next_out = (Bytef *)out;
    s->gzip.avail_out = (uInt)n;
    while (s->gzip.avail_out) {
        if (s->at == s->end && refill(s, e) != ST_OK)
            return e ? e->status : ST_IO;
        if (s->ended)
            break;
        s->gzip.next_in = s->input + s->at;
        s->gzip.avail_in = (uInt)(s->end - s->at);
        int r = inflate(&s->gzip, Z_NO_FLUSH);
        s->at = s->end - s->gzip.avail_in;
        s->inside = r != Z_STREAM_END;
        if (r == Z_STREAM_END)
            r = inflateReset(&s->gzip);
        if (r != Z_OK && r != Z_BUF_ERROR)
            return damaged(s, "gzip", s->gzip.msg, e);
    }
    *got = n - s->gzip.avail_out;
    return s->ended && s->inside ? cut_short(s, "gzip", e) : ST_OK;
}

static enum status zstd_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e)
{
    ZSTD_outBuffer o = {out, n, 0};
    while (o.pos < o.size) {
        if (s->at == s->end && !s->ended && refill(s, e) != ST_OK)
            return e ? e->status : ST_IO;
        ZSTD_inBuffer i = {s->input, s->end, s->at};
        size_t before = o.pos;
        if (s->ended && !s->inside)
            break;
        size_t r = ZSTD_decompressStream(s->zstd, &o, &i);
        s->at = i.pos;
        if (ZSTD_isError(r))
            return damaged(s, "zstd", ZSTD_getErrorName(r), e);
        s->inside = r != 0;
        if (s->ended && o.pos == before)
            break;
    }
    *got = o.pos;
    return s->ended && s->inside && o.pos < o.size ? cut_short(s, "zstd", e) : ST_OK;
}

/* The first bytes were read into `input` to see what they are; a plain file hands them out first. */
static enum status plain_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e)
{
    size_t kept = s->end - s->at < n ? s->end - s->at : n;
    memcpy(out, s->input + s->at, kept);
    s->at += kept;
    enum status st = raw_read(s, out + kept, n - kept, got, e);
    *got += kept;
    return st;
}

static bool begins_with(const struct stream *s, const void *magic, size_t n)
{
    return s->end >= n && memcmp(s->input, magic, n) == 0;
}

static enum status choose_reader(struct stream *s, struct err *e)
{
    enum status st = refill(s, e);
    if (st != ST_OK)
        return st;
    s->read = plain_read;
    if (begins_with(s, "\x1f\x8b", 2)) {
        s->read = gzip_read;
        s->inside = true;
        if (inflateInit2(&s->gzip, 15 + 16) != Z_OK)
            return err_set(e, ST_NO_MEMORY, "no memory to decompress %s", s->name);
    } else if (begins_with(s, "\x28\xb5\x2f\xfd", 4)) {
        s->read = zstd_read;
        s->inside = true;
        s->zstd = ZSTD_createDStream();
        if (!s->zstd)
            return err_set(e, ST_NO_MEMORY, "no memory to decompress %s", s->name);
    }
    return ST_OK;
}

static enum status start(struct stream *s, struct stream **out, struct err *e)
{
    s->input = xmalloc(INPUT_BYTES);
    enum status st = choose_reader(s, e);
    if (st == ST_OK)
        *out = s;
    else
        stream_close(s);
    return st;
}

enum status stream_open(const char *path, struct stream **out, struct err *e)
{
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return err_errno(e, errno, "cannot open", path);
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        enum status failed = err_errno(e, S_ISDIR(st.st_mode) ? EISDIR : errno, "cannot read", path);
        close(fd);
        return failed;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    struct stream *s = xcalloc(1, sizeof *s);
    const char *slash = strrchr(path, '/');
    s->name = xstrdup(slash ? slash + 1 : path);
    s->fd = fd;
    s->flags = RWF_DONTCACHE;
    s->size = (uint64_t)st.st_size;
    return start(s, out, e);
}

enum status stream_open_memory(struct slice bytes, const char *name, struct stream **out, struct err *e)
{
    *out = NULL;
    struct stream *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->fd = -1;
    s->memory = bytes;
    s->size = bytes.n;
    return start(s, out, e);
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->read == gzip_read)
        inflateEnd(&s->gzip);
    ZSTD_freeDStream(s->zstd);
    if (s->fd >= 0)
        close(s->fd);
    free(s->input);
    free(s->name);
    free(s);
}

enum status stream_read(struct stream *s, char *out, size_t n, size_t *got, struct err *e)
{
    enum { MOST = 1 << 30 }; /* zlib counts in 32 bits */
    *got = 0;
    while (*got < n) {
        size_t want = n - *got < MOST ? n - *got : MOST, part = 0;
        enum status st = s->read(s, out + *got, want, &part, e);
        if (st != ST_OK)
            return st;
        *got += part;
        if (part < want)
            break;
    }
    return ST_OK;
}

size_t stream_even(const struct stream *s, size_t n)
{
    if (s->fd < 0 || s->read != plain_read)
        return n;
    uint64_t at = s->taken - (s->end - s->at);
    return n + (size_t)(-(at + n) % INPUT_BYTES);
}

const char *stream_name(const struct stream *s)
{
    return s->name;
}

uint64_t stream_size(const struct stream *s)
{
    return s->size;
}

uint64_t stream_taken(const struct stream *s)
{
    return s->taken;
}
