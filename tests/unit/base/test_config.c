/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/config.h"

struct settings {
    const char *name;
    int64_t port;
    double share;
    bool quiet;
    int colour;
    const struct config *sites;
};
static const char *const colours[] = {"red", "green", NULL};
static const struct config_field fields[] = {
    {"name", CONFIG_TEXT, offsetof(struct settings, name), 0, 0, NULL, true},
    {"port", CONFIG_INT, offsetof(struct settings, port), 1, 65535, NULL, false},
    {"share", CONFIG_REAL, offsetof(struct settings, share), 0, 1, NULL, false},
    {"quiet", CONFIG_FLAG, offsetof(struct settings, quiet), 0, 0, NULL, false},
    {"colour", CONFIG_CHOICE, offsetof(struct settings, colour), 0, 0, colours, false},
    {"sites", CONFIG_LIST, offsetof(struct settings, sites), 0, 0, NULL, false},
    {0},
};

static void a_file_fills_the_struct(void **state)
{
    (void)state;
    struct settings s = {.port = 80};
    struct config *c;
    struct err e;
    struct slice text =
        SLICE("# a comment\nname: kent\nshare: 0.5\nquiet: true\ncolour: green\nsites:\n  - a\n  - \"b\"\n");
    assert_int_equal(config_parse(text, "t.yaml", &c, &e), ST_OK);
    assert_int_equal(config_read(c, fields, &s, &e), ST_OK);
    assert_string_equal(s.name, "kent");
    assert_int_equal(s.port, 80);
    assert_true(s.share > 0.49 && s.share < 0.51);
    assert_true(s.quiet);
    assert_int_equal(s.colour, 1);
    assert_int_equal(config_size(s.sites), 2);
    assert_string_equal(config_text(config_at(s.sites, 1)), "b");
    assert_null(config_at(s.sites, 2));
    config_free(c);
}

static void bad_files_are_refused_with_line_and_nearest_key(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *says;
    } bad[] = {
        {"name: x\nprot: 1\n", "t.yaml, line 2: unknown key 'prot'; did you mean 'port'?"},
        {"name: x\nport: 70000\n", "line 2: 'port' must be a whole number from 1 to 65535"},
        {"name: x\nquiet: yes\n", "line 2: 'quiet' must be true or false"},
        {"name: x\ncolour: gren\n", "did you mean 'green'"},
        {"name: x\nname: y\n", "line 2: the key 'name' is given twice"},
        {"port: 1\n", "the key 'name' is missing"},
        {"name: [x]\n", "'name' must be one value"},
        {"name: x\nsites: a\n", "'sites' must be a list"},
        {"name: &a x\n", "anchors"},
        {"name: *a\n", "line 1"},
        {"name: !!str x\n", "tags"},
        {"- a\n", "expected 'key: value' lines"},
        {"name: x\n---\nname: y\n", "more than one document"},
        {"name: \"x\n", "not valid YAML"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct settings s = {0};
        struct config *c = NULL;
        struct err e = {0};
        enum status status = config_parse(slice_of(bad[i].yaml), "t.yaml", &c, &e);
        if (status == ST_OK)
            status = config_read(c, fields, &s, &e);
        assert_int_equal(status, ST_INVALID);
        if (!strstr(e.text, bad[i].says))
            fail_msg("'%s' does not say '%s'", e.text, bad[i].says);
        config_free(c);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char text[200] = "name: ";
    struct config *c;
    struct err e;
    memset(text + 6, '[', 100);
    assert_int_equal(config_parse(slice_of(text), "t.yaml", &c, &e), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_fills_the_struct),
        cmocka_unit_test(bad_files_are_refused_with_line_and_nearest_key),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
