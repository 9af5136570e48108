/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything a connection needs, made when the disk is: connecting again, and every request, must not ask for memory.
 */
#include "driver/nbd.h"

#include "driver/disk.h"
#include "driver/memory.h"

static NTSTATUS allocate_sends(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    for (size_t i = 0; i < NBD_SENDS; i++) {
        struct nbd_send *send = &nbd->sends[i];

        send->disk = disk;
        list_init(&send->records);
        send->irp = IoAllocateIrp(1, FALSE);
        if (send->irp == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        list_append(&nbd->free_sends, &send->link);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS allocate_headers(struct nbd_backend *nbd)
{
    nbd->slots = memory_allocate(NBD_DEPTH * sizeof *nbd->slots, TAG_BACKEND);
    nbd->header_bytes = memory_allocate(NBD_DEPTH * sizeof *nbd->header_bytes, TAG_BACKEND);
    nbd->headers = memory_allocate(NBD_DEPTH * sizeof *nbd->headers, TAG_BACKEND);
    if (nbd->slots == NULL || nbd->header_bytes == NULL || nbd->headers == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    queue_init(&nbd->queue, nbd->slots, NBD_DEPTH);
    for (size_t i = 0; i < NBD_DEPTH; i++) {
        MmInitializeMdl(&nbd->headers[i].mdl, nbd->header_bytes[i], NBD_REQUEST_SIZE);
        MmBuildMdlForNonPagedPool(&nbd->headers[i].mdl);
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

static NTSTATUS allocate_receive(struct nbd_backend *nbd)
{
    nbd->receive_buffer = memory_allocate(NBD_RECEIVE_BUFFER, TAG_BUFFER);
    nbd->receive_mdl = describe(nbd->receive_buffer, NBD_RECEIVE_BUFFER);
    nbd->receive_irp = IoAllocateIrp(1, FALSE);
    return nbd->receive_mdl != NULL && nbd->receive_irp != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS allocate_thread_memory(struct nbd_backend *nbd)
{
    NTSTATUS status;

    nbd->handshake = memory_allocate(sizeof *nbd->handshake, TAG_BACKEND);
    nbd->handshake_mdl = describe(nbd->handshake, sizeof *nbd->handshake);
    nbd->lookup = memory_allocate(sizeof *nbd->lookup, TAG_BACKEND);
    if (nbd->handshake_mdl == NULL || nbd->lookup == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = wsk_call_init(&nbd->call);
    if (NT_SUCCESS(status)) {
        status = wsk_call_init(&nbd->close_call);
    }
    if (NT_SUCCESS(status)) {
        status = wsk_call_init(&nbd->lookup->call);
    }
    return status;
}

NTSTATUS nbd_allocate(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status;

    list_init(&nbd->waiting);
    list_init(&nbd->free_sends);
    list_init(&nbd->resets);
    KeInitializeEvent(&nbd->lost, NotificationEvent, FALSE);
    KeInitializeEvent(&nbd->settled, NotificationEvent, FALSE);
    work_init(&nbd->send_work, nbd_send_work);
    work_init(&nbd->receive_work, nbd_receive_work);
    status = allocate_sends(disk);
    if (NT_SUCCESS(status)) {
        status = allocate_headers(nbd);
    }
    if (NT_SUCCESS(status)) {
        status = allocate_receive(nbd);
    }
    if (NT_SUCCESS(status)) {
        status = allocate_thread_memory(nbd);
    }
    return status;
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

void nbd_free(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    wsk_call_free(&nbd->close_call);
    wsk_call_free(&nbd->call);
    if (nbd->lookup != NULL) {
        wsk_call_free(&nbd->lookup->call);
    }
    memory_free(nbd->lookup, TAG_BACKEND);
    free_mdl(nbd->handshake_mdl);
    memory_free(nbd->handshake, TAG_BACKEND);
    free_irp(nbd->receive_irp);
    free_mdl(nbd->receive_mdl);
    memory_free(nbd->receive_buffer, TAG_BUFFER);
    memory_free(nbd->headers, TAG_BACKEND);
    memory_free(nbd->header_bytes, TAG_BACKEND);
    memory_free(nbd->slots, TAG_BACKEND);
    for (size_t i = 0; i < NBD_SENDS; i++) {
        free_irp(nbd->sends[i].irp);
    }
}
