/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/uri.h"

#include "core/base/memory.h"

/* A part of the text. */
struct span {
    const char *begin;
    const char *end;
};

/* ---- Characters (RFC 3986, appendix A) ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* -1: none. */
static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes above 0x7F are UTF-8 that somebody did not encode: taken as they are. */
static bool is_allowed(char c)
{
    static const char never[] = "\"<>\\^`{|}";

    for (size_t i = 0; i < sizeof never - 1; i++) {
        if (c == never[i]) {
            return false;
        }
    }
    return (uint8_t)c > 0x20 && c != 0x7F;
}

static bool is_scheme_character(char c)
{
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* ---- Spans ---- */

static size_t span_length(struct span span)
{
    return (size_t)(span.end - span.begin);
}

/* The first `c` of the span; its end when there is none. */
static const char *span_find(struct span span, char c)
{
    const char *at = span.begin;

    while (at != span.end && *at != c) {
        at++;
    }
    return at;
}

/* Cuts off and answers what is before the first `c`, and the `c`; all of it when there is none. */
static struct span span_take(struct span *rest, char c)
{
    const char *at = span_find(*rest, c);
    struct span taken = {rest->begin, at};

    rest->begin = at == rest->end ? at : at + 1;
    return taken;
}

static bool span_is(struct span span, const char *word)
{
    const char *at = span.begin;

    while (at != span.end && *word != '\0' && lower(*at) == *word) {
        at++;
        word++;
    }
    return at == span.end && *word == '\0';
}

/* ---- Percent-encoding ---- */

/* Decodes to `to`, of `size` bytes with the NUL, and writes the length. `too_long`: the problem when it does not fit.
 */
static enum nbd_uri_problem decode(struct span span, char *to, size_t size, size_t *length,
                                   enum nbd_uri_problem too_long)
{
    *length = 0;
    while (span.begin != span.end) {
        char c = *span.begin++;

        if (c == '%') {
            int high = span_length(span) >= 2 ? hex_value(span.begin[0]) : -1;
            int low = span_length(span) >= 2 ? hex_value(span.begin[1]) : -1;

            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                return NBD_URI_ESCAPE_BROKEN;
            }
            c = (char)(high << 4 | low);
            span.begin += 2;
        }
        if (*length + 1 >= size) {
            return too_long;
        }
        to[(*length)++] = c;
    }
    to[*length] = '\0';
    return NBD_URI_OK;
}

/* ---- The parts ---- */

static bool read_scheme(struct span scheme, struct nbd_uri *uri)
{
    uri->tls = span_is(scheme, "nbds") || span_is(scheme, "nbds+unix");
    uri->unix_socket = span_is(scheme, "nbd+unix") || span_is(scheme, "nbds+unix");
    return uri->tls || uri->unix_socket || span_is(scheme, "nbd");
}

static enum nbd_uri_problem read_port(struct span digits, uint16_t *port)
{
    uint32_t value = 0;

    if (span_length(digits) == 0) { /* "host:" is allowed and means the default */
        return NBD_URI_OK;
    }
    for (; digits.begin != digits.end; digits.begin++) {
        if (!is_digit(*digits.begin)) {
            return NBD_URI_PORT_BROKEN;
        }
        value = value * 10 + (uint32_t)(*digits.begin - '0');
        if (value > UINT16_MAX) {
            return NBD_URI_PORT_BROKEN;
        }
    }
    *port = (uint16_t)value;
    return value == 0 ? NBD_URI_PORT_BROKEN : NBD_URI_OK;
}

/* What may stand in brackets: hexadecimal digits, colons, the dots of an IPv4 address at its end, and a zone. Whether
 * it is an address the resolver says. */
static bool is_ipv6_text(struct span span)
{
    bool colon = false;
    struct span address = span_take(&span, '%');

    for (const char *at = address.begin; at != address.end; at++) {
        if (hex_value(*at) < 0 && *at != ':' && *at != '.') {
            return false;
        }
        colon |= *at == ':';
    }
    return colon;
}

static enum nbd_uri_problem read_ipv6(struct span rest, struct nbd_uri *uri, size_t *length)
{
    struct span address = {rest.begin + 1, span_find(rest, ']')};

    if (address.end == rest.end || !is_ipv6_text(address)) {
        return NBD_URI_HOST_BROKEN;
    }
    rest.begin = address.end + 1;
    if (rest.begin != rest.end && *rest.begin++ != ':') {
        return NBD_URI_HOST_BROKEN;
    }
    if (span_length(address) > NBD_URI_HOST_MAX) {
        return NBD_URI_HOST_TOO_LONG;
    }
    *length = span_length(address);
    memcpy(uri->host, address.begin, *length);
    uri->host[*length] = '\0';
    return read_port(rest, &uri->port);
}

static enum nbd_uri_problem read_name(struct span rest, struct nbd_uri *uri, size_t *length)
{
    struct span host = span_take(&rest, ':');
    enum nbd_uri_problem problem;

    if (span_find(host, '[') != host.end || span_find(host, ']') != host.end) {
        return NBD_URI_HOST_BROKEN;
    }
    problem = decode(host, uri->host, sizeof uri->host, length, NBD_URI_HOST_TOO_LONG);
    return problem == NBD_URI_OK ? read_port(rest, &uri->port) : problem;
}

static enum nbd_uri_problem read_authority(struct span authority, struct nbd_uri *uri)
{
    enum nbd_uri_problem problem;
    size_t length = 0;

    uri->port = NBD_DEFAULT_PORT;
    if (span_find(authority, '@') != authority.end) {
        span_take(&authority, '@');
        uri->user = true;
    }
    if (authority.begin != authority.end && *authority.begin == '[') {
        problem = read_ipv6(authority, uri, &length);
    } else {
        problem = read_name(authority, uri, &length);
    }
    if (problem != NBD_URI_OK) {
        return problem;
    }
    return length == 0 && !uri->unix_socket ? NBD_URI_NO_HOST : NBD_URI_OK;
}

static bool is_known_parameter(struct span key)
{
    return span_is(key, "socket") || span_is(key, "tls-type") || span_is(key, "tls-hostname") ||
           span_is(key, "tls-verify-peer");
}

static enum nbd_uri_problem read_query(struct span query, const struct nbd_uri *uri)
{
    bool has_socket = false;

    while (query.begin != query.end) {
        struct span parameter = span_take(&query, '&');
        struct span key = span_take(&parameter, '=');

        if (!is_known_parameter(key)) {
            return NBD_URI_PARAMETER;
        }
        has_socket |= span_is(key, "socket") && span_length(parameter) != 0;
    }
    return uri->unix_socket && !has_socket ? NBD_URI_NO_SOCKET : NBD_URI_OK;
}

static enum nbd_uri_problem check_characters(struct span text)
{
    for (; text.begin != text.end; text.begin++) {
        if (*text.begin == '#') {
            return NBD_URI_FRAGMENT;
        }
        if (!is_allowed(*text.begin)) {
            return NBD_URI_CHARACTER_BROKEN;
        }
    }
    return NBD_URI_OK;
}

/* Everything behind "scheme://". */
static enum nbd_uri_problem read_rest(struct span rest, struct nbd_uri *uri)
{
    enum nbd_uri_problem problem = check_characters(rest);
    struct span before_query = span_take(&rest, '?');
    struct span authority = span_take(&before_query, '/');

    if (problem == NBD_URI_OK) {
        problem = read_authority(authority, uri);
    }
    if (problem == NBD_URI_OK) {
        problem = decode(before_query, uri->export_name, sizeof uri->export_name, &uri->export_length,
                         NBD_URI_EXPORT_TOO_LONG);
    }
    return problem == NBD_URI_OK ? read_query(rest, uri) : problem;
}

/* ---- All of it ---- */

static const char *end_of(const char *text)
{
    while (*text != '\0') {
        text++;
    }
    return text;
}

static bool begins_authority(struct span rest)
{
    return span_length(rest) >= 2 && rest.begin[0] == '/' && rest.begin[1] == '/';
}

bool nbd_uri_is_meant(const char *text)
{
    const char *at = text;

    while (is_scheme_character(*at)) {
        at++;
    }
    return at != text && at[0] == ':' && at[1] == '/' && at[2] == '/';
}

enum nbd_uri_problem nbd_uri_parse(const char *text, struct nbd_uri *uri)
{
    struct span rest = {text, end_of(text)};
    struct span scheme = span_take(&rest, ':');

    memset(uri, 0, sizeof *uri);
    if (scheme.end == end_of(text) || !read_scheme(scheme, uri)) {
        return NBD_URI_NO_SCHEME;
    }
    if (!begins_authority(rest)) {
        return NBD_URI_NO_AUTHORITY;
    }
    rest.begin += 2;
    return read_rest(rest, uri);
}

const char *nbd_uri_problem_text(enum nbd_uri_problem problem)
{
    switch (problem) {
    case NBD_URI_OK:
        return "it is well formed";
    case NBD_URI_NO_SCHEME:
        return "it does not begin with nbd:, nbds:, nbd+unix: or nbds+unix:";
    case NBD_URI_NO_AUTHORITY:
        return "there is no // behind its scheme";
    case NBD_URI_NO_HOST:
        return "it names no host";
    case NBD_URI_HOST_BROKEN:
        return "its host is neither a name nor an address";
    case NBD_URI_HOST_TOO_LONG:
        return "its host has more than 255 bytes";
    case NBD_URI_PORT_BROKEN:
        return "its port is not a number from 1 to 65535";
    case NBD_URI_ESCAPE_BROKEN:
        return "a % in it is not followed by two hexadecimal digits other than 00";
    case NBD_URI_CHARACTER_BROKEN:
        return "it has a character that must be written as % and two hexadecimal digits";
    case NBD_URI_EXPORT_TOO_LONG:
        return "its export name has more than 4096 bytes";
    case NBD_URI_NO_SOCKET:
        return "it names no socket (?socket=...)";
    case NBD_URI_PARAMETER:
        return "it has a parameter that is not known";
    case NBD_URI_FRAGMENT:
        return "it has a # part, which an NBD URI has not";
    }
    return "it is not well formed";
}
