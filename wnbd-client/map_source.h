/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk that is mapped is made from, and which arguments go with that. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_MAP_SOURCE_H
#define WNBD_CLIENT_MAP_SOURCE_H

#include "wnbd-client/arguments.h"

enum map_source {
    MAP_FROM_SERVER, /* the driver is the client of an NBD server */
    MAP_FROM_FILE,   /* this program serves it */
    MAP_FROM_RAM,
};

/* False: `problem` is a clause that says what is missing or does not go together. Of sizes that a server does not say
 * it knows that they are whole blocks. */
bool map_source_read(const struct arguments *arguments, enum map_source *source, char problem[ARGUMENTS_PROBLEM_SIZE]);

#endif
