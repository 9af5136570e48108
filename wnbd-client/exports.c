/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exports: what a server has, without mapping any of it. */
#include "wnbd-client/commands.h"
#include "wnbd-client/exports_print.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"
#include "wnbd-client/server.h"
#include "wnbd-client/talk.h"

#include <stdlib.h>
#include <string.h>

struct names {
    char (*list)[NBD_EXPORT_NAME_MAX + 1];
    size_t count;
    size_t room;
    size_t unusable; /* that no client could ask for */
    bool lost;       /* there was no memory */
};

/* ---- The list ---- */

static bool make_room(struct names *names)
{
    size_t room = names->room != 0 ? 2 * names->room : 16;
    void *list = names->count < names->room ? names->list : realloc(names->list, room * sizeof(names->list[0]));

    if (!list)
        return false;
    names->room = names->count < names->room ? names->room : room;
    names->list = list;
    return true;
}

static void add_name(const struct nbd_handshake *handshake, void *context)
{
    struct names *names = context;

    if (!handshake->entry_usable) {
        names->unusable++;
    } else if (names->lost || !make_room(names)) {
        names->lost = true;
    } else {
        memcpy(names->list[names->count++], handshake->entry_name, sizeof(names->list[0]));
    }
}

static int report_problem(const NBD_CONNECTION_PROPERTIES *server, DWORD error, const char *problem)
{
    report_sentence("cannot list the exports of %s: %s", server->Hostname, problem);
    return (int)error;
}

static int read_names(const NBD_CONNECTION_PROPERTIES *server, struct names *names)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];
    DWORD error;

    nbd_handshake_init_list(&handshake);
    error = talk(server, &handshake, add_name, names, problem);
    if (error != ERROR_SUCCESS)
        return report_problem(server, error, problem);
    if (names->lost)
        return report_problem(server, ERROR_NOT_ENOUGH_MEMORY, "there is not enough memory");
    if (names->unusable != 0)
        report_note("%lu exports have names that no client can ask for", (unsigned long)names->unusable);
    return ERROR_SUCCESS;
}

/* ---- All of them, or one ---- */

/* nbd-server up to 3.24 at least answers NBD_OPT_INFO with a size of 0 bytes, and tells the true one to who uses the
 * export. */
static void ask_size_again(const NBD_CONNECTION_PROPERTIES *server, const char *name, struct nbd_export *server_export)
{
    static struct nbd_handshake session;
    char problem[TALK_PROBLEM_SIZE];

    nbd_handshake_init(&session, name, strlen(name));
    if (talk(server, &session, NULL, NULL, problem) == ERROR_SUCCESS)
        server_export->size = session.server_export.size;
}

/* One more connection: the export is asked what it is, and not used. */
static DWORD ask(const NBD_CONNECTION_PROPERTIES *server, const char *name, struct nbd_handshake *handshake,
                 char problem[TALK_PROBLEM_SIZE])
{
    DWORD error;

    nbd_handshake_init_query(handshake, name, strlen(name));
    error = talk(server, handshake, NULL, NULL, problem);
    if (error == ERROR_SUCCESS && handshake->server_export.size == 0)
        ask_size_again(server, name, &handshake->server_export);
    return error;
}

/* An export that does not answer is told in its row: the others are worth knowing. */
static int print_all(const NBD_CONNECTION_PROPERTIES *server, const struct names *names, bool json)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];

    exports_print_begin(json);
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->list[i];

        if (ask(server, name, &handshake, problem) == ERROR_SUCCESS)
            exports_print(json, name, &handshake);
        else
            exports_print_problem(json, name, problem);
    }
    exports_print_end(json);
    return ERROR_SUCCESS;
}

static int print_one(const NBD_CONNECTION_PROPERTIES *server, bool json)
{
    static struct nbd_handshake handshake;
    char problem[TALK_PROBLEM_SIZE];
    DWORD error = ask(server, server->ExportName, &handshake, problem);

    if (error != ERROR_SUCCESS)
        return report_problem(server, error, problem);
    exports_print_begin(json);
    exports_print(json, server->ExportName, &handshake);
    exports_print_end(json);
    return ERROR_SUCCESS;
}

static int list_and_print(const NBD_CONNECTION_PROPERTIES *server, bool json)
{
    struct names names = {0};
    int code = read_names(server, &names);

    if (code == ERROR_SUCCESS)
        code = print_all(server, &names, json);
    free(names.list);
    return code;
}

int command_exports(const struct arguments *arguments)
{
    NBD_CONNECTION_PROPERTIES server = {0};
    bool json;
    int code = json_read_format(arguments, &json);

    if (code == ERROR_SUCCESS)
        code = server_read(arguments, "", &server);
    if (code != ERROR_SUCCESS)
        return code;
    return server.ExportName[0] ? print_one(&server, json) : list_and_print(&server, json);
}
