/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of MSVC's assert.h that the public headers need. */
#ifndef __cplusplus
#define static_assert _Static_assert
#endif
