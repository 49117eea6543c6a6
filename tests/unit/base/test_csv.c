/* SPDX-License-Identifier: Apache-2.0
 * What the CSV reader promises, beside a naive reader on random tables cut at every block size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/csv.h"
#include "base/date.h"
#include "base/mem.h"

static struct csv *open_text(const char *text)
{
    struct err e = {0};
    struct csv *c = NULL;
    if (csv_open_memory(slice_of(text), "t.csv", &c, &e) != ST_OK)
        fail_msg("%s", e.text);
    return c;
}

/* The whole table as "a|b\nc|d\n", or the error's text. */
static char *read_all(struct slice bytes)
{
    struct err e = {0};
    struct csv *c = NULL;
    struct buf out;
    buf_init(&out, 1 << 24);
    const struct slice *f;
    enum status st = csv_open_memory(bytes, "t.csv", &c, &e);
    while (st == ST_OK && (st = csv_next(c, &f, &e)) == ST_OK && f)
        for (int i = 0; i < csv_columns(c); i++) {
            buf_add(&out, f[i].p, f[i].n);
            buf_addc(&out, i + 1 < csv_columns(c) ? '|' : '\n');
        }
    csv_close(c);
    if (st != ST_OK) {
        buf_clear(&out);
        buf_adds(&out, e.text);
    }
    return buf_steal(&out);
}

static void expect(const char *csv, const char *wanted)
{
    char *found = read_all(slice_of(csv));
    assert_string_equal(found ? found : "", wanted);
    free(found);
}

static void rows_are_given_whatever_the_line_ends(void **state)
{
    (void)state;
    expect("a,b\n1,2\n3,4\n", "1|2\n3|4\n");
    expect("a,b\r\n1,2\r\n3,4\r\n", "1|2\n3|4\n");
    expect("\xef\xbb\xbf"
           "a,b\n1,2\n\n\r\n3,4",
           "1|2\n3|4\n");
    expect("a\tb\n1\t\"x\n", "1|\"x\n");
    expect("a\n", "");
    expect("a", "");
    expect("a,b\n,\n", "|\n");
    expect("a,b\r1,2\r3,4\r", "1|2\n3|4\n");
    expect("a,b\r1,2\r\r\"3\",4", "1|2\n3|4\n");
    expect("a,b\r1\r", "t.csv line 2: expected 2 fields like the header, found 1");
    expect("a,b\r", "");
    expect("\"a\rx\",b\n1,2\n", "1|2\n");
    expect(
        "a,b\n1,2\r3,4\r",
        "t.csv line 2: a carriage return alone stands in it, but the header ends in a newline: save the file "
        "with one kind of line end");
}

/* One carriage return at every place around the end of a read. */
static void carriage_returns_end_lines_across_reads(void **state)
{
    (void)state;
    for (size_t n = (1 << 16) - 3; n < (1 << 16) + 3; n++) {
        struct buf text;
        buf_init(&text, 1 << 24);
        buf_adds(&text, "a,");
        for (size_t i = 2; i < n; i++)
            buf_addc(&text, 'x');
        buf_adds(&text, "\r1,2\r");
        char *found = read_all(buf_slice(&text));
        assert_string_equal(found, "1|2\n");
        free(found);
        buf_deinit(&text);
    }
}

static void other_encodings_are_named_with_what_to_do(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        const char *wanted;
    } cases[] = {
        {{"\xff\xfe"
          "a\0,\0b\0\n\0"
          "1\0,\0"
          "2\0\n\0",
          18},
         "t.csv is in UTF-16; expected UTF-8"},
        {{"\xfe\xff\0a\0,\0b\0\n", 10}, "t.csv is in UTF-16; expected UTF-8"},
        {{"\xff\xfe\0\0"
          "a\0\0\0",
          8},
         "t.csv is in UTF-32; expected UTF-8"},
        {{"a\0,\0b\0\n\0", 8}, "t.csv is in UTF-16; expected UTF-8"},
        {{"ab,\0c\n", 6}, "t.csv line 1 holds zero bytes: expected UTF-8 text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *found = read_all(cases[i].bytes);
        assert_memory_equal(found, cases[i].wanted, strlen(cases[i].wanted));
        assert_non_null(strstr(found, "iconv"));
        free(found);
    }
}

static void quotes_follow_rfc_4180(void **state)
{
    (void)state;
    expect("\"a\",b\n\"1,\"\"x\"\"\n2\",y\n\"\",\"\"\n", "1,\"x\"\n2|y\n|\n");
    expect("\"a\"\t\"b\"\n\"1\t2\"\t3\n", "1\t2|3\n");
}

static void faults_name_file_line_and_column(void **state)
{
    (void)state;
    expect("a,b\n1,2\n3\n", "t.csv line 3: expected 2 fields like the header, found 1");
    expect("a,b\n\"x\ny\",2\n1,2,3\n", "t.csv line 4: expected 2 fields like the header, found more than 2");
    expect("a,b\n1,\"x\n", "t.csv line 2, column 2 (b): a quoted field is not closed");
    expect(
        "a,b\n1,x\"y\"\n",
        "t.csv line 2, column 2 (b): a quote inside a field that is not quoted; quote the field and double "
        "the quote");
    expect(
        "a,b\n1,\"x\"y\n",
        "t.csv line 2, column 2 (b): a quoted field must end with a quote right before the delimiter or the "
        "end of the line");
    expect("", "t.csv has no header: its first line must name the columns");
    expect("a,A\n", "t.csv line 1: column 2 has the same name as column 1 (A)");
}

static void typed_fields_are_checked(void **state)
{
    (void)state;
    struct err e = {0};
    struct csv *c = open_text("id,Day,v\n-9,2020-02-29,1.5\n,,\nx,2021-02-29,..\n");
    const struct slice *f;
    int64_t i;
    int32_t day;
    double v;
    assert_int_equal(csv_find(c, "DAY"), 1);
    assert_int_equal(csv_find(c, "no"), -1);
    assert_int_equal(csv_next(c, &f, &e), ST_OK);
    assert_int_equal(csv_i64(c, 0, 0, &i, &e), ST_OK);
    assert_int_equal(i, -9);
    assert_int_equal(csv_date(c, 1, DATE_NONE, &day, &e), ST_OK);
    assert_int_equal(day, date_of(2020, 2, 29));
    assert_int_equal(csv_next(c, &f, &e), ST_OK);
    assert_int_equal(csv_i64(c, 0, 7, &i, &e), ST_OK);
    assert_int_equal(i, 7);
    assert_int_equal(csv_next(c, &f, &e), ST_OK);
    assert_int_equal(csv_i64(c, 0, 7, &i, &e), ST_INVALID);
    assert_string_equal(e.text, "t.csv line 4, column 1 (id): expected a whole number");
    assert_string_equal(e.detail, "found 'x'");
    assert_int_equal(csv_date(c, 1, 0, &day, &e), ST_INVALID);
    assert_string_equal(e.text, "t.csv line 4, column 2 (Day): expected a date YYYY-MM-DD");
    assert_int_equal(csv_double(c, 2, 0, &v, &e), ST_INVALID);
    csv_close(c);
}

static size_t gzip(const char *text, unsigned char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static void compressed_files_read_alike_and_cut_ones_fail(void **state)
{
    (void)state;
    unsigned char packed[512];
    size_t n = gzip("a,b\n1,2\n", packed, sizeof packed);
    n += gzip("3,4\n", packed + n, sizeof packed - n); /* a second member goes on with the text */
    char *found = read_all((struct slice){(char *)packed, n});
    assert_string_equal(found, "1|2\n3|4\n");
    free(found);
    n = gzip("a,b\n1,2\n", packed, sizeof packed);
    for (size_t cut = 3; cut < n; cut++) {
        found = read_all((struct slice){(char *)packed, cut});
        assert_non_null(strstr(found, "t.csv is cut short: its gzip stream has no end"));
        free(found);
    }
    size_t z = ZSTD_compress(packed, sizeof packed, "a,b\n1,2\n", 8, 1);
    for (size_t cut = 4; cut <= z; cut++) {
        found = read_all((struct slice){(char *)packed, cut});
        if (cut == z)
            assert_string_equal(found, "1|2\n");
        else
            assert_non_null(strstr(found, "t.csv is cut short: its zstd stream has no end"));
        free(found);
    }
    packed[z - 1] ^= 1;
    packed[6] ^= 0x55;
    found = read_all((struct slice){(char *)packed, z});
    assert_true(strstr(found, "damaged") || strstr(found, "cut short") || strcmp(found, "1|2\n") != 0);
    free(found);
}

static void random_table(unsigned *seed, int columns, int rows, struct buf *csv, struct buf *plain)
{
    static const char *const values[] = {"",   "1",      "-77",  "a b",        "x,y",
                                         "\"", "l1\nl2", "\r\n", "2020-01-01", "é"};
    for (int i = 0; i < columns; i++)
        buf_printf(csv, "c%d%s", i, i + 1 < columns ? "," : "\n");
    for (int i = 0; i < columns * rows; i++) {
        const char *v = values[(unsigned)rand_r(seed) % 10];
        bool last = (i + 1) % columns == 0;
        bool quote = strpbrk(v, ",\"\r\n") || (columns == 1 && !*v) || rand_r(seed) % 7 == 0;
        if (quote)
            buf_addc(csv, '"');
        for (const char *p = v; *p; p++) {
            buf_addc(csv, *p);
            if (*p == '"')
                buf_addc(csv, '"');
        }
        if (quote)
            buf_addc(csv, '"');
        buf_adds(csv, last ? (rand_r(seed) % 2 ? "\n" : "\r\n") : ",");
        buf_adds(plain, v);
        buf_addc(plain, last ? '\n' : '|');
    }
}

static void scan_piece(const struct csv *c, struct slice piece, struct buf *out)
{
    struct csv_scan *s = xmalloc(sizeof *s);
    const struct slice *f;
    csv_scan_init(s, c, piece);
    for (;;) {
        assert_true(csv_scan_next(s, &f));
        if (!f)
            break;
        for (int i = 0; i < csv_columns(c); i++) {
            buf_add(out, f[i].p, f[i].n);
            buf_addc(out, i + 1 < csv_columns(c) ? '|' : '\n');
        }
    }
    csv_scan_deinit(s);
    free(s);
}

/* Every second column alone is read as it is beside the others. */
static void scan_wanted(const struct csv *c, struct slice piece)
{
    char *copy = xmalloc(piece.n + 1);
    memcpy(copy, piece.p, piece.n);
    struct csv_scan *all = xmalloc(sizeof *all), *some = xmalloc(sizeof *some);
    const struct slice *a = NULL, *b = NULL;
    int wanted[8];
    size_t n = 0;
    for (int i = 0; i < csv_columns(c); i += 2)
        wanted[n++] = i;
    csv_scan_init(all, c, (struct slice){copy, piece.n});
    csv_scan_init(some, c, piece);
    csv_scan_want(some, wanted, n);
    do {
        assert_true(csv_scan_next(all, &a));
        assert_true(csv_scan_next(some, &b));
        assert_int_equal(a == NULL, b == NULL);
        assert_int_equal(all->row_line, some->row_line);
        for (size_t i = 0; a && i < n; i++)
            assert_true(slice_equal(a[wanted[i]], b[wanted[i]]));
    } while (a);
    csv_scan_deinit(all);
    csv_scan_deinit(some);
    free(all);
    free(some);
    free(copy);
}

/* The property behind parallel reading: however the file is cut, the rows are the same. */
static void any_cut_gives_the_same_rows(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 200; round++) {
        struct buf csv, plain, found;
        buf_init(&csv, 1 << 24);
        buf_init(&plain, 1 << 24);
        buf_init(&found, 1 << 24);
        random_table(&seed, 1 + rand_r(&seed) % 6, rand_r(&seed) % 60, &csv, &plain);
        struct err e = {0};
        struct csv *c;
        struct csv_block block = {0};
        assert_int_equal(csv_open_memory(buf_slice(&csv), "t.csv", &c, &e), ST_OK);
        size_t bytes = 1 + (size_t)rand_r(&seed) % 200;
        while (csv_take(c, &block, bytes, &e) == ST_OK && block.n) {
            struct slice pieces[5];
            size_t n = csv_split(c, &block, pieces, 5);
            for (size_t i = 0; i < n; i++)
                if (round % 2)
                    scan_piece(c, pieces[i], &found);
                else
                    scan_wanted(c, pieces[i]);
        }
        assert_int_equal(found.n, round % 2 ? plain.n : 0);
        if (found.n)
            assert_memory_equal(found.p, plain.p, plain.n);
        csv_block_deinit(&block);
        csv_close(c);
        char *whole = read_all(buf_slice(&csv));
        assert_string_equal(whole ? whole : "", plain.p ? plain.p : "");
        free(whole);
        buf_deinit(&csv);
        buf_deinit(&plain);
        buf_deinit(&found);
    }
}

/* So many rows of 16 bytes that a file has several huge pages. */
static void write_rows(const char *folder, char *path, size_t size, int rows)
{
    snprintf(path, size, "%s/accord-csv-XXXXXX", folder);
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(f);
    fputs("number,text\n", f);
    for (int i = 0; i < rows; i++)
        fprintf(f, "%07d,abcdefg\n", i);
    assert_int_equal(fclose(f), 0);
}

/* A folder of a disk, and one of memory, where the system does not know how to read past its cache. */
static void files_are_read_in_whole_pieces(void **state)
{
    (void)state;
    enum { ROWS = 400000, PIECE = 2 << 20 };
    const char *const folders[] = {"/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        struct err e = {0};
        struct csv *c;
        struct csv_block block = {0};
        uint64_t n = 0;
        write_rows(folders[i], path, sizeof path, ROWS);
        assert_int_equal(csv_open(path, &c, &e), ST_OK);
        while (csv_take(c, &block, 1000, &e) == ST_OK && block.n) {
            assert_true(csv_taken(c) % PIECE == 0 || csv_taken(c) == csv_size(c));
            n += block.n;
        }
        assert_int_equal(n, 16 * (uint64_t)ROWS);
        csv_block_deinit(&block);
        csv_close(c);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_given_whatever_the_line_ends),
        cmocka_unit_test(carriage_returns_end_lines_across_reads),
        cmocka_unit_test(other_encodings_are_named_with_what_to_do),
        cmocka_unit_test(quotes_follow_rfc_4180),
        cmocka_unit_test(faults_name_file_line_and_column),
        cmocka_unit_test(typed_fields_are_checked),
        cmocka_unit_test(compressed_files_read_alike_and_cut_ones_fail),
        cmocka_unit_test(any_cut_gives_the_same_rows),
        cmocka_unit_test(files_are_read_in_whole_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
