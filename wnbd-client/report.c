/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 16384 /* a command line has less */

static bool is_debugging;
static bool is_following;
static char last_error[WNBD_LOG_MESSAGE_MAX_SIZE];
static char last_warning[WNBD_LOG_MESSAGE_MAX_SIZE];

static VOID keep_message(WnbdLogLevel level, const char *message, const char *file, UINT32 line, const char *function)
{
    char *kept = level <= WnbdLogLevelError ? last_error : level == WnbdLogLevelWarning ? last_warning : NULL;

    (void)file;
    (void)line;
    if (kept && is_following)
        fprintf(stderr, "wnbd-client: %s.\n", message);
    else if (kept)
        snprintf(kept, WNBD_LOG_MESSAGE_MAX_SIZE, "%s", message);
    if (is_debugging)
        fprintf(stderr, "%s %u %s: %s\n", WnbdLogLevelToStr(level), WnbdGetLogMessageId(), function, message);
}

void report_start(bool debug)
{
    is_debugging = debug;
    WnbdSetLogger(keep_message);
    WnbdSetLogLevel(debug ? WnbdLogLevelDebug : WnbdLogLevelInfo);
}

void report_follow(void)
{
    is_following = !is_debugging; /* which says all of them */
}

bool report_has_error(void)
{
    return last_error[0] != '\0';
}

/* Codes that mean something special when they come from a disk of ours, where Windows' own words would mislead. */
static const char *own_words(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
        return "no disk of that name is mapped";
    case ERROR_ALREADY_EXISTS:
        return "a disk of that name is mapped already";
    case ERROR_TOO_MANY_NAMES:
        return "the adapter is full: 128 disks are mapped";
    case ERROR_OPERATION_ABORTED:
        return "it was cancelled";
    case ERROR_INVALID_FUNCTION:
        return "the driver does not know this command; it is of another version than this program";
    case ERROR_INVALID_DATA:
        return "the driver's answer makes no sense; it is of another version than this program";
    case WAIT_TIMEOUT:
        return "it took too long";
    case ERROR_OPEN_FAILED:
        return "the WNBD adapter cannot be opened";
    case ERROR_DEVICE_REMOVED:
        return "the adapter was reset or removed";
    case ERROR_SEM_TIMEOUT:
        return "it has not answered for too long";
    case ERROR_SHUTDOWN_IN_PROGRESS:
        return "all disks were unmapped";
    case ERROR_ACCESS_DENIED:
        return "access was denied; administrator rights are needed";
    default:
        return NULL;
    }
}

/* Windows' words for an error, as a clause in UTF-8. Set-up has its own error numbers from 0xE0000000 on, which are
 * written in hexadecimal everywhere. */
static void windows_words(DWORD error, char *text, int size)
{
    WCHAR words[512];
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL,
                       error, 0, words, ARRAYSIZE(words), NULL);

    while (length > 0 && wcschr(L" .\r\n", words[length - 1]))
        length--;
    if (length == 0)
        snprintf(text, (size_t)size, error >= 0xE0000000 ? "Windows error %#lx" : "Windows error %lu", error);
    else
        text[WideCharToMultiByte(CP_UTF8, 0, words, (int)length, text, size - 1, NULL, NULL)] = '\0';
}

static void print_clause(const char *format, va_list arguments)
{
    fputs("wnbd-client: ", stderr);
    vfprintf(stderr, format, arguments);
}

/* A question, which may come with an argument, has its mark. */
static void print_sentence(const char *format, va_list arguments)
{
    static char sentence[SENTENCE_MAX];
    size_t length;

    vsnprintf(sentence, sizeof(sentence), format, arguments);
    length = strlen(sentence);
    fprintf(stderr, "wnbd-client: %s%s\n", sentence, length > 0 && sentence[length - 1] == '?' ? "" : ".");
}

void report_forget(void)
{
    last_error[0] = '\0';
}

int report_failure(DWORD error, const char *format, ...)
{
    const char *why = own_words(error);
    char words[1024];
    va_list arguments;

    if (last_error[0]) {
        fprintf(stderr, "wnbd-client: %s.\n", last_error);
        return (int)error;
    }
    if (!why) {
        windows_words(error, words, sizeof(words));
        why = words;
    }
    va_start(arguments, format);
    print_clause(format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s.\n", why);
    return (int)error;
}

int report_windows(DWORD error, const char *format, ...)
{
    char words[1024];
    va_list arguments;

    windows_words(error, words, sizeof(words));
    va_start(arguments, format);
    print_clause(format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s.\n", words);
    return (int)error;
}

void report_sentence(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
}

int report_misuse(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
    return ERROR_INVALID_PARAMETER;
}

void report_note(const char *format, ...)
{
    va_list arguments;

    fputs("wnbd-client: note: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs(".\n", stderr);
}

int report_end(int code)
{
    bool is_lost = fflush(stdout) != 0 || ferror(stdout);

    if (code != ERROR_SUCCESS)
        return code;
    if (last_warning[0] && !is_debugging)
        report_note("%s", last_warning);
    if (!is_lost)
        return ERROR_SUCCESS;
    report_forget();
    return report_failure(ERROR_WRITE_FAULT, "cannot write the output");
}
