/* SPDX-License-Identifier: Apache-2.0
 * `accord backup`: a copy of a hub's or a node's folder that can be started from, taken while it is in use.
 *
 * Databases are copied with SQLite's online backup, each as of one moment; the register comes last, since the
 * others follow it and catch up from it, never the other way round. The copy appears under its name when it
 * is whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/db.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"

enum { SMALL_MOST = 64 << 20 };
static const char last[] = "register.db";

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* SQLite's own files go with their database, and temporary ones are nobody's. */
static bool is_passed_over(const char *name)
{
    return ends_with(name, "-wal") || ends_with(name, "-shm") || ends_with(name, "-journal") ||
           ends_with(name, ".lock") || strstr(name, ".tmp");
}

static enum status copy_database(const char *from, const char *to, struct err *e)
{
    struct db *d = NULL;
    enum status s = file_replace(to, SLICE(""), 0600, e); /* SQLite keeps the mode */
    if (s == ST_OK)
        s = db_open(from, DB_READ, NULL, 0, &d, e);
    if (s == ST_OK)
        s = db_backup(d, to, e);
    db_close(d);
    return s;
}

/* Keys and settings, with the mode that they have. */
static enum status copy_small(const char *from, const char *to, const struct stat *st, struct err *e)
{
    struct buf bytes;
    buf_init(&bytes, SMALL_MOST);
    enum status s = file_read(from, &bytes, e);
    if (s == ST_OK)
        s = file_replace(to, buf_slice(&bytes), st->st_mode & 0777, e);
    secret_wipe(bytes.p, bytes.n);
    buf_deinit(&bytes);
    return s;
}

static enum status copy_file(const char *data, const char *partial, const char *name, struct out *o,
                             struct err *e)
{
    char *from = xasprintf("%s/%s", data, name), *to = xasprintf("%s/%s", partial, name), size[24];
    struct stat st;
    enum status s = ST_OK;
    if (stat(from, &st) != 0) {
        s = err_errno(e, errno, "cannot read", name);
    } else if (S_ISREG(st.st_mode)) {
        s = ends_with(name, ".db") ? copy_database(from, to, e) : copy_small(from, to, &st, e);
        if (s == ST_OK && stat(to, &st) == 0) {
            snprintf(size, sizeof size, "%" PRId64, (int64_t)st.st_size);
            out_row(o, name, size);
        }
    }
    free(from);
    free(to);
    return s;
}

static enum status copy_files(const char *data, const char *partial, struct out *o, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    bool has_register = false;
    enum status s = dir_list(data, &names, &n, e);
    for (size_t i = 0; s == ST_OK && i < n; i++) {
        if (strcmp(names[i], last) == 0)
            has_register = true;
        else if (!is_passed_over(names[i]))
            s = copy_file(data, partial, names[i], o, e);
        if (s == ST_OK && interrupted())
            s = interrupted_err(e);
    }
    if (s == ST_OK && has_register)
        s = copy_file(data, partial, last, o, e);
    dir_list_free(names, n);
    return s;
}

static enum status check_folders(const char *data, const char *to, struct err *e)
{
    char *hub = xasprintf("%s/%s", data, last), *node = xasprintf("%s/node.db", data);
    enum status s = ST_OK;
    if (!file_exists(hub) && !file_exists(node))
        s = err_set(e, ST_NOT_FOUND,
                    "'%s' is no folder of a hub (register.db) or a node (node.db); name the one that "
                    "--data names when it runs",
                    data);
    else if (file_exists(to) || dir_exists(to))
        s = err_set(e, ST_CONFLICT, "'%s' is there already; a backup never overwrites, name a new folder",
                    to);
    free(hub);
    free(node);
    return s;
}

static enum status run_backup(const struct args *a, struct err *e)
{
    static const char *const columns[] = {"file", "bytes", NULL};
    const char *data = args_operand(a, 0), *to;
    enum status s = args_need(a, "to", &to, e);
    if (s == ST_OK)
        s = check_folders(data, to, e);
    if (s != ST_OK)
        return s;
    char *partial = xasprintf("%s.partial", to);
    struct out *o = out_new(a, columns);
    s = dir_remove(partial, e);
    if (s == ST_OK)
        s = dir_make(partial, e);
    if (s == ST_OK && chmod(partial, 0700) != 0)
        s = err_errno(e, errno, "cannot protect", "the copy");
    if (s == ST_OK)
        s = copy_files(data, partial, o, e);
    if (s == ST_OK)
        s = dir_sync(partial, e);
    if (s == ST_OK && rename(partial, to) != 0)
        s = err_errno(e, errno, "cannot rename", "the copy");
    if (s == ST_OK)
        s = out_end(o, e);
    else {
        out_drop(o);
        if (dir_remove(partial, NULL) != ST_OK)
            err_wrap(e, "what was copied so far is left in '%s'", partial);
    }
    free(partial);
    return s;
}

static const struct option_spec backup_options[] = {
    {"to", "DIR", "the new folder of the copy; it holds the key, so keep it in a safe place"}, {0}};

const struct command backup_commands[] = {
    {NULL, "DIR", "copy a hub's or a node's folder while it is in use",
     "Copies every file of DIR: databases as of one moment each, keys and settings as they are. The copy can "
     "be\n"
     "started from as it is. What a hub's log got after the copy comes back with 'accord register restore' "
     "from\n"
     "anybody's copy of the log; docs/operator/hub.md tells how.",
     backup_options, 1, 1, run_backup},
    {0},
};
