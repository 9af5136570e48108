/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the image entry sets up, before anything else of storport.sys runs. */
#ifndef WNBD_BED_WINE_START_H
#define WNBD_BED_WINE_START_H

void bed_cancel_start(void);
void bed_irql_start(void);
void bed_shared_data_start(void);
void bed_threads_start(void);

#endif
