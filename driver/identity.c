/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/identity.h"

#include "driver/text.h"

#include "core/base/bytes.h"

/* FNV-1a, 64 bits: offset basis and prime. */
#define HASH_BEGIN 0xcbf29ce484222325ULL
#define HASH_PRIME 0x100000001b3ULL

/* NAA 3h, locally assigned: 4 bits of format, 60 of our choice (SPC-4, 7.8.6.6). */
#define NAA_LOCAL        0x3
#define NAA_LOCAL_LENGTH 8

static uint64_t hash(uint64_t value, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        value = (value ^ (uint8_t)text[i]) * HASH_PRIME;
    }
    return (value ^ 0xFF) * HASH_PRIME; /* not in UTF-8: the parts cannot run into each other */
}

static uint64_t hash_server(const NBD_CONNECTION_PROPERTIES *server)
{
    uint64_t value = HASH_BEGIN;
    char port[8];

    text_format(port, sizeof port, "%u", server->PortNumber);
    value = hash(value, server->Hostname, text_length(server->Hostname, sizeof server->Hostname));
    value = hash(value, port, text_length(port, sizeof port));
    return hash(value, server->ExportName, text_length(server->ExportName, sizeof server->ExportName));
}

/* Of a disk of which nothing is known but who serves it and how it is called. No host name begins as this does. */
static uint64_t hash_program(const WNBD_PROPERTIES *properties)
{
    uint64_t value = hash(HASH_BEGIN, "", 0);

    value = hash(value, properties->Owner, text_length(properties->Owner, sizeof properties->Owner));
    value =
        hash(value, properties->InstanceName, text_length(properties->InstanceName, sizeof properties->InstanceName));
    return hash(value, properties->SerialNumber,
                text_length(properties->SerialNumber, sizeof properties->SerialNumber));
}

static void derive_naa(struct scsi_device *device, const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;
    uint64_t value = server->Hostname[0] != '\0' ? hash_server(server) : hash_program(properties);

    store_be64(device->naa, (uint64_t)NAA_LOCAL << 60 | value >> 4);
    device->naa_length = NAA_LOCAL_LENGTH;
    device->naa_alone = false;
}

static void take_naa(struct scsi_device *device, const WNBD_NAA_ID *id)
{
    uint8_t format = id->data[0] >> 4;

    RtlCopyMemory(device->naa, id->data, sizeof id->data);
    device->naa_length = format == 6 ? 16 : 8; /* 6 is the long one; 2, 3 and 5 have 8 bytes */
    device->naa_alone = true;
}

static void set_serial(struct scsi_device *device, WNBD_PROPERTIES *properties)
{
    size_t length;

    if (properties->SerialNumber[0] == '\0') {
        RtlCopyMemory(properties->SerialNumber, properties->InstanceName, sizeof properties->SerialNumber);
    }
    length = text_length(properties->SerialNumber, sizeof properties->SerialNumber);
    device->serial_length = (uint8_t)min(length, SCSI_SERIAL_MAX);
    RtlCopyMemory(device->serial, properties->SerialNumber, device->serial_length);
}

void identity_set(struct scsi_device *device, WNBD_PROPERTIES *properties)
{
    RtlCopyMemory(device->revision, "0.8 ", sizeof device->revision);
    set_serial(device, properties);
    if (properties->Flags.NaaIdSpecified) {
        take_naa(device, &properties->NaaIdentifier);
    } else {
        derive_naa(device, properties);
    }
}
