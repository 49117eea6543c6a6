/* SPDX-License-Identifier: Apache-2.0 */
#include "store/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"

enum { NAME_DIGITS = 16, OPEN_TRIES = 16 };

struct version_new {
    char *store, *folder;
    int lock_fd;
};

static bool begins_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_ours(const char *name)
{
    return begins_with(name, "v-") || begins_with(name, "new-") || begins_with(name, "current") ||
           strcmp(name, "lock") == 0 || strcmp(name, "cohorts") == 0; /* saved cohorts outlive versions */
}

/* Nothing but a store is ever written into. */
static enum status check_folder(const char *store, struct err *e)
{
    char **names;
    size_t n;
    enum status st = dir_list(store, &names, &n, e);
    for (size_t i = 0; st == ST_OK && i < n; i++)
        if (!is_ours(names[i])) {
            st = err_set(e, ST_INVALID,
                         "the folder for the store holds other files; name a new or empty folder");
            err_detail(e, "%s has %s", store, names[i]);
        }
    dir_list_free(names, n);
    return st;
}

static enum status take_lock(struct version_new *v, struct err *e)
{
    char *path = xasprintf("%s/lock", v->store);
    v->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum status st = ST_OK;
    if (v->lock_fd < 0)
        st = err_errno(e, errno, "cannot create", path);
    else if (flock(v->lock_fd, LOCK_EX | LOCK_NB) != 0)
        st = err_set(e, ST_CONFLICT, "another import into this store is at work; wait for it or stop it");
    free(path);
    return st;
}

/* What killed imports have left. */
static void remove_remains(const char *store)
{
    char **names;
    size_t n;
    if (dir_list(store, &names, &n, NULL) != ST_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!begins_with(names[i], "new-"))
            continue;
        char *path = xasprintf("%s/%s", store, names[i]);
        if (dir_remove(path, NULL) != ST_OK) {
            /* The next import tries again. */
        }
        free(path);
    }
    dir_list_free(names, n);
}

static void version_free(struct version_new *v)
{
    if (v->lock_fd >= 0)
        close(v->lock_fd);
    free(v->folder);
    free(v->store);
    free(v);
}

enum status version_begin(const char *store, struct version_new **out, struct err *e)
{
    struct version_new *v = xcalloc(1, sizeof *v);
    v->store = xstrdup(store);
    v->lock_fd = -1;
    *out = NULL;
    enum status st = dir_make(store, e);
    if (st == ST_OK)
        st = check_folder(store, e);
    if (st == ST_OK)
        st = take_lock(v, e);
    if (st == ST_OK) {
        remove_remains(store);
        v->folder = xasprintf("%s/new-XXXXXX", store);
        if (!mkdtemp(v->folder))
            st = err_errno(e, errno, "cannot make a folder in", store);
    }
    if (st == ST_OK)
        *out = v;
    else
        version_free(v);
    return st;
}

const char *version_folder(const struct version_new *v)
{
    return v->folder;
}

/* A store that never had a version goes altogether; rmdir spares a folder that holds anything. */
static void remove_empty(const char *store)
{
    char *current = xasprintf("%s/current", store), *lock = xasprintf("%s/lock", store), target[8];
    if (readlink(current, target, sizeof target) < 0) {
        unlink(lock);
        rmdir(store);
    }
    free(lock);
    free(current);
}

void version_abandon(struct version_new *v)
{
    if (!v)
        return;
    if (dir_remove(v->folder, NULL) != ST_OK) {
        /* remove_remains does it at the next import. */
    }
    remove_empty(v->store);
    version_free(v);
}

static void name_of(struct slice manifest, char out[3 + NAME_DIGITS])
{
    char hex[2 * HASH_BYTES + 1];
    sha256_hex(manifest, hex);
    memcpy(out, "v-", 2);
    memcpy(out + 2, hex, NAME_DIGITS);
    out[2 + NAME_DIGITS] = '\0';
}

/* Other versions than `kept` that no reader holds. */
static void remove_old(const char *store, const char *kept)
{
    char **names;
    size_t n;
    if (dir_list(store, &names, &n, NULL) != ST_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!begins_with(names[i], "v-") || strcmp(names[i], kept) == 0)
            continue;
        char *folder = xasprintf("%s/%s", store, names[i]), *manifest = xasprintf("%s/manifest.json", folder);
        int fd = open(manifest, O_RDONLY | O_CLOEXEC);
        bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
        /* The manifest goes first: a reader that comes now sees that it is gone and looks at `current` again.
         */
        if (!held && (unlink(manifest) == 0 || errno == ENOENT) && dir_remove(folder, NULL) != ST_OK) {
            /* The next import tries again. */
        }
        if (fd >= 0)
            close(fd);
        free(manifest);
        free(folder);
    }
    dir_list_free(names, n);
}

/* Puts the finished folder in its place and points `current` at it. */
static enum status publish(struct version_new *v, const char *name, struct err *e)
{
    char *target = xasprintf("%s/%s", v->store, name), *link = xasprintf("%s/current.new", v->store),
         *current = xasprintf("%s/current", v->store);
    enum status st = ST_OK;
    unlink(link);
    if (rename(v->folder, target) != 0)
        st = err_errno(e, errno, "cannot put in place", target);
    else if (symlink(name, link) != 0 || rename(link, current) != 0)
        st = err_errno(e, errno, "cannot put in place", current);
    else
        st = dir_sync(v->store, e);
    if (st == ST_OK)
        remove_old(v->store, name);
    free(current);
    free(link);
    free(target);
    return st;
}

enum status version_commit(struct version_new *v, struct slice manifest, struct err *e)
{
    char name[3 + NAME_DIGITS];
    char *path = xasprintf("%s/manifest.json", v->folder);
    name_of(manifest, name);
    enum status st = file_replace(path, manifest, 0600, e);
    free(path);
    if (st == ST_OK)
        st = publish(v, name, e);
    if (st == ST_OK)
        version_free(v);
    else
        version_abandon(v);
    return st;
}

static enum status no_store(const char *store, struct err *e)
{
    enum status st =
        err_set(e, ST_NOT_FOUND, "there is no store here; 'accord node import DIR --store STORE' makes one");
    err_detail(e, "%s", store);
    return st;
}

static enum status read_locked(int fd, struct buf *manifest, struct err *e)
{
    char block[1 << 16];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0)
        buf_add(manifest, block, (size_t)n);
    if (n < 0)
        return err_errno(e, errno, "cannot read", "manifest.json");
    return buf_check(manifest, "manifest.json", e);
}

/* ST_CONFLICT: the version went while it was opened. */
static enum status open_version(const char *store, const char *name, char **folder, struct buf *manifest,
                                int *fd, struct err *e)
{
    char expected[3 + NAME_DIGITS];
    struct stat info;
    *folder = xasprintf("%s/%s", store, name);
    char *path = xasprintf("%s/manifest.json", *folder);
    enum status st = ST_OK;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        st = errno == ENOENT ? err_set(e, ST_CONFLICT, "the store's current version is not there")
                             : err_errno(e, errno, "cannot open", path);
    else if (flock(*fd, LOCK_SH) != 0 || fstat(*fd, &info) != 0 || info.st_nlink == 0)
        st = err_set(e, ST_CONFLICT, "the store was replaced while it was opened");
    else
        st = read_locked(*fd, manifest, e);
    free(path);
    if (st != ST_OK)
        return st;
    name_of(buf_slice(manifest), expected);
    if (strcmp(expected, name) != 0)
        st = err_set(e, ST_CORRUPT,
                     "the store is damaged: manifest.json is not the one of this version; import again");
    return st;
}

enum status version_open(const char *store, char **folder, struct buf *manifest, int *lock_fd, struct err *e)
{
    char *link = xasprintf("%s/current", store);
    enum status st = ST_CONFLICT;
    *folder = NULL;
    *lock_fd = -1;
    for (int i = 0; i < OPEN_TRIES && st == ST_CONFLICT; i++) {
        char name[256];
        ssize_t n = readlink(link, name, sizeof name - 1);
        if (n < 0) {
            st = no_store(store, e);
            break;
        }
        name[n] = '\0';
        free(*folder);
        buf_clear(manifest);
        st = open_version(store, name, folder, manifest, lock_fd, e);
        if (st != ST_OK && *lock_fd >= 0) {
            close(*lock_fd);
            *lock_fd = -1;
        }
    }
    free(link);
    if (st != ST_OK) {
        free(*folder);
        *folder = NULL;
        return st == ST_CONFLICT
                   ? err_set(e, ST_CORRUPT, "the store is damaged: its current version is not there")
                   : st;
    }
    return ST_OK;
}
