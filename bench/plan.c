/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 60

_Noreturn void fail(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

void *allocate(size_t length)
{
    void *memory = NULL;

    if (posix_memalign(&memory, 4096, length) != 0) {
        fail("out of memory");
    }
    return memset(memory, 0xA5, length);
}

static bool read_operation(const char *word)
{
    if (strcmp(word, "read") != 0 && strcmp(word, "write") != 0) {
        fail("the operation is neither read nor write");
    }
    return word[0] == 'w';
}

static uint32_t read_number(const char *word, uint32_t limit)
{
    unsigned long long value = strtoull(word, NULL, 10);

    if (value == 0 || value > limit) {
        fail("a number is 0 or too large");
    }
    return (uint32_t)value;
}

static void read_limit(const char *word, struct plan *plan)
{
    size_t length = strlen(word);

    if (length != 0 && word[length - 1] == 's') {
        plan->seconds = strtod(word, NULL);
    } else {
        plan->requests = strtoull(word, NULL, 10);
    }
    if (plan->seconds <= 0 && plan->requests == 0) {
        fail("the limit is neither seconds nor requests");
    }
}

struct plan plan_read(int count, char **arguments)
{
    struct plan plan = {0};

    if (count != 6 && !(count == 7 && strcmp(arguments[6], "verify") == 0)) {
        fail("usage: PROGRAM tcp:PORT|unix:PATH read|write SIZE DEPTH SECONDSs|REQUESTS [verify]");
    }
    plan.address = arguments[1];
    plan.write = read_operation(arguments[2]);
    plan.size = read_number(arguments[3], PLAN_SIZE_MAX);
    plan.depth = read_number(arguments[4], PLAN_DEPTH_MAX);
    read_limit(arguments[5], &plan);
    plan.verify = count == 7;
    alarm(PATIENCE_S + (unsigned)plan.seconds);
    return plan;
}
