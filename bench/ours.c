/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contender that is ours: random READ and WRITE commands through bench/engine.h. */
#include "bench/engine.h"
#include "bench/meter.h"
#include "bench/pattern.h"

#include <stdio.h>

struct ours {
    struct engine engine;
    struct plan plan;
    struct engine_job jobs[PLAN_DEPTH_MAX];
    struct list_link idle;
    struct places places;
    uint32_t blocks; /* of a command */
    uint64_t answered;
};

static void prepare(struct ours *ours)
{
    uint8_t *data;

    ours->blocks = ours->plan.size / ours->engine.device.block_size;
    ours->places = plan_places(&ours->plan, ours->engine.device.block_count * ours->engine.device.block_size);
    list_init(&ours->idle);
    data = allocate((size_t)ours->plan.depth * ours->plan.size);
    for (uint32_t i = 0; i < ours->plan.depth; i++) {
        ours->jobs[i].data = data + (size_t)i * ours->plan.size;
        list_append(&ours->idle, &ours->jobs[i].link);
    }
}

/* READ (10) or WRITE (10), SBC-3, 5.11 and 5.40. */
static void start(struct ours *ours, struct engine_job *job)
{
    uint64_t lba = place_next(&ours->places) * ours->blocks;
    uint8_t cdb[10] = {ours->plan.write ? 0x2A : 0x28};

    store_be32(cdb + 2, (uint32_t)lba);
    store_be16(cdb + 7, (uint16_t)ours->blocks);
    if (ours->plan.verify && ours->plan.write) {
        contents_fill(job->data, ours->plan.size, lba * ours->engine.device.block_size, ours->plan.sparse);
    }
    engine_submit(&ours->engine, job, cdb, sizeof cdb);
}

static void end(struct ours *ours, struct engine_job *job)
{
    const struct storage_command *command = &job->command;

    if (job->failed) {
        fail("a command failed");
    }
    if (ours->plan.verify && !ours->plan.write &&
        !contents_hold(job->data, ours->plan.size, command->range_offset - ours->plan.size, ours->plan.sparse)) {
        fail("what was read is not what the server has");
    }
    ours->answered++;
    list_append(&ours->idle, &job->link);
}

static void run(struct ours *ours)
{
    uint64_t depth = ours->plan.depth;
    uint64_t started = 0;
    struct meter meter;

    meter_begin(&meter, &ours->plan, engine_calls(&ours->engine));
    for (;;) {
        uint64_t count = meter_allows(&meter, started, depth - (started - ours->answered));
        struct list_link done;
        struct list_link *link;

        started += count;
        while (count-- != 0) {
            start(ours, list_member(list_take_first(&ours->idle), struct engine_job, link));
        }
        if (ours->answered == started) {
            break;
        }
        list_init(&done);
        engine_step(&ours->engine, &done);
        while ((link = list_take_first(&done)) != NULL) {
            end(ours, list_member(link, struct engine_job, link));
        }
    }
    meter_end(&meter, started, engine_calls(&ours->engine));
}

int main(int count, char **arguments)
{
    static struct ours ours;

    ours.plan = plan_read(count, arguments);
    engine_open(&ours.engine, &ours.plan);
    prepare(&ours);
    run(&ours);
    engine_close(&ours.engine);
    return 0;
}
