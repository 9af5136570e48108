/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What wdm.h has for each processor, for ARM64: no more than the driver uses. mingw-w64's wdm.h includes a header of
 * this name for ARM and has none. IRQL numbers are those that all processors share.
 */
#ifndef WNBD_ARMDDK_H
#define WNBD_ARMDDK_H

#define PASSIVE_LEVEL  0
#define LOW_LEVEL      0
#define APC_LEVEL      1
#define DISPATCH_LEVEL 2
#define HIGH_LEVEL     15

#define PAGE_SIZE  0x1000
#define PAGE_SHIFT 12L

#define YieldProcessor __yield

NTKERNELAPI KIRQL NTAPI KeGetCurrentIrql(VOID);
NTKERNELAPI PKTHREAD NTAPI KeGetCurrentThread(VOID);

#define InterlockedAnd                    _InterlockedAnd
#define InterlockedOr                     _InterlockedOr
#define InterlockedXor                    _InterlockedXor
#define InterlockedIncrement              _InterlockedIncrement
#define InterlockedDecrement              _InterlockedDecrement
#define InterlockedExchange               _InterlockedExchange
#define InterlockedExchangeAdd            _InterlockedExchangeAdd
#define InterlockedCompareExchange        _InterlockedCompareExchange
#define InterlockedAnd64                  _InterlockedAnd64
#define InterlockedOr64                   _InterlockedOr64
#define InterlockedIncrement64            _InterlockedIncrement64
#define InterlockedDecrement64            _InterlockedDecrement64
#define InterlockedExchange64             _InterlockedExchange64
#define InterlockedExchangeAdd64          _InterlockedExchangeAdd64
#define InterlockedCompareExchange64      _InterlockedCompareExchange64
#define InterlockedExchangePointer        _InterlockedExchangePointer
#define InterlockedCompareExchangePointer _InterlockedCompareExchangePointer
#define InterlockedExchangeAddSizeT(a, b) InterlockedExchangeAdd64((LONGLONG *)(a), (LONGLONG)(b))
#define InterlockedIncrementSizeT(a)      InterlockedIncrement64((LONGLONG *)(a))
#define InterlockedDecrementSizeT(a)      InterlockedDecrement64((LONGLONG *)(a))

#endif
