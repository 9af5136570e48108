/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Windows keeps of a disk beside the disk itself: offline, read-only. Set-Disk and diskpart change them so. */
#include "commands.h"

#include <stdio.h>

#include <winioctl.h>

#ifndef IOCTL_DISK_GET_DISK_ATTRIBUTES /* mingw-w64's winioctl.h lacks them */
#define IOCTL_DISK_GET_DISK_ATTRIBUTES CTL_CODE(IOCTL_DISK_BASE, 0x003c, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_DISK_SET_DISK_ATTRIBUTES                                                                                 \
    CTL_CODE(IOCTL_DISK_BASE, 0x003d, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
typedef struct {
    DWORD Version;
    DWORD Reserved1;
    DWORDLONG Attributes;
} GET_DISK_ATTRIBUTES;
typedef struct {
    DWORD Version;
    BOOLEAN Persist;
    BYTE Reserved1[3];
    DWORDLONG Attributes;
    DWORDLONG AttributesMask;
    DWORD Reserved2[4];
} SET_DISK_ATTRIBUTES;
#endif

static DWORD set(struct disk *disk, uint64_t mask, uint64_t value)
{
    SET_DISK_ATTRIBUTES change = {.Version = sizeof(change), .Attributes = value, .AttributesMask = mask};

    return disk_control(disk, IOCTL_DISK_SET_DISK_ATTRIBUTES, &change, sizeof(change), NULL, 0, NULL);
}

/* Tells the attributes, after having set those of --mask to --value. */
int command_attributes(struct disk *disk, struct arguments *arguments)
{
    uint64_t mask = arguments_number(arguments, "--mask", 0);
    uint64_t value = arguments_number(arguments, "--value", 0);
    GET_DISK_ATTRIBUTES answer = {0};
    DWORD error;

    arguments_check_all_used(arguments);
    error = mask != 0 ? set(disk, mask, value) : ERROR_SUCCESS;
    if (error == ERROR_SUCCESS)
        error = disk_control(disk, IOCTL_DISK_GET_DISK_ATTRIBUTES, NULL, 0, &answer, sizeof(answer), NULL);
    printf("attributes %llu: error %lu\n", answer.Attributes, error);
    return error == ERROR_SUCCESS ? 0 : EXIT_CODE_FAIL;
}
