/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mappings that come back: what `--persistent` means to map, unmap and list. The results are exit codes. */
#ifndef WNBD_CLIENT_PERSISTENT_H
#define WNBD_CLIENT_PERSISTENT_H

#include <wnbd.h>

#include <stdbool.h>

/* Is the disk there already, as `properties` would make it? Then it only has to be recorded. */
bool persistent_is_mapped(const WNBD_PROPERTIES *properties);

/* Records a disk, and says so. The two halves, for who has something to say in between: */
int persistent_record(const WNBD_PROPERTIES *properties);
int persistent_write(const WNBD_PROPERTIES *properties);
void persistent_tell(const char *name);

/* Records a disk whose NBD client is to be the service, and waits until it has mapped it; if it does not the record
 * goes again. */
int persistent_serve(const WNBD_PROPERTIES *properties, bool json);

/* Deletes the record and unmaps the disk; one of the two may be missing. */
int persistent_unmap(const char *name, WNBD_REMOVE_OPTIONS *options);

/* Says that a disk which was unmapped comes back, if it does. */
void persistent_note_unmapped(const char *name);

/* Says on stderr which of the recorded mappings are not among the disks. */
void persistent_note_missing(const WNBD_CONNECTION_LIST *disks);

/* Prints the records. */
int persistent_list(void);

#endif
