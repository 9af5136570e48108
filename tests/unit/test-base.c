/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/base/bytes.h"
#include "core/base/checked.h"
#include "core/base/list.h"
#include "core/base/text.h"
#include "tests/unit/guard.h"

static void integers_are_big_endian(void **state)
{
    static const uint8_t bytes[] = {0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8};
    uint8_t *stored = guard_memory(8);

    (void)state;
    assert_int_equal(load_be16(bytes), 0xF1F2);
    assert_int_equal(load_be24(bytes), 0xF1F2F3);
    assert_int_equal(load_be32(bytes), 0xF1F2F3F4);
    assert_int_equal(load_be64(bytes), 0xF1F2F3F4F5F6F7F8);
    store_be64(stored, 0xF1F2F3F4F5F6F7F8);
    assert_memory_equal(stored, bytes, 8);
    store_be32(stored + 4, 0xF1F2F3F4);
    assert_memory_equal(stored + 4, bytes, 4);
    store_be24(stored + 5, 0xF1F2F3);
    assert_memory_equal(stored + 5, bytes, 3);
    store_be16(stored + 6, 0xF1F2);
    assert_memory_equal(stored + 6, bytes, 2);
    assert_int_equal(stored[5], 0xF1);
    guard_free(stored, 8);
}

static void addition_is_checked(void **state)
{
    uint64_t sum = 7;

    (void)state;
    assert_true(checked_add_u64(UINT64_MAX - 1, 1, &sum));
    assert_true(sum == UINT64_MAX);
    assert_false(checked_add_u64(UINT64_MAX, 1, &sum));
    assert_false(checked_add_u64(1, UINT64_MAX, &sum));
    assert_true(sum == UINT64_MAX);
}

static void multiplication_is_checked(void **state)
{
    uint64_t wide = 7;
    uint32_t narrow = 7;

    (void)state;
    assert_true(checked_multiply_u64(UINT64_MAX, 0, &wide));
    assert_int_equal(wide, 0);
    assert_true(checked_multiply_u64(0, UINT64_MAX, &wide));
    assert_true(checked_multiply_u64(UINT32_MAX, (uint64_t)1 << 32, &wide));
    assert_true(wide == 0xFFFFFFFF00000000);
    assert_false(checked_multiply_u64((uint64_t)1 << 32, (uint64_t)1 << 32, &wide));
    assert_true(checked_multiply_u32(65535, 65537, &narrow));
    assert_int_equal(narrow, UINT32_MAX);
    assert_false(checked_multiply_u32(65536, 65536, &narrow));
    assert_int_equal(narrow, UINT32_MAX);
}

static void range_is_within_a_size(void **state)
{
    (void)state;
    assert_true(checked_range(0, 10, 10));
    assert_true(checked_range(10, 0, 10));
    assert_false(checked_range(11, 0, 10));
    assert_false(checked_range(0, 11, 10));
    assert_false(checked_range(1, UINT64_MAX, 10));
    assert_false(checked_range(UINT64_MAX, UINT64_MAX, 10));
    assert_true(checked_range(0, UINT64_MAX, UINT64_MAX));
}

struct member {
    int value;
    struct list_link link;
};

static void list_keeps_order(void **state)
{
    struct member members[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list_link head;
    struct list_link other;
    struct list_link *link;

    (void)state;
    list_init(&head);
    list_init(&other);
    assert_null(list_take_first(&head));
    for (int i = 0; i < 3; i++) {
        list_append(&head, &members[i].link);
    }
    list_remove(&members[1].link);
    list_remove(&members[1].link);
    list_append(&other, &members[1].link);
    list_move_all(&other, &head);
    assert_true(list_is_empty(&head));
    list_move_all(&other, &head);
    for (int value = 2; (link = list_take_first(&other)) != NULL; value = value == 2 ? 1 : 3) {
        assert_int_equal(list_member(link, struct member, link)->value, value);
    }
    assert_true(list_is_empty(&other));
}

static void numbers_in_text(void **state)
{
    char bytes[64];
    struct text text;

    (void)state;
    text_init(&text, bytes, sizeof bytes);
    text_append_number(&text, 0);
    text_append(&text, " ");
    text_append_number(&text, 10809);
    text_append(&text, " ");
    text_append_number(&text, UINT64_MAX);
    text_append(&text, " ");
    text_append_hex(&text, 0x8000000A);
    assert_string_equal(bytes, "0 10809 18446744073709551615 0x8000000a");
    assert_int_equal(text.length, strlen(bytes));
    assert_false(text.cut);
}

/* A number that does not fit is left out whole, and what follows with it: no text that says something else. */
static void text_that_does_not_fit_is_cut(void **state)
{
    char *bytes = (char *)guard_memory(8);
    struct text text;

    (void)state;
    text_init(&text, bytes, 8);
    text_append(&text, "port ");
    text_append_number(&text, 10809);
    text_append(&text, "!");
    assert_string_equal(bytes, "port ");
    assert_true(text.cut);
    text_init(&text, bytes, 8);
    text_append(&text, "seven l");
    assert_string_equal(bytes, "seven l");
    assert_false(text.cut);
    text_init(&text, bytes, 1);
    text_append(&text, "x");
    assert_string_equal(bytes, "");
    guard_free((uint8_t *)bytes, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(addition_is_checked),
        cmocka_unit_test(multiplication_is_checked),
        cmocka_unit_test(range_is_within_a_size),
        cmocka_unit_test(list_keeps_order),
        cmocka_unit_test(numbers_in_text),
        cmocka_unit_test(text_that_does_not_fit_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
