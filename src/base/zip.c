/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zip.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_LEVEL = 1, ZSTD_LEVEL = 1, GZIP_WINDOW = 15 + 16 /* 16: with a gzip header */, GZIP_MEMORY = 8 };

static const struct {
    const char *name, *ending;
} kinds[] = {[ZIP_NONE] = {"none", ""}, [ZIP_GZIP] = {"gzip", ".gz"}, [ZIP_ZSTD] = {"zstd", ".zst"}};

bool zip_find(const char *name, enum zip *out)
{
    for (enum zip z = ZIP_NONE; z <= ZIP_ZSTD; z++)
        if (strcmp(kinds[z].name, name) == 0) {
            *out = z;
            return true;
        }
    return false;
}

const char *zip_ending(enum zip z)
{
    return kinds[z].ending;
}

static enum status add_gzip(struct slice block, struct buf *out, struct err *e)
{
    z_stream z = {0};
    if (block.n > UINT32_MAX ||
        deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(e, ST_NO_MEMORY, "a block of %zu bytes could not be compressed with gzip", block.n);
    size_t bound = deflateBound(&z, block.n);
    int result = Z_MEM_ERROR;
    if (buf_reserve(out, bound)) {
        z.next_in = (Bytef *)(uintptr_t)block.p;
        z.avail_in = (uInt)block.n;
        z.next_out = (Bytef *)out->p + out->n;
        z.avail_out = (uInt)bound;
        result = deflate(&z, Z_FINISH);
    }
    if (result == Z_STREAM_END) {
        out->n += z.total_out;
        out->p[out->n] = '\0';
    }
    deflateEnd(&z);
    return result == Z_STREAM_END
               ? ST_OK
               : err_set(e, ST_NO_MEMORY, "a block of %zu bytes could not be compressed with gzip", block.n);
}

static enum status add_zstd(struct slice block, struct buf *out, struct err *e)
{
    size_t bound = ZSTD_compressBound(block.n), n = 0;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    bool done = context && buf_reserve(out, bound);
    if (done) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        n = ZSTD_compress2(context, out->p + out->n, bound, block.p, block.n);
        done = !ZSTD_isError(n);
    }
    ZSTD_freeCCtx(context);
    if (!done)
        return err_set(e, ST_NO_MEMORY, "a block of %zu bytes could not be compressed with zstd", block.n);
    out->n += n;
    out->p[out->n] = '\0';
    return ST_OK;
}

enum status zip_add(enum zip z, struct slice block, struct buf *out, struct err *e)
{
    if (z == ZIP_GZIP)
        return add_gzip(block, out, e);
    if (z == ZIP_ZSTD)
        return add_zstd(block, out, e);
    buf_add(out, block.p, block.n);
    return buf_check(out, "an uncompressed block", e);
}
