/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the compilers we build with (gcc, clang, clang and MSVC in their Windows modes) spell differently. */
#ifndef WNBD_CORE_BASE_COMPILER_H
#define WNBD_CORE_BASE_COMPILER_H

/* The caller must look at the result. */
#if defined(__GNUC__) || defined(__clang__)
#define MUST_CHECK __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#include <sal.h>
#define MUST_CHECK _Check_return_
#else
#define MUST_CHECK
#endif

/* The common part of two functions that are both short of time: each has its own. */
#if defined(__GNUC__) || defined(__clang__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define ALWAYS_INLINE __forceinline
#else
#define ALWAYS_INLINE inline
#endif

/* A rare way out of a short function: kept out of it, so that the short way saves no registers for the long one. */
#if defined(__GNUC__) || defined(__clang__)
#define RARE __attribute__((noinline, cold))
#elif defined(_MSC_VER)
#define RARE __declspec(noinline)
#else
#define RARE
#endif

/* A long way that is not rare, kept out of a short function for the same reason; and the opposite, a part of the short
 * way that the compiler would find too long to be in it. */
#if defined(__GNUC__) || defined(__clang__)
#define OUT_OF_LINE  __attribute__((noinline))
#define FORCE_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define OUT_OF_LINE  __declspec(noinline)
#define FORCE_INLINE __forceinline
#else
#define OUT_OF_LINE
#define FORCE_INLINE inline
#endif

/* The parameter number `at` (from 1) is printf's, and the values begin at `values`; 0, they are a va_list. */
#if defined(__GNUC__) || defined(__clang__)
#define PRINTF_LIKE(at, values) __attribute__((format(printf, at, values)))
#else
#define PRINTF_LIKE(at, values)
#endif

#endif
