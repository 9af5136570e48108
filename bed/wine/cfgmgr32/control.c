/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wine/cfgmgr32/control.h"

#include <stdlib.h>
#include <wchar.h>

#define DEVICES_MAX 512
#define NODES_MAX   1024
#define NODE_BASE   0x00BED000u

static wchar_t nodes[NODES_MAX][BED_INSTANCE_LENGTH]; /* guarded by nodes_lock; entries stay */
static unsigned node_count;
static SRWLOCK nodes_lock = SRWLOCK_INIT;

static bool control_ioctl(DWORD code, void *input, DWORD input_size, void *output, DWORD output_size, DWORD *got)
{
    HANDLE file = CreateFileA(BED_CONTROL_FILENAME, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                              NULL, OPEN_EXISTING, 0, NULL);
    bool done;
    DWORD error;

    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    done = DeviceIoControl(file, code, input, input_size, output, output_size, got, NULL);
    error = GetLastError();
    CloseHandle(file);
    SetLastError(error);
    return done;
}

bool control_list_read(struct control_list *list)
{
    DWORD got = 0;

    list->devices = calloc(DEVICES_MAX, sizeof(*list->devices));
    if (list->devices &&
        control_ioctl(BED_CONTROL_LIST, NULL, 0, list->devices, DEVICES_MAX * sizeof(*list->devices), &got)) {
        list->count = got / sizeof(*list->devices);
        return true;
    }
    free(list->devices);
    return false;
}

bool control_find(const wchar_t *instance, struct bed_device *device)
{
    struct control_list list;
    bool found = false;

    if (!control_list_read(&list)) {
        return false;
    }
    for (unsigned i = 0; i < list.count && !found; i++) {
        found = _wcsicmp(list.devices[i].instance, instance) == 0;
        if (found) {
            *device = list.devices[i];
        }
    }
    free(list.devices);
    return found;
}

DWORD control_ask(DWORD code, const wchar_t *instance, struct bed_verdict *verdict)
{
    struct bed_target target = {0};
    DWORD got = 0;

    ZeroMemory(verdict, sizeof(*verdict));
    wcsncpy(target.instance, instance, BED_INSTANCE_LENGTH - 1);
    return control_ioctl(code, &target, sizeof(target), verdict, sizeof(*verdict), &got) ? ERROR_SUCCESS
                                                                                         : GetLastError();
}

DEVINST node_of(const wchar_t *instance)
{
    DEVINST node = 0;

    AcquireSRWLockExclusive(&nodes_lock);
    for (unsigned i = 0; i < node_count && node == 0; i++) {
        node = _wcsicmp(nodes[i], instance) == 0 ? NODE_BASE + i : 0;
    }
    if (node == 0 && node_count < NODES_MAX) {
        wcsncpy(nodes[node_count], instance, BED_INSTANCE_LENGTH - 1);
        node = NODE_BASE + node_count++;
    }
    ReleaseSRWLockExclusive(&nodes_lock);
    return node;
}

bool node_is_ours(DEVINST node)
{
    return node >= NODE_BASE && node < NODE_BASE + NODES_MAX;
}

bool node_instance(DEVINST node, wchar_t instance[BED_INSTANCE_LENGTH])
{
    bool known;

    if (!node_is_ours(node)) {
        return CM_Get_Device_IDW(node, instance, BED_INSTANCE_LENGTH, 0) == CR_SUCCESS;
    }
    AcquireSRWLockShared(&nodes_lock);
    known = node - NODE_BASE < node_count;
    if (known) {
        wcscpy(instance, nodes[node - NODE_BASE]);
    }
    ReleaseSRWLockShared(&nodes_lock);
    return known;
}
