/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random pieces against a model in which each byte of the read is a bit. */
#include "core/nbd/progress.h"
#include "tests/unit/guard.h"

#define MODEL_SIZE 64u

struct model {
    struct nbd_progress progress;
    uint64_t come;
    uint64_t bits; /* have come or were filled */
    uint64_t sum;
};

static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % limit;
}

static uint64_t bits_of(uint32_t begin, uint32_t end)
{
    uint64_t below_end = end == 64 ? UINT64_MAX : ((uint64_t)1 << end) - 1;

    return below_end & ~(((uint64_t)1 << begin) - 1);
}

static void check_model(const struct model *model)
{
    const struct nbd_progress *progress = &model->progress;
    uint64_t bits = 0;

    for (unsigned i = 0; i < progress->pieces; i++) {
        assert_true(progress->piece[i].begin < progress->piece[i].end);
        assert_true(i == 0 || progress->piece[i - 1].end < progress->piece[i].begin);
        bits |= bits_of(progress->piece[i].begin, progress->piece[i].end);
    }
    assert_true(bits == model->bits);
    assert_int_equal(progress->received, model->sum);
    assert_int_equal(nbd_progress_is_whole(progress, MODEL_SIZE), bits == UINT64_MAX && model->sum == MODEL_SIZE);
}

static void fill_model(struct model *model)
{
    struct nbd_piece gap = nbd_progress_fill_gap(&model->progress);

    assert_true((model->bits & bits_of(gap.begin, gap.end)) == 0);
    model->bits |= bits_of(gap.begin, gap.end);
    check_model(model);
}

/* False when the piece was refused, rightly. */
static bool add_to_model(struct model *model, uint32_t begin, uint32_t end)
{
    uint64_t bits = bits_of(begin, end);
    bool good;

    if (nbd_progress_is_full(&model->progress)) {
        fill_model(model);
    }
    good = (model->bits & bits) == 0 || (model->progress.loose && (model->bits & bits) == bits);
    assert_int_equal(nbd_progress_add(&model->progress, begin, end), good);
    if (good) {
        model->come |= bits;
        model->bits |= bits;
        model->sum += end - begin;
        check_model(model);
    }
    return good;
}

/* Pieces, most of which have not come before: otherwise no read would ever be whole. False: one was refused. */
static bool run_model(struct model *model, uint32_t *seed)
{
    uint32_t longest = 1 + random_below(seed, 12);

    nbd_progress_init(&model->progress);
    for (unsigned tries = 0; tries < 2000 && model->come != UINT64_MAX; tries++) {
        uint32_t begin = random_below(seed, MODEL_SIZE);
        uint32_t end = begin + 1 + random_below(seed, longest);
        bool again = end <= MODEL_SIZE && (model->come & bits_of(begin, end)) != 0;

        if (end > MODEL_SIZE || (again && random_below(seed, 3000) != 0)) {
            continue;
        }
        if (!add_to_model(model, begin, end)) {
            return false;
        }
    }
    return true;
}

static void random_pieces_are_those_of_a_bitmap(void **state)
{
    uint32_t seed = 1;
    unsigned exact = 0;
    unsigned loose = 0;
    unsigned refused = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct model model = {.sum = 0};
        bool good = run_model(&model, &seed);
        bool whole = good && nbd_progress_is_whole(&model.progress, MODEL_SIZE);

        refused += !good;
        exact += whole && !model.progress.loose;
        loose += whole && model.progress.loose;
    }
    assert_true(exact > 500 && loose > 500 && refused > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pieces_are_those_of_a_bitmap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
