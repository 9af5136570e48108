/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mingw-w64's kernel headers, with the gaps of its version 10 filled. Included through driver/ddk.h only.
 */
#ifndef WNBD_DRIVER_DDK_NT_H
#define WNBD_DRIVER_DDK_NT_H

/* intrin.h would bring in floating-point intrinsics, which -mgeneral-regs-only refuses. */
#define _MM3DNOW_H_INCLUDED
#define __MM3DNOW_H
#include <intrin.h>

/* wdm.h defines these two in a way that every source would export them: give them names nobody uses. */
#define InterlockedBitTestAndSet   ddk_unused_bit_test_and_set
#define InterlockedBitTestAndReset ddk_unused_bit_test_and_reset

/* srb.h is of 2003 and storport.h does not compile: driver/ddk/scsi.h and driver/ddk/storport.h stand in for them. */
#define _NTSRB_
#define __STORPORT_H

#include <ntifs.h>
#include <ntddscsi.h>
#include <ntddstor.h>
#include <ntdddisk.h>

#undef InterlockedBitTestAndSet
#undef InterlockedBitTestAndReset
#define InterlockedBitTestAndSet   _interlockedbittestandset
#define InterlockedBitTestAndReset _interlockedbittestandreset

#ifdef _M_ARM64
/* KUSER_SHARED_DATA.InterruptTime, which the headers read in place on x64 and call a routine for on any other
 * processor. */
#define KeQueryInterruptTime() (*(volatile ULONG64 *)(ULONG_PTR)0xFFFFF78000000008)
#endif

/* KeRaiseIrqlToDpcLevel and KeLowerIrql. On x64 mingw's headers define them in place (CR8, as the WDK does), and that
 * is what is called; on ARM64 they are the kernel's exports. */
KIRQL NTAPI ddk_raise_to_dispatch(void) __asm__("KeRaiseIrqlToDpcLevel");
VOID NTAPI ddk_lower_irql(KIRQL irql) __asm__("KeLowerIrql");

/*
 * mingw declares the exported object types as if they were imported data, so that the name alone is the POBJECT_TYPE
 * which the WDK reaches through one more pointer.
 */
#define DDK_THREAD_TYPE  ((POBJECT_TYPE)PsThreadType)
#define DDK_EVENT_TYPE   ((POBJECT_TYPE)ExEventObjectType)
#define DDK_PROCESS_TYPE ((POBJECT_TYPE)PsProcessType)

/* Puts a function into the named section: "INIT" is thrown away after DriverEntry. */
#define DDK_CODE(name) __attribute__((section(name)))

#ifndef POOL_NX_ALLOCATION
#define POOL_NX_ALLOCATION 512
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute 0x40000000
#endif

/* ExAllocatePool2 exists from build 19041 on: asked for by name with MmGetSystemRoutineAddress. */
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_PAGED     0x0000000000000100ULL

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);

/* wdm.h: from build 17134 on. */
typedef enum _DRIVER_REGKEY_TYPE { DriverRegKeyParameters, DriverRegKeyPersistentState } DRIVER_REGKEY_TYPE;
NTKERNELAPI NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                                   ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE DriverRegKey);

/* ntddscsi.h: what the miniport's HwProcessServiceRequest is called for. */
#define IOCTL_MINIPORT_PROCESS_SERVICE_IRP                                                                             \
    CTL_CODE(IOCTL_SCSI_BASE, 0x040e, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)

#endif
