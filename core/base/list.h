/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A doubly linked list whose links live in the members. The head is a link too and an empty list is a head that points
 * at itself. A member is on at most one list; list_remove leaves it pointing at itself, so removing twice is harmless.
 */
#ifndef WNBD_CORE_BASE_LIST_H
#define WNBD_CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list_link {
    struct list_link *next;
    struct list_link *previous;
};

/* The member of type `type` whose field `field` is `link`. */
#define list_member(link, type, field) ((type *)(void *)((uint8_t *)(link) - offsetof(type, field)))

static inline void list_init(struct list_link *link)
{
    link->next = link;
    link->previous = link;
}

static inline bool list_is_empty(const struct list_link *head)
{
    return head->next == head;
}

static inline void list_append(struct list_link *head, struct list_link *link)
{
    link->next = head;
    link->previous = head->previous;
    head->previous->next = link;
    head->previous = link;
}

static inline void list_remove(struct list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* Takes the first member off, NULL when the list is empty. */
static inline struct list_link *list_take_first(struct list_link *head)
{
    struct list_link *link = head->next;

    if (link == head) {
        return NULL;
    }
    list_remove(link);
    return link;
}

/* Moves all members of `from` to the end of `to`, in order. */
static inline void list_move_all(struct list_link *to, struct list_link *from)
{
    if (list_is_empty(from)) {
        return;
    }
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

#endif
