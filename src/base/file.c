/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum status file_read(const char *path, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "cannot open", path);
    char block[65536];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        buf_add(out, block, (size_t)n);
    }
    int saved = errno;
    close(fd);
    if (n < 0)
        return err_errno(e, saved, "cannot read", path);
    const char *slash = strrchr(path, '/');
    return buf_check(out, slash ? slash + 1 : path, e);
}

struct file_new {
    char *path;
    char *temporary; /* NULL: a device or pipe, which is written as it is */
    FILE *stream;
};

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    char *d = xstrdup(path);
    d[n] = '\0';
    return d;
}

static void file_new_free(struct file_new *f)
{
    free(f->path);
    free(f->temporary);
    free(f);
}

/* /dev/null, /dev/stdout, a named pipe: nothing to replace, and root could. */
static bool is_written_as_it_is(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_temporary(struct file_new *f, unsigned mode)
{
    f->temporary = xasprintf("%s.new-%ld-XXXXXX", f->path, (long)getpid());
    int fd = mkostemp(f->temporary, O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode) == 0)
        return fd;
    unlink(f->temporary);
    close(fd);
    return -1;
}

enum status file_new_open(const char *path, unsigned mode, struct file_new **out, struct err *e)
{
    struct file_new *f = xcalloc(1, sizeof *f);
    *out = NULL;
    f->path = xstrdup(path);
    int fd = is_written_as_it_is(path) ? open(path, O_WRONLY | O_CLOEXEC) : open_temporary(f, mode);
    if (fd >= 0)
        f->stream = fdopen(fd, "wb");
    if (!f->stream) {
        enum status s = err_errno(e, errno, "cannot create", path);
        if (fd >= 0 && f->temporary)
            unlink(f->temporary);
        if (fd >= 0)
            close(fd);
        file_new_free(f);
        return s;
    }
    *out = f;
    return ST_OK;
}

FILE *file_new_stream(struct file_new *f)
{
    return f->stream;
}

void file_new_abandon(struct file_new *f)
{
    if (!f)
        return;
    fclose(f->stream);
    if (f->temporary)
        unlink(f->temporary);
    file_new_free(f);
}

/* The new file in place of the old one, both on the disk before anybody is told. */
static enum status put_in_place(struct file_new *f, bool written, struct err *e)
{
    char *directory = directory_of(f->path);
    enum status s = ST_OK;
    if (!written || rename(f->temporary, f->path) != 0) {
        s = err_errno(e, errno, "cannot write", f->path);
        unlink(f->temporary);
    } else {
        s = dir_sync(directory, e);
    }
    free(directory);
    return s;
}

enum status file_new_commit(struct file_new *f, struct err *e)
{
    bool written = fflush(f->stream) == 0 && (!f->temporary || fsync(fileno(f->stream)) == 0);
    enum status s = ST_OK;
    if (fclose(f->stream) != 0)
        written = false;
    if (f->temporary)
        s = put_in_place(f, written, e);
    else if (!written)
        s = err_errno(e, errno, "cannot write", f->path);
    file_new_free(f);
    return s;
}

enum status file_replace(const char *path, struct slice bytes, unsigned mode, struct err *e)
{
    struct file_new *f;
    enum status s = file_new_open(path, mode, &f, e);
    if (s != ST_OK)
        return s;
    if (bytes.n && fwrite(bytes.p, 1, bytes.n, f->stream) != bytes.n) {
        s = err_errno(e, errno, "cannot write", path);
        file_new_abandon(f);
        return s;
    }
    return file_new_commit(f, e);
}

enum status file_map_open(const char *path, struct file_map *out, struct err *e)
{
    *out = (struct file_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return err_errno(e, errno, "cannot open", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        enum status s = err_errno(e, S_ISDIR(st.st_mode) ? EISDIR : errno, "cannot map", path);
        close(fd);
        return s;
    }
    void *p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    int saved = errno;
    close(fd);
    if (p == MAP_FAILED)
        return err_errno(e, saved, "cannot map", path);
    *out = (struct file_map){p ? p : (const uint8_t *)"", (size_t)st.st_size};
    return ST_OK;
}

void file_map_close(struct file_map *m)
{
    if (m->n)
        munmap((void *)(uintptr_t)m->p, m->n);
    *m = (struct file_map){0};
}

void file_map_advise(const struct file_map *m, enum file_touching how)
{
    if (m->n)
        madvise((void *)(uintptr_t)m->p, m->n, how == FILE_HERE_AND_THERE ? MADV_RANDOM : MADV_NORMAL);
}

void file_map_fetch(const struct file_map *m, size_t from, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), start = from / page * page;
    if (from < m->n)
        madvise((void *)(uintptr_t)(m->p + start), (n < m->n - from ? n : m->n - from) + (from - start),
                MADV_WILLNEED);
}

void file_fetch_ends(const char *path, uint64_t size, uint64_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    n = n < size ? n : size;
    posix_fadvise(fd, 0, (off_t)n, POSIX_FADV_WILLNEED);
    posix_fadvise(fd, (off_t)(size - n), (off_t)n, POSIX_FADV_WILLNEED);
    close(fd);
}

enum status dir_make(const char *path, struct err *e)
{
    char *p = xstrdup(path);
    int failed = 0;
    for (char *q = p + 1; !failed; q++) {
        if (*q && *q != '/')
            continue;
        char kept = *q;
        *q = '\0';
        if (mkdir(p, 0777) != 0 && errno != EEXIST)
            failed = errno;
        *q = kept;
        if (!kept)
            break;
    }
    free(p);
    if (!failed && !dir_exists(path))
        failed = ENOTDIR;
    return failed ? err_errno(e, failed, "cannot make the folder", path) : ST_OK;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

enum status dir_remove(const char *path, struct err *e)
{
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_errno(e, errno, "cannot remove", path);
    return ST_OK;
}

enum status dir_sync(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "cannot open the folder", path);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed ? err_errno(e, failed, "cannot sync the folder", path) : ST_OK;
}

enum status dir_lock(const char *path, int *fd, struct err *e)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return err_errno(e, errno, "cannot open the folder", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return ST_OK;
    close(*fd);
    *fd = -1;
    err_set(e, ST_CONFLICT, "another process serves from this folder; stop it first");
    err_detail(e, "%s", path);
    return ST_CONFLICT;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool dir_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status dir_list(const char *path, char ***names, size_t *n_out, struct err *e)
{
    *names = NULL;
    *n_out = 0;
    DIR *d = opendir(path);
    if (!d)
        return err_errno(e, errno, "cannot open the folder", path);
    size_t capacity = 0;
    for (struct dirent *entry; (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        GROW(*names, *n_out + 1, capacity);
        (*names)[(*n_out)++] = xstrdup(entry->d_name);
    }
    closedir(d);
    if (*n_out)
        qsort(*names, *n_out, sizeof **names, by_text);
    return ST_OK;
}

void dir_list_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}
