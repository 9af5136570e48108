/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of routines that take the place of imports. A shim carries the name of what it replaces: shim_KeFoo stands
 * for KeFoo and has its prototype. Each file shim_*.c has one table, ended by an entry without a name.
 */
#ifndef WNBD_BED_WINE_SHIM_H
#define WNBD_BED_WINE_SHIM_H

/* A bit for each kind of importing image. */
enum shim_scope {
    SHIM_DRIVER = 1, /* a driver under test: checks or counts what it does */
    SHIM_SELF = 2,   /* storport.sys itself */
    SHIM_ALL = 3,    /* both: does what Wine does not */
    SHIM_HOST = 4,   /* the program whose process hosts the drivers */
};

struct shim {
    const char *name;
    void *routine;
    enum shim_scope scope;
};

#define SHIM_CHECK(name) {#name, (void *)shim_##name, SHIM_DRIVER}
#define SHIM_MEND(name)  {#name, (void *)shim_##name, SHIM_ALL}
#define SHIM_END         {0, 0, SHIM_DRIVER}

extern const struct shim bed_rundown_shims[];
extern const struct shim bed_mdl_shims[];
extern const struct shim bed_lock_pages_shims[];
extern const struct shim bed_pool_shims[];
extern const struct shim bed_irql_shims[];
extern const struct shim bed_spinlock_shims[];
extern const struct shim bed_wait_shims[];
extern const struct shim bed_dpc_shims[];
extern const struct shim bed_time_shims[];
extern const struct shim bed_thread_shims[];
extern const struct shim bed_print_shims[];
extern const struct shim bed_etw_shims[];
extern const struct shim bed_io_shims[];
extern const struct shim bed_cancel_shims[];
extern const struct shim bed_csq_shims[];
extern const struct shim bed_wsk_shims[];
extern const struct shim bed_lookup_shims[];
extern const struct shim bed_pnp_shims[];
extern const struct shim bed_object_shims[];
extern const struct shim bed_section_shims[];
extern const struct shim bed_exception_shims[];
extern const struct shim bed_registry_shims[];
extern const struct shim bed_pcw_shims[];

/* The shim for a routine that an image of kind `scope` imports, NULL when Wine's own serves. */
const struct shim *bed_shim_find(const char *name, enum shim_scope scope);

#endif
