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

    if (strcmp(word, "once") == 0) {
        plan->once = true;
    } else if (length != 0 && word[length - 1] == 's') {
        plan->seconds = strtod(word, NULL);
    } else {
        plan->requests = strtoull(word, NULL, 10);
    }
    if (!plan->once && plan->seconds <= 0 && plan->requests == 0) {
        fail("the limit is neither seconds nor requests");
    }
}

bool plan_read_form(const char *word, enum nbd_form *form)
{
    static const char *const names[] = {"simple", "structured", "extended"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            *form = (enum nbd_form)i;
            return true;
        }
    }
    return false;
}

static void read_word(const char *word, struct plan *plan)
{
    if (strcmp(word, "verify") == 0) {
        plan->verify = true;
    } else if (strcmp(word, "sparse") == 0) {
        plan->sparse = true;
    } else if (strncmp(word, "connections=", 12) == 0) {
        plan->connections = read_number(word + 12, PLAN_CONNECTIONS_MAX);
    } else if (!plan_read_form(word, &plan->form)) {
        fail("the words are simple, structured, extended, connections=N, sparse and verify");
    }
}

struct plan plan_read(int count, char **arguments)
{
    struct plan plan = {.connections = 1};

    if (count < 6) {
        fail("usage: PROGRAM tcp:PORT|unix:PATH read|write SIZE DEPTH SECONDSs|REQUESTS|once [WORD ...]");
    }
    plan.address = arguments[1];
    plan.write = read_operation(arguments[2]);
    plan.size = read_number(arguments[3], PLAN_SIZE_MAX);
    plan.depth = read_number(arguments[4], PLAN_DEPTH_MAX);
    read_limit(arguments[5], &plan);
    for (int i = 6; i < count; i++) {
        read_word(arguments[i], &plan);
    }
    alarm(PATIENCE_S + (unsigned)plan.seconds);
    return plan;
}

struct places plan_places(struct plan *plan, uint64_t size)
{
    struct places places = {.count = size / plan->size, .random = 1, .in_order = plan->once};

    if (plan->once) {
        plan->requests = places.count;
    }
    return places;
}
