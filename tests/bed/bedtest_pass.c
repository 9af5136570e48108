/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCSI pass-through and TRIM. */
#include "tests/bed/bedtest.h"

struct buffered {
    SCSI_PASS_THROUGH header;
    ULONG filler;
    BYTE sense[32];
    BYTE data[96];
};

static void pass_buffered(HANDLE disk)
{
    struct buffered request = {0};
    DWORD got = 0;
    DWORD error;

    request.header.Length = sizeof(request.header);
    request.header.CdbLength = 6;
    request.header.SenseInfoLength = sizeof(request.sense);
    request.header.SenseInfoOffset = offsetof(struct buffered, sense);
    request.header.DataIn = SCSI_IOCTL_DATA_IN;
    request.header.DataTransferLength = sizeof(request.data);
    request.header.DataBufferOffset = offsetof(struct buffered, data);
    request.header.TimeOutValue = 10;
    request.header.Cdb[0] = 0x12;
    request.header.Cdb[4] = sizeof(request.data);
    error = control(disk, IOCTL_SCSI_PASS_THROUGH, &request, sizeof(request), &request, sizeof(request), &got);
    printf("inquiry: error %lu status %u vendor '%.8s' length %lu\n", error, request.header.ScsiStatus,
           (char *)request.data + 8, request.header.DataTransferLength);
    failures += error != 0 || request.header.ScsiStatus != 0;

    request.header.SenseInfoLength = sizeof(request.sense);
    request.header.DataTransferLength = 0;
    request.header.DataIn = SCSI_IOCTL_DATA_UNSPECIFIED;
    memset(request.header.Cdb, 0, sizeof(request.header.Cdb));
    request.header.Cdb[0] = 0xC1; /* no such command */
    error = control(disk, IOCTL_SCSI_PASS_THROUGH, &request, sizeof(request), &request, sizeof(request), &got);
    printf("unknown: error %lu status %u sense %x/%02x\n", error, request.header.ScsiStatus, request.sense[2],
           request.sense[12]);
    failures += error != 0 || request.header.ScsiStatus != 2;
}

static void pass_direct(HANDLE disk, BOOL write, BYTE *data, DWORD length)
{
    struct {
        SCSI_PASS_THROUGH_DIRECT header;
        ULONG filler;
        BYTE sense[32];
    } request = {0};
    DWORD got = 0;
    DWORD error;

    request.header.Length = sizeof(request.header);
    request.header.CdbLength = 10;
    request.header.SenseInfoLength = sizeof(request.sense);
    request.header.SenseInfoOffset = (ULONG)((BYTE *)request.sense - (BYTE *)&request);
    request.header.DataIn = write ? SCSI_IOCTL_DATA_OUT : SCSI_IOCTL_DATA_IN;
    request.header.DataTransferLength = length;
    request.header.DataBuffer = data;
    request.header.TimeOutValue = 10;
    request.header.Cdb[0] = write ? 0x2A : 0x28;
    request.header.Cdb[5] = 99;
    request.header.Cdb[8] = (BYTE)(length / SECTOR);
    error = control(disk, IOCTL_SCSI_PASS_THROUGH_DIRECT, &request, sizeof(request), &request, sizeof(request), &got);
    printf("direct %s: error %lu status %u length %lu\n", write ? "write" : "read", error, request.header.ScsiStatus,
           request.header.DataTransferLength);
    failures += error != 0 || request.header.ScsiStatus != 0;
}

void command_pass(const char *number)
{
    HANDLE disk = open_disk(number, 0);
    static BYTE out[8 * SECTOR];
    static BYTE in[8 * SECTOR];

    pass_buffered(disk);
    fill(out, sizeof(out), 77);
    pass_direct(disk, TRUE, out, sizeof(out));
    pass_direct(disk, FALSE, in, sizeof(in));
    if (memcmp(in, out, sizeof(in)) != 0) {
        printf("FAILED: direct data differ\n");
        failures++;
    }
    CloseHandle(disk);
}

void command_trim(const char *number)
{
    struct {
        ULONG header[7];
        ULONG filler;
        LONGLONG offset;
        ULONGLONG length;
    } request = {{28, 1, 0, 0, 0, 32, 16}, 0, 1 << 20, 1 << 20};
    HANDLE disk = open_disk(number, 0);
    static BYTE data[4096];
    DWORD got;
    DWORD error;

    memset(data, 1, sizeof(data));
    transfer(disk, TRUE, 1 << 20, data, sizeof(data));
    error = control(disk, CTL_CODE(IOCTL_STORAGE_BASE, 0x0501, METHOD_BUFFERED, FILE_WRITE_ACCESS), &request,
                    sizeof(request), NULL, 0, &got);
    printf("trim: error %lu\n", error);
    transfer(disk, FALSE, 1 << 20, data, sizeof(data));
    printf("first byte %u\n", data[0]);
    failures += error != 0 || data[0] != 0;
    CloseHandle(disk);
}
