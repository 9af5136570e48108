/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/actor.h"

#include "bed/port/control.h"

#include <stdlib.h>
#include <string.h>

volatile bool actors_stopping;

void actor_start(struct actor *actor, void *(*routine)(void *), uint64_t seed, unsigned number)
{
    actor->number = number;
    actor->random = seed * 7919 + number + 1;
    actor->wrong = NULL;
    if (pthread_create(&actor->thread, NULL, routine, actor) != 0) {
        abort();
    }
}

unsigned actor_choose(struct actor *actor, unsigned below)
{
    actor->random ^= actor->random << 13;
    actor->random ^= actor->random >> 7;
    actor->random ^= actor->random << 17;
    return (unsigned)(actor->random % below);
}

void actors_sleep(unsigned ms)
{
    LARGE_INTEGER pause = {.QuadPart = -(LONGLONG)ms * 10000};

    KeDelayExecutionThread(UserMode, FALSE, &pause);
}

static void inject(struct bed_file *control, struct actor *actor, ULONG kind)
{
    struct bed_device devices[8];
    struct bed_injection injection = {.kind = kind, .count = 3};
    ULONG bytes = 0;

    if (!NT_SUCCESS(bed_control(control, BED_CONTROL_LIST, NULL, 0, devices, sizeof(devices), &bytes)) || bytes == 0) {
        return;
    }
    memcpy(injection.instance, devices[actor_choose(actor, bytes / sizeof(devices[0]))].instance,
           sizeof(injection.instance));
    bed_control(control, BED_CONTROL_INJECT, &injection, sizeof(injection), NULL, 0, NULL);
}

void actor_trouble(struct actor *actor, const ULONG *kinds, unsigned count, unsigned pause_ms)
{
    struct bed_file *control;

    if (!NT_SUCCESS(bed_open("\\DosDevices\\BedControl", &control))) {
        actor->wrong = "there is no BedControl";
        return;
    }
    while (!actors_stopping) {
        actors_sleep(actor_choose(actor, pause_ms));
        inject(control, actor, kinds[actor_choose(actor, count)]);
    }
    bed_close(control);
}

const char *actors_join(struct actor *actors, unsigned count)
{
    const char *wrong = NULL;

    for (unsigned i = 0; i < count; i++) {
        pthread_join(actors[i].thread, NULL);
        wrong = wrong != NULL ? wrong : actors[i].wrong;
    }
    return wrong;
}
