/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/arena.h"
#include "tests/unit/guard.h"

#include <stdlib.h>

#define COUNT_MAX 16384 /* units of the largest arena that a disk has */
#define AREAS_MAX 512

/* An arena beside a table of which unit belongs to what: 0 is free. */
struct model {
    struct io_arena arena;
    struct arena_unit *units;
    uint32_t count;
    uint32_t free_units;
    uint16_t owner[COUNT_MAX];
};

static void begin(struct model *model, uint32_t count)
{
    memset(model, 0, sizeof *model);
    model->units = (struct arena_unit *)(void *)guard_memory(count * sizeof *model->units);
    model->count = count;
    model->free_units = count;
    arena_init(&model->arena, model->units, count);
    assert_int_equal(model->arena.free_units, count);
}

static void end(struct model *model)
{
    guard_free((uint8_t *)model->units, model->count * sizeof *model->units);
}

static uint32_t units_of(uint32_t length)
{
    uint32_t units = 1;

    while (units * ARENA_UNIT < length) {
        units *= 2;
    }
    return units;
}

static bool is_run_free(const struct model *model, uint32_t first, uint32_t units)
{
    for (uint32_t i = first; i < first + units; i++) {
        if (model->owner[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Whether there is a place: one that begins at a multiple of its size. Whatever happened before must not matter. */
static bool has_place(const struct model *model, uint32_t units)
{
    for (uint32_t i = 0; i + units <= model->count; i += units) {
        if (is_run_free(model, i, units)) {
            return true;
        }
    }
    return false;
}

static void mark(struct model *model, uint32_t offset, uint32_t units, uint16_t owner)
{
    for (uint32_t i = 0; i < units; i++) {
        model->owner[offset / ARENA_UNIT + i] = owner;
    }
}

/* Takes an area for `owner` as the model says it must be. False: there is no room. */
static bool take(struct model *model, uint32_t length, uint16_t owner, uint32_t *offset)
{
    uint32_t units = units_of(length);
    bool expected = has_place(model, units);

    assert_int_equal(arena_units(length), units);
    assert_int_equal(arena_has_room(&model->arena, length), expected);
    assert_int_equal(arena_take(&model->arena, length, offset), expected);
    if (expected) {
        assert_int_equal(*offset % (units * ARENA_UNIT), 0);
        assert_true(*offset / ARENA_UNIT + units <= model->count);
        assert_true(is_run_free(model, *offset / ARENA_UNIT, units));
        mark(model, *offset, units, owner);
        model->free_units -= units;
    }
    assert_int_equal(model->arena.free_units, model->free_units);
    return expected;
}

static void give(struct model *model, uint32_t length, uint32_t offset)
{
    arena_give(&model->arena, offset);
    mark(model, offset, units_of(length), 0);
    model->free_units += units_of(length);
    assert_int_equal(model->arena.free_units, model->free_units);
}

/* Everything is free and in one piece again, as far as `count` allows. */
static void check_whole(struct model *model)
{
    uint32_t blocks = 0;

    assert_int_equal(model->free_units, model->count);
    for (uint32_t order = 0; order < ARENA_ORDERS; order++) {
        uint16_t index = model->arena.free[order];

        for (; index != UINT16_MAX; index = model->units[index].next) {
            blocks++;
        }
    }
    assert_int_equal(blocks, model->count / (1u << (ARENA_ORDERS - 1)) +
                                 (uint32_t)__builtin_popcount(model->count % (1u << (ARENA_ORDERS - 1))));
}

static struct model model;

static void every_length_has_its_size(void **state)
{
    uint32_t offset;

    (void)state;
    begin(&model, 1u << (ARENA_ORDERS - 1));
    for (uint32_t order = 0; order < ARENA_ORDERS; order++) {
        const uint32_t lengths[] = {(ARENA_UNIT << order) / 2 + 1, (ARENA_UNIT << order) - 1, ARENA_UNIT << order};

        for (size_t i = 0; i < GUARD_COUNT(lengths); i++) {
            assert_true(take(&model, lengths[i], 1, &offset));
            assert_int_equal(model.free_units, model.count - (1u << order));
            give(&model, lengths[i], offset);
            check_whole(&model);
        }
    }
    assert_true(take(&model, 1, 1, &offset));
    give(&model, 1, offset);
    assert_int_equal(arena_units(0), 0);
    end(&model);
}

/* As many areas as fit, and not one more; given back forwards, backwards and each second one first. */
static void exhausted_arena_is_whole_again(void **state)
{
    static uint32_t offsets[COUNT_MAX];

    (void)state;
    for (uint32_t order = 0; order < ARENA_ORDERS; order++) {
        for (int way = 0; way < 3; way++) {
            uint32_t length = ARENA_UNIT << order;
            uint32_t taken = 0;

            begin(&model, 1024);
            while (take(&model, length, 1, &offsets[taken])) {
                taken++;
            }
            assert_int_equal(taken, 1024u >> order);
            for (uint32_t i = 0; i < taken; i++) {
                uint32_t half = (taken + 1) / 2;
                uint32_t mixed = i < half ? i * 2 : (i - half) * 2 + 1;

                give(&model, length, offsets[way == 0 ? i : way == 1 ? taken - 1 - i : mixed]);
            }
            check_whole(&model);
            end(&model);
        }
    }
}

/* A block joins with its own half alone: two free neighbours that are not halves of one block are not one area. */
static void neighbours_that_are_no_halves_do_not_join(void **state)
{
    uint32_t offsets[4];

    (void)state;
    begin(&model, 4);
    for (size_t i = 0; i < GUARD_COUNT(offsets); i++) {
        assert_true(take(&model, ARENA_UNIT, 1, &offsets[i]));
    }
    for (size_t i = 0; i < GUARD_COUNT(offsets); i++) {
        if (offsets[i] == ARENA_UNIT || offsets[i] == 2 * ARENA_UNIT) {
            give(&model, ARENA_UNIT, offsets[i]);
        }
    }
    assert_false(arena_has_room(&model.arena, 2 * ARENA_UNIT));
    assert_false(take(&model, 2 * ARENA_UNIT, 1, &offsets[0]));
    assert_true(arena_has_room(&model.arena, ARENA_UNIT));
    end(&model);
}

static void counts_that_are_no_powers_of_two(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 1100; count++) {
        uint32_t offset;
        uint32_t taken = 0;

        begin(&model, count);
        check_whole(&model);
        while (take(&model, ARENA_UNIT, 1, &offset)) {
            taken++;
        }
        assert_int_equal(taken, count);
        for (uint32_t i = 0; i < count; i++) {
            give(&model, ARENA_UNIT, i * ARENA_UNIT);
        }
        check_whole(&model);
        end(&model);
    }
}

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 8;
}

static void play(uint32_t count, uint32_t seed, unsigned steps)
{
    static struct {
        uint32_t offset;
        uint32_t length; /* 0: not taken */
    } areas[AREAS_MAX];
    uint32_t random = seed;

    begin(&model, count);
    memset(areas, 0, sizeof areas);
    for (unsigned step = 0; step < steps; step++) {
        uint32_t i = next(&random) % AREAS_MAX;

        if (areas[i].length != 0) {
            assert_int_equal(model.owner[areas[i].offset / ARENA_UNIT], i + 1);
            give(&model, areas[i].length, areas[i].offset);
            areas[i].length = 0;
        } else {
            uint32_t length = 1 + next(&random) % (ARENA_UNIT << next(&random) % ARENA_ORDERS);

            areas[i].length = take(&model, length, (uint16_t)(i + 1), &areas[i].offset) ? length : 0;
        }
    }
    for (uint32_t i = 0; i < AREAS_MAX; i++) {
        if (areas[i].length != 0) {
            give(&model, areas[i].length, areas[i].offset);
        }
    }
    check_whole(&model);
    end(&model);
}

static void random_use_agrees_with_a_model(void **state)
{
    static const uint32_t counts[] = {1, 2, 3, 511, 512, 513, 528, 1000, 2048, 4095, COUNT_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(counts); i++) {
        play(counts[i], (uint32_t)i + 1, 4000);
    }
}

/* The most units there can be. */
static void largest_count(void **state)
{
    enum { MANY = 65535 };
    struct arena_unit *units = (struct arena_unit *)(void *)guard_memory(MANY * sizeof *units);
    struct io_arena arena;
    uint32_t offset;
    uint32_t taken = 0;

    (void)state;
    arena_init(&arena, units, MANY);
    while (arena_take(&arena, ARENA_UNIT, &offset)) {
        assert_true(offset / ARENA_UNIT < MANY);
        taken++;
    }
    assert_int_equal(taken, MANY);
    assert_int_equal(arena.free_units, 0);
    for (uint32_t i = 0; i < MANY; i++) {
        arena_give(&arena, i * ARENA_UNIT);
    }
    assert_true(arena_take(&arena, ARENA_AREA_MAX, &offset));
    guard_free((uint8_t *)units, MANY * sizeof *units);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_has_its_size),
        cmocka_unit_test(exhausted_arena_is_whole_again),
        cmocka_unit_test(neighbours_that_are_no_halves_do_not_join),
        cmocka_unit_test(counts_that_are_no_powers_of_two),
        cmocka_unit_test(random_use_agrees_with_a_model),
        cmocka_unit_test(largest_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
