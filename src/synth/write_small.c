/* SPDX-License-Identifier: Apache-2.0
 * The small files of a folder: places, vocabulary, and what the source is. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "synth/population.h"

#define VALID "1970-01-01,2099-12-31,"

static enum status open_file(const char *folder, const char *name, struct file_new **out, struct err *e)
{
    char *path = xasprintf("%s/%s.csv", folder, name);
    enum status s = file_new_open(path, 0644, out, e);
    free(path);
    return s;
}

static enum status write_care_sites(const struct population *pop, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "care_site", &f, e);
    if (s != ST_OK)
        return s;
    FILE *out = file_new_stream(f);
    fputs("care_site_id,care_site_name,place_of_service_concept_id,location_id,care_site_source_value,"
          "place_of_service_source_value\n",
          out);
    for (int32_t i = 0; i < pop->practices; i++)
        fprintf(out, "%lld,%s practice %d,%d,%lld,%s-P%04d,GP practice\n",
                (long long)(pop->site.number * 10000 + i + 1), pop->site.name, i + 1,
                code_id(CODE_OUTPATIENT), (long long)pop->site.number + 1, pop->site.mix->ods, i + 1);
    return file_new_commit(f, e);
}

static enum status write_location(const struct population *pop, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "location", &f, e);
    if (s != ST_OK)
        return s;
    fprintf(file_new_stream(f),
            "location_id,address_1,address_2,city,state,zip,county,location_source_value,country_concept_id,"
            "country_source_value,latitude,longitude\n%lld,,,,%s,,%s,%s,,England,,\n",
            (long long)pop->site.number + 1, pop->site.mix->ods, pop->site.mix->county, pop->site.name);
    return file_new_commit(f, e);
}

static enum status write_source(const struct population *pop, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "cdm_source", &f, e);
    if (s != ST_OK)
        return s;
    fprintf(
        file_new_stream(f),
        "cdm_source_name,cdm_source_abbreviation,cdm_holder,source_description,source_documentation_"
        "reference,"
        "cdm_etl_reference,source_release_date,cdm_release_date,cdm_version,cdm_version_concept_id,"
        "vocabulary_version\n%s (synthetic),synth,Accord,accord synth seed %llu persons %llu,,,2025-12-31,"
        "2025-12-31,5.4,756265,synthetic\n",
        pop->site.name, (unsigned long long)pop->options->seed, (unsigned long long)pop->options->persons);
    return file_new_commit(f, e);
}

enum status write_places(const struct population *pop, const char *folder, struct err *e)
{
    enum status s = write_care_sites(pop, folder, e);
    if (s == ST_OK)
        s = write_location(pop, folder, e);
    return s == ST_OK ? write_source(pop, folder, e) : s;
}

/* Names with commas are quoted; none has a quote. Codes are ours: a licensed code system's are never here. */
static enum status write_concepts(const struct vocabulary *v, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "concept", &f, e);
    if (s != ST_OK)
        return s;
    FILE *out = file_new_stream(f);
    fputs("concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,"
          "valid_start_date,valid_end_date,invalid_reason\n",
          out);
    for (size_t i = 0; i < v->n; i++) {
        const struct concept *c = &v->concepts[i];
        bool standard = c->maps_to == (int32_t)i;
        bool ingredient = c->domain == DOMAIN_DRUG && c->parents[0] == NO_PARENT;
        fprintf(out, "%d,\"%s\",%s,Accord synthetic,%s,%s,%s%d," VALID "\n", c->id, c->name,
                domain_names[c->domain],
                !standard    ? "Source"
                : ingredient ? "Ingredient"
                             : "Concept",
                standard ? "S" : "", standard ? "C" : "R", c->id);
    }
    return file_new_commit(f, e);
}

static enum status write_ancestors(const struct vocabulary *v, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "concept_ancestor", &f, e);
    if (s != ST_OK)
        return s;
    FILE *out = file_new_stream(f);
    fputs("ancestor_concept_id,descendant_concept_id,min_levels_of_separation,max_levels_of_separation\n",
          out);
    for (size_t i = 0; i < v->n; i++) {
        struct ancestor found[MOST_ANCESTORS];
        size_t n = v->concepts[i].maps_to == (int32_t)i ? vocabulary_ancestors(v, i, found) : 0;
        for (size_t k = 0; k < n; k++)
            fprintf(out, "%d,%d,%d,%d\n", v->concepts[found[k].index].id, v->concepts[i].id, found[k].least,
                    found[k].most);
    }
    return file_new_commit(f, e);
}

static void relate(FILE *out, int32_t a, int32_t b, const char *forth, const char *back)
{
    fprintf(out, "%d,%d,%s," VALID "\n%d,%d,%s," VALID "\n", a, b, forth, b, a, back);
}

static enum status write_relationships(const struct vocabulary *v, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "concept_relationship", &f, e);
    if (s != ST_OK)
        return s;
    FILE *out = file_new_stream(f);
    fputs("concept_id_1,concept_id_2,relationship_id,valid_start_date,valid_end_date,invalid_reason\n", out);
    for (size_t i = 0; i < v->n; i++) {
        const struct concept *c = &v->concepts[i];
        relate(out, c->id, v->concepts[c->maps_to].id, "Maps to", "Mapped from");
        for (int p = 0; p < 2; p++)
            if (c->parents[p] != NO_PARENT)
                relate(out, c->id, v->concepts[c->parents[p]].id, "Is a", "Subsumes");
    }
    return file_new_commit(f, e);
}

/* What is in a product of one ingredient: dose eras follow from it. */
static enum status write_strengths(const struct vocabulary *v, const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "drug_strength", &f, e);
    if (s != ST_OK)
        return s;
    FILE *out = file_new_stream(f);
    fputs("drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id,numerator_value,"
          "numerator_unit_concept_id,denominator_value,denominator_unit_concept_id,box_size,valid_start_date,"
          "valid_end_date,invalid_reason\n",
          out);
    for (size_t i = 0; i < v->n; i++) {
        int32_t id = v->concepts[i].id, strength = code_strength(id);
        if (v->concepts[i].domain == DOMAIN_DRUG && strength)
            fprintf(out, "%d,%d,%d,%d,,,,,," VALID "\n", id, code_ingredient(id), strength, code_id(CODE_MG));
    }
    return file_new_commit(f, e);
}

static enum status write_vocabularies(const char *folder, struct err *e)
{
    struct file_new *f;
    enum status s = open_file(folder, "vocabulary", &f, e);
    if (s != ST_OK)
        return s;
    fputs("vocabulary_id,vocabulary_name,vocabulary_reference,vocabulary_version,vocabulary_concept_id\n"
          "Accord synthetic,Concepts of the synthetic population,docs/synthetic-data.md,1,0\n",
          file_new_stream(f));
    return file_new_commit(f, e);
}

enum status write_vocabulary(const struct population *pop, const char *folder, struct err *e)
{
    enum status s = write_concepts(&pop->vocabulary, folder, e);
    if (s == ST_OK)
        s = write_ancestors(&pop->vocabulary, folder, e);
    if (s == ST_OK)
        s = write_relationships(&pop->vocabulary, folder, e);
    if (s == ST_OK && pop->options->profile == SYNTH_UK)
        s = write_strengths(&pop->vocabulary, folder, e);
    return s == ST_OK ? write_vocabularies(folder, e) : s;
}
