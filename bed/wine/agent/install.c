/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wine/agent/install.h"

#include <initguid.h>
#include <winsvc.h>
#include <setupapi.h>
#include <newdev.h>
#include <wchar.h>

DEFINE_GUID(class_scsi_adapter, 0x4d36e97b, 0xe325, 0x11ce, 0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18);
DEFINE_GUID(interface_storage_port, 0x2accfe60, 0xc130, 0x11d2, 0xb0, 0x82, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b);

#define WAIT_MS      30000
#define WAIT_STEP_MS 10
#define SERVICES_MAX 16

static bool fail(wchar_t error[MAX_PATH], const wchar_t *what)
{
    _snwprintf(error, MAX_PATH, L"%ls (error %lu)", what, GetLastError());
    error[MAX_PATH - 1] = 0;
    return false;
}

static bool make_root_device(HDEVINFO set, const wchar_t *hardware_id, wchar_t error[MAX_PATH])
{
    SP_DEVINFO_DATA device = {.cbSize = sizeof(device)};
    wchar_t ids[MAX_PATH] = {0}; /* a list of strings: one string and an empty one */

    wcsncpy(ids, hardware_id, MAX_PATH - 2);
    if (!SetupDiCreateDeviceInfoW(set, L"SCSIAdapter", &class_scsi_adapter, NULL, NULL, DICD_GENERATE_ID, &device)) {
        return fail(error, L"the root device was not made");
    }
    if (!SetupDiSetDeviceRegistryPropertyW(set, &device, SPDRP_HARDWAREID, (const BYTE *)ids,
                                           (DWORD)(wcslen(ids) + 2) * sizeof(wchar_t))) {
        return fail(error, L"the hardware id was not set");
    }
    if (!SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, &device)) {
        return fail(error, L"the root device was not registered");
    }
    return true;
}

/* Whether an interface of a storage port is there and can be opened. */
static bool adapter_answers(void)
{
    HDEVINFO set = SetupDiGetClassDevsW(&interface_storage_port, NULL, NULL, DIGCF_DEVICEINTERFACE | DIGCF_PRESENT);
    SP_DEVICE_INTERFACE_DATA data = {.cbSize = sizeof(data)};
    struct {
        SP_DEVICE_INTERFACE_DETAIL_DATA_W detail;
        wchar_t more[MAX_PATH];
    } path = {.detail.cbSize = sizeof(path.detail)};
    HANDLE file = INVALID_HANDLE_VALUE;

    if (SetupDiEnumDeviceInterfaces(set, NULL, &interface_storage_port, 0, &data) &&
        SetupDiGetDeviceInterfaceDetailW(set, &data, &path.detail, sizeof(path), NULL, NULL)) {
        file = CreateFileW(path.detail.DevicePath, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                           NULL, OPEN_EXISTING, 0, NULL);
    }
    SetupDiDestroyDeviceInfoList(set);
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    CloseHandle(file);
    return true;
}

/* Installing says TRUE even when Wine found nothing to install: only the adapter itself is proof. */
static bool wait_for_adapter(wchar_t error[MAX_PATH])
{
    for (DWORD waited = 0; waited < WAIT_MS; waited += WAIT_STEP_MS) {
        if (adapter_answers()) {
            return true;
        }
        Sleep(WAIT_STEP_MS);
    }
    return fail(error, L"the adapter did not appear");
}

bool install_adapter(const wchar_t *inf, const wchar_t *hardware_id, wchar_t error[MAX_PATH])
{
    HDEVINFO set = SetupDiCreateDeviceInfoList(&class_scsi_adapter, NULL);
    BOOL reboot = FALSE;
    bool made;

    if (set == INVALID_HANDLE_VALUE) {
        return fail(error, L"no device list");
    }
    made = make_root_device(set, hardware_id, error);
    SetupDiDestroyDeviceInfoList(set);
    if (!made) {
        return false;
    }
    if (!UpdateDriverForPlugAndPlayDevicesW(NULL, hardware_id, inf, INSTALLFLAG_FORCE, &reboot)) {
        return fail(error, L"the INF was not installed");
    }
    return wait_for_adapter(error);
}

struct services {
    wchar_t names[SERVICES_MAX][64];
    unsigned count;
};

static void services_add(struct services *services, const wchar_t *name)
{
    for (unsigned i = 0; i < services->count; i++) {
        if (!_wcsicmp(services->names[i], name)) {
            return;
        }
    }
    if (services->count < SERVICES_MAX && *name) {
        wcsncpy(services->names[services->count++], name, 63);
    }
}

static bool remove_devices(struct services *services, wchar_t error[MAX_PATH])
{
    HDEVINFO set = SetupDiGetClassDevsW(&class_scsi_adapter, L"ROOT", NULL, 0);
    SP_DEVINFO_DATA device = {.cbSize = sizeof(device)};
    bool all = true;

    for (DWORD i = 0; SetupDiEnumDeviceInfo(set, i, &device); i++) {
        wchar_t name[64] = {0};

        if (SetupDiGetDeviceRegistryPropertyW(set, &device, SPDRP_SERVICE, NULL, (BYTE *)name, sizeof(name) - 2,
                                              NULL)) {
            services_add(services, name);
        }
        if (!SetupDiCallClassInstaller(DIF_REMOVE, set, &device)) {
            all = fail(error, L"a device was not removed");
        }
    }
    SetupDiDestroyDeviceInfoList(set);
    return all;
}

static bool service_wait_stopped(SC_HANDLE service)
{
    SERVICE_STATUS status;

    for (DWORD waited = 0; waited < WAIT_MS; waited += WAIT_STEP_MS) {
        if (!QueryServiceStatus(service, &status) || status.dwCurrentState == SERVICE_STOPPED) {
            return true;
        }
        Sleep(WAIT_STEP_MS);
    }
    return false;
}

/* While a service works on a control, for instance takes root devices away, it does not take another. */
static bool ask_to_stop(SC_HANDLE service)
{
    SERVICE_STATUS status;

    for (DWORD waited = 0; waited < WAIT_MS; waited += WAIT_STEP_MS) {
        if (ControlService(service, SERVICE_CONTROL_STOP, &status) || GetLastError() == ERROR_SERVICE_NOT_ACTIVE) {
            return true;
        }
        if (GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
            return false;
        }
        Sleep(WAIT_STEP_MS);
    }
    return false;
}

static bool stop_service(SC_HANDLE manager, const wchar_t *name, wchar_t error[MAX_PATH])
{
    SC_HANDLE service = OpenServiceW(manager, name, SERVICE_STOP | SERVICE_QUERY_STATUS);
    bool stopped = true;

    if (!service) {
        return GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST || fail(error, L"a service cannot be opened");
    }
    if (!ask_to_stop(service)) {
        stopped = fail(error, L"the driver was not asked to unload");
    } else if (!service_wait_stopped(service)) {
        stopped = fail(error, L"the driver did not unload within 60 s");
    }
    CloseServiceHandle(service);
    return stopped;
}

bool remove_adapters(wchar_t error[MAX_PATH])
{
    struct services services = {.count = 0};
    bool done = remove_devices(&services, error);
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);

    if (!manager) {
        return fail(error, L"the service manager does not answer");
    }
    for (unsigned i = 0; i < services.count; i++) {
        done = stop_service(manager, services.names[i], error) && done;
    }
    CloseServiceHandle(manager);
    return done;
}
