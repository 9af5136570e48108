/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/words.h"

#include <wnbd.h>

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static _Thread_local char last_error[WORDS_SIZE];

static VOID keep(WnbdLogLevel level, const char *message, const char *file, UINT32 line, const char *function)
{
    (void)file;
    (void)line;
    (void)function;
    if (level <= WnbdLogLevelError)
        snprintf(last_error, sizeof(last_error), "%s", message);
}

void words_start(void)
{
    WnbdSetLogger(keep);
}

void words_forget(void)
{
    last_error[0] = '\0';
}

void words_of_error(DWORD error, char words[WORDS_SIZE])
{
    WCHAR wide[512];
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL,
                       error, 0, wide, ARRAYSIZE(wide), NULL);

    while (length > 0 && wcschr(L" .\r\n", wide[length - 1]))
        length--;
    if (length == 0)
        snprintf(words, WORDS_SIZE, "Windows error %lu", error);
    else
        words[WideCharToMultiByte(CP_UTF8, 0, wide, (int)length, words, WORDS_SIZE - 1, NULL, NULL)] = '\0';
}

/* The library's sentences begin with what could not be done, "cannot map 'x': ", which the event says itself. */
static const char *reason_in(const char *sentence, const char *disk)
{
    char before[WNBD_MAX_NAME_LENGTH + 4];
    const char *found;

    snprintf(before, sizeof(before), "'%s': ", disk);
    found = strstr(sentence, before);
    return found && strncmp(sentence, "cannot ", 7) == 0 ? found + strlen(before) : sentence;
}

void words_of_failure(DWORD error, const char *disk, char words[WORDS_SIZE])
{
    if (last_error[0])
        snprintf(words, WORDS_SIZE, "%s", reason_in(last_error, disk));
    else if (error == WAIT_TIMEOUT)
        snprintf(words, WORDS_SIZE, "Windows did not show the disk in time");
    else if (error == ERROR_SEM_TIMEOUT)
        snprintf(words, WORDS_SIZE, "it has not answered for too long (StaleConnTimeoutMs)");
    else
        words_of_error(error, words);
}
