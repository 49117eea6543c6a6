/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole run: batches of chunks. A chunk's persons are made in parallel, rows are numbered in order, text
 * is made in parallel, files are written in order. Memory is that of one batch, whatever the number of
 * persons.
 */
#include "synth/synth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "synth/population.h"

enum { CHUNK_PERSONS = 512, DENSE_CHUNK_PERSONS = 64, CHUNKS_A_THREAD = 2, MOST_TEXT_BYTES = 1 << 30 };

struct run {
    struct population pop;
    struct chunk *chunks;
    size_t n_chunks; /* of a full batch */
    uint32_t chunk_persons;
    uint64_t first;                /* first person of the batch */
    uint64_t (*ids)[SYNTH_TABLES]; /* rows before each chunk of the batch */
    int files[SYNTH_TABLES];
    char *final;  /* the folder asked for, without slashes behind */
    char *folder; /* where it is built */
    struct tally tally;
    struct synth_summary *summary;
};

static uint32_t persons_in(const struct run *run, size_t chunk)
{
    uint64_t first = run->first + chunk * run->chunk_persons, all = run->pop.options->persons;
    uint64_t left = first < all ? all - first : 0;
    return left < run->chunk_persons ? (uint32_t)left : run->chunk_persons;
}

static enum status make_chunk(void *context, size_t i, struct err *e)
{
    struct run *run = context;
    struct chunk *c = &run->chunks[i];
    uint32_t n = persons_in(run, i);
    uint64_t first = run->first + i * run->chunk_persons;
    (void)e;
    c->n_persons = 0;
    c->tally = (struct tally){0};
    for (int t = 0; t < SYNTH_TABLES; t++)
        c->events[t].n = 0;
    while (c->n_persons < n) {
        struct person *p = &c->persons[c->n_persons++];
        uint64_t index = first + c->n_persons - 1;
        if (run->pop.options->profile != SYNTH_UK) {
            bench_person(&run->pop, index, c);
            continue;
        }
        size_t first_condition = c->events[TABLE_CONDITION].n, first_drug = c->events[TABLE_DRUG].n;
        life_draw(&run->pop, index, p);
        care_draw(&run->pop, p, c);
        truth_draw(&run->pop, p, c);
        era_draw(c, first_condition, first_drug);
        truth_tally(p, &c->tally);
    }
    return ST_OK;
}

static enum status write_chunk(void *context, size_t i, struct err *e)
{
    struct run *run = context;
    struct chunk *c = &run->chunks[i];
    enum status s = ST_OK;
    for (int t = 0; t < run->summary->n_tables && s == ST_OK; t++) {
        buf_clear(&c->texts[t]);
        buf_clear(&c->packed[t]);
        write_rows(&run->pop, c, (enum table)t, run->ids[i], run->first + i * run->chunk_persons,
                   &c->texts[t]);
        s = buf_check(&c->texts[t], "the text of a chunk of persons", e);
        if (s == ST_OK && run->pop.options->zip != ZIP_NONE)
            s = zip_add(run->pop.options->zip, buf_slice(&c->texts[t]), &c->packed[t], e);
    }
    return s;
}

static void number_rows(struct run *run)
{
    for (size_t i = 0; i < run->n_chunks; i++) {
        const struct chunk *c = &run->chunks[i];
        memcpy(run->ids[i], run->summary->rows, sizeof run->ids[i]);
        run->summary->rows[TABLE_PERSON] += c->n_persons;
        for (int t = TABLE_PERIOD; t < SYNTH_TABLES; t++)
            run->summary->rows[t] += c->events[t].n;
        tally_add(&run->tally, &c->tally);
    }
}

static enum status append(struct run *run, enum table t, const struct buf *text, struct err *e)
{
    for (size_t done = 0; done < text->n;) {
        ssize_t n = write(run->files[t], text->p + done, text->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, errno, "cannot write", synth_table_names[t]);
        done += (size_t)n;
    }
    run->summary->bytes += text->n;
    return ST_OK;
}

static enum status append_batch(struct run *run, struct err *e)
{
    for (size_t i = 0; i < run->n_chunks; i++)
        for (int t = 0; t < run->summary->n_tables; t++) {
            const struct chunk *c = &run->chunks[i];
            bool plain = run->pop.options->zip == ZIP_NONE;
            enum status s = append(run, (enum table)t, plain ? &c->texts[t] : &c->packed[t], e);
            if (s != ST_OK)
                return s;
        }
    return ST_OK;
}

static enum status add_header(struct run *run, enum table t, struct err *e)
{
    struct buf header, packed;
    enum status s = ST_OK;
    buf_init(&header, MOST_TEXT_BYTES);
    buf_init(&packed, MOST_TEXT_BYTES);
    write_header(t, &header);
    if (run->pop.options->zip != ZIP_NONE)
        s = zip_add(run->pop.options->zip, buf_slice(&header), &packed, e);
    if (s == ST_OK)
        s = append(run, t, run->pop.options->zip == ZIP_NONE ? &header : &packed, e);
    buf_deinit(&header);
    buf_deinit(&packed);
    return s;
}

static enum status open_tables(struct run *run, struct err *e)
{
    enum status s = ST_OK;
    for (int t = 0; t < run->summary->n_tables && s == ST_OK; t++) {
        char *path =
            xasprintf("%s/%s.csv%s", run->folder, synth_table_names[t], zip_ending(run->pop.options->zip));
        run->files[t] = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        s = run->files[t] < 0 ? err_errno(e, errno, "cannot create", path)
                              : add_header(run, (enum table)t, e);
        free(path);
    }
    return s;
}

static enum status close_tables(struct run *run, struct err *e)
{
    enum status s = ST_OK;
    for (int t = 0; t < SYNTH_TABLES; t++) {
        if (run->files[t] >= 0 && close(run->files[t]) != 0 && s == ST_OK)
            s = err_errno(e, errno, "cannot write", synth_table_names[t]);
        run->files[t] = -1;
    }
    return s;
}

static enum status write_persons(struct run *run, struct pool *pool, struct err *e)
{
    struct progress progress;
    enum status s = ST_OK;
    uint64_t all = run->pop.options->persons, batch = run->n_chunks * run->chunk_persons;
    progress_start(&progress, "making persons", "persons", all);
    for (run->first = 0; run->first < all && s == ST_OK; run->first += batch) {
        s = interrupted() ? interrupted_err(e) : pool_run(pool, run->n_chunks, make_chunk, run, e);
        if (s != ST_OK)
            break;
        number_rows(run);
        s = pool_run(pool, run->n_chunks, write_chunk, run, e);
        if (s == ST_OK)
            s = append_batch(run, e);
        progress_add(&progress, batch);
    }
    progress_end(&progress);
    return s;
}

static enum status write_truth(struct run *run, struct err *e)
{
    if (run->pop.options->profile != SYNTH_UK)
        return ST_OK;
    truth_report(&run->tally, run->summary);
    struct js *truth = truth_json(&run->pop, &run->tally, run->summary);
    char *path = xasprintf("%s/truth.json", run->folder);
    struct buf text;
    buf_init(&text, 1 << 20);
    js_format(truth, JS_PRETTY, &text);
    buf_addc(&text, '\n');
    enum status s = buf_check(&text, "truth.json", e);
    if (s == ST_OK)
        s = file_replace(path, buf_slice(&text), 0644, e);
    buf_deinit(&text);
    free(path);
    js_free(truth);
    return s;
}

static enum status write_folder(struct run *run, struct pool *pool, struct err *e)
{
    enum status s = open_tables(run, e);
    if (s == ST_OK)
        s = write_persons(run, pool, e);
    struct err closing = {0};
    if (close_tables(run, &closing) != ST_OK && s == ST_OK) {
        *e = closing;
        s = closing.status;
    }
    if (s == ST_OK)
        s = write_places(&run->pop, run->folder, e);
    if (s == ST_OK)
        s = write_vocabulary(&run->pop, run->folder, e);
    return s == ST_OK ? write_truth(run, e) : s;
}

/* About one practice for 2,500 people, so that small sites vary too. */
static int32_t practices_for(uint64_t persons)
{
    uint64_t n = persons / 2500;
    return (int32_t)(n < 8 ? 8 : n > 4000 ? 4000 : n);
}

static enum status run_init(struct run *run, const struct synth_options *o, const struct pool *pool,
                            struct synth_summary *out, struct err *e)
{
    *out = (struct synth_summary){.n_tables = o->profile == SYNTH_UK ? SYNTH_TABLES : TABLE_CONDITION_ERA};
    *run = (struct run){.summary = out};
    for (int t = 0; t < SYNTH_TABLES; t++)
        run->files[t] = -1;
    enum status s = site_find(o->site, &run->pop.site, e);
    if (s != ST_OK)
        return s;
    run->pop.options = o;
    run->pop.key = rng_key(o->seed, (uint64_t)run->pop.site.number);
    run->pop.practices = practices_for(o->persons);
    if (o->profile == SYNTH_UK)
        vocabulary_init_uk(&run->pop.vocabulary);
    else
        bench_init(&run->pop);
    run->chunk_persons = o->profile == SYNTH_BENCH_DENSE ? DENSE_CHUNK_PERSONS : CHUNK_PERSONS;
    run->n_chunks = pool_threads(pool) * CHUNKS_A_THREAD;
    run->chunks = xcalloc(run->n_chunks, sizeof *run->chunks);
    run->ids = xcalloc(run->n_chunks, sizeof *run->ids);
    for (size_t i = 0; i < run->n_chunks; i++) {
        run->chunks[i].persons = xcalloc(run->chunk_persons, sizeof *run->chunks[i].persons);
        for (int t = 0; t < SYNTH_TABLES; t++) {
            buf_init(&run->chunks[i].texts[t], MOST_TEXT_BYTES);
            buf_init(&run->chunks[i].packed[t], MOST_TEXT_BYTES);
        }
    }
    run->final = xstrdup(o->folder);
    for (size_t n = strlen(run->final); n > 1 && run->final[n - 1] == '/'; n--)
        run->final[n - 1] = '\0';
    run->folder = xasprintf("%s.making-%ld", run->final, (long)getpid());
    return ST_OK;
}

static void run_deinit(struct run *run)
{
    for (size_t i = 0; i < run->n_chunks; i++) {
        for (int t = 0; t < SYNTH_TABLES; t++) {
            free(run->chunks[i].events[t].v);
            buf_deinit(&run->chunks[i].texts[t]);
            buf_deinit(&run->chunks[i].packed[t]);
        }
        free(run->chunks[i].persons);
    }
    free(run->chunks);
    free(run->ids);
    free(run->folder);
    free(run->final);
    bench_deinit(&run->pop);
    vocabulary_deinit(&run->pop.vocabulary);
}

/* A folder that is there must be empty: synth never overwrites data. */
static enum status check_folder(const char *folder, struct err *e)
{
    char **names;
    size_t n = 0;
    if (!dir_exists(folder))
        return file_exists(folder) ? err_set(e, ST_CONFLICT, "the output folder's name is taken by a file")
                                   : ST_OK;
    enum status s = dir_list(folder, &names, &n, e);
    if (s != ST_OK)
        return s;
    dir_list_free(names, n);
    if (n == 0 && rmdir(folder) != 0)
        return err_errno(e, errno, "cannot replace", folder);
    return n == 0 ? ST_OK
                  : err_set(e, ST_CONFLICT,
                            "the output folder is not empty; give a new one, or remove it first");
}

static enum status make_whole(struct run *run, struct pool *pool, struct err *e)
{
    enum status s = check_folder(run->final, e);
    if (s == ST_OK)
        s = dir_make(run->folder, e);
    if (s != ST_OK)
        return s;
    s = write_folder(run, pool, e);
    if (s == ST_OK && rename(run->folder, run->final) != 0)
        s = err_errno(e, errno, "cannot create", run->final);
    struct err removing = {0};
    if (s != ST_OK && dir_remove(run->folder, &removing) != ST_OK)
        err_detail(e, "%s was left behind", run->folder);
    return s;
}

enum status synth_generate(const struct synth_options *o, struct pool *pool, struct synth_summary *out,
                           struct err *e)
{
    struct run run;
    if (!o->folder[0])
        return err_set(e, ST_INVALID, "the output folder has no name");
    if (o->persons < 1 || o->persons > SYNTH_MOST_PERSONS)
        return err_set(e, ST_INVALID, "the number of persons must be 1 to %u", SYNTH_MOST_PERSONS);
    enum status s = run_init(&run, o, pool, out, e);
    if (s == ST_OK)
        s = make_whole(&run, pool, e);
    run_deinit(&run);
    return s;
}
