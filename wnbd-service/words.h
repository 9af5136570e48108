/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why something failed, as a clause in UTF-8. */
#ifndef WNBD_SERVICE_WORDS_H
#define WNBD_SERVICE_WORDS_H

#include <windows.h>

#define WORDS_SIZE 1024

/* From now on the library's messages are kept, those of each thread for itself. */
void words_start(void);

/* Forgets what the library has said on this thread. */
void words_forget(void);

/* Windows' words for an error. */
void words_of_error(DWORD error, char words[WORDS_SIZE]);

/* Why something that concerns a disk failed on this thread: what the library has said, or else Windows' words. */
void words_of_failure(DWORD error, const char *disk, char words[WORDS_SIZE]);

#endif
