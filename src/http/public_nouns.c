/* SPDX-License-Identifier: Apache-2.0
 * The nouns that have public pages: what their lists and their items show, in which words. Data only. */
#include "http/public.h"

static const struct shown body_columns[] = {{"name", "Name", SHOW_TEXT, NULL},
                                            {"kind", "Kind", SHOW_WORDS, NULL},
                                            {"state", "State", SHOW_STATE, NULL},
                                            {0}};
static const struct shown body_fields[] = {{"kind", "Kind", SHOW_WORDS, NULL},
                                           {"parent", "Part of", SHOW_BODY, NULL},
                                           {"region", "Region", SHOW_TEXT, NULL},
                                           {"from", "Exists from", SHOW_DAY, NULL},
                                           {"to", "Until", SHOW_DAY, NULL},
                                           {"successors", "Followed by", SHOW_ITEMS, "bodies"},
                                           {"ods", "ODS code", SHOW_TEXT, NULL},
                                           {"checks", "Checked", SHOW_CHECKS, NULL},
                                           {0}};
static const struct shown signal_columns[] = {{"title", "What", SHOW_TEXT, NULL},
                                              {"side", "Side", SHOW_WORDS, NULL},
                                              {"body", "Whose", SHOW_BODY, NULL},
                                              {"rank", "Their rank", SHOW_NUMBER, NULL},
                                              {"stage", "Stage of care", SHOW_WORDS, NULL},
                                              {"state", "State", SHOW_STATE, NULL},
                                              {0}};
static const struct shown signal_fields[] = {{"side", "Need or offer", SHOW_WORDS, NULL},
                                             {"body", "Whose", SHOW_BODY, NULL},
                                             {"rank", "Rank among theirs", SHOW_NUMBER, NULL},
                                             {"type", "Of what kind", SHOW_WORDS, NULL},
                                             {"stage", "Stage of care", SHOW_WORDS, NULL},
                                             {"codes", "About", SHOW_CODES, NULL},
                                             {"population", "People it concerns", SHOW_NUMBER, NULL},
                                             {"evidence", "Evidence", SHOW_TEXT, NULL},
                                             {"published", "Published", SHOW_BY, NULL},
                                             {0}};
static const struct shown project_columns[] = {{"title", "Project", SHOW_TEXT, NULL},
                                               {"lay", "In plain words", SHOW_TEXT, NULL},
                                               {"body", "Led by", SHOW_BODY, NULL},
                                               {"state", "State", SHOW_STATE, NULL},
                                               {0}};
static const struct shown project_fields[] = {{"purpose", "Purpose", SHOW_TEXT, NULL},
                                              {"decision", "The decision it informs", SHOW_TEXT, NULL},
                                              {"signals", "Grew from", SHOW_ITEMS, "signals"},
                                              {"parties", "Parties", SHOW_BODIES, NULL},
                                              {"population", "Whose records", SHOW_TEXT, NULL},
                                              {"benefits", "Who gains what", SHOW_PAIRS, NULL},
                                              {"cost_per_year", "Cost a year", SHOW_POUNDS, NULL},
                                              {"use", "Use", SHOW_WORDS, NULL},
                                              {"access", "How data is reached", SHOW_WORDS, NULL},
                                              {"submitted", "Submitted", SHOW_BY, NULL},
                                              {"answers", "Five Safes, asked once", SHOW_PAIRS, NULL},
                                              {0}};
static const struct shown agreement_columns[] = {{"title", "Agreement", SHOW_TEXT, NULL},
                                                 {"summary", "In plain words", SHOW_TEXT, NULL},
                                                 {"state", "State", SHOW_STATE, NULL},
                                                 {"to", "Until", SHOW_DAY, NULL},
                                                 {0}};
static const struct shown agreement_fields[] = {{"purpose", "Purpose", SHOW_TEXT, NULL},
                                                {"parties", "Parties", SHOW_BODIES, NULL},
                                                {"project", "Project", SHOW_ITEM, "projects"},
                                                {"use", "Use", SHOW_WORDS, NULL},
                                                {"access", "How data is reached", SHOW_WORDS, NULL},
                                                {"from", "From", SHOW_DAY, NULL},
                                                {"to", "Until", SHOW_DAY, NULL},
                                                {"in_force", "In force since", SHOW_DAY, NULL},
                                                {"mechanisms", "What the NHS gets", SHOW_VALUE, NULL},
                                                {"nhs_share_percent", "Share of the NHS", SHOW_PERCENT, NULL},
                                                {"signatures", "Signed by", SHOW_SIGNED, NULL},
                                                {"exit_plan", "How it ends", SHOW_TEXT, NULL},
                                                {0}};
static const struct shown run_columns[] = {{"decision", "Study", SHOW_TEXT, NULL},
                                           {"agreement", "Under", SHOW_ITEM, "agreements"},
                                           {"asked", "Asked", SHOW_BY, NULL},
                                           {"state", "State", SHOW_STATE, NULL},
                                           {0}};
static const struct shown run_fields[] = {{"agreement", "Under the agreement", SHOW_ITEM, "agreements"},
                                          {"decision", "The decision it informs", SHOW_TEXT, NULL},
                                          {"asked", "Asked", SHOW_BY, NULL},
                                          {"lead", "Lead site", SHOW_BODY, NULL},
                                          {"study_hash", "SHA-256 of the study", SHOW_TEXT, NULL},
                                          {0}};
static const struct shown artefact_columns[] = {{"title", "Result", SHOW_TEXT, NULL},
                                                {"lay", "In plain words", SHOW_TEXT, NULL},
                                                {"body", "Released by", SHOW_BODY, NULL},
                                                {"state", "State", SHOW_STATE, NULL},
                                                {0}};
static const struct shown artefact_fields[] = {{"body", "Released by", SHOW_BODY, NULL},
                                               {"run", "From the study", SHOW_ITEM, "runs"},
                                               {"licence", "Licence", SHOW_TEXT, NULL},
                                               {"hash", "SHA-256 that the checkers signed", SHOW_TEXT, NULL},
                                               {0}};
static const struct shown transfer_columns[] = {
    {"id", "Transfer", SHOW_TEXT, NULL},  {"from", "From", SHOW_BODY, NULL},
    {"to", "To", SHOW_BODY, NULL},        {"amount", "Amount", SHOW_POUNDS, NULL},
    {"due", "Due", SHOW_DAY, NULL},       {"date", "Made", SHOW_DAY, NULL},
    {"state", "State", SHOW_STATE, NULL}, {0}};
static const struct shown transfer_fields[] = {{"from", "From", SHOW_BODY, NULL},
                                               {"to", "To", SHOW_BODY, NULL},
                                               {"amount", "Amount", SHOW_POUNDS, NULL},
                                               {"what", "For what", SHOW_TEXT, NULL},
                                               {"mechanism", "By which term", SHOW_WORDS, NULL},
                                               {"category", "Category", SHOW_WORDS, NULL},
                                               {"agreement", "Agreement", SHOW_ITEM, "agreements"},
                                               {"project", "Project", SHOW_ITEM, "projects"},
                                               {"due", "Due", SHOW_DAY, NULL},
                                               {"date", "Made", SHOW_DAY, NULL},
                                               {0}};
static const struct shown measure_columns[] = {
    {"title", "Measure", SHOW_TEXT, NULL},         {"role", "Role", SHOW_WORDS, NULL},
    {"baseline", "Before", SHOW_NUMBER, NULL},     {"target", "Target", SHOW_NUMBER, NULL},
    {"floor", "Must not pass", SHOW_NUMBER, NULL}, {"readings", "Measured", SHOW_READINGS, NULL},
    {"state", "State", SHOW_STATE, NULL},          {0}};
static const struct shown measure_fields[] = {
    {"project", "Project", SHOW_ITEM, "projects"}, {"role", "Role", SHOW_WORDS, NULL},
    {"for", "For whom", SHOW_WORDS, NULL},         {"unit", "Unit", SHOW_TEXT, NULL},
    {"better", "Better when", SHOW_WORDS, NULL},   {"baseline", "Before", SHOW_NUMBER, NULL},
    {"date", "Baseline of", SHOW_DAY, NULL},       {"source", "Source", SHOW_TEXT, NULL},
    {"target", "Target", SHOW_NUMBER, NULL},       {"floor", "Must not pass", SHOW_NUMBER, NULL},
    {"readings", "Measured", SHOW_READINGS, NULL}, {0}};

static const struct page_choice body_choices[] = {{"kind", "Kind"}, {0}};
static const struct page_choice signal_choices[] = {
    {"side", "Needs or offers"}, {"body", "Whose"}, {"stage", "Stage of care"}, {0}};
static const struct page_choice usual_choices[] = {{"body", "Whose"}, {"state", "State"}, {0}};

const struct noun_page noun_pages[] = {
    {"bodies", "body", "Organisations",
     "The NHS bodies, companies, universities and charities that take part, with the dates they exist for "
     "and who "
     "came after them.",
     "No organisation has registered yet.", "An organisation that takes part in the register.", body_columns,
     body_fields, body_choices},
    {"signals", "signal", "Needs and offers",
     "What NHS bodies need, in their own order of importance, and what partners can offer.",
     "Nothing has been asked for or offered yet.",
     "Something that an NHS body needs, or that a partner offers; anyone with the other half can answer it.",
     signal_columns, signal_fields, signal_choices},
    {"projects", "project", "Projects",
     "Work that grew from a need: who takes part, what each brings, what it replaces and what came of it.",
     "There is no project yet.",
     "Work of NHS bodies and partners, from the need it grew from to what came of it.", project_columns,
     project_fields, usual_choices},
    {"agreements", "agreement", "Agreements",
     "The terms that NHS bodies and partners have signed: what may be studied, where, by whom, and what the "
     "NHS "
     "gets in return.",
     "No agreement has been proposed yet.",
     "What the parties have agreed: nothing may run on patient data beyond it, and it is public before it "
     "binds.",
     agreement_columns, agreement_fields, usual_choices},
    {"runs", "run", "Studies that ran on patient data",
     "Every study that was run inside the NHS: who asked, under which agreement, which sites took part. "
     "Patient "
     "data stayed where it was.",
     "No study has been run yet.",
     "A study that went to the data: each site worked out sums and sent them masked, so that nobody can read "
     "one "
     "site's part.",
     run_columns, run_fields, usual_choices},
    {"artefacts", "artefact", "Results",
     "Tables that two independent output checkers have approved for everyone to see. Numbers small enough to "
     "point at a person are hidden or rounded.",
     "No result has been released yet.",
     "Numbers that left the NHS, after two people of no party to the agreement had checked them.",
     artefact_columns, artefact_fields, usual_choices},
    {"transfers", "transfer", "Transfers of value",
     "Money and help in kind that moved under the agreements: who gave what to whom, and when.",
     "Nothing has been transferred yet.", "Value that one party to an agreement gives to another.",
     transfer_columns, transfer_fields, usual_choices},
    {"measures", "measure", "Benefits and harms measured",
     "What each project set out to change, where it started, and what has been measured since.",
     "Nothing has been measured yet.",
     "A number that a project set out to change, or that must not get worse meanwhile.", measure_columns,
     measure_fields, usual_choices},
    {0},
};

const struct noun_page *noun_page_find(const char *path)
{
    for (const struct noun_page *p = noun_pages; p->path; p++)
        if (strcmp(p->path, path) == 0)
            return p;
    return NULL;
}
