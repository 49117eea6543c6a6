/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of nouns. To add a noun: write cli/<noun>.c with its commands, declare the table here and list
 * it.
 */
#include <stddef.h>

#include "cli/register_nouns.h"

extern const struct command account_commands[];
extern const struct command backup_commands[];
extern const struct command cohort_commands[];
extern const struct command disclose_commands[];
extern const struct command help_commands[];
extern const struct command hub_commands[];
extern const struct command run_commands[];
extern const struct command key_commands[];
extern const struct command ledger_commands[];
extern const struct command node_commands[];
extern const struct command store_commands[];
extern const struct command synth_commands[];
extern const struct command stats_commands[];
extern const struct command study_commands[];
extern const struct command version_commands[];
extern const struct command perms_commands[];
extern const struct command body_commands[];
extern const struct command data_commands[];
extern const struct command forms_commands[];
extern const struct command project_commands[];
extern const struct command agreement_commands[];
extern const struct command annex_commands[];
extern const struct command transfer_commands[];
extern const struct command register_commands[];
extern const struct command match_commands[];
extern const struct command suggest_commands[];
extern const struct command common_commands[];
extern const struct command search_commands[];
extern const struct command clocks_commands[];
extern const struct command export_commands[];

const struct noun nouns[] = {
    {"key", "signing keys", key_commands, NULL},
    {"ledger", "the public log: copy, verify, prove", ledger_commands, NULL},
    {"hub", "serve the register and coordinate runs", hub_commands, NULL},
    {"account", "accounts of people at a hub", account_commands, NULL},
    {"backup", "copy a hub's or a node's folder while it is in use", backup_commands, NULL},
    {"node", "a site's node: its store, its runs", NULL, node_commands},
    {"store", "the patient store of a site", store_commands, NULL},
    {"synth", "make a synthetic population as OMOP CSV files", synth_commands, NULL},
    {"stats", "epidemiology and statistics on a plain CSV table", stats_commands, NULL},
    {"register", "begin, search and export the public register", register_commands, NULL},
    {"body", "organisations: ICBs, trusts, universities, companies", NULL, body_commands},
    {"person", "people, their training and interests", NULL, NULL},
    {"grant", "roles that people hold for bodies", NULL, NULL},
    {"data", "which data bodies have and lack", data_commands, NULL},
    {"forms", "custodians' forms beside each other", forms_commands, NULL},
    {"vocabulary", "code lists and price lists", NULL, NULL},
    {"template", "templates of agreements", NULL, NULL},
    {"agreement", "what binds the bodies", NULL, agreement_commands},
    {"annex", "private annexes of agreements: one company's own terms", NULL, annex_commands},
    {"signal", "needs and offers", NULL, NULL},
    {"contact", "messages between bodies, with a clock", NULL, NULL},
    {"question", "help with projects, rules and templates", NULL, NULL},
    {"project", "projects, from the idea to what came of it", NULL, project_commands},
    {"measure", "numbers that matter: benefits, guardrails", NULL, NULL},
    {"transfer", "value that moves", NULL, transfer_commands},
    {"run", "studies run under an agreement", NULL, run_commands},
    {"artefact", "outputs and what is published", NULL, NULL},
    {"review", "verdicts", NULL, NULL},
    {"match", "counterparts of a body, with reasons", match_commands, NULL},
    {"suggest", "projects that nobody has begun", suggest_commands, NULL},
    {"common", "what two bodies have in common", common_commands, NULL},
    {"search", "search the register", search_commands, NULL},
    {"clocks", "what is due, what is late", clocks_commands, NULL},
    {"export", "use register, Disclosure UK, Atom, DCAT, HDR UK", export_commands, NULL},
    {"perms", "the permission table: roles, verbs, states, rules", perms_commands, NULL},
    {"help", "this overview, the manual page, shell completion", help_commands, NULL},
    {"cohort", "cohort definitions: check, evaluate, compare", cohort_commands, NULL},
    {"study", "check and run studies on one store; only released tables are shown", study_commands, NULL},
    {"disclose", "statistical disclosure control: what may leave", disclose_commands, NULL},
    {"version", "the program's version and what it was built from", version_commands, NULL},
    {0},
};

const struct command *noun_commands(const struct noun *n)
{
    return n->commands ? n->commands : register_noun_commands(n->name, n->more);
}
