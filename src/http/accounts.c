/* SPDX-License-Identifier: Apache-2.0 */
#include "http/accounts.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/db.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/totp.h"

enum { CONCURRENT_HASHES = 2, PASSWORD_MOST = 256 };
enum { IDLE_MS = 3600000, SESSION_MS = 12 * 3600000 };

static const char *const migrations[] = {
    "CREATE TABLE account(person TEXT PRIMARY KEY, password TEXT NOT NULL, secret BLOB NOT NULL,"
    " seed BLOB NOT NULL, last_step INTEGER NOT NULL DEFAULT 0, made TEXT NOT NULL) STRICT;"
    "CREATE TABLE session(hash TEXT PRIMARY KEY, person TEXT NOT NULL, csrf_hash TEXT NOT NULL,"
    " begun_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE token(hash TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT "
    "NULL,"
    " expires_ms INTEGER NOT NULL, made TEXT NOT NULL, UNIQUE(person, name)) STRICT;",
    "CREATE TABLE linked(issuer TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, made TEXT NOT "
    "NULL,"
    " PRIMARY KEY(issuer, subject), UNIQUE(person, issuer)) STRICT;",
    ("ALTER TABLE account ADD COLUMN roles TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE account ADD COLUMN key TEXT NOT NULL DEFAULT '';")};

struct accounts {
    struct db *db;
    pthread_mutex_t lock;
    sem_t hashing; /* Argon2id takes 64 MiB each */
    uint8_t key[STREAM_KEY_BYTES];
};

enum status accounts_open(const char *path, const struct identity *hub, struct accounts **out, struct err *e)
{
    struct accounts *a = xcalloc(1, sizeof *a);
    *out = NULL;
    pthread_mutex_init(&a->lock, NULL);
    sem_init(&a->hashing, 0, CONCURRENT_HASHES);
    hmac_sha256((struct slice){(const char *)hub->seed, SEED_BYTES}, SLICE("accord-accounts-1"), a->key);
    enum status s = file_exists(path) ? ST_OK : file_replace(path, SLICE(""), 0600, e);
    if (s == ST_OK)
        s = db_open(path, DB_CREATE, migrations, sizeof migrations / sizeof *migrations, &a->db, e);
    if (s == ST_OK)
        *out = a;
    else
        accounts_close(a);
    return s;
}

void accounts_close(struct accounts *a)
{
    if (!a)
        return;
    db_close(a->db);
    secret_wipe(a->key, sizeof a->key);
    sem_destroy(&a->hashing);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* Runs a statement with text parameters and perhaps a number behind them, under the lock; *changed (may be
   NULL) says how many rows. */
static enum status change(struct accounts *a, const char *sql, const char *const *texts,
                          const int64_t *number, int64_t *changed, struct err *e)
{
    struct stmt *q;
    int at = 1;
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db, sql, &q, e);
    if (s == ST_OK) {
        for (; *texts; texts++)
            stmt_bind_text(q, at++, *texts);
        if (number)
            stmt_bind_int(q, at, *number);
        s = stmt_run(q, e);
        if (changed)
            *changed = db_changes(a->db);
    }
    pthread_mutex_unlock(&a->lock);
    return s;
}

static void fresh_token(char token[ACCOUNT_TOKEN_DIGITS + 1])
{
    uint8_t random[ACCOUNT_TOKEN_DIGITS / 2];
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, token);
}

/* --- making an account --------------------------------------------------------------------------------- */

static enum status check_new(const char *person, const char *password, struct err *e)
{
    size_t n = strlen(password), distinct = 0;
    for (size_t i = 0; person[i]; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", person[i]))
            return err_set(e, ST_INVALID, "person: expected letters a to z, digits and dashes");
    if (!person[0] || strlen(person) > ACCOUNT_PERSON_MOST)
        return err_set(e, ST_INVALID, "person: expected 1 to %d characters", ACCOUNT_PERSON_MOST);
    for (size_t i = 0; i < n; i++)
        distinct += memchr(password, password[i], i) == NULL;
    if (n < ACCOUNT_PASSWORD_LEAST || n > PASSWORD_MOST || distinct < 5)
        return err_set(e, ST_INVALID, "password: expected %d to %d characters, five of them different",
                       ACCOUNT_PASSWORD_LEAST, PASSWORD_MOST);
    return ST_OK;
}

static enum status hash_password(struct accounts *a, const char *password, char out[128], struct err *e)
{
    sem_wait(&a->hashing);
    enum status s = password_hash(password, out, e);
    sem_post(&a->hashing);
    return s;
}

static void bind_secret(struct accounts *a, struct stmt *q, int at, const uint8_t *secret, size_t n,
                        const char *person)
{
    struct buf sealed;
    buf_init(&sealed, 256);
    secret_encrypt(a->key, (struct slice){(const char *)secret, n}, slice_of(person), &sealed);
    stmt_bind_blob(q, at, sealed.p, sealed.n);
    buf_deinit(&sealed);
}

static enum status insert_account(struct accounts *a, const struct account_wanted *wanted, const char *hash,
                                  const uint8_t *secret, const struct identity *id, struct err *e)
{
    struct stmt *q;
    char now[21], key[2 * SIGN_PUBLIC_BYTES + 1];
    const char *person = wanted->person;
    hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, key);
    time_format(time_now_ms(), now);
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db,
                               "INSERT INTO account(person, password, secret, seed, made, roles, key)"
                               " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                               &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, person);
        stmt_bind_text(q, 2, hash);
        bind_secret(a, q, 3, secret, TOTP_SECRET_BYTES, person);
        bind_secret(a, q, 4, id->seed, SEED_BYTES, person);
        stmt_bind_text(q, 5, now);
        stmt_bind_text(q, 6, wanted->roles ? wanted->roles : "");
        stmt_bind_text(q, 7, key);
        s = stmt_run(q, e);
    }
    pthread_mutex_unlock(&a->lock);
    return s == ST_CONFLICT ? err_set(e, s, "there is an account of this name already") : s;
}

enum status account_create(struct accounts *a, const struct account_wanted *wanted, struct account_new *out,
                           struct err *e)
{
    char hash[128];
    uint8_t secret[TOTP_SECRET_BYTES];
    enum status s = check_new(wanted->person, wanted->password, e);
    if (s == ST_OK)
        s = hash_password(a, wanted->password, hash, e);
    if (s != ST_OK)
        return s;
    struct identity *fresh = wanted->key ? NULL : identity_new();
    const struct identity *id = wanted->key ? wanted->key : fresh;
    random_bytes(secret, sizeof secret);
    s = insert_account(a, wanted, hash, secret, id, e);
    hex_encode(id->sign_public, SIGN_PUBLIC_BYTES, out->key_hex);
    totp_base32(secret, out->totp_secret);
    secret_wipe(secret, sizeof secret);
    identity_free(fresh);
    return s;
}

enum status account_list(struct accounts *a, struct js **out, struct err *e)
{
    static const char *const names[] = {"person", "roles", "key", "made"};
    struct stmt *q;
    bool row = false;
    *out = js_array();
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db, "SELECT person, roles, key, made FROM account ORDER BY person", &q, e);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *o = js_object();
        for (int i = 0; i < 4; i++)
            js_put_str(o, names[i], stmt_text(q, i));
        js_push(*out, o);
    }
    stmt_done(q);
    pthread_mutex_unlock(&a->lock);
    return s;
}

enum status account_remove(struct accounts *a, const char *person, struct err *e)
{
    static const char *const statements[] = {
        "DELETE FROM session WHERE person=?1", "DELETE FROM token WHERE person=?1",
        "DELETE FROM linked WHERE person=?1", "DELETE FROM account WHERE person=?1"};
    const char *texts[] = {person, NULL};
    int64_t changed = 0;
    enum status s = ST_OK;
    for (size_t i = 0; s == ST_OK && i < sizeof statements / sizeof *statements; i++)
        s = change(a, statements[i], texts, NULL, &changed, e);
    return s == ST_OK && !changed ? err_set(e, ST_NOT_FOUND, "there is no account of this name") : s;
}

/* --- sessions ------------------------------------------------------------------------------------------ */

struct account_row {
    char password[128];
    uint8_t secret[TOTP_SECRET_BYTES];
    uint64_t last_step;
    bool found;
};

static enum status open_secret(struct accounts *a, struct slice sealed, const char *person, uint8_t *out,
                               size_t n, struct err *e)
{
    struct buf plain;
    buf_init(&plain, 256);
    bool good = secret_decrypt(a->key, sealed, slice_of(person), &plain) && plain.n == n;
    if (good)
        memcpy(out, plain.p, n);
    if (plain.p)
        secret_wipe(plain.p, plain.n);
    buf_deinit(&plain);
    return good ? ST_OK : err_set(e, ST_CORRUPT, "the account's secrets cannot be read with this hub's key");
}

static enum status row_find(struct accounts *a, const char *person, struct account_row *out, struct err *e)
{
    struct stmt *q;
    *out = (struct account_row){0};
    pthread_mutex_lock(&a->lock);
    enum status s =
        db_prepare(a->db, "SELECT password, secret, last_step FROM account WHERE person=?1", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, person);
        s = stmt_step(q, &out->found, e);
        if (s == ST_OK && out->found) {
            snprintf(out->password, sizeof out->password, "%s", stmt_text(q, 0));
            s = open_secret(a, stmt_blob(q, 1), person, out->secret, sizeof out->secret, e);
            out->last_step = (uint64_t)stmt_int(q, 2);
        }
        stmt_done(q);
    }
    pthread_mutex_unlock(&a->lock);
    return s;
}

/* For a name that does not exist a hash is checked all the same, so that time does not tell. */
static bool password_right(struct accounts *a, const struct account_row *row, const char *password)
{
    static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    sem_wait(&a->hashing);
    bool good = password_check(row->found ? row->password : nobody, password);
    sem_post(&a->hashing);
    return good && row->found;
}

/* The step only moves forward, also when two log in at once with one code. */
static enum status use_step(struct accounts *a, const char *person, uint64_t step, bool *won, struct err *e)
{
    int64_t changed = 0, number = (int64_t)step;
    const char *texts[] = {person, NULL};
    enum status s = change(a, "UPDATE account SET last_step=?2 WHERE person=?1 AND last_step<?2", texts,
                           &number, &changed, e);
    *won = changed == 1;
    return s;
}

void account_csrf(const struct accounts *a, const char *token, char csrf[ACCOUNT_TOKEN_DIGITS + 1])
{
    uint8_t mac[HASH_BYTES];
    char text[ACCOUNT_TOKEN_DIGITS + 8];
    snprintf(text, sizeof text, "csrf:%s", token);
    hmac_sha256((struct slice){(const char *)a->key, sizeof a->key}, slice_of(text), mac);
    hex_encode(mac, sizeof mac, csrf);
}

static enum status begin_session(struct accounts *a, const char *person, int64_t now_ms,
                                 struct session_new *out, struct err *e)
{
    char hash[65], csrf_hash[65];
    int64_t ended = now_ms - SESSION_MS;
    fresh_token(out->token);
    account_csrf(a, out->token, out->csrf);
    sha256_hex(slice_of(out->token), hash);
    sha256_hex(slice_of(out->csrf), csrf_hash);
    const char *texts[] = {hash, person, csrf_hash, NULL}, *none[] = {NULL};
    enum status s = change(a, "INSERT INTO session VALUES(?1, ?2, ?3, ?4, ?4)", texts, &now_ms, NULL, e);
    return s == ST_OK ? change(a, "DELETE FROM session WHERE begun_ms<?1", none, &ended, NULL, e) : s;
}

enum status account_login(struct accounts *a, const char *person, const char *password, const char *code,
                          int64_t now_ms, struct session_new *out, struct err *e)
{
    struct account_row row;
    uint64_t step = 0;
    bool won = false;
    enum status s = row_find(a, person, &row, e);
    if (s != ST_OK)
        return s;
    bool good = password_right(a, &row, password) &&
                totp_check(row.secret, slice_of(code), now_ms / 1000, row.last_step, &step);
    secret_wipe(row.secret, sizeof row.secret);
    if (good)
        s = use_step(a, person, step, &won, e);
    if (s == ST_OK && !won)
        s = err_set(e, ST_UNAUTHENTICATED,
                    "name, password or one-time code is not right (a code counts once)");
    return s == ST_OK ? begin_session(a, person, now_ms, out, e) : s;
}

enum status account_link(struct accounts *a, const char *person, const char *issuer, const char *subject,
                         struct err *e)
{
    char now[21];
    time_format(time_now_ms(), now);
    const char *texts[] = {issuer, subject, person, now, NULL};
    enum status s = change(a, "INSERT INTO linked VALUES(?1, ?2, ?3, ?4)", texts, NULL, NULL, e);
    return s == ST_CONFLICT
               ? err_set(e, s,
                         "this identity is linked to an account already, or the account to another "
                         "identity of the same provider")
               : s;
}

enum status account_unlink(struct accounts *a, const char *person, const char *issuer, struct err *e)
{
    int64_t changed = 0;
    const char *texts[] = {person, issuer, NULL};
    enum status s = change(a, "DELETE FROM linked WHERE person=?1 AND issuer=?2", texts, NULL, &changed, e);
    return s == ST_OK && !changed ? err_set(e, ST_NOT_FOUND, "no identity of this provider is linked") : s;
}

/* The one text that a query with two texts gives; "" without a row. */
static enum status text_of(struct accounts *a, const char *sql, const char *one, const char *two, char *out,
                           size_t size, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = '\0';
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db, sql, &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, one);
        stmt_bind_text(q, 2, two);
        s = stmt_step(q, &row, e);
        if (s == ST_OK && row)
            snprintf(out, size, "%s", stmt_text(q, 0));
        stmt_done(q);
    }
    pthread_mutex_unlock(&a->lock);
    return s;
}

enum status account_linked(struct accounts *a, const char *person, const char *issuer,
                           char subject[ACCOUNT_SUBJECT_MOST + 1], struct err *e)
{
    return text_of(a, "SELECT subject FROM linked WHERE person=?1 AND issuer=?2", person, issuer, subject,
                   ACCOUNT_SUBJECT_MOST + 1, e);
}

enum status account_login_linked(struct accounts *a, const char *issuer, const char *subject, int64_t now_ms,
                                 struct session_new *out, struct err *e)
{
    char person[ACCOUNT_PERSON_MOST + 1];
    enum status s = text_of(a, "SELECT person FROM linked WHERE issuer=?1 AND subject=?2", issuer, subject,
                            person, sizeof person, e);
    if (s == ST_OK && !*person)
        s = err_set(
            e, ST_DENIED,
            "this identity is not linked to an account here: sign in with the account's password and link "
            "it first; no account is made by signing in");
    return s == ST_OK ? begin_session(a, person, now_ms, out, e) : s;
}

void account_seal(const struct accounts *a, struct slice text, const char *purpose, struct buf *out)
{
    secret_encrypt(a->key, text, slice_of(purpose), out);
}

bool account_unseal(const struct accounts *a, struct slice sealed, const char *purpose, struct buf *out)
{
    return secret_decrypt(a->key, sealed, slice_of(purpose), out);
}

enum status account_logout(struct accounts *a, const char *token, struct err *e)
{
    char hash[65];
    const char *texts[] = {hash, NULL};
    sha256_hex(slice_of(token), hash);
    return change(a, "DELETE FROM session WHERE hash=?1", texts, NULL, NULL, e);
}

static enum status use_find(struct accounts *a, const char *sql, const char *token, int64_t limit_ms,
                            struct account_use *out, struct err *e)
{
    struct stmt *q;
    char hash[65];
    bool row = false;
    sha256_hex(slice_of(token), hash);
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db, sql, &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, hash);
        stmt_bind_int(q, 2, limit_ms);
        s = stmt_step(q, &row, e);
        if (s == ST_OK && row) {
            snprintf(out->person, sizeof out->person, "%s", stmt_text(q, 0));
            snprintf(out->csrf_hash, sizeof out->csrf_hash, "%s", stmt_text(q, 1));
            snprintf(out->scopes, sizeof out->scopes, "%s", stmt_text(q, 2));
            snprintf(out->roles, sizeof out->roles, "%s", stmt_text(q, 3));
        }
        stmt_done(q);
    }
    pthread_mutex_unlock(&a->lock);
    return s == ST_OK && !row
               ? err_set(e, ST_UNAUTHENTICATED, "the session or token is unknown or over; log in again")
               : s;
}

enum status account_by_session(struct accounts *a, const char *token, int64_t now_ms, struct account_use *out,
                               struct err *e)
{
    char hash[65];
    const char *texts[] = {hash, NULL};
    sha256_hex(slice_of(token), hash);
    /* Once a minute is enough to keep a session from idling out. */
    enum status s =
        change(a, "UPDATE session SET used_ms=?2 WHERE hash=?1 AND used_ms<?2-60000 AND used_ms>=?2-3600000",
               texts, &now_ms, NULL, e);
    if (s != ST_OK)
        return s;
    _Static_assert(IDLE_MS == 3600000, "as in the statement above");
    return use_find(a,
                    "SELECT person, csrf_hash, '*', roles FROM session JOIN account USING(person)"
                    " WHERE hash=?1 AND used_ms>=?2",
                    token, now_ms - IDLE_MS, out, e);
}

enum status account_by_token(struct accounts *a, const char *token, int64_t now_ms, struct account_use *out,
                             struct err *e)
{
    return use_find(a, "SELECT person, '', scopes, '' FROM token WHERE hash=?1 AND expires_ms>=?2", token,
                    now_ms, out, e);
}

bool account_may(const struct account_use *u, const char *scope)
{
    size_t n = strlen(scope);
    for (const char *p = u->scopes; *p;) {
        size_t k = strcspn(p, " ");
        bool all = k == 1 && *p == '*', same = k == n && memcmp(p, scope, n) == 0;
        if (all || same || (k == 3 && memcmp(p, "act", 3) == 0 && strncmp(scope, "act:", 4) == 0))
            return true;
        p += k + (p[k] == ' ');
    }
    return false;
}

/* --- API tokens ---------------------------------------------------------------------------------------- */

static enum status check_scopes(const char *scopes, struct err *e)
{
    for (const char *p = scopes; *p;) {
        size_t k = strcspn(p, " ");
        bool read = k == 4 && memcmp(p, "read", 4) == 0, act = k >= 3 && memcmp(p, "act", 3) == 0;
        if (!read && !(act && (k == 3 || (p[3] == ':' && k > 4))))
            return err_set(e, ST_INVALID,
                           "scopes: expected 'read', 'act' or 'act:NOUN', separated by spaces");
        p += k + (p[k] == ' ');
    }
    return scopes[0] && strlen(scopes) < 256 ? ST_OK
                                             : err_set(e, ST_INVALID, "scopes: expected 1 to 255 characters");
}

enum status account_token_new(struct accounts *a, const char *person, const char *name, const char *scopes,
                              int64_t expires_ms, char token[ACCOUNT_TOKEN_DIGITS + 1], struct err *e)
{
    char hash[65], now[21];
    const char *texts[] = {hash, person, name, scopes, now, NULL};
    enum status s = check_scopes(scopes, e);
    if (s != ST_OK)
        return s;
    fresh_token(token);
    sha256_hex(slice_of(token), hash);
    time_format(time_now_ms(), now);
    s = change(
        a, "INSERT INTO token(hash, person, name, scopes, made, expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        texts, &expires_ms, NULL, e);
    return s == ST_CONFLICT ? err_set(e, s, "name: you have a token of this name already") : s;
}

enum status account_tokens(struct accounts *a, const char *person, struct js **out, struct err *e)
{
    struct stmt *q;
    bool row = false;
    *out = js_array();
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(
        a->db, "SELECT name, scopes, made, expires_ms FROM token WHERE person=?1 ORDER BY name", &q, e);
    if (s == ST_OK)
        stmt_bind_text(q, 1, person);
    while (s == ST_OK && (s = stmt_step(q, &row, e)) == ST_OK && row) {
        struct js *t = js_object();
        char until[21];
        time_format(stmt_int(q, 3), until);
        js_put_str(t, "name", stmt_text(q, 0));
        js_put_str(t, "scopes", stmt_text(q, 1));
        js_put_str(t, "made", stmt_text(q, 2));
        js_put_str(t, "expires", until);
        js_push(*out, t);
    }
    stmt_done(q);
    pthread_mutex_unlock(&a->lock);
    return s;
}

enum status account_token_end(struct accounts *a, const char *person, const char *name, struct err *e)
{
    int64_t changed = 0;
    const char *texts[] = {person, name, NULL};
    enum status s = change(a, "DELETE FROM token WHERE person=?1 AND name=?2", texts, NULL, &changed, e);
    return s == ST_OK && !changed ? err_set(e, ST_NOT_FOUND, "you have no token of this name") : s;
}

enum status account_identity(struct accounts *a, const char *person, struct identity **out, struct err *e)
{
    struct stmt *q;
    uint8_t seed[SEED_BYTES];
    bool row = false;
    *out = NULL;
    pthread_mutex_lock(&a->lock);
    enum status s = db_prepare(a->db, "SELECT seed FROM account WHERE person=?1", &q, e);
    if (s == ST_OK) {
        stmt_bind_text(q, 1, person);
        s = stmt_step(q, &row, e);
        if (s == ST_OK && row)
            s = open_secret(a, stmt_blob(q, 0), person, seed, sizeof seed, e);
        stmt_done(q);
    }
    pthread_mutex_unlock(&a->lock);
    if (s == ST_OK && !row)
        s = err_set(e, ST_NOT_FOUND, "there is no account of this name");
    if (s == ST_OK)
        *out = identity_from_seed(seed);
    secret_wipe(seed, sizeof seed);
    return s;
}
