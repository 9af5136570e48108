/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StorPortExtendedFunction: what storport.h's inline routines call. A code that is not here answers NOT_IMPLEMENTED. */
#include "bed/port/internal.h"

static struct request *request_of(struct adapter *adapter, void *srb, const char *caller)
{
    struct request *request = request_find(adapter, srb);

    if (request == NULL || request->state != REQUEST_OUTSTANDING) {
        port_violation("not-outstanding: %s of SRB %p, which the miniport does not hold", caller, srb);
        return NULL;
    }
    return request;
}

static ULONG get_system_address(struct adapter *adapter, va_list arguments)
{
    struct request *request = request_of(adapter, va_arg(arguments, void *), "StorPortGetSystemAddress");
    void **address = va_arg(arguments, void **);

    if (request == NULL || address == NULL || request->command.system == NULL) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    if (adapter->fail_mappings > 0 && InterlockedDecrement(&adapter->fail_mappings) >= 0) {
        return STOR_STATUS_INSUFFICIENT_RESOURCES;
    }
    *address = request->command.system;
    return STOR_STATUS_SUCCESS;
}

static ULONG get_original_mdl(struct adapter *adapter, va_list arguments)
{
    struct request *request = request_of(adapter, va_arg(arguments, void *), "StorPortGetOriginalMdl");
    void **mdl = va_arg(arguments, void **);

    if (request == NULL || mdl == NULL) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    if (adapter->fail_mdls > 0 && InterlockedDecrement(&adapter->fail_mdls) >= 0) {
        return STOR_STATUS_INSUFFICIENT_RESOURCES;
    }
    *mdl = request->command.mdl;
    return STOR_STATUS_SUCCESS;
}

static ULONG get_device_objects(struct adapter *adapter, va_list arguments)
{
    void **functional = va_arg(arguments, void **);
    void **physical = va_arg(arguments, void **);
    void **lower = va_arg(arguments, void **);

    *functional = adapter->device.object;
    *physical = adapter->pdo;
    *lower = adapter->lower;
    return STOR_STATUS_SUCCESS;
}

static ULONG get_port_number(struct adapter *adapter, va_list arguments)
{
    STOR_ADDRESS *address = va_arg(arguments, STOR_ADDRESS *);

    if (address == NULL || address->Type != STOR_ADDRESS_TYPE_BTL8) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    address->Port = (USHORT)adapter->number;
    return STOR_STATUS_SUCCESS;
}

static ULONG allocate_mdl(va_list arguments)
{
    void *buffer = va_arg(arguments, void *);
    ULONG length = va_arg(arguments, ULONG);
    void **mdl = va_arg(arguments, void **);

    *mdl = IoAllocateMdl(buffer, length, FALSE, FALSE, NULL);
    return *mdl != NULL ? STOR_STATUS_SUCCESS : STOR_STATUS_INSUFFICIENT_RESOURCES;
}

static ULONG build_mdl(va_list arguments)
{
    MDL *mdl = va_arg(arguments, MDL *);

    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = (UCHAR *)mdl->StartVa + mdl->ByteOffset;
    return STOR_STATUS_SUCCESS;
}

static ULONG query_counter(va_list arguments)
{
    LARGE_INTEGER *frequency = va_arg(arguments, LARGE_INTEGER *);
    LARGE_INTEGER *counter = va_arg(arguments, LARGE_INTEGER *);

    *counter = KeQueryPerformanceCounter(frequency);
    return STOR_STATUS_SUCCESS;
}

static ULONG allocate_pool(struct adapter *adapter, va_list arguments)
{
    ULONG length = va_arg(arguments, ULONG);
    ULONG tag = va_arg(arguments, ULONG);
    void **block = va_arg(arguments, void **);

    return memory_allocate(adapter, length, tag, block);
}

static ULONG dispatch(ULONG code, struct adapter *adapter, va_list arguments)
{
    switch (code) {
    case ExtFunctionAllocatePool:
        return allocate_pool(adapter, arguments);
    case ExtFunctionFreePool:
        return memory_free(adapter, va_arg(arguments, void *));
    case ExtFunctionAllocateMdl:
        return allocate_mdl(arguments);
    case ExtFunctionFreeMdl:
        IoFreeMdl(va_arg(arguments, MDL *));
        return STOR_STATUS_SUCCESS;
    case ExtFunctionBuildMdlForNonPagedPool:
        return build_mdl(arguments);
    case ExtFunctionGetSystemAddress:
        return get_system_address(adapter, arguments);
    case ExtFunctionGetOriginalMdl:
        return get_original_mdl(adapter, arguments);
    case ExtFunctionCompleteServiceIrp:
        return service_complete(adapter, va_arg(arguments, IRP *));
    case ExtFunctionGetDeviceObjects:
        return get_device_objects(adapter, arguments);
    case ExtFunctionInitializeTimer:
        return hw_timer_create(adapter, va_arg(arguments, void **));
    case ExtFunctionRequestTimer:
        return hw_timer_request(adapter, arguments);
    case ExtFunctionFreeTimer:
        return hw_timer_free(adapter, va_arg(arguments, void *));
    case ExtFunctionGetSystemPortNumber:
        return get_port_number(adapter, arguments);
    case ExtFunctionQueryPerformanceCounter:
        return query_counter(arguments);
    default:
        port_log("StorPortExtendedFunction %lu is not implemented by this bed", code);
        return STOR_STATUS_NOT_IMPLEMENTED;
    }
}

ULONG StorPortExtendedFunction(STORPORT_FUNCTION_CODE FunctionCode, PVOID HwDeviceExtension, ...)
{
    struct adapter *adapter = adapter_of_extension(HwDeviceExtension, "StorPortExtendedFunction");
    va_list arguments;
    ULONG status;

    if (adapter == NULL) {
        return STOR_STATUS_INVALID_PARAMETER;
    }
    va_start(arguments, HwDeviceExtension);
    status = dispatch((ULONG)FunctionCode, adapter, arguments);
    va_end(arguments);
    return status;
}
