/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What \\.\BedControl is asked, and the adapter. */
#include "tests/bed/bedtest.h"

#include "bed/port/control.h"

static HANDLE open_control(void)
{
    HANDLE device = CreateFileA(BED_CONTROL_FILENAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

    if (device == INVALID_HANDLE_VALUE) {
        printf("no BedControl: error %lu\n", GetLastError());
        exit(1);
    }
    return device;
}

static struct bed_device devices[140];

static DWORD list_devices(HANDLE device)
{
    DWORD got = 0;

    if (control(device, BED_CONTROL_LIST, NULL, 0, devices, sizeof(devices), &got) != 0) {
        fail("BED_CONTROL_LIST");
    }
    return got / sizeof(devices[0]);
}

void command_list(void)
{
    HANDLE device = open_control();
    DWORD count = list_devices(device);

    for (DWORD i = 0; i < count; i++) {
        printf("%s %ld %u:%u:%u started %u open %lu %ls\n", devices[i].is_adapter ? "adapter" : "disk",
               (long)devices[i].disk_number, devices[i].path, devices[i].target, devices[i].lun, devices[i].started,
               devices[i].open_handles, devices[i].instance);
    }
    CloseHandle(device);
}

static const struct bed_device *find(HANDLE device, const char *number)
{
    DWORD count = list_devices(device);

    for (DWORD i = 0; i < count; i++) {
        if (!devices[i].is_adapter && devices[i].disk_number == strtoul(number, NULL, 0)) {
            return &devices[i];
        }
    }
    printf("no disk %s in the list\n", number);
    exit(1);
}

static void ask(const char *number, DWORD code, BOOL adapter)
{
    HANDLE device = open_control();
    const struct bed_device *disk = find(device, number);
    struct bed_verdict verdict = {0};
    struct bed_target target;
    DWORD got;
    DWORD error;

    memcpy(target.instance, adapter ? disk->parent : disk->instance, sizeof(target.instance));
    error = control(device, code, &target, sizeof(target), &verdict, sizeof(verdict), &got);
    printf("error %lu vetoed %lu type %lu by %ls\n", error, verdict.vetoed, verdict.veto_type, verdict.veto_name);
    failures += error != 0;
    if (error == 0 && code == BED_CONTROL_DISABLE && !verdict.vetoed) {
        printf("enable: error %lu\n",
               control(device, BED_CONTROL_ENABLE, &target, sizeof(target), &verdict, sizeof(verdict), &got));
    }
    CloseHandle(device);
}

void command_inject(const char *kind, const char *number, BOOL adapter)
{
    HANDLE device = open_control();
    const struct bed_device *disk = find(device, number);
    char *rest;
    struct bed_injection injection = {strtoul(kind, &rest, 0), 1, {0}};
    DWORD got;
    DWORD error;

    if (*rest == ':') {
        injection.count = strtoul(rest + 1, NULL, 0);
    }
    memcpy(injection.instance, adapter ? disk->parent : disk->instance, sizeof(injection.instance));
    error = control(device, BED_CONTROL_INJECT, &injection, sizeof(injection), NULL, 0, &got);
    printf("inject: error %lu\n", error);
    failures += error != 0;
    CloseHandle(device);
}

static struct bed_instance instances[128];

static void print_instance(const struct bed_instance *instance)
{
    char name[BED_INSTANCE_NAME_LENGTH * 3];

    WideCharToMultiByte(CP_UTF8, 0, instance->name, -1, name, sizeof(name), NULL, NULL);
    printf("instance %lu '%s'", instance->id, name);
    for (ULONG i = 0; i < instance->value_count; i++) {
        printf(" %lu=%llu", instance->values[i].id, (unsigned long long)instance->values[i].value);
    }
    printf("\n");
}

/* The performance counters of a set, as a consumer gets them. */
void command_counters(const char *set_name)
{
    struct bed_counter_set set = {.with_values = 1};
    HANDLE device = open_control();
    DWORD got = 0;

    MultiByteToWideChar(CP_UTF8, 0, set_name, -1, set.name, sizeof(set.name) / sizeof(set.name[0]));
    if (control(device, BED_CONTROL_COLLECT, &set, sizeof(set), instances, sizeof(instances), &got) != 0) {
        fail("BED_CONTROL_COLLECT");
    }
    for (DWORD i = 0; i < got / sizeof(instances[0]); i++) {
        print_instance(&instances[i]);
    }
    CloseHandle(device);
}

void command_violations(void)
{
    static struct bed_violations all;
    HANDLE device = open_control();
    DWORD got;

    if (control(device, BED_CONTROL_VIOLATIONS, NULL, 0, &all, sizeof(all), &got) != 0) {
        fail("BED_CONTROL_VIOLATIONS");
    }
    printf("violations %lu\n", all.count);
    for (ULONG i = 0; i < all.text_count; i++) {
        printf("%s\n", all.text[i]);
    }
    CloseHandle(device);
}

void command_counts(void)
{
    static struct bed_counts all[8];
    HANDLE device = open_control();
    DWORD got = 0;

    if (control(device, BED_CONTROL_COUNTS, NULL, 0, all, sizeof(all), &got) != 0) {
        fail("BED_CONTROL_COUNTS");
    }
    for (DWORD i = 0; i < got / sizeof(all[0]); i++) {
        printf("counts %ls nonpaged_bytes=%llu paged_bytes=%llu pool_peak=%llu blocks=%lu irps=%lu mdls=%lu "
               "threads=%lu sockets=%lu blocks_made=%lu irps_made=%lu mdls_made=%lu threads_made=%lu "
               "sockets_made=%lu\n",
               all[i].driver, all[i].nonpaged_bytes, all[i].paged_bytes, all[i].pool_peak, all[i].blocks, all[i].irps,
               all[i].mdls, all[i].threads, all[i].sockets, all[i].blocks_made, all[i].irps_made, all[i].mdls_made,
               all[i].threads_made, all[i].sockets_made);
    }
    CloseHandle(device);
}

void command_absent(const char *number)
{
    char name[64];
    HANDLE disk;

    snprintf(name, sizeof(name), "\\\\.\\PhysicalDrive%s", number);
    disk = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (disk != INVALID_HANDLE_VALUE) {
        printf("FAILED: disk %s is there\n", number);
        failures++;
    }
}

void command_remove(const char *number, BOOL open)
{
    HANDLE disk = open_disk(number, 0);

    if (!open) {
        CloseHandle(disk);
    }
    ask(number, BED_CONTROL_QUERY_REMOVE, FALSE);
    if (open) {
        CloseHandle(disk);
    }
}

void command_cycle_adapter(const char *number)
{
    CloseHandle(open_disk(number, 0));
    ask(number, BED_CONTROL_DISABLE, TRUE);
}

void command_adapter(BOOL enable)
{
    HANDLE device = open_control();
    DWORD count = list_devices(device);
    struct bed_verdict verdict = {0};
    struct bed_target target = {0};
    DWORD error = ERROR_NOT_FOUND;
    DWORD got;

    for (DWORD i = 0; i < count && error == ERROR_NOT_FOUND; i++) {
        if (devices[i].is_adapter) {
            memcpy(target.instance, devices[i].instance, sizeof(target.instance));
            error = control(device, enable ? BED_CONTROL_ENABLE : BED_CONTROL_DISABLE, &target, sizeof(target),
                            &verdict, sizeof(verdict), &got);
        }
    }
    printf("adapter: error %lu vetoed %lu\n", error, verdict.vetoed);
    failures += error != 0 || verdict.vetoed != 0;
    CloseHandle(device);
}

void command_service(void)
{
    ULONG code = 0;
    HANDLE adapter = CreateFileA("\\\\.\\Scsi0:", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    OVERLAPPED at = {0};
    DWORD got = 0;
    DWORD error;

    if (adapter == INVALID_HANDLE_VALUE) {
        fail("open adapter");
        return;
    }
    at.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    error = DeviceIoControl(adapter, 0x4D038, &code, sizeof(code), &code, sizeof(code), &got, &at) ? 0 : GetLastError();
    if (error == ERROR_IO_PENDING && WaitForSingleObject(at.hEvent, 2000) == WAIT_OBJECT_0) {
        error = GetOverlappedResult(adapter, &at, &got, FALSE) ? 0 : GetLastError();
    }
    printf("service: error %lu\n", error);
    CloseHandle(adapter);
}
