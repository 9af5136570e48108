/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that all requests come from: the test itself. Its object is there from the machine's start to its stop.
 */
#ifndef BED_HOST_PROCESS_H
#define BED_HOST_PROCESS_H

void bed_process_begin(void);

/* Takes the bed's own reference away: whoever has another is found by bed_objects_check. */
void bed_process_end(void);

#endif
