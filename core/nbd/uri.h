/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NBD URIs (doc/uri.md of the NetworkBlockDevice project; RFC 3986):
 *
 *     nbd://host[:port][/export]     NBD over TCP
 *     nbds://...                     the same with TLS
 *     nbd+unix:///export?socket=...  over a Unix socket; nbds+unix with TLS
 *
 * All of them are understood, so that what a client cannot do is said in words and not taken for a wrong spelling.
 */
#ifndef WNBD_CORE_NBD_URI_H
#define WNBD_CORE_NBD_URI_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NBD_URI_HOST_MAX   255  /* bytes, as a DNS name */
#define NBD_URI_EXPORT_MAX 4096 /* bytes, doc/proto.md, "Values" */
#define NBD_DEFAULT_PORT   10809

enum nbd_uri_problem {
    NBD_URI_OK,
    NBD_URI_NO_SCHEME,        /* no nbd, nbds, nbd+unix or nbds+unix and a colon in front */
    NBD_URI_NO_AUTHORITY,     /* nothing like "//" behind it */
    NBD_URI_NO_HOST,          /* TCP without a host */
    NBD_URI_HOST_BROKEN,      /* an address in brackets that is none, or characters that no host name has */
    NBD_URI_HOST_TOO_LONG,    /* above NBD_URI_HOST_MAX */
    NBD_URI_PORT_BROKEN,      /* not 1 to 65535 */
    NBD_URI_ESCAPE_BROKEN,    /* a % without two hexadecimal digits, or %00 in a name */
    NBD_URI_CHARACTER_BROKEN, /* a space, a control character, or one of "<>\^`{|} */
    NBD_URI_EXPORT_TOO_LONG,  /* above NBD_URI_EXPORT_MAX */
    NBD_URI_NO_SOCKET,        /* nbd+unix without the parameter `socket` */
    NBD_URI_PARAMETER,        /* a query parameter that nobody knows */
    NBD_URI_FRAGMENT,         /* a # part: an NBD URI has none */
};

struct nbd_uri {
    bool tls;
    bool unix_socket;
    bool user; /* there was a user name, which is for TLS only */
    uint16_t port;
    char host[NBD_URI_HOST_MAX + 1]; /* decoded, without brackets; "" with unix_socket */
    size_t export_length;
    char export_name[NBD_URI_EXPORT_MAX + 1]; /* decoded; "" is the server's default export */
};

/* Whether `text` is meant as a URI: letters, digits, + - . and then "://". */
bool nbd_uri_is_meant(const char *text);

/* Reads `text`, which ends with NUL. `*uri` is filled with NBD_URI_OK only. */
MUST_CHECK enum nbd_uri_problem nbd_uri_parse(const char *text, struct nbd_uri *uri);

/* One clause in words, e.g. "its port is not a number from 1 to 65535"; never NULL. */
const char *nbd_uri_problem_text(enum nbd_uri_problem problem);

#endif
