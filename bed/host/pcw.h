/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PcwRegister, PcwUnregister and PcwAddInstance, as drivers here call them; what they do is in bed/pcw. */
#ifndef BED_HOST_PCW_H
#define BED_HOST_PCW_H

/* Reports counter sets that are registered as a violation; nobody is there any more. */
void bed_counter_sets_check(void);

#endif
