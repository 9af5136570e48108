/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of the program that die: the dispatcher's, and what else the library has made. */
#include "consumer.h"

#include <tlhelp32.h>

uint32_t threads_find_other(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    uint32_t id = 0;

    for (BOOL found = Thread32First(snapshot, &entry); found && id == 0; found = Thread32Next(snapshot, &entry)) {
        if (entry.th32OwnerProcessID == GetCurrentProcessId() && entry.th32ThreadID != GetCurrentThreadId())
            id = entry.th32ThreadID;
    }
    CloseHandle(snapshot);
    return id;
}

void threads_kill_worker(const struct consumer *consumer, uint32_t index)
{
    say("killed %d", TerminateThread(consumer->disk->DispatcherThreads[index], 1));
}

void threads_kill_keeper(const struct consumer *consumer)
{
    HANDLE thread = OpenThread(THREAD_TERMINATE, FALSE, consumer->keeper);

    say("killed %d", TerminateThread(thread, 1));
    CloseHandle(thread);
}
