/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the WSK provider (bed/wsk) asks of this bed, and its place in the drivers' import tables. */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/shim.h"
#include "bed/wsk/wsk.h"

#define TEB_THREAD_ID 0x48

void bed_free_late(void *block)
{
    (void)block; /* kept: its mark tells who uses it after its end */
}

void bed_mutex_acquire(struct bed_mutex *mutex)
{
    RtlAcquireSRWLockExclusive((RTL_SRWLOCK *)mutex);
}

void bed_mutex_release(struct bed_mutex *mutex)
{
    RtlReleaseSRWLockExclusive((RTL_SRWLOCK *)mutex);
}

ULONG_PTR bed_thread_id(void)
{
    return __readgsqword(TEB_THREAD_ID);
}

void bed_sleep(ULONG milliseconds)
{
    Sleep(milliseconds);
}

LONGLONG bed_now_ms(void)
{
    LARGE_INTEGER time;

    NtQuerySystemTime(&time);
    return time.QuadPart / 10000;
}

void bed_count_network(void *owner, LONG by)
{
    struct bed_image *image = owner;

    BED_COUNT(image, networks, by);
}

void bed_count_socket(void *owner, LONG by)
{
    struct bed_image *image = owner;

    BED_COUNT(image, sockets, by);
    BED_COUNT(image, sockets_made, by > 0);
}

bool bed_wsk_fault(void)
{
    return false;
}

bool bed_wsk_inline(void)
{
    return false;
}

void bed_wsk_hand_over(const void *object)
{
    (void)object;
}

void bed_wsk_take_over(const void *object)
{
    (void)object;
}

void bed_wsk_touch(const void *address, size_t length, bool write)
{
    (void)address;
    (void)length;
    (void)write;
}

static NTSTATUS WSKAPI shim_WskRegister(PWSK_CLIENT_NPI npi, PWSK_REGISTRATION registration)
{
    return wsk_client_register(npi, registration, BED_CALLER());
}

static VOID WSKAPI shim_WskDeregister(PWSK_REGISTRATION registration)
{
    wsk_client_deregister(registration);
}

static NTSTATUS WSKAPI shim_WskCaptureProviderNPI(PWSK_REGISTRATION registration, ULONG timeout, PWSK_PROVIDER_NPI npi)
{
    return wsk_client_capture(registration, timeout, npi);
}

static VOID WSKAPI shim_WskReleaseProviderNPI(PWSK_REGISTRATION registration)
{
    wsk_client_release(registration);
}

static NTSTATUS WSKAPI shim_WskQueryProviderCharacteristics(PWSK_REGISTRATION registration, USHORT range[2])
{
    (void)registration;
    return wsk_client_characteristics(range);
}

const struct shim bed_wsk_shims[] = {
    SHIM_CHECK(WskRegister),
    SHIM_CHECK(WskDeregister),
    SHIM_CHECK(WskCaptureProviderNPI),
    SHIM_CHECK(WskReleaseProviderNPI),
    SHIM_CHECK(WskQueryProviderCharacteristics),
    SHIM_END,
};
