/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that connections need, made when the disk is: connecting again, and every request, must not ask for
 * memory.
 */
#include "driver/nbd.h"

#include "driver/disk.h"
#include "driver/log.h"
#include "driver/memory.h"

/* ---- A connection ---- */

static NTSTATUS allocate_sends(struct nbd_connection *connection)
{
    for (size_t i = 0; i < NBD_SENDS; i++) {
        struct nbd_send *send = &connection->sends[i];

        send->connection = connection;
        list_init(&send->records);
        send->irp = IoAllocateIrp(1, FALSE);
        if (send->irp == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        list_append(&connection->free_sends, &send->link);
    }
    return STATUS_SUCCESS;
}

/* An MDL for memory of ours. */
static PMDL describe(void *memory, ULONG size)
{
    PMDL mdl = memory != NULL ? IoAllocateMdl(memory, size, FALSE, FALSE, NULL) : NULL;

    if (mdl != NULL) {
        MmBuildMdlForNonPagedPool(mdl);
    }
    return mdl;
}

static NTSTATUS allocate_receive(struct nbd_connection *connection)
{
    connection->receive_buffer = memory_allocate(NBD_RECEIVE_BUFFER, TAG_BUFFER);
    connection->receive_mdl = describe(connection->receive_buffer, NBD_RECEIVE_BUFFER);
    connection->receive_irp = IoAllocateIrp(1, FALSE);
    return connection->receive_mdl != NULL && connection->receive_irp != NULL ? STATUS_SUCCESS
                                                                              : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS allocate_thread_memory(struct nbd_connection *connection)
{
    NTSTATUS status;

    connection->handshake = memory_allocate(sizeof *connection->handshake, TAG_BACKEND);
    connection->handshake_mdl = describe(connection->handshake, sizeof *connection->handshake);
    if (connection->handshake_mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = wsk_call_init(&connection->call);
    return NT_SUCCESS(status) ? wsk_call_init(&connection->close_call) : status;
}

static NTSTATUS fill_connection(struct nbd_connection *connection)
{
    NTSTATUS status;

    list_init(&connection->free_sends);
    KeInitializeEvent(&connection->settled, NotificationEvent, FALSE);
    work_init(&connection->receive_work, nbd_receive_work);
    status = allocate_sends(connection);
    if (NT_SUCCESS(status)) {
        status = allocate_receive(connection);
    }
    return NT_SUCCESS(status) ? allocate_thread_memory(connection) : status;
}

static void free_irp(PIRP irp)
{
    if (irp != NULL) {
        IoFreeIrp(irp);
    }
}

static void free_mdl(PMDL mdl)
{
    if (mdl != NULL) {
        IoFreeMdl(mdl);
    }
}

static void free_connection(struct nbd_connection *connection)
{
    wsk_call_free(&connection->close_call);
    wsk_call_free(&connection->call);
    free_mdl(connection->handshake_mdl);
    memory_free(connection->handshake, TAG_BACKEND);
    free_irp(connection->receive_irp);
    free_mdl(connection->receive_mdl);
    memory_free(connection->receive_buffer, TAG_BUFFER);
    for (size_t i = 0; i < NBD_SENDS; i++) {
        free_irp(connection->sends[i].irp);
    }
    memory_free(connection, TAG_BACKEND);
}

/* Another one, if there is memory for it. */
static NTSTATUS add_connection(struct disk *disk)
{
    struct nbd_connection *connection = memory_allocate(sizeof *connection, TAG_BACKEND);
    NTSTATUS status;

    if (connection == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    connection->disk = disk;
    status = fill_connection(connection);
    if (NT_SUCCESS(status)) {
        disk->nbd.connections[disk->nbd.count++] = connection;
    } else {
        free_connection(connection);
    }
    return status;
}

void nbd_allocate_more(struct disk *disk, uint32_t count)
{
    while (disk->nbd.count < min(count, NBD_CONNECTIONS_MAX)) {
        if (!NT_SUCCESS(add_connection(disk))) {
            log_disk(CONNECTION_MEMORY, disk, disk->nbd.count, count);
            return;
        }
    }
}

/* ---- What a disk's connections share ---- */

static NTSTATUS allocate_headers(struct nbd_backend *nbd, uint32_t depth)
{
    nbd->header_bytes = memory_allocate(depth * sizeof *nbd->header_bytes, TAG_BACKEND);
    nbd->headers = memory_allocate(depth * sizeof *nbd->headers, TAG_BACKEND);
    if (nbd->header_bytes == NULL || nbd->headers == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS; /* MDLs that describe 0 bytes: the first request to use one makes it */
}

static NTSTATUS allocate_lookup(struct nbd_backend *nbd)
{
    nbd->lookup = memory_allocate(sizeof *nbd->lookup, TAG_BACKEND);
    return nbd->lookup != NULL ? wsk_call_init(&nbd->lookup->call) : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS nbd_allocate(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status;

    KeInitializeEvent(&nbd->lost, NotificationEvent, FALSE);
    work_init(&nbd->send_work, nbd_send_work);
    nbd->wanted = 1;
    status = allocate_headers(nbd, disk->requests.queue.depth);
    if (NT_SUCCESS(status)) {
        status = allocate_lookup(nbd);
    }
    return NT_SUCCESS(status) ? add_connection(disk) : status;
}

void nbd_free(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    while (nbd->count != 0) {
        free_connection(nbd->connections[--nbd->count]);
    }
    if (nbd->lookup != NULL) {
        wsk_call_free(&nbd->lookup->call);
    }
    memory_free(nbd->lookup, TAG_BACKEND);
    memory_free(nbd->headers, TAG_BACKEND);
    memory_free(nbd->header_bytes, TAG_BACKEND);
}
