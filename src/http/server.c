/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"

enum { MOST_HEADERS = 64, MOST_CONNECTIONS = 8192, HEAD_BYTES = 32768, IDLE_SECONDS = 60, STOP_SECONDS = 10 };
enum { PEM_BYTES = 1 << 20 };

enum stage { STAGE_HEAD, STAGE_BODY, STAGE_WORK, STAGE_ANSWERED, STAGE_SENT };

/* One request and its answer. Owned by libmicrohttpd's connection; while it is in work (queued, with a
   worker, or parked) the connection is suspended, so only one thread touches it at a time. */
struct exchange {
    struct http_request request;
    struct http_response response;
    struct http_header headers[MOST_HEADERS];
    struct buf body;
    struct server *server;
    struct MHD_Connection *connection;
    enum stage stage;
    bool counted;        /* in server.in_work */
    const char *raw_uri; /* as received, arena */
    struct exchange *next;
};

struct server {
    struct MHD_Daemon *daemon;
    struct server_options options;
    char *url;
    char *certificate_pem, *key_pem;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct exchange *queue, **queue_end; /* waiting for a worker */
    struct exchange *parked;
    unsigned in_work; /* whole requests whose answer has not been sent yet */
    uint64_t n_wakes; /* so that a wake between a handler's look and its parking is not lost */
    pthread_t *threads;
    unsigned n_threads;
    bool stopping, stopped;
};

const char *request_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (r->headers[i].name.n == strlen(name) &&
            strncasecmp(r->headers[i].name.p, name, r->headers[i].name.n) == 0) {
            struct slice v = slice_trim(r->headers[i].value);
            return arena_strndup(r->arena, v.p, v.n);
        }
    return NULL;
}

const char *request_cookie(const struct http_request *r, const char *name)
{
    const char *cookies = request_header(r, "Cookie");
    size_t n = strlen(name);
    for (const char *p = cookies; p && *p; p += strcspn(p, ";"), p += strspn(p, "; "))
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return arena_strndup(r->arena, p + n + 1, strcspn(p + n + 1, ";"));
    return NULL;
}

const char *percent_decode(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, s.n + 1), *q = out;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t byte = (uint8_t)(s.p[i] == '+' ? ' ' : s.p[i]);
        if (s.p[i] == '%') {
            char pair[2] = {0};
            for (size_t k = 0; k < 2 && i + 1 < s.n; k++) {
                char c = s.p[++i];
                pair[k] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
            }
            if (!hex_decode((struct slice){pair, 2}, &byte, 1) || byte == 0)
                return NULL;
        }
        *q++ = (char)byte;
    }
    return out;
}

enum status request_query(const struct http_request *r, const char *name, const char **out, struct err *e)
{
    *out = NULL;
    for (const char *p = r->query; p && *p;) {
        size_t n = strcspn(p, "&");
        const char *equals = memchr(p, '=', n);
        struct slice key = {p, equals ? (size_t)(equals - p) : n};
        struct slice value = {equals ? equals + 1 : p + n, equals ? n - key.n - 1 : 0};
        p += n + (p[n] == '&');
        if (!slice_is(key, name))
            continue;
        if (*out)
            return err_set(e, ST_USAGE, "query member '%s' was given twice", name);
        *out = percent_decode(r->arena, value);
        if (!*out)
            return err_set(e, ST_USAGE, "query member '%s' is not properly percent-encoded", name);
    }
    return ST_OK;
}

void response_header(struct http_response *r, const char *name, const char *value)
{
    if (r->n_extra < sizeof r->extra / sizeof *r->extra)
        r->extra[r->n_extra++] = (struct http_header){slice_of(name), slice_of(value)};
}

static void add_unless_given(struct MHD_Response *r, const char *name, const char *value)
{
    if (!MHD_get_response_header(r, name))
        MHD_add_response_header(r, name, value);
}

static enum MHD_Result send_response(struct exchange *x)
{
    struct http_response *out = &x->response;
    size_t n = out->body.n;
    char *bytes = buf_steal(&out->body);
    struct MHD_Response *r = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(bytes);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", out->type ? out->type : "application/octet-stream");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < out->n_extra; i++)
        MHD_add_response_header(r, out->extra[i].name.p, out->extra[i].value.p);
    add_unless_given(r, "Cache-Control", "no-store");
    add_unless_given(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (x->stage == STAGE_HEAD || x->stage == STAGE_BODY) /* refused early: the rest is not read */
        MHD_add_response_header(r, "Connection", "close");
    x->stage = STAGE_SENT;
    enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)out->code, r);
    MHD_destroy_response(r);
    return result;
}

/* Texts are the door's own constants, so they need no escaping. */
static enum MHD_Result refuse(struct exchange *x, int code, const char *text)
{
    x->response.code = code;
    x->response.type = "application/problem+json";
    buf_clear(&x->response.body);
    buf_printf(
        &x->response.body,
        "{\"type\":\"about:blank\",\"title\":\"the request was refused\",\"status\":%d,\"detail\":\"%s\"}",
        code, text);
    return send_response(x);
}

/* The library's own copy of the target is cut at '?' and decoded; this one is whole. */
static void *begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    x->server = context;
    x->connection = connection;
    x->request.arena = arena_new();
    x->raw_uri = arena_strdup(x->request.arena, uri);
    buf_init(&x->body, x->server->options.max_body);
    buf_init(&x->response.body, (size_t)1 << 28);
    return x;
}

static void finish(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode how)
{
    (void)context, (void)connection, (void)how;
    struct exchange *x = *state;
    if (!x)
        return;
    if (x->counted) {
        pthread_mutex_lock(&x->server->lock);
        if (--x->server->in_work == 0)
            pthread_cond_broadcast(&x->server->idle);
        pthread_mutex_unlock(&x->server->lock);
    }
    buf_deinit(&x->body);
    buf_deinit(&x->response.body);
    arena_free(x->request.arena);
    free(x);
    *state = NULL;
}

static size_t keep_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name, size_t name_n,
                               const char *value, size_t value_n)
{
    (void)kind;
    struct exchange *x = context;
    if (x->request.n_headers == MOST_HEADERS)
        return MHD_NO;
    x->headers[x->request.n_headers++] =
        (struct http_header){{name, name_n}, {value ? value : "", value ? value_n : 0}};
    return MHD_YES;
}

static void keep_headers(struct exchange *x)
{
    struct arena *a = x->request.arena;
    for (size_t i = 0; i < x->request.n_headers; i++) {
        struct http_header *h = &x->headers[i];
        h->name.p = arena_strndup(a, h->name.p, h->name.n);
        h->value.p = arena_strndup(a, h->value.p, h->value.n);
    }
    x->request.headers = x->headers;
}

static void keep_peer(struct exchange *x)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = i ? i->client_addr : NULL;
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, x->request.peer,
                  sizeof x->request.peer);
    else if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, x->request.peer,
                  sizeof x->request.peer);
}

static enum status check_head(struct exchange *x, const char *url, const char *method, const char *version,
                              struct err *e)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    int known = MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, collect, x);
    if (known < 0 || (size_t)known != x->request.n_headers)
        return err_set(e, ST_USAGE, "too many header lines; at most %d are read", MOST_HEADERS);
    struct http_head head = {.start = method,
                             .n = i ? i->header_size : 0,
                             .uri_at = url,
                             .method = slice_of(method),
                             .uri = slice_of(x->raw_uri),
                             .version = slice_of(version),
                             .headers = x->headers,
                             .n_headers = x->request.n_headers};
    return guard_check(&head, e);
}

static void keep_target(struct exchange *x, const char *method)
{
    struct arena *a = x->request.arena;
    x->request.method = strcmp(method, "HEAD") == 0 ? "GET" : arena_strdup(a, method);
    char *path = arena_strdup(a, x->raw_uri);
    char *mark = strchr(path, '?');
    if (mark) {
        *mark = '\0';
        x->request.query = mark + 1;
    }
    x->request.path = path;
}

/* The head is whole: take or refuse. Returns an HTTP code to refuse with, 0 to go on. */
static int admit(struct exchange *x, const char *url, const char *method, const char *version, struct err *e)
{
    if (check_head(x, url, method, version, e) != ST_OK)
        return MHD_HTTP_BAD_REQUEST;
    keep_headers(x);
    keep_target(x, method);
    keep_peer(x);
    x->request.arrived_ns = time_monotonic_ns();
    if (request_header(&x->request, "Transfer-Encoding")) {
        err_set(e, ST_USAGE, "a body needs Content-Length; Transfer-Encoding is not accepted");
        return MHD_HTTP_LENGTH_REQUIRED;
    }
    const char *length = request_header(&x->request, "Content-Length");
    uint64_t n = 0;
    if (length && !parse_u64(slice_of(length), &n)) {
        err_set(e, ST_USAGE, "Content-Length is not a whole number");
        return MHD_HTTP_BAD_REQUEST;
    }
    if (n > x->server->options.max_body) {
        err_set(e, ST_USAGE, "the body is larger than the %zu bytes accepted here",
                x->server->options.max_body);
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

static void enqueue(struct server *s, struct exchange *x)
{
    x->next = NULL;
    *s->queue_end = x;
    s->queue_end = &x->next;
    pthread_cond_signal(&s->work);
}

static enum MHD_Result hand_over(struct exchange *x)
{
    struct server *s = x->server;
    x->stage = STAGE_WORK;
    x->request.body = buf_slice(&x->body);
    MHD_suspend_connection(x->connection);
    pthread_mutex_lock(&s->lock);
    x->counted = true;
    s->in_work++;
    enqueue(s, x);
    pthread_mutex_unlock(&s->lock);
    return MHD_YES;
}

/* Called by the library with the head, with each piece of the body, at its end, and after a resume. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece, size_t *piece_n,
                                  void **state)
{
    (void)context, (void)connection;
    struct exchange *x = *state;
    if (!x)
        return MHD_NO;
    if (x->stage == STAGE_HEAD) {
        struct err e = {0};
        int code = admit(x, url, method, version, &e);
        if (code)
            return refuse(x, code, e.text);
        x->stage = STAGE_BODY;
        return MHD_YES;
    }
    if (x->stage == STAGE_BODY && *piece_n) {
        buf_add(&x->body, piece, *piece_n);
        *piece_n = 0;
        return MHD_YES;
    }
    if (x->stage == STAGE_BODY)
        return hand_over(x);
    return x->stage == STAGE_ANSWERED ? send_response(x) : MHD_NO;
}

/* Moves the parked requests whose time is up to the queue and returns when the next one's is, 0 for none. */
static int64_t sweep(struct server *s, int64_t now, bool all)
{
    int64_t next = 0;
    for (struct exchange **p = &s->parked; *p;) {
        struct exchange *x = *p;
        if (all || x->request.park_until <= now) {
            *p = x->next;
            enqueue(s, x);
            continue;
        }
        if (!next || x->request.park_until < next)
            next = x->request.park_until;
        p = &x->next;
    }
    return next;
}

static struct exchange *take(struct server *s)
{
    while (!s->stopped) {
        int64_t next = sweep(s, time_monotonic_ns(), s->stopping);
        struct exchange *x = s->queue;
        if (x) {
            s->queue = x->next;
            if (!s->queue)
                s->queue_end = &s->queue;
            return x;
        }
        if (!next) {
            pthread_cond_wait(&s->work, &s->lock);
        } else {
            struct timespec until = {next / 1000000000, next % 1000000000};
            pthread_cond_timedwait(&s->work, &s->lock, &until);
        }
    }
    return NULL;
}

static void *worker(void *context)
{
    struct server *s = context;
    pthread_mutex_lock(&s->lock);
    for (struct exchange *x; (x = take(s));) {
        x->request.stopping = s->stopping;
        uint64_t wakes = s->n_wakes;
        pthread_mutex_unlock(&s->lock);
        enum http_turn turn = s->options.handler(s->options.context, &x->request, &x->response);
        pthread_mutex_lock(&s->lock);
        x->request.parked_before = true;
        /* News, or the stop, came while the handler looked: it looks again. */
        if (turn == HTTP_PARK && (wakes != s->n_wakes || (s->stopping && !x->request.stopping))) {
            enqueue(s, x);
            continue;
        }
        if (turn == HTTP_PARK && !s->stopping) {
            x->next = s->parked;
            s->parked = x;
            pthread_cond_signal(&s->work); /* somebody must watch its time */
            continue;
        }
        if (turn == HTTP_PARK)
            x->response.code = MHD_HTTP_SERVICE_UNAVAILABLE;
        x->stage = STAGE_ANSWERED;
        MHD_resume_connection(x->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void server_wake(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->n_wakes++;
    sweep(s, 0, true);
    pthread_mutex_unlock(&s->lock);
}

const char *server_url(const struct server *s)
{
    return s->url;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "127.0.0.1:8080" or "[::1]:8080". */
static enum status parse_listen(const char *text, union address *out, struct err *e)
{
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    uint64_t port = 0;
    memset(out, 0, sizeof *out);
    bool six = text[0] == '[' && colon && colon > text + 1 && colon[-1] == ']';
    size_t n = !colon ? 0 : six ? (size_t)(colon - text) - 2 : (size_t)(colon - text);
    if (n && n < sizeof host)
        memcpy(host, text + six, n);
    bool good = colon && parse_u64(slice_of(colon + 1), &port) && port <= UINT16_MAX;
    if (six) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        good = good && inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
    } else {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        good = good && inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
    }
    return good ? ST_OK
                : err_set(e, ST_USAGE,
                          "cannot listen on '%.60s': expected ADDRESS:PORT such as "
                          "127.0.0.1:8080 or [::1]:8080",
                          text);
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static enum status load_pem(const char *path, char **out, struct err *e)
{
    struct buf b;
    buf_init(&b, PEM_BYTES);
    enum status s = file_read(path, &b, e);
    if (s == ST_OK)
        *out = buf_steal(&b);
    buf_deinit(&b);
    return s;
}

static enum status load_tls(struct server *s, struct err *e)
{
    const struct server_options *o = &s->options;
    if (!o->certificate && !o->key_path)
        return ST_OK;
    if (!o->certificate || !o->key_path)
        return err_set(e, ST_USAGE, "a certificate and its key are needed together");
    enum status status = load_pem(o->certificate, &s->certificate_pem, e);
    if (status == ST_OK)
        status = load_pem(o->key_path, &s->key_pem, e);
    return status;
}

static enum status start_daemon(struct server *s, const union address *a, struct err *e)
{
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_SOCK_ADDR, 0, (void *)(uintptr_t)&a->any},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, MOST_CONNECTIONS, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin, s},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_encoded, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)finish, NULL},
        {s->key_pem ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, s->key_pem},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    flags |= a->any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0U;
    flags |= s->key_pem ? MHD_USE_TLS : 0U;
    errno = 0;
    s->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (s->daemon)
        return ST_OK;
    if (s->key_pem && errno == 0)
        return err_set(e, ST_INVALID,
                       "the TLS certificate or key was not accepted: expected PEM files that "
                       "belong together");
    return err_set(e, ST_IO, "cannot listen on %s: %s", s->options.listen,
                   errno ? strerror(errno) : "the server did not start");
}

static void name_url(struct server *s)
{
    const union MHD_DaemonInfo *i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    int host = (int)(strrchr(s->options.listen, ':') - s->options.listen);
    s->url = xasprintf("%s://%.*s:%u", s->key_pem ? "https" : "http", host, s->options.listen,
                       i ? (unsigned)i->port : 0U);
}

static void start_workers(struct server *s)
{
    unsigned wanted = s->options.threads ? s->options.threads : 4;
    s->threads = xcalloc(wanted, sizeof *s->threads);
    while (s->n_threads < wanted && pthread_create(&s->threads[s->n_threads], NULL, worker, s) == 0)
        s->n_threads++;
}

enum status server_open(const struct server_options *o, struct server **out, struct err *e)
{
    union address a;
    *out = NULL;
    enum status status = parse_listen(o->listen, &a, e);
    if (status != ST_OK)
        return status;
    struct server *s = xcalloc(1, sizeof *s);
    s->options = *o;
    s->queue_end = &s->queue;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, &monotonic);
    pthread_cond_init(&s->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    status = load_tls(s, e);
    if (status == ST_OK && !s->key_pem && !is_loopback(&a))
        status = err_set(e, ST_DENIED,
                         "plain HTTP is only served on a loopback address; give a certificate "
                         "(--tls-cert, --tls-key) or put a TLS proxy in front");
    if (status == ST_OK)
        status = start_daemon(s, &a, e);
    if (status == ST_OK) {
        name_url(s);
        start_workers(s);
        *out = s;
        return ST_OK;
    }
    server_close(s);
    return status;
}

static void end_work(struct server *s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_SECONDS;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->work);
    while (s->in_work && pthread_cond_timedwait(&s->idle, &s->lock, &until) == 0)
        ;
    s->stopped = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->n_threads; i++)
        pthread_join(s->threads[i], NULL);
}

void server_close(struct server *s)
{
    if (!s)
        return;
    int listening = s->daemon ? MHD_quiesce_daemon(s->daemon) : -1;
    end_work(s);
    for (struct exchange *x = s->queue; x; x = x->next)
        MHD_resume_connection(x->connection);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (listening >= 0)
        close(listening);
    if (s->key_pem)
        explicit_bzero(s->key_pem, strlen(s->key_pem));
    pthread_cond_destroy(&s->idle);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s->threads);
    free(s->certificate_pem);
    free(s->key_pem);
    free(s->url);
    free(s);
}
