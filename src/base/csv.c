/* SPDX-License-Identifier: Apache-2.0
 *
 * A scan first makes an index of a few kilobytes: where are the delimiters and newlines that are not inside
 * quotes? 64 bytes at a time become three bit masks (delimiter, newline, quote); the bits inside quotes are
 * the running exclusive or of the quote mask (Langdale and Lemire, "Parsing gigabytes of JSON per second",
 * 2019, section 3.1). Rows are then cut out of the index without looking at the bytes between.
 */
#include "base/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/date.h"
#include "base/mem.h"
#include "base/stream.h"
#include "base/vectors.h"

enum { HEADER_BYTES = 1 << 16, HEADER_MOST = 1 << 20, NEXT_BYTES = 1 << 20 };

struct csv {
    struct stream *stream;
    char delimiter;
    bool quoting;
    int n_columns;
    char **columns;
    struct buf carry; /* read, but not yet given: begins at the beginning of a row */
    bool ended;
    bool returns; /* the header ends in a carriage return alone: every line may */
    /* csv_next */
    struct csv_block block;
    struct csv_scan scan;
    bool scanning;
    uint64_t lines_before, line;
};

/* 64 bytes, to be compared with several characters. */
#if defined(__SSE2__)
struct word {
    __m128i part[4];
};

static inline struct word word_at(const char *p)
{
    const __m128i *from = (const __m128i *)(const void *)p;
    return (struct word){{_mm_loadu_si128(from), _mm_loadu_si128(from + 1), _mm_loadu_si128(from + 2),
                          _mm_loadu_si128(from + 3)}};
}

static inline uint64_t same_bytes(__m128i bytes, __m128i wanted)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted));
}

/* Bit i is set where byte i is c. */
static inline uint64_t mask_of(const struct word *w, char c)
{
    const __m128i wanted = _mm_set1_epi8(c);
    return same_bytes(w->part[0], wanted) | same_bytes(w->part[1], wanted) << 16 |
           same_bytes(w->part[2], wanted) << 32 | same_bytes(w->part[3], wanted) << 48;
}
#else
struct word {
    const char *p;
};

static inline struct word word_at(const char *p)
{
    return (struct word){p};
}

static inline uint64_t mask_of(const struct word *w, char c)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(w->p[i] == c) << i;
    return mask;
}
#endif

/* Bit i is the exclusive or of bits 0..i. */
static inline uint64_t running_xor(uint64_t x)
{
    for (int shift = 1; shift < 64; shift *= 2)
        x ^= x << shift;
    return x;
}

static bool odd_quotes(const char *p, size_t n)
{
    const char *first = n ? memchr(p, '"', n) : NULL;
    if (!first)
        return false;
    uint64_t parity = 0;
    size_t i = (size_t)(first - p);
    for (; i + 64 <= n; i += 64) {
        struct word w = word_at(p + i);
        parity ^= mask_of(&w, '"');
    }
    for (; i < n; i++)
        parity ^= p[i] == '"';
    return __builtin_parityll(parity);
}

static void returns_to_newlines(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == '\r')
            p[i] = '\n';
}

/* The field of the header that ends before *at; a quoted one loses its quotes. */
static struct slice header_field(struct slice line, char delimiter, size_t *at)
{
    size_t from = *at, to = from;
    bool quoted = from < line.n && line.p[from] == '"';
    bool inside = false;
    for (; to < line.n && (inside || line.p[to] != delimiter); to++)
        inside ^= quoted && line.p[to] == '"';
    *at = to + 1;
    struct slice f = slice_trim((struct slice){line.p + from, to - from});
    if (quoted && f.n >= 2 && f.p[f.n - 1] == '"')
        f = (struct slice){f.p + 1, f.n - 2};
    return f;
}

static enum status add_column(struct csv *c, struct slice name, struct err *e)
{
    if (c->n_columns == CSV_MOST_COLUMNS)
        return err_set(e, ST_INVALID, "%s line 1: more than %d columns", csv_name(c), CSV_MOST_COLUMNS);
    char *text = xmalloc(name.n + 1);
    if (name.n)
        memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    bool twice = name.n && csv_find(c, text) >= 0;
    c->columns = xrealloc_array(c->columns, (size_t)c->n_columns + 1, sizeof *c->columns);
    c->columns[c->n_columns++] = text;
    if (twice)
        return err_set(e, ST_INVALID, "%s line 1: column %d has the same name as column %d (%.60s)",
                       csv_name(c), c->n_columns, csv_find(c, text) + 1, text);
    return ST_OK;
}

static enum status parse_header(struct csv *c, struct slice line, struct err *e)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (slice_trim(line).n == 0)
        return err_set(e, ST_INVALID, "%s has no header: its first line must name the columns", csv_name(c));
    if (memchr(line.p, '\0', line.n))
        return err_set(e, ST_INVALID,
                       "%s line 1 holds zero bytes: expected UTF-8 text; if it is UTF-16, convert it with "
                       "iconv -f UTF-16 -t UTF-8",
                       csv_name(c));
    c->delimiter = memchr(line.p, '\t', line.n) ? '\t' : ',';
    c->quoting = c->delimiter == ',' || line.p[0] == '"';
    enum status st = ST_OK;
    for (size_t at = 0; st == ST_OK && at <= line.n;)
        st = add_column(c, header_field(line, c->delimiter, &at), e);
    return st;
}

/* Where the header ends: at the first newline, or before it at a carriage return outside quotes that stands
 * alone, as old Macintosh programs end lines. NULL when more must be read to know. */
static const char *header_end(struct csv *c)
{
    bool inside = false;
    for (size_t i = 0; i < c->carry.n && c->carry.p[i] != '\n'; i++) {
        inside ^= c->carry.p[i] == '"';
        c->returns = !inside && c->carry.p[i] == '\r' && i + 1 < c->carry.n && c->carry.p[i + 1] != '\n';
        if (c->returns)
            return c->carry.p + i;
    }
    return c->carry.n ? memchr(c->carry.p, '\n', c->carry.n) : NULL;
}

/* Fills out from the stream: where lines end in carriage returns, those become newlines. */
static enum status read_bytes(struct csv *c, char *out, size_t n, size_t *got, struct err *e)
{
    enum status st = stream_read(c->stream, out, n, got, e);
    if (st != ST_OK)
        return st;
    c->ended = *got < n;
    if (c->returns)
        returns_to_newlines(out, *got);
    return ST_OK;
}

static enum status read_header(struct csv *c, struct err *e)
{
    enum status st = ST_OK;
    const char *newline = NULL;
    struct slice text = {"", 0};
    char *part = xmalloc(HEADER_BYTES);
    while (st == ST_OK && !newline && !c->ended && c->carry.n < HEADER_MOST) {
        size_t got;
        st = read_bytes(c, part, HEADER_BYTES, &got, e);
        if (st != ST_OK)
            break;
        buf_add(&c->carry, part, got);
        st = text_of_file(buf_slice(&c->carry), csv_name(c), &text, e);
        newline = header_end(c);
    }
    free(part);
    if (st != ST_OK)
        return st;
    if (!newline && !c->ended)
        return err_set(e, ST_INVALID, "%s line 1 is longer than %d bytes: not a table of text with a header",
                       csv_name(c), HEADER_MOST);
    struct slice line = {c->carry.p ? c->carry.p : "", newline ? (size_t)(newline - c->carry.p) : c->carry.n};
    size_t rest = newline ? line.n + 1 : line.n;
    line.n -= c->carry.n - text.n; /* the byte order mark */
    line.p += c->carry.n - text.n;
    st = parse_header(c, line, e);
    c->carry.n -= rest;
    if (c->carry.n)
        memmove(c->carry.p, c->carry.p + rest, c->carry.n);
    if (c->returns)
        returns_to_newlines(c->carry.p, c->carry.n);
    c->lines_before = 1;
    return st;
}

static enum status start(struct stream *stream, struct csv **out, struct err *e)
{
    struct csv *c = xcalloc(1, sizeof *c);
    c->stream = stream;
    buf_init(&c->carry, (size_t)1 << 31);
    enum status st = read_header(c, e);
    if (st == ST_OK)
        *out = c;
    else
        csv_close(c);
    return st;
}

enum status csv_open(const char *path, struct csv **out, struct err *e)
{
    struct stream *stream;
    *out = NULL;
    enum status st = stream_open(path, &stream, e);
    return st == ST_OK ? start(stream, out, e) : st;
}

enum status csv_open_memory(struct slice bytes, const char *name, struct csv **out, struct err *e)
{
    struct stream *stream;
    *out = NULL;
    enum status st = stream_open_memory(bytes, name, &stream, e);
    return st == ST_OK ? start(stream, out, e) : st;
}

void csv_close(struct csv *c)
{
    if (!c)
        return;
    if (c->scanning)
        csv_scan_deinit(&c->scan);
    csv_block_deinit(&c->block);
    buf_deinit(&c->carry);
    for (int i = 0; i < c->n_columns; i++)
        free(c->columns[i]);
    free(c->columns);
    stream_close(c->stream);
    free(c);
}

const char *csv_name(const struct csv *c)
{
    return stream_name(c->stream);
}

int csv_columns(const struct csv *c)
{
    return c->n_columns;
}

const char *csv_column(const struct csv *c, int i)
{
    return c->columns[i];
}

int csv_find(const struct csv *c, const char *column)
{
    for (int i = 0; i < c->n_columns; i++)
        if (strcasecmp(c->columns[i], column) == 0)
            return i;
    return -1;
}

enum status csv_need(const struct csv *c, const char *column, int *out, struct err *e)
{
    *out = csv_find(c, column);
    if (*out >= 0)
        return ST_OK;
    const char *separator = c->n_columns == 1 ? strpbrk(c->columns[0], ";|") : NULL;
    if (separator)
        return err_set(e, ST_INVALID, "%s line 1: fields are separated by '%c'; expected commas or tabs",
                       csv_name(c), *separator);
    const char *near = text_nearest(column, (const char *const *)c->columns, (size_t)c->n_columns);
    return err_set(e, ST_INVALID, "%s line 1: the column %s is missing%s%.60s%s", csv_name(c), column,
                   near ? " (there is '" : "", near ? near : "", near ? "')" : "");
}

uint64_t csv_size(const struct csv *c)
{
    return stream_size(c->stream);
}

uint64_t csv_taken(const struct csv *c)
{
    return stream_taken(c->stream);
}

void csv_block_deinit(struct csv_block *b)
{
    free(b->bytes);
    *b = (struct csv_block){0};
}

/* Bytes up to the end of the last whole row; 0 when no row ends here. */
static size_t whole_rows(const struct csv *c, const char *p, size_t n)
{
    bool odd = c->quoting && odd_quotes(p, n);
    for (size_t to = n; to > 0;) {
        const char *newline = memrchr(p, '\n', to);
        if (!newline)
            return 0;
        size_t at = (size_t)(newline - p);
        odd ^= c->quoting && odd_quotes(newline, to - at);
        if (!odd)
            return at + 1;
        to = at;
    }
    return 0;
}

static enum status fill(struct csv *c, struct csv_block *b, size_t to, struct err *e)
{
    GROW(b->bytes, to + 1, b->capacity);
    if (c->ended)
        return ST_OK;
    size_t got, want = to - b->n;
    enum status st = read_bytes(c, b->bytes + b->n, want, &got, e);
    if (st != ST_OK)
        return st;
    b->n += got;
    if (c->ended && b->n && b->bytes[b->n - 1] != '\n')
        b->bytes[b->n++] = '\n';
    return ST_OK;
}

enum status csv_take(struct csv *c, struct csv_block *b, size_t bytes, struct err *e)
{
    size_t to = c->carry.n + stream_even(c->stream, bytes);
    GROW(b->bytes, to + 1, b->capacity);
    b->n = c->carry.n;
    if (b->n)
        memcpy(b->bytes, c->carry.p, b->n);
    buf_clear(&c->carry);
    if (c->ended && b->n && b->bytes[b->n - 1] != '\n')
        b->bytes[b->n++] = '\n';
    size_t whole = 0;
    for (; !whole; to *= 2) {
        enum status st = fill(c, b, to, e);
        if (st != ST_OK)
            return st;
        whole = c->ended ? b->n : whole_rows(c, b->bytes, b->n);
        if (c->ended)
            break;
        if (!whole && b->n > CSV_MOST_ROW_BYTES)
            return err_set(e, ST_INVALID,
                           "%s: a row is longer than %d MiB; is there a quote that is not closed?",
                           csv_name(c), CSV_MOST_ROW_BYTES >> 20);
    }
    if (whole < b->n)
        buf_add(&c->carry, b->bytes + whole, b->n - whole);
    b->n = whole;
    return buf_check(&c->carry, csv_name(c), e);
}

size_t csv_split(const struct csv *c, const struct csv_block *b, struct slice *pieces, size_t most)
{
    size_t n = 0, from = 0;
    while (from < b->n && n < most) {
        size_t to = n + 1 == most ? b->n : from + (b->n - from) / (most - n);
        bool odd = c->quoting && odd_quotes(b->bytes + from, to - from);
        while (to < b->n) {
            const char *newline = memchr(b->bytes + to, '\n', b->n - to);
            size_t end = newline ? (size_t)(newline - b->bytes) + 1 : b->n;
            odd ^= c->quoting && odd_quotes(b->bytes + to, end - to);
            to = end;
            if (!odd)
                break;
        }
        pieces[n++] = (struct slice){b->bytes + from, to - from};
        from = to;
    }
    return n;
}

void csv_scan_init(struct csv_scan *s, const struct csv *c, struct slice piece)
{
    s->c = c;
    s->p = (char *)(uintptr_t)piece.p;
    s->n = piece.n;
    s->row = s->indexed = 0;
    s->inside = 0;
    s->quotes = false;
    s->line = s->row_line = 0;
    s->at = s->n_ends = s->found = 0;
    s->at_row = s->n_rows = 0;
    s->wanted = NULL;
    s->n_wanted = 0;
    s->wrong = NULL;
    s->wrong_column = -1;
    s->fields = xcalloc((size_t)c->n_columns, sizeof *s->fields);
}

void csv_scan_want(struct csv_scan *s, const int *columns, size_t n)
{
    s->wanted = columns;
    s->n_wanted = n;
}

void csv_scan_deinit(struct csv_scan *s)
{
    free(s->fields);
    s->fields = NULL;
}

/* The places of the bits of `ends`, eight at a time: what is written too much is written over by the next
 * word, or not read. */
static inline void put_ends(uint32_t *out, uint32_t base, uint64_t ends)
{
    while (ends) {
        for (int i = 0; i < 8; i++) {
            out[i] = base + (uint32_t)__builtin_ctzll(ends | (uint64_t)1 << 63);
            ends &= ends - 1;
        }
        out += 8;
    }
}

/* Adds the ends of 64 bytes at `p`, of which `n` count, to the index. */
static inline void index_word(struct csv_scan *s, const char *p, size_t n)
{
    struct word w = word_at(p);
    uint64_t newlines = mask_of(&w, '\n'), ends = mask_of(&w, s->c->delimiter) | newlines;
    if (s->c->quoting) {
        uint64_t quotes = mask_of(&w, '"');
        if (quotes | s->inside) {
            uint64_t inside = running_xor(quotes) ^ s->inside;
            ends &= ~inside;
            s->inside = (uint64_t)((int64_t)inside >> 63);
            s->quotes = true;
        }
    }
    if (n < 64)
        ends &= ((uint64_t)1 << n) - 1;
    put_ends(s->ends + s->n_ends, (uint32_t)s->indexed, ends);
    for (newlines &= ends; newlines; newlines &= newlines - 1) {
        uint64_t before = ends & ((newlines & -newlines) - 1);
        s->rows[s->n_rows++] = (uint16_t)(s->n_ends + (uint32_t)__builtin_popcountll(before));
    }
    s->n_ends += (uint32_t)__builtin_popcountll(ends);
    s->indexed += n;
}

/* What is used of the index goes. */
static void drop_used(struct csv_scan *s)
{
    s->n_ends -= s->at;
    memmove(s->ends, s->ends + s->at, s->n_ends * sizeof *s->ends);
    uint32_t left = s->n_rows - s->at_row;
    for (uint32_t i = 0; i < left; i++)
        s->rows[i] = (uint16_t)(s->rows[s->at_row + i] - s->at);
    s->n_rows = left;
    s->at = s->at_row = 0;
}

VECTORS static void index_more(struct csv_scan *s)
{
    drop_used(s);
    while (s->n_ends < CSV_INDEX && s->n - s->indexed >= 64)
        index_word(s, s->p + s->indexed, 64);
    if (s->n_ends < CSV_INDEX && s->indexed < s->n) {
        char rest[64] = {0};
        memcpy(rest, s->p + s->indexed, s->n - s->indexed);
        index_word(s, rest, s->n - s->indexed);
    }
}

static bool scan_fault(struct csv_scan *s, int column, const char *wrong)
{
    s->wrong = wrong;
    s->wrong_column = column;
    return false;
}

static bool wrong_count(struct csv_scan *s, uint32_t found, const char *more)
{
    s->found = found;
    return scan_fault(s, -1, more);
}

enum status csv_scan_error(const struct csv_scan *s, uint64_t lines_before, struct err *e)
{
    unsigned long long line = lines_before + s->row_line + 1;
    const char *name = csv_name(s->c);
    if (s->found)
        return err_set(e, ST_INVALID, "%s line %llu: expected %d fields like the header, found %s%u", name,
                       line, s->c->n_columns, s->wrong, s->found);
    if (s->wrong_column < 0)
        return err_set(e, ST_INVALID, "%s line %llu: %s", name, line, s->wrong);
    return err_set(e, ST_INVALID, "%s line %llu, column %d (%s): %s", name, line, s->wrong_column + 1,
                   csv_column(s->c, s->wrong_column), s->wrong);
}

/* Takes the quotes off a field; "" inside becomes ". Counts the newlines in it. */
static const char *unquote(struct csv_scan *s, struct slice *f)
{
    if (f->n == 0 || !memchr(f->p, '"', f->n))
        return NULL;
    if (f->p[0] != '"')
        return "a quote inside a field that is not quoted; quote the field and double the quote";
    if (f->n < 2 || f->p[f->n - 1] != '"')
        return "a quoted field must end with a quote right before the delimiter or the end of the line";
    char *to = s->p + (f->p - s->p) + 1;
    const char *from = to, *end = f->p + f->n - 1;
    f->p = to;
    for (; from < end; from++) {
        if (*from == '"' && (++from == end || *from != '"'))
            return "a single quote inside a quoted field; quotes inside must be doubled";
        s->line += *from == '\n';
        *to++ = *from;
    }
    f->n = (size_t)(to - f->p);
    return NULL;
}

static bool unquote_row(struct csv_scan *s)
{
    for (int i = 0; i < s->c->n_columns; i++) {
        const char *wrong = unquote(s, &s->fields[i]);
        if (wrong)
            return scan_fault(s, i, wrong);
    }
    return true;
}

static bool blank_line(const struct csv_scan *s, uint32_t end)
{
    return s->p[end] == '\n' && (end == s->row || (end == s->row + 1 && s->p[s->row] == '\r'));
}

/* Whether a carriage return lies inside the row that begins at s->row, not right before its newline. */
static bool holds_return(const struct csv_scan *s)
{
    const char *p = s->p + s->row, *end = memchr(p, '\n', s->n - s->row);
    size_t n = (end ? (size_t)(end - p) : s->n - s->row);
    const char *at = memchr(p, '\r', n);
    return at && at + 1 < p + n;
}

/* The next row does not have as many fields as the header. */
static bool refuse_row(struct csv_scan *s, uint32_t columns)
{
    if (holds_return(s) && !s->quotes)
        return scan_fault(s, -1,
                          "a carriage return alone stands in it, but the header ends in a newline: save the "
                          "file with one kind of line end");
    for (uint32_t i = 0; i + 1 < columns; i++) {
        if (s->at + i == s->n_ends)
            return s->inside ? scan_fault(s, (int)i, "a quoted field is not closed") : wrong_count(s, i, "");
        if (s->p[s->ends[s->at + i]] == '\n')
            return wrong_count(s, i + 1, "");
    }
    if (s->at + columns > s->n_ends && s->inside)
        return scan_fault(s, (int)columns - 1, "a quoted field is not closed");
    return s->at + columns > s->n_ends ? wrong_count(s, columns - 1, "")
                                       : wrong_count(s, columns, "more than ");
}

static inline void cut_field(struct csv_scan *s, uint32_t i)
{
    size_t from = i ? (size_t)s->ends[s->at + i - 1] + 1 : s->row;
    s->fields[i] = (struct slice){s->p + from, s->ends[s->at + i] - from};
}

/* Cuts the next row's fields out of the index: those that are wanted, or all where there may be quotes. */
static bool cut_row(struct csv_scan *s, uint32_t columns)
{
    if (s->at_row == s->n_rows || s->rows[s->at_row] != s->at + columns - 1)
        return refuse_row(s, columns);
    if (s->wanted && !s->quotes)
        for (size_t i = 0; i < s->n_wanted; i++)
            cut_field(s, (uint32_t)s->wanted[i]);
    else
        for (uint32_t i = 0; i < columns; i++)
            cut_field(s, i);
    cut_field(s, columns - 1);
    s->row = (size_t)s->ends[s->at + columns - 1] + 1;
    s->at += columns;
    s->at_row++;
    s->line++;
    return true;
}

bool csv_scan_next(struct csv_scan *s, const struct slice **fields)
{
    const uint32_t columns = (uint32_t)s->c->n_columns;
    *fields = NULL;
    for (;;) {
        s->row_line = s->line;
        if (s->n_ends - s->at < columns)
            index_more(s);
        if (s->at == s->n_ends)
            return !s->inside || scan_fault(s, -1, "a quoted field is not closed before the end of the file");
        if (!blank_line(s, s->ends[s->at]))
            break;
        s->row = s->ends[s->at++] + 1;
        s->at_row++;
        s->line++;
    }
    if (!cut_row(s, columns))
        return false;
    struct slice *last = &s->fields[columns - 1];
    if (last->n && last->p[last->n - 1] == '\r')
        last->n--;
    if (s->quotes && !unquote_row(s))
        return false;
    *fields = s->fields;
    return true;
}

bool csv_scan_rows(struct csv_scan *s, struct csv_rows *rows)
{
    const uint32_t columns = (uint32_t)s->c->n_columns;
    if (s->n_ends - s->at < columns)
        index_more(s);
    if (s->quotes || columns == 1) /* a blank line is no row, but looks like one of a single column */
        return false;
    uint32_t row = s->at_row, last = s->at + columns - 1;
    for (; row < s->n_rows && s->rows[row] == last; row++)
        last += columns;
    *rows = (struct csv_rows){.p = s->p,
                              .end = s->p + s->n,
                              .ends = s->ends + s->at,
                              .n = row - s->at_row,
                              .columns = columns,
                              .from = s->row,
                              .line = s->line};
    return rows->n;
}

void csv_scan_pass(struct csv_scan *s, const struct csv_rows *rows)
{
    s->at += (uint32_t)(rows->n * rows->columns);
    s->at_row += (uint32_t)rows->n;
    s->row = (size_t)s->ends[s->at - 1] + 1;
    s->line += rows->n;
    s->row_line = s->line - 1;
}

enum status csv_next(struct csv *c, const struct slice **fields, struct err *e)
{
    for (;;) {
        *fields = NULL;
        if (c->scanning) {
            bool fine = csv_scan_next(&c->scan, fields);
            c->line = c->lines_before + c->scan.row_line + 1;
            if (!fine)
                return csv_scan_error(&c->scan, c->lines_before, e);
            if (*fields)
                return ST_OK;
            c->lines_before += c->scan.line;
            csv_scan_deinit(&c->scan);
            c->scanning = false;
        }
        enum status st = csv_take(c, &c->block, NEXT_BYTES, e);
        if (st != ST_OK || c->block.n == 0)
            return st;
        csv_scan_init(&c->scan, c, (struct slice){c->block.bytes, c->block.n});
        c->scanning = true;
    }
}

uint64_t csv_line(const struct csv *c)
{
    return c->line;
}

enum status csv_expected(const struct csv *c, int column, const char *expected, struct err *e)
{
    struct slice f = c->scan.fields[column];
    enum status st = err_set(e, ST_INVALID, "%s line %llu, column %d (%s): expected %s", csv_name(c),
                             (unsigned long long)c->line, column + 1, csv_column(c, column), expected);
    err_detail(e, "found '%.*s'", (int)(f.n < 80 ? f.n : 80), f.p);
    return st;
}

enum status csv_i64(const struct csv *c, int column, int64_t absent, int64_t *out, struct err *e)
{
    *out = absent;
    if (column < 0 || c->scan.fields[column].n == 0)
        return ST_OK;
    return parse_i64(c->scan.fields[column], out) ? ST_OK : csv_expected(c, column, "a whole number", e);
}

enum status csv_double(const struct csv *c, int column, double absent, double *out, struct err *e)
{
    *out = absent;
    if (column < 0 || c->scan.fields[column].n == 0)
        return ST_OK;
    return parse_double(c->scan.fields[column], out) ? ST_OK : csv_expected(c, column, "a number", e);
}

enum status csv_date(const struct csv *c, int column, int32_t absent, int32_t *out, struct err *e)
{
    *out = absent;
    if (column < 0 || c->scan.fields[column].n == 0)
        return ST_OK;
    return date_parse_loose(c->scan.fields[column], out) ? ST_OK
                                                         : csv_expected(c, column, "a date YYYY-MM-DD", e);
}
