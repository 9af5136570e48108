/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bit fields of the public structures, which no static assertion can look at: tests/layout/layout.c has the rest.
 */
#include "guard.h"
#include "include/wnbd.h"

/* Bits low to high of the 32 bits at `offset`, and no others, are set in `bytes`. */
static void check_bits(const uint8_t *bytes, size_t size, size_t offset, unsigned low, unsigned high)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        int is_set = bytes[bit / 8] >> (bit % 8) & 1;

        assert_int_equal(is_set, bit >= 8 * offset + low && bit <= 8 * offset + high);
    }
}

#define BITS(type, member, offset, low, high)                                                                          \
    do {                                                                                                               \
        type value;                                                                                                    \
        memset(&value, 0, sizeof(value));                                                                              \
        value.member = ~value.member;                                                                                  \
        check_bits((const uint8_t *)&value, sizeof(value), offset, low, high);                                         \
    } while (0)

static void bits_are_where_they_always_were(void **state)
{
    (void)state;
    BITS(WNBD_STATUS, ReservedFRU, 28, 0, 7);
    BITS(WNBD_STATUS, InformationValid, 28, 8, 8);
    BITS(NBD_CONNECTION_FLAGS, SkipNegotiation, 0, 0, 0);
    BITS(NBD_CONNECTION_FLAGS, Force, 0, 1, 1);
    BITS(NBD_CONNECTION_FLAGS, Reserved, 0, 2, 31);
    BITS(WNBD_FLAGS, ReadOnly, 0, 0, 0);
    BITS(WNBD_FLAGS, FlushSupported, 0, 1, 1);
    BITS(WNBD_FLAGS, FUASupported, 0, 2, 2);
    BITS(WNBD_FLAGS, UnmapSupported, 0, 3, 3);
    BITS(WNBD_FLAGS, UnmapAnchorSupported, 0, 4, 4);
    BITS(WNBD_FLAGS, UseKernelNbd, 0, 5, 5);
    BITS(WNBD_FLAGS, PersistResSupported, 0, 6, 6);
    BITS(WNBD_FLAGS, NaaIdSpecified, 0, 7, 7);
    BITS(WNBD_FLAGS, UseUserspaceNbd, 0, 8, 8);
    BITS(WNBD_FLAGS, KeepDisk, 0, 9, 9);
    BITS(WNBD_FLAGS, LargeBlocksAllowed, 0, 10, 10);
    BITS(WNBD_FLAGS, Reserved, 0, 11, 31);
    BITS(WNBD_CONNECTION_INFO_FLAGS, Disconnecting, 0, 0, 0);
    BITS(WNBD_CONNECTION_INFO_FLAGS, Reserved, 0, 1, 31);
    BITS(WNBD_IO_REQUEST, Cmd.Read.ForceUnitAccess, 28, 0, 0);
    BITS(WNBD_IO_REQUEST, Cmd.Read.Reserved, 28, 1, 31);
    BITS(WNBD_IO_REQUEST, Cmd.Write.ForceUnitAccess, 28, 0, 0);
    BITS(WNBD_IO_REQUEST, Cmd.Write.Reserved, 28, 1, 31);
    BITS(WNBD_IO_REQUEST, Cmd.Unmap.Anchor, 20, 0, 0);
    BITS(WNBD_IO_REQUEST, Cmd.Unmap.Reserved, 20, 1, 31);
    BITS(WNBD_IO_REQUEST, Cmd.PersistResOut.Scope, 17, 0, 3);
    BITS(WNBD_IO_REQUEST, Cmd.PersistResOut.Type, 17, 4, 7);
    BITS(WNBD_REMOVE_FLAGS, HardRemove, 0, 0, 0);
    BITS(WNBD_REMOVE_FLAGS, HardRemoveFallback, 0, 1, 1);
    BITS(WNBD_REMOVE_FLAGS, Reserved, 0, 2, 31);
    BITS(WNBD_REMOVE_COMMAND_FLAGS, WithAllDisks, 0, 0, 0);
    BITS(WNBD_REMOVE_COMMAND_FLAGS, Reserved, 0, 1, 31);
    BITS(WNBD_IOCTL_ENTER_COMMAND, Wait, 20, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bits_are_where_they_always_were)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
