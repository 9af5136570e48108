/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket options and ioctls. Known options do what they say; known ones without meaning here succeed. */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define SO_WSK_EVENT_CALLBACK 0x4004
#define SO_TYPE               0x1008
#define SO_ERROR              0x1007
#define SO_LINGER             0x0080
#define SO_REUSEADDR          0x0004
#define SO_EXCLUSIVEADDRUSE   (~SO_REUSEADDR)
#define TCP_MAXRT             5
#define TCP_TIMESTAMPS        10

#define SIO_KEEPALIVE_VALS      0x98000004
#define SIO_ADDRESS_LIST_QUERY  0x48000016
#define SIO_ADDRESS_LIST_CHANGE 0x28000017
#define SIO_ADDRESS_LIST_SORT   0xC8000019

struct keepalive_values {
    ULONG on;
    ULONG idle_ms;
    ULONG interval_ms;
};

static bool without_meaning(ULONG level, ULONG option)
{
    if (level == IPPROTO_TCP) {
        return option == TCP_MAXRT || option == TCP_TIMESTAMPS;
    }
    return level == SOL_SOCKET &&
           (option == SO_LINGER || option == SO_REUSEADDR || option == (ULONG)SO_EXCLUSIVEADDRUSE);
}

static NTSTATUS set_option(struct wsk_socket *socket, ULONG option, ULONG level, SIZE_T size, const void *input)
{
    if (level == SOL_SOCKET && option == SO_WSK_EVENT_CALLBACK) {
        port_violation("wsk: event callbacks are not supported by the bed");
        return STATUS_NOT_SUPPORTED;
    }
    if (input == NULL || size < sizeof(ULONG)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (without_meaning(level, option)) {
        return STATUS_SUCCESS;
    }
    return net_set_option(socket->fd, level, option, *(const int *)input);
}

static NTSTATUS get_option(struct wsk_socket *socket, ULONG option, ULONG level, SIZE_T size, void *output,
                           ULONG_PTR *returned)
{
    if (output == NULL || size < sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (level != SOL_SOCKET || (option != SO_ERROR && option != SO_TYPE)) {
        return STATUS_NOT_SUPPORTED;
    }
    *(ULONG *)output = option == SO_TYPE ? SOCK_STREAM : (ULONG)socket->broken;
    *returned = sizeof(ULONG);
    return STATUS_SUCCESS;
}

static NTSTATUS set_keepalive(struct wsk_socket *socket, const struct keepalive_values *values)
{
    NTSTATUS status = net_set_option(socket->fd, SOL_SOCKET, SO_KEEPALIVE, values->on != 0);

    if (NT_SUCCESS(status) && values->on != 0) {
        status = net_set_option(socket->fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)((values->idle_ms + 999) / 1000));
    }
    if (NT_SUCCESS(status) && values->on != 0) {
        status = net_set_option(socket->fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)((values->interval_ms + 999) / 1000));
    }
    return status;
}

/* The list comes back as it was: one host has one route here. */
static NTSTATUS sort_addresses(SIZE_T input_size, const void *input, SIZE_T output_size, void *output,
                               ULONG_PTR *returned)
{
    bed_irql_at_most(PASSIVE_LEVEL, "SIO_ADDRESS_LIST_SORT");
    if (output == NULL || output_size < input_size) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memmove(output, input, input_size);
    *returned = input_size;
    return STATUS_SUCCESS;
}

static NTSTATUS ioctl(struct wsk_socket *socket, ULONG code, SIZE_T input_size, const void *input, SIZE_T output_size,
                      void *output, ULONG_PTR *returned)
{
    switch (code) {
    case SIO_KEEPALIVE_VALS:
        if (input == NULL || input_size < sizeof(struct keepalive_values)) {
            return STATUS_INVALID_PARAMETER;
        }
        return set_keepalive(socket, input);
    case SIO_ADDRESS_LIST_SORT:
        return sort_addresses(input_size, input, output_size, output, returned);
    case SIO_ADDRESS_LIST_QUERY:
    case SIO_ADDRESS_LIST_CHANGE:
        bed_irql_at_most(PASSIVE_LEVEL, "an address-list control");
        return STATUS_NOT_SUPPORTED;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS WSKAPI wsk_control_socket(PWSK_SOCKET face, WSK_CONTROL_SOCKET_TYPE type, ULONG code, ULONG level,
                                   SIZE_T input_size, PVOID input, SIZE_T output_size, PVOID output,
                                   SIZE_T *output_returned, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskControlSocket");
    ULONG_PTR returned = 0;
    NTSTATUS status = STATUS_INVALID_HANDLE;
    struct wsk_op *op = NULL;

    if (socket == NULL) {
        return status;
    }
    if (irp != NULL) {
        op = wsk_op_begin(socket, irp, WSK_OP_SIMPLE, NULL, "WskControlSocket", &status);
    }
    if (irp == NULL || op != NULL) {
        status = type == WskSetOption   ? set_option(socket, code, level, input_size, input)
                 : type == WskGetOption ? get_option(socket, code, level, output_size, output, &returned)
                                        : ioctl(socket, code, input_size, input, output_size, output, &returned);
    }
    if (output_returned != NULL) {
        *output_returned = returned;
    }
    if (op != NULL) {
        wsk_op_end(op, status, returned);
    }
    wsk_leave(socket);
    return status;
}
