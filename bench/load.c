/* SPDX-License-Identifier: Apache-2.0
 *
 * A load of GET requests on a hub of this machine: a number of connections, each asking for the next page as
 * soon as it has its answer (a closed loop), for some seconds; beside them, signed commands at a steady rate.
 * Prints one line of JSON per kind of page: how many, median, 99th percentile, slowest.
 *
 *   accord_bench_load PORT CONNECTIONS SECONDS PAGES [COMMANDS PER-SECOND]
 *
 * PAGES has lines "kind path"; COMMANDS a signed command a line. Only 127.0.0.1 is ever asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/mem.h"

enum { MOST_CONNECTIONS = 1024, MOST_KINDS = 64, HEAD_MOST = 16384, MOST_SECONDS = 600 };

struct kind {
    char name[48];
    uint32_t *us;
    size_t n, capacity;
};

struct page {
    char *path;
    struct kind *kind;
};

struct connection {
    int fd;
    bool posts;
    struct kind *kind;
    int64_t asked_ns;
    char head[HEAD_MOST];
    size_t n_head;
    int64_t left; /* of the body; -1 while the head is read */
    bool idle;
};

static struct {
    struct kind kinds[MOST_KINDS];
    size_t n_kinds;
    struct page *pages;
    size_t n_pages, page_capacity;
    char **commands;
    size_t n_commands, command_capacity, next_command;
    uint64_t random;
    uint64_t failures;
} load = {.random = 88172645463325252U};

static void stop(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static struct kind *kind_of(struct slice name)
{
    for (size_t i = 0; i < load.n_kinds; i++)
        if (slice_is(name, load.kinds[i].name))
            return &load.kinds[i];
    if (load.n_kinds == MOST_KINDS || name.n >= sizeof load.kinds->name)
        stop("too many kinds of pages, or a long name");
    struct kind *k = &load.kinds[load.n_kinds++];
    memcpy(k->name, name.p, name.n);
    return k;
}

/* Calls add for each line of the file. */
static void read_lines(const char *path, void (*add)(char *line))
{
    struct buf text;
    struct err e = {0};
    buf_init(&text, (size_t)1 << 28);
    if (file_read(path, &text, &e) != ST_OK)
        stop(e.text);
    char *rest = text.p;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            add(line);
    buf_deinit(&text);
}

static void add_page(char *line)
{
    char *path = strchr(line, ' ');
    if (!path)
        stop("a page is 'kind path'");
    GROW(load.pages, load.n_pages + 1, load.page_capacity);
    load.pages[load.n_pages++] =
        (struct page){xstrdup(path + 1), kind_of((struct slice){line, (size_t)(path - line)})};
}

static void add_command(char *line)
{
    GROW(load.commands, load.n_commands + 1, load.command_capacity);
    load.commands[load.n_commands++] = xstrdup(line);
}

static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        stop("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_all(struct connection *c, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = write(c->fd, text, n);
        if (sent < 0 && errno != EINTR)
            stop("the hub closed a connection");
        text += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
}

static void ask(struct connection *c)
{
    struct buf request;
    buf_init(&request, (size_t)1 << 22);
    if (c->posts) {
        const char *body = load.commands[load.next_command++];
        c->kind = kind_of(SLICE("a-command-on-disk"));
        buf_printf(&request,
                   "POST /api/v1/commands HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    } else {
        load.random ^= load.random << 13;
        load.random ^= load.random >> 7;
        load.random ^= load.random << 17;
        const struct page *p = &load.pages[load.random % load.n_pages];
        c->kind = p->kind;
        buf_printf(&request, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", p->path);
    }
    c->n_head = 0;
    c->left = -1;
    c->idle = false;
    c->asked_ns = time_monotonic_ns();
    send_all(c, request.p, request.n);
    buf_deinit(&request);
}

static void answered(struct connection *c, bool keep)
{
    struct kind *k = c->kind;
    if (keep) {
        GROW(k->us, k->n + 1, k->capacity);
        k->us[k->n++] = (uint32_t)((time_monotonic_ns() - c->asked_ns) / 1000);
    }
    c->idle = true;
}

/* The head is whole: its code, and how much of the body is still to come. */
static void read_head(struct connection *c, const char *end)
{
    static const char length[] = "Content-Length: ";
    const char *at = strcasestr(c->head, length);
    int64_t n = 0;
    if (c->head[9] != '2') {
        load.failures++;
        fprintf(stderr, "load: %s: %.40s\n", c->kind->name, c->head);
    }
    if (!at ||
        !parse_i64((struct slice){at + sizeof length - 1, strspn(at + sizeof length - 1, "0123456789")}, &n))
        stop("an answer without Content-Length");
    c->left = n - (int64_t)(c->n_head - (size_t)(end - c->head));
}

/* Takes in what has come; true when the answer is whole. */
static bool take(struct connection *c)
{
    static char body[1 << 18];
    bool head = c->left < 0;
    ssize_t n =
        head ? read(c->fd, c->head + c->n_head, HEAD_MOST - 1 - c->n_head) : read(c->fd, body, sizeof body);
    if (n <= 0)
        stop("the hub closed a connection");
    if (!head)
        return (c->left -= n) == 0;
    c->n_head += (size_t)n;
    c->head[c->n_head] = '\0';
    const char *end = strstr(c->head, "\r\n\r\n");
    if (!end && c->n_head == HEAD_MOST - 1)
        stop("a head without end");
    if (end)
        read_head(c, end + 4);
    return c->left == 0;
}

static void wait_some(int poll, int64_t until, bool keep)
{
    struct epoll_event events[64];
    int n = epoll_wait(poll, events, 64, 5);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (!take(c))
            continue;
        answered(c, keep);
        if (!c->posts && time_monotonic_ns() < until)
            ask(c);
    }
}

static void run(struct connection *all, size_t n, size_t posters, int64_t ns, int per_second, bool keep)
{
    int poll = epoll_create1(EPOLL_CLOEXEC);
    int64_t start = time_monotonic_ns(), until = start + ns, posted = 0;
    for (size_t i = 0; i < n; i++) {
        struct epoll_event on = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &on);
        if (!all[i].posts)
            ask(&all[i]);
    }
    for (size_t busy = 1; busy || time_monotonic_ns() < until;) {
        wait_some(poll, until, keep);
        int64_t due = (time_monotonic_ns() - start) * per_second / 1000000000;
        for (size_t i = n - posters; i < n && posted < due && time_monotonic_ns() < until; i++)
            if (all[i].idle && load.next_command < load.n_commands) {
                ask(&all[i]);
                posted++;
            }
        busy = 0;
        for (size_t i = 0; i < n; i++)
            busy += !all[i].idle;
    }
    close(poll);
}

static int by_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(double seconds)
{
    for (size_t i = 0; i < load.n_kinds; i++) {
        struct kind *k = &load.kinds[i];
        if (!k->n)
            continue;
        qsort(k->us, k->n, sizeof *k->us, by_us);
        printf("{\"page\":\"%s\",\"requests\":%zu,\"per_second\":%.0f,\"median_ms\":%.2f,\"p99_ms\":%.2f,"
               "\"slowest_ms\":%.2f}\n",
               k->name, k->n, (double)k->n / seconds, k->us[k->n / 2] / 1e3, k->us[k->n * 99 / 100] / 1e3,
               k->us[k->n - 1] / 1e3);
    }
}

static int number(const char *text, int most)
{
    int64_t n;
    if (!parse_i64(slice_of(text), &n) || n < 1 || n > most)
        stop("a number is out of its range");
    return (int)n;
}

int main(int argc, char **argv)
{
    static struct connection all[MOST_CONNECTIONS + 4];
    if (argc != 5 && argc != 7)
        stop("usage: accord_bench_load PORT CONNECTIONS SECONDS PAGES [COMMANDS PER-SECOND]");
    int port = number(argv[1], 65535), seconds = number(argv[3], MOST_SECONDS),
        rate = argc == 7 ? number(argv[6], 10000) : 0;
    size_t n = (size_t)number(argv[2], MOST_CONNECTIONS), posters = rate ? 4 : 0;
    read_lines(argv[4], add_page);
    if (rate)
        read_lines(argv[5], add_command);
    if (!load.n_pages)
        stop("there are no pages");
    for (size_t i = 0; i < n + posters; i++)
        all[i] = (struct connection){.fd = dial(port), .posts = i >= n, .idle = true};
    run(all, n + posters, posters, 1000000000, rate, false); /* the first second does not count */
    run(all, n + posters, posters, seconds * 1000000000LL, rate, true);
    report(seconds);
    return load.failures ? 1 : 0;
}
