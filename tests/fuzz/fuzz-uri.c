/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever somebody types: it is taken or refused in words, and what was taken fits its place and ends with NUL. */
#include "core/nbd/uri.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check(const struct nbd_uri *uri)
{
    require(strnlen(uri->host, sizeof uri->host) < sizeof uri->host);
    require(uri->export_length == strlen(uri->export_name)); /* %00 is refused */
    require(uri->export_length <= NBD_URI_EXPORT_MAX);
    require(uri->unix_socket || uri->host[0] != '\0');
    require(uri->port != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    static struct nbd_uri uri;
    char *text = malloc(length + 1); /* of its exact size: a look beyond is found */
    enum nbd_uri_problem problem;

    memcpy(text, input, length);
    text[length] = '\0';
    problem = nbd_uri_parse(text, &uri);
    if (problem == NBD_URI_OK) {
        require(nbd_uri_is_meant(text));
        check(&uri);
    }
    require(nbd_uri_problem_text(problem)[0] != '\0');
    free(text);
    return 0;
}
