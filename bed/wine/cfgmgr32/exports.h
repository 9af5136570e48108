/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cfgmgr32.def exports under the names of the documentation, CM_Locate_DevNodeW for locate_devnode_w and so on. */
#ifndef WNBD_BED_WINE_CFGMGR32_EXPORTS_H
#define WNBD_BED_WINE_CFGMGR32_EXPORTS_H

#include <windows.h>
#include <cfgmgr32.h>

CONFIGRET WINAPI locate_devnode_w(DEVINST *node, DEVINSTID_W instance, ULONG flags);
CONFIGRET WINAPI locate_devnode_a(DEVINST *node, DEVINSTID_A instance, ULONG flags);
CONFIGRET WINAPI get_device_id_w(DEVINST node, WCHAR *buffer, ULONG length, ULONG flags);
CONFIGRET WINAPI get_device_id_a(DEVINST node, CHAR *buffer, ULONG length, ULONG flags);
CONFIGRET WINAPI get_device_id_size(ULONG *length, DEVINST node, ULONG flags);
CONFIGRET WINAPI get_parent(DEVINST *parent, DEVINST node, ULONG flags);
CONFIGRET WINAPI get_devnode_status(ULONG *status, ULONG *problem, DEVINST node, ULONG flags);

CONFIGRET WINAPI query_and_remove_subtree_w(DEVINST node, PPNP_VETO_TYPE type, WCHAR *name, ULONG length, ULONG flags);
CONFIGRET WINAPI query_and_remove_subtree_a(DEVINST node, PPNP_VETO_TYPE type, CHAR *name, ULONG length, ULONG flags);
CONFIGRET WINAPI disable_devnode(DEVINST node, ULONG flags);
CONFIGRET WINAPI enable_devnode(DEVINST node, ULONG flags);

CONFIGRET WINAPI get_device_interface_list_size_w(PULONG length, LPGUID class_guid, DEVINSTID_W instance, ULONG flags);
CONFIGRET WINAPI get_device_interface_list_w(LPGUID class_guid, DEVINSTID_W instance, WCHAR *buffer, ULONG length,
                                             ULONG flags);

DWORD WINAPI map_cr_to_win32_err(CONFIGRET result, DWORD fallback);

#endif
