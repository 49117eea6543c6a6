/* SPDX-License-Identifier: Apache-2.0
 * The server door over real sockets: the malformed requests that must never reach a handler, bodies, parking,
 * a graceful stop. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/http_client.h"
#include "http/server.h"

static atomic_int handled;
static atomic_bool news;
static atomic_int parked; /* times that a request was put aside */

/* Echoes what it was given; /park waits for news. */
static enum http_turn on_request(void *context, struct http_request *r, struct http_response *out)
{
    (void)context;
    if (strcmp(r->path, "/park") == 0 && !atomic_load(&news) && !r->stopping) {
        if (!r->parked_before)
            r->park_until = r->arrived_ns + 300000000;
        if (time_monotonic_ns() < r->park_until) {
            atomic_fetch_add(&parked, 1);
            return HTTP_PARK;
        }
    }
    atomic_fetch_add(&handled, 1);
    out->code = 200;
    out->type = "text/plain";
    const char *x = request_header(r, "x-test");
    buf_printf(&out->body, "%s|%s|%s|%s|", r->method, r->path, r->query ? r->query : "-", x ? x : "-");
    buf_add(&out->body, r->body.p, r->body.n);
    return HTTP_ANSWER;
}

static struct server *start(void)
{
    struct server_options o = {
        .listen = "127.0.0.1:0", .max_body = 100000, .threads = 2, .handler = on_request};
    struct server *s;
    struct err e = {0};
    assert_int_equal(server_open(&o, &s, &e), ST_OK);
    return s;
}

static int dial(const struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)atoi(strrchr(server_url(s), ':') + 1));
    struct timeval limit = {5, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Sends raw bytes, reads up to the end of the answer or the close; the status code, 0 when closed without. */
static int exchange(const struct server *s, const char *bytes, size_t n, char *answer, size_t most)
{
    int fd = dial(s), code = 0;
    size_t got = 0;
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
    for (ssize_t k; got + 1 < most && (k = recv(fd, answer + got, most - 1 - got, 0)) > 0;) {
        got += (size_t)k;
        answer[got] = '\0';
        const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "Content-Length: ");
        if (end && length && got >= (size_t)(end + 4 - answer) + strtoul(length + 16, NULL, 10))
            break;
    }
    answer[got] = '\0';
    close(fd);
    if (sscanf(answer, "HTTP/1.1 %d", &code) != 1)
        return 0;
    return code;
}

#define HOST "Host: h\r\n"
#define POST "POST /a HTTP/1.1\r\n" HOST

struct bad {
    const char *what;
    const char *bytes;
    size_t n;
};
#define BAD(what, bytes)                                                                                     \
    {                                                                                                        \
        what, bytes, sizeof(bytes) - 1                                                                       \
    }

static void malformed_requests_never_reach_a_handler(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        BAD("two Content-Lengths", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        BAD("both length headers", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        BAD("signed length", POST "Content-Length: +3\r\n\r\nabc"),
        BAD("length of 10^20", POST "Content-Length: 100000000000000000000\r\n\r\nabc"),
        BAD("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        BAD("no Host", "POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        BAD("space before the colon", POST "Content-Length : 0\r\n\r\n"),
        BAD("NUL in a value", POST "X-Test: a\0b\r\nContent-Length: 0\r\n\r\n"),
        BAD("control byte in a value", POST "X-Test: a\001b\r\nContent-Length: 0\r\n\r\n"),
        BAD("folded header", POST "X-Test: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
        BAD("folded last header", POST "Content-Length: 0\r\nX-Test: a\r\n b\r\n\r\n"),
        BAD("bare LF", POST "X-Test: a\nContent-Length: 0\r\n\r\n"),
        BAD("bare LF at the end", POST "Content-Length: 0\r\n\n"),
        BAD("bare CR", POST "X-Test: a\rX-B: b\r\nContent-Length: 0\r\n\r\n"),
        BAD("HTTP/3.7", "GET /a HTTP/3.7\r\n" HOST "\r\n"),
        BAD("chunk size overflow",
            POST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        BAD("two spaces", "GET  /a HTTP/1.1\r\n" HOST "\r\n"),
        BAD("NUL in the target", "GET /a\0b HTTP/1.1\r\n" HOST "\r\n"),
        BAD("absolute target", "GET http://x/a HTTP/1.1\r\n" HOST "\r\n"),
        BAD("two Hosts", "GET /a HTTP/1.1\r\n" HOST "Host: other\r\n\r\n"),
        BAD("body over the ceiling", POST "Content-Length: 100001\r\n\r\n"),
    };
    struct server *s = start();
    char answer[4096];
    atomic_store(&handled, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int code = exchange(s, bad[i].bytes, bad[i].n, answer, sizeof answer);
        if (code != 0 && (code < 400 || code == 404 || code > 505))
            fail_msg("%s gave %d", bad[i].what, code);
    }
    static char large[40000 + 64];
    int n = snprintf(large, sizeof large, "GET /a HTTP/1.1\r\n" HOST "X-Test: ");
    memset(large + n, 'a', 40000);
    memcpy(large + n + 40000, "\r\n\r\n", 5);
    assert_int_equal(exchange(s, large, (size_t)n + 40004, answer, sizeof answer), 431);
    assert_int_equal(atomic_load(&handled), 0);
    server_close(s);
}

static void good_requests_arrive_whole(void **state)
{
    (void)state;
    struct server *s = start();
    char answer[4096];
    static const char text[] = "POST /a%20b?x=1&y=%20 HTTP/1.1\r\nHost: h\r\nx-TEST:  v  \r\nAccept:\r\n"
                               "Content-Length: 3\r\n\r\nabc";
    assert_int_equal(exchange(s, text, sizeof text - 1, answer, sizeof answer), 200);
    assert_non_null(strstr(answer, "POST|/a%20b|x=1&y=%20|v|abc"));
    assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff"));
    static const char head[] = "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    assert_int_equal(exchange(s, head, sizeof head - 1, answer, sizeof answer), 200);
    assert_null(strstr(answer, "GET|"));
    server_close(s);
}

/* The library may move what it has read while a head trickles in; the guard must not mind. */
static void a_head_may_arrive_byte_by_byte(void **state)
{
    (void)state;
    struct server *s = start();
    int fd = dial(s);
    char answer[4096] = "", head[3000];
    int n = snprintf(head, sizeof head, "GET /slow HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 20; i++)
        n += snprintf(head + n, sizeof head - (size_t)n, "X-%d: %0100d\r\n", i, i);
    n += snprintf(head + n, sizeof head - (size_t)n, "Connection: close\r\n\r\n");
    for (int i = 0; i < n; i += 40) {
        size_t k = (size_t)(n - i < 40 ? n - i : 40);
        assert_int_equal(send(fd, head + i, k, MSG_NOSIGNAL), (ssize_t)k);
        usleep(500);
    }
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
    close(fd);
    server_close(s);
}

static int get(const struct server *s, const char *target, struct buf *body)
{
    struct http_client *c;
    struct http_reply reply = {0};
    struct http_call call = {.method = "GET", .target = target, .timeout_ms = 5000};
    struct err e = {0};
    buf_init(&reply.body, 100000);
    assert_int_equal(http_client_open(server_url(s), NULL, NULL, &c, &e), ST_OK);
    assert_int_equal(http_client_send(c, &call, &reply, &e), ST_OK);
    http_client_close(c);
    if (body)
        *body = reply.body;
    else
        buf_deinit(&reply.body);
    return reply.code;
}

static void *get_parked(void *context)
{
    assert_int_equal(get(context, "/park", NULL), 200);
    return NULL;
}

static void parked_requests_hold_no_thread_and_wake(void **state)
{
    (void)state;
    enum { N = 20 }; /* ten times the worker threads */
    struct server *s = start();
    pthread_t threads[N];
    atomic_store(&news, false);
    atomic_store(&handled, 0);
    int64_t before = time_monotonic_ns();
    assert_int_equal(get(s, "/park", NULL), 200); /* nobody wakes it: it ends by its own time */
    assert_true(time_monotonic_ns() - before >= 290000000);
    for (int i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, get_parked, s);
    usleep(50000);
    assert_int_equal(get(s, "/other", NULL), 200); /* a worker is still free */
    atomic_store(&news, true);
    server_wake(s);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&handled), N + 2);
    server_close(s);
}

static void a_stop_answers_what_is_parked(void **state)
{
    (void)state;
    struct server *s = start();
    pthread_t thread;
    atomic_store(&news, false);
    atomic_store(&parked, 0);
    pthread_create(&thread, NULL, get_parked, s);
    while (atomic_load(&parked) == 0)
        usleep(1000);
    server_close(s);
    pthread_join(thread, NULL);
}

static void bad_addresses_and_plain_http_outside_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "8080",   "localhost:8080", "127.0.0.1:65536",
                                      "127.0.0.1:", "[::1:80"};
    struct server_options o = {.max_body = 10, .handler = on_request};
    struct server *s;
    struct err e = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.listen = bad[i];
        assert_int_equal(server_open(&o, &s, &e), ST_USAGE);
    }
    o.listen = "0.0.0.0:0";
    assert_int_equal(server_open(&o, &s, &e), ST_DENIED);
    struct http_client *c;
    assert_int_equal(http_client_open("http://hub.example.nhs.uk", NULL, NULL, &c, &e), ST_DENIED);
    assert_int_equal(http_client_open("https://a/b", NULL, NULL, &c, &e), ST_USAGE);
    assert_int_equal(http_client_open("ftp://a", NULL, NULL, &c, &e), ST_USAGE);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_requests_never_reach_a_handler),
        cmocka_unit_test(good_requests_arrive_whole),
        cmocka_unit_test(a_head_may_arrive_byte_by_byte),
        cmocka_unit_test(parked_requests_hold_no_thread_and_wake),
        cmocka_unit_test(a_stop_answers_what_is_parked),
        cmocka_unit_test(bad_addresses_and_plain_http_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
