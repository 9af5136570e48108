/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Performance Counters for Windows, a provider's side, as Microsoft documents it for wdm.h: mingw-w64 10 has none of
 * it. Included through driver/ddk.h only; driver/ddk/layout.h pins it.
 */
#ifndef WNBD_DRIVER_DDK_PCW_H
#define WNBD_DRIVER_DDK_PCW_H

#define PCW_VERSION_1       0x0100 /* 2 is of build 19645 */
#define PCW_ANY_INSTANCE_ID 0xFFFFFFFF

typedef struct _PCW_REGISTRATION *PPCW_REGISTRATION;
typedef struct _PCW_BUFFER *PPCW_BUFFER;

/* A counter, and where in the provider's data blocks its value stands. */
typedef struct _PCW_COUNTER_DESCRIPTOR {
    USHORT Id;
    USHORT StructIndex; /* which of the blocks */
    USHORT Offset;
    USHORT Size;
} PCW_COUNTER_DESCRIPTOR, *PPCW_COUNTER_DESCRIPTOR;

/* A data block. */
typedef struct _PCW_DATA {
    const VOID *Data;
    ULONG Size;
} PCW_DATA, *PPCW_DATA;

typedef struct _PCW_COUNTER_INFORMATION {
    ULONG64 CounterMask; /* bit n: the counter with the id n */
    PCUNICODE_STRING InstanceMask;
} PCW_COUNTER_INFORMATION, *PPCW_COUNTER_INFORMATION;

typedef struct _PCW_MASK_INFORMATION {
    ULONG64 CounterMask;
    PCUNICODE_STRING InstanceMask;
    ULONG InstanceId;
    BOOLEAN CollectMultiple;
    PPCW_BUFFER Buffer;
    PKEVENT CancelEvent;
} PCW_MASK_INFORMATION, *PPCW_MASK_INFORMATION;

typedef union _PCW_CALLBACK_INFORMATION {
    PCW_COUNTER_INFORMATION AddCounter;
    PCW_COUNTER_INFORMATION RemoveCounter;
    PCW_MASK_INFORMATION EnumerateInstances;
    PCW_MASK_INFORMATION CollectData;
} PCW_CALLBACK_INFORMATION, *PPCW_CALLBACK_INFORMATION;

typedef enum _PCW_CALLBACK_TYPE {
    PcwCallbackAddCounter,
    PcwCallbackRemoveCounter,
    PcwCallbackEnumerateInstances,
    PcwCallbackCollectData
} PCW_CALLBACK_TYPE,
    *PPCW_CALLBACK_TYPE;

/* In the thread of whoever asks; several at a time. APC_LEVEL at most. */
typedef NTSTATUS NTAPI PCW_CALLBACK(PCW_CALLBACK_TYPE Type, PPCW_CALLBACK_INFORMATION Info, PVOID Context);
typedef PCW_CALLBACK *PPCW_CALLBACK;

typedef enum PCW_REGISTRATION_FLAGS { PcwRegistrationNone = 0 } PCW_REGISTRATION_FLAGS;

typedef struct _PCW_REGISTRATION_INFORMATION {
    ULONG Version;
    PCUNICODE_STRING Name;
    ULONG CounterCount;
    PPCW_COUNTER_DESCRIPTOR Counters;
    PPCW_CALLBACK Callback;
    PVOID CallbackContext;
    PCW_REGISTRATION_FLAGS Flags; /* of version 2; 0 says the same as its absence */
} PCW_REGISTRATION_INFORMATION, *PPCW_REGISTRATION_INFORMATION;

/* APC_LEVEL at most, all three. */
NTKERNELAPI NTSTATUS NTAPI PcwRegister(PPCW_REGISTRATION *Registration, PPCW_REGISTRATION_INFORMATION Info);
NTKERNELAPI VOID NTAPI PcwUnregister(PPCW_REGISTRATION Registration);
NTKERNELAPI NTSTATUS NTAPI PcwAddInstance(PPCW_BUFFER Buffer, PCUNICODE_STRING Name, ULONG Id, ULONG Count,
                                          PPCW_DATA Data);

#endif
