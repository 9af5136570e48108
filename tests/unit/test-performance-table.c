/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * driver/wnbd.man and docs/counters.md are as they are made from driver/performance_table.h, and the table can be what
 * Windows asks for. `test-performance-table manifest` and `test-performance-table document` print them.
 */
#include "driver/performance_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum kind { RATE, AMOUNT, STATE, AVERAGE, BASE };

struct counter {
    unsigned id;
    enum kind kind;
    const char *field;
    unsigned base;
    int scale;
    const char *name;
    const char *description;
};

#define ROW(id, kind, field, base, scale, name, description) {id, kind, #field, base, scale, name, description},
static const struct counter counters[] = {PERFORMANCE_COUNTERS(ROW)};
#define COUNT (sizeof(counters) / sizeof(counters[0]))

/* As counterman.xsd spells them ("Performance Counters Schema"). */
static const char *type_of(enum kind kind)
{
    switch (kind) {
    case RATE:
        return "perf_counter_bulk_count";
    case AMOUNT:
        return "perf_counter_large_rawcount";
    case STATE:
        return "perf_counter_rawcount";
    case AVERAGE:
        return "perf_average_timer";
    case BASE:
        return "perf_average_base";
    }
    return "";
}

/* ---- The manifest: "An Example Kernel-Mode Manifest" of that page, schema 2.0 ---- */

static const char manifest_begin[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n"
    "<!-- Made by tests/unit/test-performance-table from driver/performance_table.h. -->\n"
    "<instrumentationManifest xmlns=\"http://schemas.microsoft.com/win/2004/08/events\">\n"
    "  <instrumentation>\n"
    "    <counters xmlns=\"http://schemas.microsoft.com/win/2005/12/counters\" schemaVersion=\"2.0\">\n"
    "      <provider applicationIdentity=\"wnbd.sys\" providerType=\"kernelMode\" providerName=\"WNBD\"\n"
    "                providerGuid=\"" PERFORMANCE_PROVIDER_GUID "\">\n"
    "        <counterSet guid=\"" PERFORMANCE_SET_GUID "\" uri=\"Wnbd.Disk\" symbol=\"WnbdDisk\"\n"
    "                    name=\"" PERFORMANCE_SET_NAME "\" nameID=\"%d\"\n"
    "                    description=\"" PERFORMANCE_SET_DESCRIPTION "\" descriptionID=\"%d\"\n"
    "                    instances=\"multiple\">\n"
    "          <structs>\n"
    "            <struct name=\"Performance\" type=\"WNBD_PERFORMANCE\"/>\n"
    "          </structs>\n";

static const char manifest_end[] = "        </counterSet>\n"
                                   "      </provider>\n"
                                   "    </counters>\n"
                                   "  </instrumentation>\n"
                                   "</instrumentationManifest>\n";

static const char *attribute_of(enum kind kind)
{
    switch (kind) {
    case AVERAGE:
        return "displayAsReal";
    case BASE:
        return "noDisplay";
    case RATE:
    case AMOUNT:
    case STATE:
        break;
    }
    return NULL;
}

static void print_counter(FILE *file, const struct counter *counter)
{
    const char *attribute = attribute_of(counter->kind);

    fprintf(file, "          <counter id=\"%u\" uri=\"Wnbd.Disk.%s\" field=\"%s\"\n", counter->id, counter->field,
            counter->field);
    fprintf(file, "                   name=\"%s\" nameID=\"%u\"\n", counter->name,
            PERFORMANCE_NAME_STRING(counter->id));
    fprintf(file, "                   description=\"%s\" descriptionID=\"%u\"\n", counter->description,
            PERFORMANCE_DESCRIPTION_STRING(counter->id));
    fprintf(file, "                   type=\"%s\"", type_of(counter->kind));
    if (counter->base != 0) {
        fprintf(file, " baseID=\"%u\"", counter->base);
    }
    fprintf(file, " detailLevel=\"standard\" defaultScale=\"%d\"", counter->scale);
    if (attribute == NULL) {
        fputs("/>\n", file);
        return;
    }
    fprintf(file,
            ">\n"
            "            <counterAttributes>\n"
            "              <counterAttribute name=\"%s\"/>\n"
            "            </counterAttributes>\n"
            "          </counter>\n",
            attribute);
}

static void print_manifest(FILE *file)
{
    fprintf(file, manifest_begin, PERFORMANCE_SET_NAME_STRING, PERFORMANCE_SET_DESCRIPTION_STRING);
    for (size_t i = 0; i < COUNT; i++) {
        print_counter(file, &counters[i]);
    }
    fputs(manifest_end, file);
}

/* ---- The document ---- */

static const char document_begin[] =
    "# Performance counters\n"
    "\n"
    "Made by `tests/unit/test-performance-table` from `driver/performance_table.h`.\n"
    "\n"
    "The driver provides the counter set **" PERFORMANCE_SET_NAME
    "** with an instance for each mapped disk, in perfmon, in "
    "data\n"
    "collectors, `typeperf`, PowerShell and WMI:\n"
    "\n"
    "```\n"
    "typeperf \"\\" PERFORMANCE_SET_NAME "(*)\\Reads/sec\" \"\\" PERFORMANCE_SET_NAME "(vol1)\\Requests Outstanding\"\n"
    "Get-Counter \"\\" PERFORMANCE_SET_NAME "(*)\\Connected\"\n"
    "```\n"
    "\n"
    "`wnbd-client install-driver` registers it when `wnbd.man` stands beside `wnbd.inf`, and `uninstall-driver` takes "
    "it\n"
    "back. By hand:\n"
    "\n"
    "```\n"
    "lodctr /m:\"C:\\folder\\wnbd.man\" \"C:\\folder of the installed wnbd.sys\"\n"
    "unlodctr /g:" PERFORMANCE_PROVIDER_GUID "\n"
    "```\n"
    "\n"
    "When that fails `wnbd-client` says so in a note, and the disks work without.\n"
    "\n"
    "* An instance has the name of its disk. Characters that have a meaning in the path of a counter are replaced, as\n"
    "  Microsoft advises: `(` and `)` by `[` and `]`; `#`, `/`, `\\` and `*` by `_`. The disk `rbd/image` is "
    "`rbd_image`.\n"
    "* The average times come from the histogram of powers of two that `wnbd-client stats` shows: the truth is from "
    "2/3 to\n"
    "  4/3 of the value. They are times from the moment the driver has a request to its answer. `PhysicalDisk` has "
    "exact\n"
    "  ones, with the time that a request spends in Windows.\n"
    "* What is neither of a second nor of now counts since the disk was mapped.\n"
    "\n"
    "| counter | id | type | what it is |\n"
    "|---|---|---|---|\n";

static void print_document(FILE *file)
{
    fputs(document_begin, file);
    for (size_t i = 0; i < COUNT; i++) {
        const struct counter *counter = &counters[i];

        if (counter->kind != BASE) {
            fprintf(file, "| %s | %u | %s | %s |\n", counter->name, counter->id, type_of(counter->kind),
                    counter->description);
        }
    }
}

/* ---- Comparison ---- */

static void is_as_made(const char *path, void (*print)(FILE *file))
{
    static char committed[64 * 1024];
    static char *made; /* not of this function: gcc 12 takes what it points to for a local variable */
    static size_t size;
    FILE *file = open_memstream(&made, &size);

    print(file);
    fclose(file);
    file = fopen(path, "rb");
    assert_non_null(file);
    committed[fread(committed, 1, sizeof(committed) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(committed, made);
    free(made);
}

static void manifest_is_as_it_would_be_made(void **state)
{
    (void)state;
    is_as_made(MANIFEST, print_manifest); /* else: test-performance-table manifest >driver/wnbd.man */
}

static void document_is_as_it_would_be_made(void **state)
{
    (void)state;
    is_as_made(DOCUMENT, print_document); /* else: test-performance-table document >docs/counters.md */
}

/* ---- The table ---- */

static const struct counter *find(unsigned id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (counters[i].id == id) {
            return &counters[i];
        }
    }
    return NULL;
}

static void ids_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(counters[i].id != 0 && counters[i].id < 64); /* the bits of a CounterMask */
        assert_ptr_equal(find(counters[i].id), &counters[i]);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(counters[i].name, counters[k].name);
        }
    }
}

static void averages_have_a_base_of_their_own(void **state)
{
    unsigned bases = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        bases += counters[i].kind == BASE;
        assert_int_equal(counters[i].kind == AVERAGE, counters[i].base != 0);
        if (counters[i].base != 0) {
            const struct counter *base = find(counters[i].base);

            assert_non_null(base);
            assert_int_equal(base->kind, BASE);
            bases--;
        }
    }
    assert_int_equal(bases, 0);
}

static void texts_need_no_escape_and_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_null(strpbrk(counters[i].name, "<>&\"()#\\*"));
        assert_null(strpbrk(counters[i].description, "<>&\"|"));
        assert_true(strlen(counters[i].name) > 0 && strlen(counters[i].name) < 1024);
        assert_true(strlen(counters[i].description) > 10);
        assert_in_range((unsigned)(counters[i].scale + 10), 0, 20);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_is_as_it_would_be_made), cmocka_unit_test(document_is_as_it_would_be_made),
        cmocka_unit_test(ids_and_names_are_unique),        cmocka_unit_test(averages_have_a_base_of_their_own),
        cmocka_unit_test(texts_need_no_escape_and_fit),
    };

    if (argc > 1) {
        (strcmp(argv[1], "manifest") == 0 ? print_manifest : print_document)(stdout);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
