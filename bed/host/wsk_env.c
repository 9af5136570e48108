/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the WSK provider (bed/wsk) asks of this bed, and netio.sys' exports. */
#include "bed/wsk/wsk.h"

#include "bed/host/fault.h"
#include "bed/host/lock.h"
#include "bed/host/resolver.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/host/thread.h"

#include <stdlib.h>
#include <time.h>

#define NAME_BYTES    256
#define INLINE_ONE_IN 3

#define STATUS_NO_SUCH ((NTSTATUS)0xC0000225) /* STATUS_NOT_FOUND */

void *bed_allocate(size_t size)
{
    return calloc(1, size);
}

void bed_free(void *block)
{
    free(block);
}

void bed_free_late(void *block)
{
    free(block);
}

void bed_mutex_acquire(struct bed_mutex *mutex)
{
    bed_lock_unseen((struct bed_lock *)mutex);
}

void bed_mutex_release(struct bed_mutex *mutex)
{
    bed_unlock_unseen((struct bed_lock *)mutex);
}

bool bed_thread_start(void (*start)(void *argument), void *argument)
{
    return bed_thread_run(start, argument);
}

ULONG_PTR bed_thread_id(void)
{
    return bed_thread_self()->number;
}

void bed_sleep(ULONG milliseconds)
{
    struct timespec pause = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

LONGLONG bed_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void bed_wait_word(const volatile LONG *word, LONG value, ULONG ms)
{
    bed_word_wait(word, (uint32_t)value, ms);
}

void bed_wake_word(const volatile LONG *word)
{
    bed_word_wake(word);
}

/* WskDeregister reports what is left; nothing else is charged here. */
void bed_count_network(void *owner, LONG by)
{
    UNREFERENCED_PARAMETER(owner);
    UNREFERENCED_PARAMETER(by);
}

void bed_count_socket(void *owner, LONG by)
{
    UNREFERENCED_PARAMETER(owner);
    UNREFERENCED_PARAMETER(by);
}

bool bed_wsk_fault(void)
{
    return bed_fault(BED_FAULT_WSK);
}

bool bed_wsk_inline(void)
{
    return bed_schedule_chance(INLINE_ONE_IN);
}

void bed_wsk_hand_over(const void *object)
{
    bed_schedule_point(BED_POINT_CALL);
    bed_publish(object);
}

void bed_wsk_take_over(const void *object)
{
    bed_observe(object);
}

/* The system calls themselves are not seen by the sanitizers. */
void bed_wsk_touch(const void *address, size_t length, bool write)
{
#ifdef BED_TSAN
    if (write) {
        __tsan_write_range((void *)(size_t)address, length);
    } else {
        __tsan_read_range((void *)(size_t)address, length);
    }
#else
    if (length != 0 && write) {
        memmove((void *)(size_t)address, address, length); /* AddressSanitizer looks at the whole range */
    } else if (length != 0) {
        (void)!memcmp(address, address, length);
    }
#endif
}

/* ---- names ---- */

static void narrow(const WCHAR *wide, char text[NAME_BYTES])
{
    size_t i = 0;

    for (; wide != NULL && wide[i] != 0 && i < NAME_BYTES - 1; i++) {
        text[i] = wide[i] < 0x80 ? (char)wide[i] : '?';
    }
    text[i] = '\0';
}

struct entry {
    ADDRINFOEXW info;
    SOCKADDR_IN6 address;
};

static void entry_fill(struct entry *entry, const struct resolver_address *address)
{
    SOCKADDR_IN *four = (SOCKADDR_IN *)&entry->address;

    entry->info.ai_family = address->is_6 ? AF_INET6 : AF_INET;
    entry->info.ai_socktype = SOCK_STREAM;
    entry->info.ai_protocol = IPPROTO_TCP;
    entry->info.ai_addr = (SOCKADDR *)&entry->address;
    if (address->is_6) {
        entry->info.ai_addrlen = sizeof(SOCKADDR_IN6);
        entry->address.sin6_family = AF_INET6;
        entry->address.sin6_port = address->port_be;
        memcpy(&entry->address.sin6_addr, address->bytes, 16);
    } else {
        entry->info.ai_addrlen = sizeof(SOCKADDR_IN);
        four->sin_family = AF_INET;
        four->sin_port = address->port_be;
        memcpy(&four->sin_addr, address->bytes, 4);
    }
}

NTSTATUS bed_resolve(const WCHAR *node, const WCHAR *service, const ADDRINFOEXW *hints, ADDRINFOEXW **answer)
{
    struct resolver_address found[RESOLVER_ADDRESSES];
    char node_text[NAME_BYTES];
    char service_text[NAME_BYTES];
    struct entry *entries;
    size_t count;

    UNREFERENCED_PARAMETER(hints);
    narrow(node, node_text);
    narrow(service, service_text);
    count = resolver_ask(node_text, service_text, found);
    if (count == 0) {
        return STATUS_NO_SUCH;
    }
    entries = bed_allocate(count * sizeof(*entries));
    if (entries == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (size_t i = 0; i < count; i++) {
        entry_fill(&entries[i], &found[i]);
        entries[i].info.ai_next = i + 1 < count ? &entries[i + 1].info : NULL;
    }
    *answer = &entries->info;
    return STATUS_SUCCESS;
}

/* ---- netio.sys ---- */

NTSTATUS WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration)
{
    return wsk_client_register(WskClientNpi, WskRegistration, NULL);
}

VOID WskDeregister(PWSK_REGISTRATION WskRegistration)
{
    wsk_client_deregister(WskRegistration);
}

NTSTATUS WskCaptureProviderNPI(PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout, PWSK_PROVIDER_NPI WskProviderNpi)
{
    return wsk_client_capture(WskRegistration, WaitTimeout, WskProviderNpi);
}

VOID WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration)
{
    wsk_client_release(WskRegistration);
}
