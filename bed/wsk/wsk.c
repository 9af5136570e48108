/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registration with Winsock Kernel and the provider's dispatch table, in the place of netio.sys. */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define WSK_TDI_BEHAVIOR 6

static bool supported(ADDRESS_FAMILY family, USHORT type, ULONG protocol, ULONG flags)
{
    return (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM && protocol == IPPROTO_TCP &&
           flags == WSK_FLAG_CONNECTION_SOCKET;
}

/* The new socket is handed out in the IRP's Information. */
static NTSTATUS WSKAPI wsk_socket(PWSK_CLIENT client, ADDRESS_FAMILY family, USHORT type, ULONG protocol, ULONG flags,
                                  PVOID context, const VOID *dispatch, PEPROCESS process, PETHREAD thread,
                                  PSECURITY_DESCRIPTOR descriptor, PIRP irp)
{
    struct wsk_socket *socket = NULL;
    struct wsk_op *op;
    NTSTATUS status;

    (void)context;
    (void)dispatch;
    (void)process;
    (void)thread;
    (void)descriptor;
    bed_irql_at_most(DISPATCH_LEVEL, "WskSocket");
    op = wsk_op_begin(NULL, irp, WSK_OP_SIMPLE, NULL, "WskSocket", &status);
    if (op == NULL) {
        return status;
    }
    status = STATUS_NOT_SUPPORTED;
    if (supported(family, type, protocol, flags)) {
        socket = wsk_socket_create(client, family, &status);
    }
    wsk_op_end(op, status, (ULONG_PTR)socket);
    return status;
}

static NTSTATUS WSKAPI wsk_socket_connect(PWSK_CLIENT client, USHORT type, ULONG protocol, PSOCKADDR local,
                                          PSOCKADDR remote, ULONG flags, PVOID context,
                                          const WSK_CLIENT_CONNECTION_DISPATCH *dispatch, PEPROCESS process,
                                          PETHREAD thread, PSECURITY_DESCRIPTOR descriptor, PIRP irp)
{
    struct wsk_op *op;
    NTSTATUS status;

    (void)client;
    (void)type;
    (void)protocol;
    (void)local;
    (void)remote;
    (void)flags;
    (void)context;
    (void)dispatch;
    (void)process;
    (void)thread;
    (void)descriptor;
    port_violation("wsk: WskSocketConnect is not supported by the bed");
    op = wsk_op_begin(NULL, irp, WSK_OP_SIMPLE, NULL, "WskSocketConnect", &status);
    if (op != NULL) {
        status = STATUS_NOT_SUPPORTED;
        wsk_op_end(op, status, 0);
    }
    return status;
}

static NTSTATUS WSKAPI wsk_control_client(PWSK_CLIENT client, ULONG code, SIZE_T input_size, PVOID input,
                                          SIZE_T output_size, PVOID output, SIZE_T *returned, PIRP irp)
{
    NTSTATUS status = code == WSK_TDI_BEHAVIOR ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
    struct wsk_op *op;

    (void)client;
    (void)input_size;
    (void)input;
    (void)output_size;
    (void)output;
    if (returned != NULL) {
        *returned = 0;
    }
    if (irp == NULL) {
        return status;
    }
    op = wsk_op_begin(NULL, irp, WSK_OP_SIMPLE, NULL, "WskControlClient", &status);
    if (op != NULL) {
        status = code == WSK_TDI_BEHAVIOR ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
        wsk_op_end(op, status, 0);
    }
    return status;
}

static const WSK_PROVIDER_DISPATCH provider_dispatch = {
    .Version = MAKE_WSK_VERSION(1, 0),
    .WskSocket = wsk_socket,
    .WskSocketConnect = wsk_socket_connect,
    .WskControlClient = wsk_control_client,
    .WskGetAddressInfo = wsk_get_address_info,
    .WskFreeAddressInfo = wsk_free_address_info,
    .WskGetNameInfo = wsk_get_name_info,
};

NTSTATUS wsk_client_register(PWSK_CLIENT_NPI npi, PWSK_REGISTRATION registration, void *owner)
{
    struct wsk_client *client;

    bed_irql_at_most(PASSIVE_LEVEL, "WskRegister");
    if (npi->Dispatch == NULL || npi->Dispatch->Version != MAKE_WSK_VERSION(1, 0)) {
        port_violation("wsk: WskRegister for a version other than 1.0");
        return STATUS_INVALID_PARAMETER;
    }
    client = bed_wsk_fault() ? NULL : bed_allocate(sizeof(*client));
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    client->owner = owner;
    registration->ReservedRegistrationContext = client;
    bed_count_network(owner, 1);
    return STATUS_SUCCESS;
}

static struct wsk_client *client_of(const WSK_REGISTRATION *registration, const char *routine)
{
    struct wsk_client *client = registration->ReservedRegistrationContext;

    if (client == NULL) {
        port_violation("wsk: %s without a registration", routine);
    }
    return client;
}

static void client_free(struct wsk_client *client)
{
    struct wsk_socket *socket = client->all;

    while (socket != NULL) {
        struct wsk_socket *next = socket->next;

        bed_free_late(socket);
        socket = next;
    }
    bed_free_late(client);
}

/* Windows waits here until all is given back: a driver that never does would hang. */
void wsk_client_deregister(PWSK_REGISTRATION registration)
{
    struct wsk_client *client = client_of(registration, "WskDeregister");

    bed_irql_at_most(PASSIVE_LEVEL, "WskDeregister");
    if (client == NULL) {
        return;
    }
    if (client->captures != 0 || client->sockets != 0 || client->names != 0) {
        port_violation("wsk: WskDeregister would wait for ever: %d captures, %d sockets, %d address lists are left",
                       (int)client->captures, (int)client->sockets, (int)client->names);
    }
    registration->ReservedRegistrationContext = NULL;
    bed_count_network(client->owner, -1);
    client_free(client);
}

NTSTATUS wsk_client_capture(PWSK_REGISTRATION registration, ULONG timeout, PWSK_PROVIDER_NPI npi)
{
    struct wsk_client *client = client_of(registration, "WskCaptureProviderNPI");

    bed_irql_at_most(timeout == WSK_NO_WAIT ? DISPATCH_LEVEL : PASSIVE_LEVEL, "WskCaptureProviderNPI");
    if (client == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (bed_wsk_fault()) {
        return STATUS_DEVICE_NOT_READY;
    }
    InterlockedIncrement(&client->captures);
    npi->Client = client;
    npi->Dispatch = &provider_dispatch;
    return STATUS_SUCCESS;
}

void wsk_client_release(PWSK_REGISTRATION registration)
{
    struct wsk_client *client = client_of(registration, "WskReleaseProviderNPI");

    if (client != NULL && InterlockedDecrement(&client->captures) < 0) {
        port_violation("wsk: the provider was released more often than captured");
    }
}

NTSTATUS wsk_client_characteristics(USHORT range[2])
{
    range[0] = MAKE_WSK_VERSION(1, 0);
    range[1] = MAKE_WSK_VERSION(1, 0);
    return STATUS_SUCCESS;
}
