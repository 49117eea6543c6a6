/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"

enum { CONNECT_MS = 10000 };

struct http_client {
    CURL *handle;
    char *base_url;
    const atomic_bool *stop;
    char why[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool stopped(const struct http_client *c)
{
    return interrupted() || (c->stop && atomic_load(c->stop));
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_reply *reply = context;
    buf_add(&reply->body, bytes, size * n);
    return reply->body.failed ? 0 : size * n;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
    static const char name[] = "etag:";
    struct http_reply *reply = context;
    if (size * n > sizeof name && strncasecmp(bytes, name, sizeof name - 1) == 0) {
        struct slice v = slice_trim((struct slice){bytes + sizeof name - 1, size * n - sizeof name + 1});
        if (v.n < sizeof reply->etag) {
            memcpy(reply->etag, v.p, v.n);
            reply->etag[v.n] = '\0';
        }
    }
    return size * n;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return stopped(context);
}

/* http:// is for this machine only: 127.0.0.0/8, [::1] and localhost. */
static enum status check_url(const char *url, struct err *e)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *path = NULL, *user = NULL;
    enum status s = ST_OK;
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        s = err_set(e, ST_USAGE, "'%.100s' is not a URL such as https://hub.example.nhs.uk", url);
    else if (strcmp(path, "/") != 0 || curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        s = err_set(e, ST_USAGE, "the hub's URL must have no path and no user: https://HOST[:PORT]");
    else if (strcmp(scheme, "http") == 0 && strncmp(host, "127.", 4) != 0 && strcmp(host, "[::1]") != 0 &&
             strcmp(host, "localhost") != 0)
        s = err_set(e, ST_DENIED, "plain HTTP is only used on this machine; use https:// for %.60s", host);
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        s = err_set(e, ST_USAGE, "the hub's URL must begin with https://");
    curl_free(scheme);
    curl_free(host);
    curl_free(path);
    curl_free(user);
    curl_url_cleanup(u);
    return s;
}

static void configure(struct http_client *c, const char *ca_file)
{
    curl_easy_setopt(c->handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c->handle, CURLOPT_PROXY, "");
    curl_easy_setopt(c->handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c->handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c->handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c->handle, CURLOPT_USERAGENT, "accord/" ACCORD_VERSION);
    curl_easy_setopt(c->handle, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(c->handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->handle, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c->handle, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(c->handle, CURLOPT_NOPROGRESS, 0L);
    if (ca_file) {
        curl_easy_setopt(c->handle, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(c->handle, CURLOPT_CAPATH, NULL);
    }
}

enum status http_client_open(const char *base_url, const char *ca_file, const atomic_bool *stop,
                             struct http_client **out, struct err *e)
{
    *out = NULL;
    pthread_once(&once, start_curl);
    enum status s = check_url(base_url, e);
    if (s != ST_OK)
        return s;
    struct http_client *c = xcalloc(1, sizeof *c);
    c->stop = stop;
    c->base_url = xstrdup(base_url);
    size_t n = strlen(c->base_url);
    if (n && c->base_url[n - 1] == '/')
        c->base_url[n - 1] = '\0';
    c->handle = curl_easy_init();
    if (!c->handle) {
        http_client_close(c);
        return err_set(e, ST_NO_MEMORY, "the HTTP client could not be started");
    }
    configure(c, ca_file);
    *out = c;
    return ST_OK;
}

void http_client_close(struct http_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->handle);
    free(c->base_url);
    free(c);
}

static struct curl_slist *headers_of(const struct http_call *call)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no 100-continue round trip */
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        list = curl_slist_append(list, call->headers[i]);
    char *type = xasprintf("Content-Type:%s%s", call->type ? " " : "", call->type ? call->type : "");
    list = curl_slist_append(list, type);
    free(type);
    return list;
}

static enum status explain(const struct http_client *c, CURLcode code, const struct http_reply *reply,
                           struct err *e)
{
    if (code == CURLE_OK)
        return ST_OK;
    if (stopped(c))
        return interrupted_err(e);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ST_TIMEOUT, "%s did not answer in time", c->base_url);
    if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING)
        return err_set(e, ST_NETWORK, "the answer of %s was cut short", c->base_url);
    if (code == CURLE_WRITE_ERROR && reply->body.failed)
        return err_set(e, ST_NO_MEMORY, "the answer of %s was longer than %zu bytes", c->base_url,
                       reply->body.max);
    return err_set(e, ST_NETWORK, "%s could not be reached: %s", c->base_url,
                   c->why[0] ? c->why : curl_easy_strerror(code));
}

enum status http_client_send(struct http_client *c, const struct http_call *call, struct http_reply *reply,
                             struct err *e)
{
    char *url = xasprintf("%s%s", c->base_url, call->target);
    struct curl_slist *headers = headers_of(call);
    bool with_body = strcmp(call->method, "GET") != 0;
    c->why[0] = '\0';
    reply->etag[0] = '\0';
    curl_easy_setopt(c->handle, CURLOPT_URL, url);
    curl_easy_setopt(c->handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->handle, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(c->handle, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(c->handle, CURLOPT_HEADERDATA, reply);
    if (with_body) {
        curl_easy_setopt(c->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        curl_easy_setopt(c->handle, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
    } else {
        curl_easy_setopt(c->handle, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(c->handle, CURLOPT_CUSTOMREQUEST, with_body ? call->method : NULL);
    enum status s = explain(c, curl_easy_perform(c->handle), reply, e);
    long code = 0;
    curl_easy_getinfo(c->handle, CURLINFO_RESPONSE_CODE, &code);
    reply->code = (int)code;
    curl_slist_free_all(headers);
    free(url);
    return s;
}
