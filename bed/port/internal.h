/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port driver's functions for one another, by the file that has them. */
#ifndef BED_PORT_INTERNAL_H
#define BED_PORT_INTERNAL_H

#include "bed/port/objects.h"

/* Whether a list looked empty just now, without the lock that guards it: for a hint that may be wrong. */
static inline BOOLEAN list_looks_empty(const struct list_link *list)
{
    return *(struct list_link *const volatile *)&list->next == list;
}

/* init.c */
extern struct miniport *miniports;
extern struct adapter *adapters;
extern KSPIN_LOCK miniports_lock;
struct miniport *miniport_of(DRIVER_OBJECT *driver);
NTSTATUS NTAPI port_add_device(DRIVER_OBJECT *driver, DEVICE_OBJECT *pdo);
ULONG parameter_read(const UNICODE_STRING *service_key, const WCHAR *name, ULONG fallback);

/* dispatch.c */
NTSTATUS NTAPI port_dispatch(DEVICE_OBJECT *object, IRP *irp);
NTSTATUS irp_finish(IRP *irp, NTSTATUS status, ULONG_PTR information);
void irp_complete(IRP *irp); /* IoStatus is set */

/* adapter.c */
NTSTATUS adapter_start(struct adapter *adapter);
void adapter_stop(struct adapter *adapter);
NTSTATUS adapter_restart(struct adapter *adapter);
void adapter_remove(struct adapter *adapter);

/* extension.c */
NTSTATUS extension_create(struct adapter *adapter);
void extension_bury(struct adapter *adapter);
struct adapter *adapter_of_extension(const void *extension, const char *caller);
void extensions_check(struct miniport *miniport);

/* configuration.c */
void configuration_init(struct adapter *adapter);
void configuration_check(struct adapter *adapter, const PORT_CONFIGURATION_INFORMATION *before);

/* adapter_pnp.c, disk_pnp.c */
NTSTATUS adapter_pnp(struct adapter *adapter, IRP *irp);
NTSTATUS disk_pnp(struct disk *disk, IRP *irp);
NTSTATUS bus_relations(struct adapter *adapter, IRP *irp);

/* ids.c: the answers of QUERY_ID, in pool that the PnP manager frees; NULL when there is no memory or no such id */
WCHAR *disk_id(const struct disk *disk, BUS_QUERY_ID_TYPE type);
void disk_instance_path(const struct disk *disk, WCHAR *path, ULONG characters);
void adapter_instance_path(const struct adapter *adapter, WCHAR *path, ULONG characters);

/* scan.c: PASSIVE_LEVEL. The topology lock guards which disks exist; it is outermost. */
void topology_init(void);
void topology_lock(void);
void topology_unlock(void);
void adapter_scan(struct adapter *adapter);
void adapter_rescan_soon(struct adapter *adapter);

/* unit.c */
struct unit *unit_create(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun);
void unit_reference(struct unit *unit);
void unit_release(struct unit *unit);
struct unit *unit_find_locked(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun);
void unit_kill(struct unit *unit);

/* disk.c */
NTSTATUS disk_create(struct unit *unit, const struct identity *identity);
void disk_start(struct disk *disk);
void disk_unlink(struct disk *disk);
void disk_delete(struct disk *disk);
BOOLEAN disk_enter(struct disk *disk);
void disk_leave(struct disk *disk);
NTSTATUS disk_read_capacity(struct unit *unit, struct capacity *capacity);
void disk_update(struct disk *disk);
enum disk_state disk_state(const struct disk *disk);
ULONGLONG disk_blocks(const struct disk *disk); /* may change at any time */

/* inquiry.c: synchronous commands of the scan and of ioctls, PASSIVE_LEVEL */
NTSTATUS unit_inquiry(struct unit *unit, UCHAR page, BOOLEAN vpd, UCHAR *data, ULONG length, ULONG *got,
                      struct outcome *outcome);
BOOLEAN unit_identify(struct unit *unit, struct identity *identity);
void unit_identify_pages(struct unit *unit, struct identity *identity);
ULONG unit_serial(struct unit *unit, UCHAR *serial, ULONG size);
ULONG unit_report_luns(struct unit *unit, UCHAR *luns, ULONG maximum);
NTSTATUS unit_mode_sense(struct unit *unit, UCHAR page, UCHAR *data, UCHAR length, ULONG *got);
NTSTATUS unit_log_sense(struct unit *unit, UCHAR page, UCHAR *data, UCHAR length, ULONG *got);

/* request.c */
struct request *request_take(struct unit *unit);
void request_give(struct request *request);
struct request *request_find(struct adapter *adapter, const void *srb);
void request_spoil(struct request *request);
BOOLEAN is_filled(const void *memory, ULONG length); /* with PORT_FILL */
void requests_check(struct adapter *adapter);
void requests_free(struct adapter *adapter);

/* srb.c */
void srb_build(struct request *request);
void srb_read(const struct request *request, UCHAR *srb_status, UCHAR *scsi_status, ULONG *transferred,
              UCHAR *sense_length);
BOOLEAN is_read_or_write(const struct command *command);
void command_scsi(struct command *command, const UCHAR *cdb, UCHAR cdb_length, ULONG flags, ULONG timeout_s);
void command_data(struct request *request, void *buffer, ULONG length);
void mdl_describe(MDL *mdl, void *shown, void *system, ULONG length);

/* queue.c */
void request_submit(struct request *request);
NTSTATUS request_run(struct request *request);
void request_start(struct request *request);
void unit_ready(struct unit *unit);
void adapter_pump(struct adapter *adapter);
void adapter_pump_here(struct adapter *adapter);
/* Between the two what the miniport completes on this thread is put aside; leaving finishes it, and no lock may be
 * held. FALSE: the thread had entered before, and there is nothing to leave. */
BOOLEAN pump_enter(struct adapter *adapter, struct pump *pump);
void pump_leave(struct adapter *adapter, struct pump *pump);
void request_leave(struct request *request);
void adapter_hold(struct adapter *adapter);
void adapter_unhold(struct adapter *adapter);
void request_fail_dead(struct request *request);

/* retry.c */
void request_delay(struct request *request, ULONG milliseconds, BOOLEAN head);
void retry_tick(struct adapter *adapter);

/* timeout.c */
void second_tick(struct adapter *adapter);
void unit_recover(struct unit *unit, enum recovery step);
void unit_abort_oldest(struct unit *unit);
void adapter_reset_bus(struct adapter *adapter, ULONG path);

/* complete.c */
void srb_completed(struct adapter *adapter, void *srb);
void request_finish(struct request *request);
void requests_complete(struct adapter *adapter, UCHAR path, UCHAR target, UCHAR lun, UCHAR srb_status);

/* contract.c: whether what the miniport left in the SRB keeps the rules; reports what does not */
void contract_check(struct request *request, UCHAR srb_status, UCHAR scsi_status, ULONG transferred,
                    UCHAR sense_length);

/* status.c */
struct judgement {
    NTSTATUS status;
    BOOLEAN retry;
    ULONG delay_ms;
};
void judge(const struct outcome *outcome, struct judgement *judgement);

/* guard.c */
void guard_begin(struct request *request);
void guard_start(struct request *request);
void guard_seal(struct request *request);
void guard_end(struct request *request);
void guards_check(struct adapter *adapter);

/* lent.c */
const char *lent_overlap(const struct request *request);

/* service.c */
NTSTATUS service_begin(struct adapter *adapter, IRP *irp);
ULONG service_complete(struct adapter *adapter, IRP *irp);
void services_end(struct adapter *adapter);

/* memory.c */
ULONG memory_allocate(struct adapter *adapter, ULONG length, ULONG tag, void **block);
ULONG memory_free(struct adapter *adapter, void *block);
void memory_check(struct adapter *adapter);

/* clock.c */
#define RETRY_TICK_MS 20
NTSTATUS clock_start(struct adapter *adapter);
void clock_stop(struct adapter *adapter);
void clock_wake(struct adapter *adapter);
void hw_timer_set(struct adapter *adapter, struct hw_timer *timer, hw_timer_callback *callback, void *context,
                  ULONGLONG microseconds);

/* issuers.c */
void issuers_start(struct adapter *adapter);
void issuers_stop(struct adapter *adapter);

/* timer.c */
ULONG hw_timer_create(struct adapter *adapter, void **handle);
ULONG hw_timer_request(struct adapter *adapter, va_list arguments);
ULONG hw_timer_free(struct adapter *adapter, void *handle);
void hw_timers_check(struct adapter *adapter);

/* file.c */
NTSTATUS file_dispatch(struct device *device, IRP *irp);

/* disk_io.c, disk_ioctl.c, disk_property.c, mapping.c, passthrough.c, trim.c */
NTSTATUS disk_transfer(struct disk *disk, IRP *irp);
NTSTATUS disk_flush(struct disk *disk, IRP *irp);
void transfer_submit(struct request *request);
NTSTATUS disk_ioctl(struct disk *disk, IRP *irp);
NTSTATUS ioctl_answer(IRP *irp, const void *data, ULONG length, ULONG_PTR *information);
NTSTATUS query_property(struct adapter *adapter, struct disk *disk, IRP *irp, ULONG_PTR *information);
NTSTATUS pass_through(struct disk *disk, IRP *irp, BOOLEAN direct, MDL *user, ULONG_PTR *information);
NTSTATUS pass_through_lock(IRP *irp, MDL **mdl);
void pass_through_unlock(MDL *mdl);
NTSTATUS manage_data_set(struct disk *disk, IRP *irp, ULONG_PTR *information);
NTSTATUS map_resources(struct disk *disk, IRP *irp, ULONG_PTR *information);

/* adapter_ioctl.c */
NTSTATUS adapter_ioctl(struct adapter *adapter, IRP *irp);

/* control.c, control_pnp.c, control_inject.c; finding asks for the topology lock */
struct bed_verdict;
struct bed_injection;
struct disk *control_find_disk(const WCHAR *instance);
struct adapter *control_find_adapter(const WCHAR *instance);
NTSTATUS control_pnp(ULONG code, const WCHAR *instance, struct bed_verdict *verdict);
void disk_begin_removal(struct disk *disk);
NTSTATUS control_inject(struct bed_injection *injection);
void device_arrives(struct device *device); /* it starts */
void control_create(DRIVER_OBJECT *driver);
void control_delete(DRIVER_OBJECT *driver);
BOOLEAN control_invalidate(void);
NTSTATUS control_dispatch(struct device *device, IRP *irp);

#endif
