/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord node`: the verbs of a site's node; each has a file of its own.
 */
#include "cli/node.h"

const struct command node_commands[] = {
    {"import", "DIR", "import a folder of OMOP CDM tables into the site's store", node_import_about,
     node_import_options, 1, 1, run_node_import},
    {0},
};
