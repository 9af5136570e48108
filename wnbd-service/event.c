/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/event.h"

#include <stdio.h>
#include <wchar.h>

#define MOST_TEXTS   3
#define TEXT_LENGTH  1024
#define LINE_LENGTH  4096
#define SEVERITY(id) ((id) >> 30)
#define NUMBER(id)   ((id) & 0xFFFF)

static HANDLE event_log;
static bool is_printing;

void event_start(bool is_foreground)
{
    is_printing = is_foreground;
    event_log = RegisterEventSourceW(NULL, EVENT_SOURCE);
}

static WORD type_of(DWORD id)
{
    return SEVERITY(id) == 3   ? EVENTLOG_ERROR_TYPE
           : SEVERITY(id) == 2 ? EVENTLOG_WARNING_TYPE
                               : EVENTLOG_INFORMATION_TYPE;
}

/* The message as the event log shows it, from the same table. */
static void format(DWORD id, WCHAR *const *texts, WCHAR line[LINE_LENGTH])
{
    union {
        WCHAR *const *texts;
        va_list *arguments;
    } inserts = {.texts = texts};
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                       NULL, id, 0, line, LINE_LENGTH, inserts.arguments);

    while (length > 0 && line[length - 1] <= L' ')
        length--;
    line[length] = L'\0';
}

static void print(DWORD id, WCHAR *const *texts)
{
    WCHAR line[LINE_LENGTH];
    char text[LINE_LENGTH * 3];
    char all[LINE_LENGTH * 3 + 32];

    format(id, texts, line);
    text[0] = '\0';
    WideCharToMultiByte(CP_UTF8, 0, line, -1, text, sizeof(text), NULL, NULL);
    snprintf(all, sizeof(all), "wnbd-service %lu: %s\n", NUMBER(id), text);
    OutputDebugStringA(all);
    if (is_printing) {
        fputs(all, stdout);
        fflush(stdout);
    }
}

void event_report(DWORD id, const char *first, const char *second, const char *third)
{
    const char *given[MOST_TEXTS] = {first, second, third};
    static const WCHAR nothing[] = L"";
    WCHAR wide[MOST_TEXTS][TEXT_LENGTH];
    WCHAR *texts[MOST_TEXTS];
    const WCHAR *strings[MOST_TEXTS];
    WORD count = 0;

    for (WORD i = 0; i < MOST_TEXTS; i++) {
        wcscpy(wide[i], nothing);
        if (given[i]) {
            MultiByteToWideChar(CP_UTF8, 0, given[i], -1, wide[i], TEXT_LENGTH);
            wide[i][TEXT_LENGTH - 1] = L'\0'; /* a text that is too long is cut */
            count = i + 1;
        }
        strings[i] = texts[i] = wide[i];
    }
    print(id, texts);
    if (event_log)
        ReportEventW(event_log, type_of(id), 0, id, NULL, count, 0, strings, NULL);
}
