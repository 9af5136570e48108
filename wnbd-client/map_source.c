/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/map_source.h"

#include <inttypes.h>
#include <stdio.h>

#define WITH_SERVER   (1u << MAP_FROM_SERVER)
#define WITH_FILE     (1u << MAP_FROM_FILE)
#define WITH_RAM      (1u << MAP_FROM_RAM)
#define DEFAULT_BLOCK 512

/* What says where the blocks are. The first that is given decides. */
static const struct {
    const char *name;
    enum map_source source;
} sources[] = {{"file", MAP_FROM_FILE}, {"ram", MAP_FROM_RAM}, {"hostname", MAP_FROM_SERVER}};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

/* What is not here goes with all of them. */
static const struct {
    const char *name;
    unsigned goes_with;
} limited[] = {
    {"hostname", WITH_SERVER},
    {"port", WITH_SERVER},
    {"export-name", WITH_SERVER},
    {"skip-handshake", WITH_SERVER},
    {"disk-size", WITH_SERVER},
    {"force", WITH_SERVER},
    {"connections", WITH_SERVER},
    {"persistent", WITH_SERVER},
    {"no-wait", WITH_SERVER},
    {"file", WITH_FILE},
    {"ram", WITH_RAM},
    {"size", WITH_FILE},
    {"threads", WITH_FILE | WITH_RAM},
    {"read-only", WITH_SERVER | WITH_FILE},
};

#define fail(problem, ...) (snprintf(problem, ARGUMENTS_PROBLEM_SIZE, __VA_ARGS__), false)

static bool is_given(const struct arguments *arguments, const char *name)
{
    return argument_text(arguments, name, NULL) != NULL;
}

static const char *name_of(enum map_source source)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (sources[i].source == source)
            return sources[i].name;
    }
    return NULL;
}

static bool choose(const struct arguments *arguments, enum map_source *source, char *problem)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (is_given(arguments, sources[i].name)) {
            *source = sources[i].source;
            return true;
        }
    }
    return fail(problem, "'map' needs the argument hostname, or --file or --ram");
}

static bool check_limited(const struct arguments *arguments, enum map_source source, char *problem)
{
    for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++) {
        if (is_given(arguments, limited[i].name) && !(limited[i].goes_with & (1u << source)))
            return fail(problem, "%s does not go with %s", limited[i].name, name_of(source));
    }
    return true;
}

static bool check_size(const struct arguments *arguments, const char *name, char *problem)
{
    uint64_t block_size = argument_number(arguments, "block-size", DEFAULT_BLOCK);
    uint64_t size = argument_number(arguments, name, 0);

    if (block_size == 0 || size % block_size == 0)
        return true;
    return fail(problem, "%s is %" PRIu64 ", which is not a multiple of the block size %" PRIu64, name, size,
                block_size);
}

bool map_source_read(const struct arguments *arguments, enum map_source *source, char problem[ARGUMENTS_PROBLEM_SIZE])
{
    if (!choose(arguments, source, problem) || !check_limited(arguments, *source, problem) ||
        !check_size(arguments, "size", problem) || !check_size(arguments, "ram", problem))
        return false;
    if (is_given(arguments, "size") && argument_flag(arguments, "read-only"))
        return fail(problem, "size does not go with read-only: a file that is only read is neither made nor extended");
    return true;
}
