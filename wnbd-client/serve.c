/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a disk that this program serves: medium opened, disk made, served, gone, medium flushed and closed. What
 * fails before the disk can be used leaves neither a disk nor a file behind that was not there.
 */
#include "wnbd-client/serve.h"
#include "wnbd-client/interrupt.h"
#include "wnbd-client/map_print.h"
#include "wnbd-client/ready.h"
#include "wnbd-client/report.h"
#include "wnbd-client/serve_answer.h"

#include <stdio.h>

#define THREADS          4
#define REMOVE_SOFTLY_MS 3000
#define REMOVE_AGAIN_MS  1000

/* The command table knows no Windows, so it cannot ask the header. */
static_assert(WNBD_MAX_DISPATCHER_THREAD_COUNT == 255 && THREADS == 4, "commands.c says so");

static void stop_softly(void *disk)
{
    WNBD_REMOVE_OPTIONS options = {.Flags.HardRemoveFallback = 1,
                                   .SoftRemoveTimeoutMs = REMOVE_SOFTLY_MS,
                                   .SoftRemoveRetryIntervalMs = REMOVE_AGAIN_MS};

    WnbdStopDispatcher(disk, &options); /* the first call does it */
}

static void stop_hard(PWNBD_DISK disk)
{
    WNBD_REMOVE_OPTIONS options = {.Flags.HardRemove = 1};

    WnbdStopDispatcher(disk, &options);
    WnbdWaitDispatcher(disk);
}

static void fill(WNBD_PROPERTIES *properties, const struct arguments *arguments, const struct service *service)
{
    *properties = (WNBD_PROPERTIES){.BlockCount = service->medium->size / service->block_size,
                                    .BlockSize = service->block_size,
                                    .MaxUnmapDescCount = 1};
    snprintf(properties->InstanceName, sizeof(properties->InstanceName), "%s", service->name);
    snprintf(properties->Owner, sizeof(properties->Owner), "wnbd-client");
    properties->PhysicalBlockSize = (UINT32)argument_number(arguments, "physical-block-size", 0);
    properties->Flags.ReadOnly = argument_flag(arguments, "read-only");
    properties->Flags.FlushSupported = !properties->Flags.ReadOnly;
    properties->Flags.UnmapSupported = service->medium->can_unmap && !properties->Flags.ReadOnly;
    properties->Flags.LargeBlocksAllowed = 1;
}

/* ---- The disk ---- */

/* After the disk's end: what the file has not yet on its medium goes there. */
static int flush(const struct service *service)
{
    DWORD error = service->medium->functions->flush(service->medium);

    if (error == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    return report_windows(error, "'%s' is unmapped, but its last data could not be flushed", service->name);
}

/* *was_ready: the disk could be used, so that its medium has what was written. */
static int run(PWNBD_DISK disk, const struct service *service, bool *was_ready)
{
    DWORD disk_number;
    DWORD error = ready_wait(service->name, &disk_number);

    if (error != ERROR_SUCCESS) {
        stop_hard(disk);
        return ready_report(service->name, error);
    }
    *was_ready = true;
    map_print(service->json, &disk->Properties, (int)disk_number);
    report_note("this program serves '%s': Ctrl-C or 'wnbd-client unmap' ends it", service->name);
    error = WnbdWaitDispatcher(disk);
    if (error == ERROR_SUCCESS && report_has_error()) /* it has ended by itself */
        error = ERROR_IO_DEVICE;
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot serve '%s'", service->name);
}

static int run_interruptibly(PWNBD_DISK disk, const struct service *service, bool *was_ready)
{
    DWORD error = interrupt_start(stop_softly, disk);
    int code;

    if (error != ERROR_SUCCESS) {
        stop_hard(disk);
        return report_failure(error, "cannot map '%s'", service->name);
    }
    code = run(disk, service, was_ready);
    interrupt_end();
    return code;
}

static int make(const struct arguments *arguments, struct service *service, bool *was_ready)
{
    WNBD_PROPERTIES properties;
    PWNBD_DISK disk;
    DWORD error;
    int code;

    fill(&properties, arguments, service);
    error = WnbdCreate(&properties, &serve_callbacks, service, &disk);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot map '%s'", service->name);
    error = WnbdStartDispatcher(disk, (DWORD)argument_number(arguments, "threads", THREADS));
    if (error == ERROR_SUCCESS)
        code = run_interruptibly(disk, service, was_ready);
    else
        code = report_failure(error, "cannot serve '%s'", service->name);
    WnbdClose(disk);
    return code;
}

/* ---- And its medium ---- */

static int make_with_medium(const struct arguments *arguments, struct service *service)
{
    const struct medium_functions *medium = service->medium->functions;
    bool was_ready = false;
    int code = make(arguments, service, &was_ready);

    if (was_ready && code == ERROR_SUCCESS)
        code = flush(service);
    if (!was_ready)
        medium->undo(service->medium);
    medium->close(service->medium);
    return code;
}

/* Before its file is touched, which another process that serves a disk of this name may have in use. */
static int check_name(const char *name)
{
    WNBD_CONNECTION_INFO info;

    if (WnbdShow(name, &info) != ERROR_SUCCESS) /* if that is not because there is none, making it will say so */
        return ERROR_SUCCESS;
    return report_failure(ERROR_ALREADY_EXISTS, "cannot map '%s'", name);
}

static int open_medium(const struct arguments *arguments, enum map_source source, struct service *service)
{
    struct medium_wish wish = {.disk = service->name,
                               .path = argument_text(arguments, "file", ""),
                               .block_size = service->block_size,
                               .read_only = argument_flag(arguments, "read-only")};

    if (source == MAP_FROM_RAM) {
        wish.size = argument_number(arguments, "ram", 0);
        return serve_memory_open(&wish, &service->medium);
    }
    wish.size = argument_number(arguments, "size", 0);
    return serve_file_open(&wish, &service->medium);
}

int serve(const struct arguments *arguments, enum map_source source, bool json)
{
    struct service service = {.name = argument_text(arguments, "instance-name", ""),
                              .json = json,
                              .block_size =
                                  (uint32_t)argument_number(arguments, "block-size", WNBD_DEFAULT_BLOCK_SIZE)};
    int code = check_name(service.name);

    if (code == ERROR_SUCCESS)
        code = open_medium(arguments, source, &service);
    return code == ERROR_SUCCESS ? make_with_medium(arguments, &service) : code;
}
