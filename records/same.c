/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records/records.h"

#include <string.h>

static const char *server_difference(const NBD_CONNECTION_PROPERTIES *recorded, const NBD_CONNECTION_PROPERTIES *disk)
{
    if (strcmp(recorded->Hostname, disk->Hostname) != 0)
        return "hostname";
    if (recorded->PortNumber != disk->PortNumber)
        return "port";
    if (strcmp(recorded->ExportName, disk->ExportName) != 0)
        return "export name";
    return recorded->Flags.SkipNegotiation != disk->Flags.SkipNegotiation ? "skip-handshake" : NULL;
}

/* A disk may have got fewer connections than were asked for, and be read-only because its export is. */
const char *record_difference(const WNBD_PROPERTIES *recorded, const WNBD_PROPERTIES *disk)
{
    const char *difference = server_difference(&recorded->NbdProperties, &disk->NbdProperties);

    if (difference)
        return difference;
    if (recorded->Flags.UseKernelNbd != disk->Flags.UseKernelNbd)
        return "NBD client";
    if (recorded->Flags.ReadOnly && !disk->Flags.ReadOnly)
        return "read-only";
    if (recorded->BlockSize != disk->BlockSize)
        return "block size";
    if (recorded->PhysicalBlockSize && recorded->PhysicalBlockSize != disk->PhysicalBlockSize)
        return "physical block size";
    return NULL;
}
