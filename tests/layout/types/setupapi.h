/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public headers include it and need nothing of it. */
