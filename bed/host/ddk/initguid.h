/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On Windows this makes the next headers define the GUIDs they declare. Here bed/host/interface.c defines them. */
