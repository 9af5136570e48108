/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of the records. A key is called as the disk, but for backslashes, which a key's name cannot have: they are
 * written %5C, and % is %25. Keys are found in any case of letters, disks are not.
 */
#ifndef WNBD_RECORDS_KEY_H
#define WNBD_RECORDS_KEY_H

#include "records/records.h"

#define KEY_NAME_LENGTH 256 /* WCHARs with the NUL: the registry's limit */

/* The key above all records, for RegCloseKey. 2: there is none, thus no record. */
DWORD key_open_root(REGSAM access, HKEY *root);

/* Makes it if need be. */
DWORD key_create_root(HKEY *root);

/* The disk's name of key `index`; ERROR_NO_MORE_ITEMS at the end. */
DWORD key_enumerate(HKEY root, DWORD index, WCHAR key[KEY_NAME_LENGTH], char name[RECORD_NAME_SIZE]);

/* The key of a disk that is recorded; 2: it is not. */
DWORD key_find(HKEY root, const char *name, WCHAR key[KEY_NAME_LENGTH]);

/* The key for a disk that is to be recorded. 183, 206: see record_write. */
DWORD key_for(HKEY root, const char *name, WCHAR key[KEY_NAME_LENGTH]);

#endif
