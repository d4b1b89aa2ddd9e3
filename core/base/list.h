/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked intrusive lists. A `struct list_head` is both the anchor and the link inside each
 * element; an empty list, and a link that is on no list, points at itself. All operations are
 * O(1); the caller owns the elements and the locking. Changes are noted in the undo journal: an
 * addition undone leaves the element on no list.
 */
#pragma once

#include "base/types.h"
#include "base/undo.h"

struct list_head {
    struct list_head *next;
    struct list_head *prev;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    } /* static initialiser */

/* Make `l` an empty list, or a link that is on no list. */
static inline void list_init(struct list_head *l)
{
    l->next = l;
    l->prev = l;
}

/* True if the list has no element, or the link is on no list (after init or del_init). */
static inline bool list_empty(const struct list_head *l)
{
    return l->next == l;
}

/* Link `item` between two neighbours; used by the two functions below. */
static inline void list_link_(struct list_head *item, struct list_head *prev,
                              struct list_head *next)
{
    void *const at[4] = {&item->prev, &item->next, &prev->next, &next->prev};
    const void *const old[4] = {item, item, next, prev};

    undo_note4(at, old);
    item->prev = prev;
    item->next = next;
    atomic_signal_fence(memory_order_seq_cst); /* who walks forward only never sees half of it */
    prev->next = item;
    next->prev = item;
}

/* Close the gap around `item`; used by the two removals below, which set its own links. */
static inline void list_unlink_(struct list_head *item)
{
    struct list_head *prev = item->prev;
    struct list_head *next = item->next;
    void *const at[4] = {&item->prev, &item->next, &prev->next, &next->prev};
    const void *const old[4] = {prev, next, item, item};

    undo_note4(at, old);
    next->prev = prev;
    prev->next = next;
}

/* Put `item` right after `at`: at the front if `at` is the anchor. `item` is on no list. */
static inline void list_add(struct list_head *item, struct list_head *at)
{
    list_link_(item, at, at->next);
}

/* Put `item` right before `at`: at the end if `at` is the anchor. `item` is on no list. */
static inline void list_add_tail(struct list_head *item, struct list_head *at)
{
    list_link_(item, at->prev, at);
}

/* Take `item` off its list. Its links become NULL: only list_init or an add may follow. */
static inline void list_del(struct list_head *item)
{
    list_unlink_(item);
    item->next = NULL;
    item->prev = NULL;
}

/* Take `item` off its list, if it is on one, and leave it self-linked: may be repeated. */
static inline void list_del_init(struct list_head *item)
{
    list_unlink_(item);
    list_init(item);
}

/* Move `item` from the list it is on to the end of `to`. */
static inline void list_move_tail(struct list_head *item, struct list_head *to)
{
    list_del_init(item);
    list_add_tail(item, to);
}

/* Move all elements of `from` to the end of `to`, in order; `from` becomes empty. */
static inline void list_splice(struct list_head *from, struct list_head *to)
{
    if (list_empty(from)) {
        return;
    }
    undo_note(&from->next->prev);
    undo_note(&to->prev->next);
    undo_note(&from->prev->next);
    undo_note(&to->prev);
    undo_note(&from->next);
    undo_note(&from->prev);
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* First link of the list, or NULL if it is empty. */
static inline struct list_head *list_first(const struct list_head *l)
{
    return l->next == l ? NULL : l->next;
}

/* Last link of the list, or NULL if it is empty. */
static inline struct list_head *list_last(const struct list_head *l)
{
    return l->prev == l ? NULL : l->prev;
}

/* Number of elements; walks the list. */
static inline size_t list_count(const struct list_head *l)
{
    size_t count = 0;

    for (const struct list_head *p = l->next; p != l; p = p->next) {
        count++;
    }
    return count;
}

/* The element that holds the link `ptr`. */
#define list_entry(ptr, type, member) container_of(ptr, type, member)

/* First element of a list known not to be empty. */
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

/* Last element of a list known not to be empty. */
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)

/* First element, or NULL if the list is empty. */
#define list_first_entry_or_null(head, type, member)                                               \
    (list_empty(head) ? NULL : list_first_entry(head, type, member))

/* Walk the links; the list must not change meanwhile. */
#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

/* Walk the links; `pos` itself may be taken off in the body (`tmp` holds the next one). */
#define list_for_each_safe(pos, tmp, head)                                                         \
    for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head);                               \
         (pos) = (tmp), (tmp) = (pos)->next)

/* Arithmetic on a link that may be the anchor: compared, never dereferenced as an element. */
#define list_pos_(ptr, type, member)                                                               \
    ((type *)(void *)((uintptr_t)(ptr) - (uintptr_t)offsetof(type, member)))

/* Walk the elements: `pos` is a pointer to the element type. */
#define list_for_each_entry(pos, head, member)                                                     \
    for ((pos) = list_pos_((head)->next, __typeof__(*(pos)), member); &(pos)->member != (head);    \
         (pos) = list_pos_((pos)->member.next, __typeof__(*(pos)), member))

/* The same, and `pos` may be taken off and freed in the body. */
#define list_for_each_entry_safe(pos, tmp, head, member)                                           \
    for ((pos) = list_pos_((head)->next, __typeof__(*(pos)), member),                              \
        (tmp) = list_pos_((pos)->member.next, __typeof__(*(pos)), member);                         \
         &(pos)->member != (head);                                                                 \
         (pos) = (tmp), (tmp) = list_pos_((tmp)->member.next, __typeof__(*(tmp)), member))
