/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_CLIENT_SERVE_FILE_H
#define WNBD_CLIENT_SERVE_FILE_H

#include "wnbd-client/serve_medium.h"

/* A file as a medium. Nobody else may write to it as long as it is open. Fixed after it is opened. */
struct file {
    struct medium medium;
    HANDLE handle; /* for overlapped use */
    DWORD events;  /* index of thread local storage: an event for the thread's requests */
    WCHAR *path;   /* from malloc */
    uint64_t size_before;
    bool read_only;
    bool made; /* there was no such file */
};

extern const struct medium_functions serve_file_functions;

#endif
