/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/console.h"

#include <ctype.h>
#include <stdio.h>

#define LINES_UNKNOWN 24

static HANDLE ctrl_c; /* event */
static HANDLE input;  /* NULL: no console, nobody types */
static HANDLE output;

static BOOL WINAPI on_ctrl_c(DWORD type)
{
    if (type != CTRL_C_EVENT && type != CTRL_BREAK_EVENT)
        return FALSE;
    SetEvent(ctrl_c);
    return TRUE;
}

static HANDLE console_of(DWORD which)
{
    HANDLE handle = GetStdHandle(which);
    DWORD mode;

    return handle != INVALID_HANDLE_VALUE && GetConsoleMode(handle, &mode) ? handle : NULL;
}

bool console_begin(void)
{
    ctrl_c = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (ctrl_c)
        SetConsoleCtrlHandler(on_ctrl_c, TRUE);
    output = console_of(STD_OUTPUT_HANDLE);
    input = output ? console_of(STD_INPUT_HANDLE) : NULL;
    return output != NULL;
}

/* The next key among what has happened on the console, if any. */
static char take_key(void)
{
    INPUT_RECORD record;
    DWORD count;

    while (GetNumberOfConsoleInputEvents(input, &count) && count != 0 && ReadConsoleInputW(input, &record, 1, &count)) {
        WCHAR letter = record.Event.KeyEvent.uChar.UnicodeChar;

        if (record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown && letter > 0 && letter < 128)
            return (char)tolower(letter);
    }
    return 0;
}

char console_wait(DWORD milliseconds)
{
    HANDLE handles[] = {ctrl_c, input};
    ULONGLONG end_ms = GetTickCount64() + milliseconds;
    char key = 0;

    while (key == 0) {
        ULONGLONG now_ms = GetTickCount64();
        DWORD left_ms = now_ms < end_ms ? (DWORD)(end_ms - now_ms) : 0;
        DWORD what = WaitForMultipleObjects(input ? 2 : 1, handles, FALSE, left_ms);

        if (what == WAIT_OBJECT_0)
            return CONSOLE_ENDED;
        if (what != WAIT_OBJECT_0 + 1)
            return 0;
        key = take_key();
    }
    return key;
}

unsigned console_lines(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(output, &info))
        return LINES_UNKNOWN;
    return (unsigned)(info.srWindow.Bottom - info.srWindow.Top + 1);
}

/* ---- The screen: by the console's functions, which every Windows has, and so no escape sequence is ever printed ----
 */

void console_home(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    fflush(stdout);
    if (GetConsoleScreenBufferInfo(output, &info))
        SetConsoleCursorPosition(output, (COORD){info.srWindow.Left, info.srWindow.Top});
}

/* Fills `cells` from the cursor on. */
static void clear(const CONSOLE_SCREEN_BUFFER_INFO *info, DWORD cells)
{
    DWORD count;

    FillConsoleOutputCharacterW(output, L' ', cells, info->dwCursorPosition, &count);
}

void console_end_line(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    fflush(stdout);
    if (GetConsoleScreenBufferInfo(output, &info))
        clear(&info, (DWORD)(info.dwSize.X - info.dwCursorPosition.X));
    putchar('\n');
}

void console_clear_below(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    fflush(stdout);
    if (GetConsoleScreenBufferInfo(output, &info) && info.srWindow.Bottom >= info.dwCursorPosition.Y)
        clear(&info, (DWORD)(info.srWindow.Bottom - info.dwCursorPosition.Y + 1) * (DWORD)info.dwSize.X);
}

void console_end(void)
{
    if (ctrl_c)
        SetConsoleCtrlHandler(on_ctrl_c, FALSE);
}
