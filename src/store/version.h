/* SPDX-License-Identifier: Apache-2.0
 *
 * A store is a folder of versions:
 *
 *     STORE/current            symbolic link to the version that readers open
 *     STORE/v-0123456789abcdef the version; its name is the beginning of the SHA-256 of its manifest.json
 *     STORE/new-XXXXXX         what an import at work (or one that was killed) has written so far
 *     STORE/lock               held by the import at work
 *
 * A version is complete and on disk before `current` is replaced by rename(2): readers see the old one or the
 * new one. A reader holds a shared lock on its version's manifest; versions that nobody holds go at the end
 * of the next import.
 */
#ifndef ACCORD_STORE_VERSION_H
#define ACCORD_STORE_VERSION_H

#include "base/err.h"
#include "base/text.h"

struct version_new;
/* ST_CONFLICT while another import is at work; ST_INVALID when the folder is there and is no store. */
MUST_CHECK enum status version_begin(const char *store, struct version_new **out, struct err *e);
const char *version_folder(const struct version_new *v); /* where to write the files */
/* Adds manifest.json and makes it the current version. Frees v in any case; on failure nothing is left of it.
 */
MUST_CHECK enum status version_commit(struct version_new *v, struct slice manifest, struct err *e);
void version_abandon(struct version_new *v); /* NULL is fine */

/* The current version: its folder (caller frees) and an open, locked manifest to close when done. ST_CORRUPT
 * when the manifest is not the one that the version is named for. */
MUST_CHECK enum status version_open(const char *store, char **folder, struct buf *manifest, int *lock_fd,
                                    struct err *e);

#endif
