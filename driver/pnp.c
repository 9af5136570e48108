/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/pnp.h"

#include "driver/disk.h"

/* With STOR_FEATURE_FULL_PNP_DEVICE_CAPABILITIES, Storport hands over the larger structure with version and size set.
 */
static UCHAR query_capabilities(const struct srb_view *view)
{
    PSTOR_DEVICE_CAPABILITIES_EX capabilities = view->data;

    if (capabilities == NULL || view->data_length < sizeof *capabilities) {
        return SRB_STATUS_INVALID_REQUEST;
    }
    capabilities->Removable = 1;
    capabilities->EjectSupported = 1;
    capabilities->SurpriseRemovalOK = 0; /* a file system on it wants to be told before */
    capabilities->SilentInstall = 1;
    capabilities->DefaultWriteCacheEnabled = 1;
    return SRB_STATUS_SUCCESS;
}

/* Windows has taken the device away: what is still out must not keep its stack, and nobody is to try it again. The disk
 * itself goes by IOCTL_WNBD_REMOVE or with the adapter. */
static void surprise_removal(struct adapter *adapter, const struct srb_view *view)
{
    struct record *record = record_of_management(view->extension, view->srb);
    struct disk *disk = NULL;

    if (view->path < ADAPTER_BUSES && view->lun < ADAPTER_LUNS) {
        disk = disk_pin(adapter, view->target);
    }
    if (disk != NULL) {
        disk_reset(disk, SRB_STATUS_NO_DEVICE, record);
        disk_unpin(disk);
    }
    if (disk == NULL || record == NULL) {
        srb_complete(adapter, view->srb, SRB_STATUS_SUCCESS);
    }
}

static UCHAR answer(const struct srb_view *view, STOR_PNP_ACTION action)
{
    switch (action) {
    case StorQueryCapabilities:
        return query_capabilities(view);
    case StorStartDevice:
    case StorStopDevice:
    case StorRemoveDevice: /* comes when the last handle is closed: nothing is out, and the place may be another's */
        return SRB_STATUS_SUCCESS;
    case StorSurpriseRemoval:
    case StorQueryResourceRequirements:
    case StorFilterResourceRequirements:
        break;
    }
    return SRB_STATUS_INVALID_REQUEST;
}

void pnp_srb(struct adapter *adapter, const struct srb_view *view)
{
    STOR_PNP_ACTION action;
    bool for_adapter;

    if (!srb_pnp(view->srb, &action, &for_adapter) || for_adapter) {
        srb_complete(adapter, view->srb, SRB_STATUS_INVALID_REQUEST);
    } else if (action == StorSurpriseRemoval) {
        surprise_removal(adapter, view);
    } else {
        srb_complete(adapter, view->srb, answer(view, action));
    }
}
