/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/devnodes.h"
#include "libwnbd/log.h"

#include <string.h>
#include <wchar.h>

/* Set-up class SCSIAdapter {4d36e97b-e325-11ce-bfc1-08002be10318}. */
static const GUID scsi_adapter = {0x4d36e97b, 0xe325, 0x11ce, {0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18}};
static const GUID no_class;

static const WCHAR hardware_id[] = L"root\\wnbd";

/* A device of another class with our hardware id is not ours to touch. */
static BOOL is_our_class(const GUID *class_guid)
{
    return IsEqualGUID(class_guid, &scsi_adapter) || IsEqualGUID(class_guid, &no_class);
}

static BOOL has_our_hardware_id(HDEVINFO set, SP_DEVINFO_DATA *device)
{
    WCHAR ids[1024] = {0}; /* strings, each with its NUL, and one more at the end; kept by the 2 words not given away */
    DWORD size = sizeof(ids) - 2 * sizeof(WCHAR);

    if (!SetupDiGetDeviceRegistryPropertyW(set, device, SPDRP_HARDWAREID, NULL, (BYTE *)ids, size, NULL))
        return FALSE;
    for (const WCHAR *id = ids; *id; id += wcslen(id) + 1) {
        if (_wcsicmp(id, hardware_id) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Can the device be found among those that are there? */
static BOOL is_present(HDEVINFO set, SP_DEVINFO_DATA *device)
{
    WCHAR id[MAX_DEVICE_ID_LEN];
    DEVINST node;

    return SetupDiGetDeviceInstanceIdW(set, device, id, ARRAYSIZE(id), NULL) &&
           CM_Locate_DevNodeW(&node, id, CM_LOCATE_DEVNODE_NORMAL) == CR_SUCCESS;
}

static BOOL is_chosen(HDEVINFO set, SP_DEVINFO_DATA *device, enum devnode_choice choice)
{
    if (!is_our_class(&device->ClassGuid) || !has_our_hardware_id(set, device))
        return FALSE;
    return choice == DEVNODES_ALL || is_present(set, device) == (choice == DEVNODES_PRESENT);
}

static BOOL wants_reboot(HDEVINFO set, SP_DEVINFO_DATA *device)
{
    SP_DEVINSTALL_PARAMS_W parameters = {.cbSize = sizeof(parameters)};

    return SetupDiGetDeviceInstallParamsW(set, device, &parameters) &&
           (parameters.Flags & (DI_NEEDREBOOT | DI_NEEDRESTART)) != 0;
}

DWORD devnode_remove(HDEVINFO set, SP_DEVINFO_DATA *device, BOOL *reboot)
{
    SP_REMOVEDEVICE_PARAMS parameters = {
        .ClassInstallHeader = {.cbSize = sizeof(SP_CLASSINSTALL_HEADER), .InstallFunction = DIF_REMOVE},
        .Scope = DI_REMOVEDEVICE_GLOBAL};

    /* Global is what happens without parameters too, so the removal does not depend on this call. */
    SetupDiSetClassInstallParamsW(set, device, &parameters.ClassInstallHeader, sizeof(parameters));
    if (!SetupDiCallClassInstaller(DIF_REMOVE, set, device))
        return setup_error();
    if (wants_reboot(set, device))
        *reboot = TRUE;
    return ERROR_SUCCESS;
}

/* Calls `visit` for each chosen device of the ROOT enumerator; the last error is the result. */
static DWORD walk(enum devnode_choice choice, DWORD (*visit)(HDEVINFO, SP_DEVINFO_DATA *, void *), void *context)
{
    HDEVINFO set = SetupDiGetClassDevsW(NULL, L"ROOT", NULL, DIGCF_ALLCLASSES);
    SP_DEVINFO_DATA device = {.cbSize = sizeof(device)};
    DWORD result = ERROR_SUCCESS;

    if (set == INVALID_HANDLE_VALUE)
        return setup_error();
    for (DWORD i = 0; SetupDiEnumDeviceInfo(set, i, &device); i++) {
        DWORD error = is_chosen(set, &device, choice) ? visit(set, &device, context) : ERROR_SUCCESS;

        if (error != ERROR_SUCCESS)
            result = error;
    }
    SetupDiDestroyDeviceInfoList(set);
    return result;
}

static DWORD count_one(HDEVINFO set, SP_DEVINFO_DATA *device, void *context)
{
    (void)set;
    (void)device;
    ++*(DWORD *)context;
    return ERROR_SUCCESS;
}

static DWORD remove_one(HDEVINFO set, SP_DEVINFO_DATA *device, void *context)
{
    DWORD error = devnode_remove(set, device, context);

    if (error != ERROR_SUCCESS)
        log_message(MESSAGE_NODE_NOT_REMOVED, "cannot remove the device node of the WNBD adapter: Windows error %lu",
                    error);
    return error;
}

DWORD devnodes_count(enum devnode_choice choice, DWORD *count)
{
    *count = 0;
    return walk(choice, count_one, count);
}

DWORD devnodes_remove(enum devnode_choice choice, BOOL *reboot)
{
    return walk(choice, remove_one, reboot);
}
