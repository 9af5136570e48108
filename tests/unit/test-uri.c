/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/uri.h"

#include "tests/unit/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct nbd_uri uri;

static void check(const char *text, const char *host, uint16_t port, const char *export_name)
{
    enum nbd_uri_problem problem = nbd_uri_parse(text, &uri);

    if (problem != NBD_URI_OK) {
        fail_msg("%s: %s", text, nbd_uri_problem_text(problem));
    }
    assert_string_equal(uri.host, host);
    assert_int_equal(uri.port, port);
    assert_string_equal(uri.export_name, export_name);
    assert_int_equal(uri.export_length, strlen(export_name));
}

static void check_problem(const char *text, enum nbd_uri_problem expected)
{
    enum nbd_uri_problem problem = nbd_uri_parse(text, &uri);

    if (problem != expected) {
        fail_msg("'%s': %s, not: %s", text, nbd_uri_problem_text(problem), nbd_uri_problem_text(expected));
    }
}

/* The examples of doc/uri.md, "NBD URI export name". */
static void examples_of_the_document(void **state)
{
    (void)state;
    check("nbd://example.com/disk", "example.com", 10809, "disk");
    check("nbd+unix:///disk?socket=sock", "", 10809, "disk");
    check("nbd://example.com/", "example.com", 10809, "");
    check("nbd://example.com", "example.com", 10809, "");
    check("nbd://example.com//disk", "example.com", 10809, "/disk");
    check("nbd://example.com/hello%20world", "example.com", 10809, "hello world");
    check("nbd://example.com:10809/export", "example.com", 10809, "export");
    check("nbd+unix:///?socket=%00/abstract", "", 10809, "");
}

static void hosts_and_ports(void **state)
{
    (void)state;
    check("nbd://192.0.2.7:1/x", "192.0.2.7", 1, "x");
    check("nbd://host:65535", "host", 65535, "");
    check("nbd://host:/x", "host", 10809, "x");
    check("nbd://host:00010809/x", "host", 10809, "x");
    check("nbd://[2001:db8::7]/x", "2001:db8::7", 10809, "x");
    check("nbd://[::1]:2000", "::1", 2000, "");
    check("nbd://[::ffff:192.0.2.7]:2000/a/b", "::ffff:192.0.2.7", 2000, "a/b");
    check("nbd://[fe80::1%25eth0]/x", "fe80::1%25eth0", 10809, "x");
    check("NBD://Host/X", "Host", 10809, "X");
    check("nbd://h%6Fst/x", "host", 10809, "x");
}

static void exports(void **state)
{
    (void)state;
    check("nbd://h/a%2Fb%3F%23%25", "h", 10809, "a/b?#%");
    check("nbd://h/%E2%82%AC", "h", 10809, "\xE2\x82\xAC");
    check("nbd://h/\xE2\x82\xAC", "h", 10809, "\xE2\x82\xAC");
    check("nbd://h/a:b@c", "h", 10809, "a:b@c");
}

static void schemes(void **state)
{
    (void)state;
    check("nbds://h/x?tls-type=x509&tls-hostname=y&tls-verify-peer=1", "h", 10809, "x");
    assert_true(uri.tls);
    assert_false(uri.unix_socket);
    check("nbds+unix:///x?socket=/run/s", "", 10809, "x");
    assert_true(uri.tls);
    assert_true(uri.unix_socket);
    check("nbd://user:secret@h/x", "h", 10809, "x");
    assert_true(uri.user);
    assert_false(uri.tls);
}

static void problems(void **state)
{
    (void)state;
    check_problem("", NBD_URI_NO_SCHEME);
    check_problem("nbd", NBD_URI_NO_SCHEME);
    check_problem("http://h/x", NBD_URI_NO_SCHEME);
    check_problem("nbd+vsock:///x", NBD_URI_NO_SCHEME);
    check_problem("://h", NBD_URI_NO_SCHEME);
    check_problem("nbd:", NBD_URI_NO_AUTHORITY);
    check_problem("nbd:/h/x", NBD_URI_NO_AUTHORITY);
    check_problem("nbd://", NBD_URI_NO_HOST);
    check_problem("nbd:///x", NBD_URI_NO_HOST);
    check_problem("nbd://:1/x", NBD_URI_NO_HOST);
    check_problem("nbd://user@/x", NBD_URI_NO_HOST);
    check_problem("nbd://[::1/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://[::1]x/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://[]/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://[host]/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://[12]/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://a[::1]/x", NBD_URI_HOST_BROKEN);
    check_problem("nbd://h:0/x", NBD_URI_PORT_BROKEN);
    check_problem("nbd://h:65536/x", NBD_URI_PORT_BROKEN);
    check_problem("nbd://h:99999999999999999999/x", NBD_URI_PORT_BROKEN);
    check_problem("nbd://h:1a/x", NBD_URI_PORT_BROKEN);
    check_problem("nbd://::1/x", NBD_URI_PORT_BROKEN);
    check_problem("nbd://h/%", NBD_URI_ESCAPE_BROKEN);
    check_problem("nbd://h/%2", NBD_URI_ESCAPE_BROKEN);
    check_problem("nbd://h/%2g", NBD_URI_ESCAPE_BROKEN);
    check_problem("nbd://h/%00", NBD_URI_ESCAPE_BROKEN);
    check_problem("nbd://h/a b", NBD_URI_CHARACTER_BROKEN);
    check_problem("nbd://h/a\tb", NBD_URI_CHARACTER_BROKEN);
    check_problem("nbd://h/a\\b", NBD_URI_CHARACTER_BROKEN);
    check_problem("nbd://h/x#part", NBD_URI_FRAGMENT);
    check_problem("nbd+unix:///x", NBD_URI_NO_SOCKET);
    check_problem("nbd+unix:///x?socket=", NBD_URI_NO_SOCKET);
    check_problem("nbd://h/x?speed=fast", NBD_URI_PARAMETER);
}

/* A text of `head`, `count` times `fill`, and nothing behind it that may be read. */
static char *long_text(const char *head, size_t count, char fill)
{
    size_t length = strlen(head);
    char *text = malloc(length + count + 1);

    memcpy(text, head, length);
    memset(text + length, fill, count);
    text[length + count] = '\0';
    return text;
}

static void lengths(void **state)
{
    static const struct {
        const char *head;
        size_t count;
        enum nbd_uri_problem problem;
    } rows[] = {
        {"nbd://", NBD_URI_HOST_MAX, NBD_URI_OK},
        {"nbd://", NBD_URI_HOST_MAX + 1, NBD_URI_HOST_TOO_LONG},
        {"nbd://", 100000, NBD_URI_HOST_TOO_LONG},
        {"nbd://h/", NBD_URI_EXPORT_MAX, NBD_URI_OK},
        {"nbd://h/", NBD_URI_EXPORT_MAX + 1, NBD_URI_EXPORT_TOO_LONG},
        {"nbd://h/", 100000, NBD_URI_EXPORT_TOO_LONG},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(rows); i++) {
        char *text = long_text(rows[i].head, rows[i].count, 'a');

        check_problem(text, rows[i].problem);
        free(text);
    }
}

static void address_too_long(void **state)
{
    char *text = long_text("nbd://[", NBD_URI_HOST_MAX + 1, ':');

    (void)state;
    text = realloc(text, strlen(text) + 2);
    check_problem(strcat(text, "]"), NBD_URI_HOST_TOO_LONG);
    free(text);
}

static void each_problem_has_its_own_words(void **state)
{
    (void)state;
    for (int i = NBD_URI_OK; i <= NBD_URI_FRAGMENT; i++) {
        for (int j = NBD_URI_OK; j < i; j++) {
            assert_string_not_equal(nbd_uri_problem_text((enum nbd_uri_problem)i),
                                    nbd_uri_problem_text((enum nbd_uri_problem)j));
        }
    }
}

static void what_is_meant_as_a_uri(void **state)
{
    (void)state;
    assert_true(nbd_uri_is_meant("nbd://h"));
    assert_true(nbd_uri_is_meant("http://h"));
    assert_true(nbd_uri_is_meant("nbd+unix:///x"));
    assert_false(nbd_uri_is_meant("host"));
    assert_false(nbd_uri_is_meant("host:1"));
    assert_false(nbd_uri_is_meant("2001:db8::1"));
    assert_false(nbd_uri_is_meant("://h"));
    assert_false(nbd_uri_is_meant(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_document),
        cmocka_unit_test(hosts_and_ports),
        cmocka_unit_test(exports),
        cmocka_unit_test(schemes),
        cmocka_unit_test(problems),
        cmocka_unit_test(lengths),
        cmocka_unit_test(address_too_long),
        cmocka_unit_test(each_problem_has_its_own_words),
        cmocka_unit_test(what_is_meant_as_a_uri),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
