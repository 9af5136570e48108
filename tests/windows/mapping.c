/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a thin disk has mapped its blocks to, as a program that watches storage asks for it. */
#include "commands.h"

#include <stdio.h>

#include <winioctl.h>

/* `scope`: 0 not said, 1 the disk's own, 2 a pool's. */
static void tell(const char *name, unsigned valid, unsigned scope, DWORDLONG bytes)
{
    printf("%s.valid: %u\n", name, valid);
    if (valid != 0)
        printf("%s.scope: %u\n%s.bytes: %llu\n", name, scope, name, (unsigned long long)bytes);
}

int command_mapping(struct disk *disk, struct arguments *arguments)
{
    STORAGE_LB_PROVISIONING_MAP_RESOURCES it = {0};
    DWORD returned = 0;
    DWORD error;

    arguments_check_all_used(arguments);
    error = disk_control(disk, IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES, NULL, 0, &it, sizeof(it), &returned);
    printf("error: %lu\nreturned: %lu\n", error, returned);
    if (error != ERROR_SUCCESS)
        return 1;
    tell("available", it.AvailableMappingResourcesValid, it.AvailableMappingResourcesScope,
         it.AvailableMappingResources);
    tell("used", it.UsedMappingResourcesValid, it.UsedMappingResourcesScope, it.UsedMappingResources);
    return 0;
}
