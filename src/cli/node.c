/* SPDX-License-Identifier: Apache-2.0
 *
 * `accord node`: the verbs of a site's node; each has a file of its own.
 */
#include <stddef.h>

#include "cli/node.h"

const struct command node_commands[] = {
    {"import", "DIR", "import a folder of OMOP CDM tables into the site's store", node_import_about,
     node_import_options, 1, 1, run_node_import},
    {"init", "", "make a node's folder: its key, database and policy", node_init_about, node_data_options, 0,
     0, run_node_init},
    {"enrol", "", "make the node known to the hub with its one-time token", node_enrol_about,
     node_enrol_options, 0, 0, run_node_enrol},
    {"run", "", "serve runs until interrupted", node_run_about, node_run_options, 0, 0, run_node_run},
    {"status", "", "the node's key, body and hub", NULL, node_data_options, 0, 0, run_node_status},
    {"runs", "", "runs that this node has met, and how they stand here", NULL, node_data_options, 0, 0,
     run_node_runs},
    {"admit", "RUN", "let a run take place here (where the policy asks a person)", NULL, node_data_options, 1,
     1, run_node_admit},
    {"refuse", "RUN", "do not take part in a run", NULL, node_reason_options, 1, 1, run_node_refuse},
    {"stop", "", "stop everything here: runs under way, held outputs and new runs", NULL, node_reason_options,
     0, 0, run_node_stop},
    {"resume", "", "take runs again after 'stop'", NULL, node_data_options, 0, 0, run_node_resume},
    {"trust", "BODY KEY", "take another site's new node key for right, after asking that site", NULL,
     node_data_options, 2, 2, run_node_trust},
    {"account", "list|add|remove [NAME]", "who may sign in at the node's own pages", node_account_about,
     node_account_options, 1, 2, run_node_account},
    {"output", "list|show|check|approve|return [ID]", "outputs held here, and their checkers' verdicts",
     node_output_about, node_output_options, 1, 2, run_node_output},
    {"discovery", "[TASK.json]", "answer HDR UK Cohort Discovery (RQuest) tasks", node_discovery_about,
     node_discovery_options, 0, 1, run_node_discovery},
    {0},
};
