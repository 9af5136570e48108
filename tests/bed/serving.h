/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the serving miniport (serving.c) does for a program: service requests of one struct serving each way. The
 * program includes the Windows types first.
 */
#ifndef TESTS_BED_SERVING_H
#define TESTS_BED_SERVING_H

enum serving_code {
    SERVING_MAP =
        1,         /* makes the section of this handle and maps it twice. Answer: address and length, in the program */
    SERVING_POKE,  /* address is an offset in the section: stores `value`, answers what was there */
    SERVING_FILL,  /* locks [address, +length) to write, and fills it with `value` */
    SERVING_SUM,   /* locks it to read. Answer: `value` is the sum of the bytes */
    SERVING_WAIT,  /* pends until it is cancelled or the handle is closed; no answer */
    SERVING_COUNT, /* answer: the numbers below */
};

#define SERVING_SECTION_BYTES 0x20000

struct serving {
    ULONG code;
    ULONG status; /* of the routine that failed, or success */
    ULONG64 address;
    ULONG64 length;
    ULONG value;
    /* Of SERVING_COUNT: */
    ULONG waiting;
    ULONG cleanups;  /* the miniport saw since it was loaded, of handles that had asked for something */
    ULONG cancelled; /* requests */
};

/* The parameter Careless: what is left undone when a handle is closed. */
enum serving_careless {
    SERVING_CAREFUL,
    SERVING_LEAVES_VIEW,
    SERVING_LEAVES_PAGES_LOCKED,
    SERVING_LEAVES_SECTION,
    SERVING_LEAVES_HANDLE,
    SERVING_LEAVES_FILE,
    SERVING_UNMAPS_TWICE,
    SERVING_UNLOCKS_TWICE,
    SERVING_TOUCHES_LATE, /* the system view, after it was unmapped */
};

#endif
