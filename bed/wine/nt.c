/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wine/nt.h"

#define HEAP_ZERO_MEMORY_FLAG 8
#define THREAD_STACK          (256 * 1024)

void *bed_allocate(size_t size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY_FLAG, size);
}

void bed_free(void *block)
{
    HeapFree(GetProcessHeap(), 0, block);
}

struct start {
    void (*routine)(void *argument);
    void *argument;
};

static unsigned long __stdcall run(void *argument)
{
    struct start start = *(struct start *)argument;

    bed_free(argument);
    start.routine(start.argument);
    return 0;
}

bool bed_thread_start(void (*routine)(void *argument), void *argument)
{
    struct start *start = bed_allocate(sizeof(*start));
    void *thread;

    if (start == NULL) {
        return false;
    }
    *start = (struct start){routine, argument};
    thread = CreateThread(NULL, THREAD_STACK, run, start, 0, NULL);
    if (thread == NULL) {
        bed_free(start);
        return false;
    }
    CloseHandle(thread);
    return true;
}

void bed_wait_word(const volatile LONG *word, LONG value, ULONG ms)
{
    LARGE_INTEGER timeout = {.QuadPart = -10000LL * ms};

    RtlWaitOnAddress((const void *)(uintptr_t)word, &value, sizeof(value), ms == WAIT_INFINITE ? NULL : &timeout);
}

void bed_wake_word(const volatile LONG *word)
{
    RtlWakeAddressAll((const void *)(uintptr_t)word);
}
