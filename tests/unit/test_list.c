/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/list.h"

#define ITEMS 40

struct item {
    int value;
    struct list_head link;
};

/* True if the list holds exactly `count` items with these values, in both directions. */
static bool holds(struct list_head *l, const int *values, size_t count)
{
    struct item *it;
    struct list_head *p = l->prev;
    size_t i = 0;

    list_for_each_entry (it, l, link) {
        if (i >= count || it->value != values[i] || it->link.next->prev != &it->link) {
            return false;
        }
        i++;
    }
    for (; i > 0; i--, p = p->prev) {
        if (list_entry(p, struct item, link)->value != values[i - 1]) {
            return false;
        }
    }
    return p == l && list_count(l) == count;
}

UNIT_TEST(add_and_del)
{
    struct list_head l = LIST_INIT(l);
    struct item a = {.value = 1};
    struct item b = {.value = 2};
    struct item c = {.value = 3};

    CHECK(list_empty(&l));
    CHECK(list_first(&l) == NULL && list_last(&l) == NULL);
    CHECK(list_first_entry_or_null(&l, struct item, link) == NULL);
    list_add(&b.link, &l);
    list_add(&a.link, &l);
    list_add_tail(&c.link, &l);
    CHECK(!list_empty(&l));
    CHECK(holds(&l, (int[]){1, 2, 3}, 3));
    CHECK(list_first(&l) == &a.link && list_last(&l) == &c.link);
    CHECK(list_first_entry(&l, struct item, link) == &a);
    CHECK(list_first_entry_or_null(&l, struct item, link) == &a);
    CHECK(list_last_entry(&l, struct item, link) == &c);
    list_del(&b.link);
    CHECK(b.link.next == NULL && b.link.prev == NULL);
    CHECK(holds(&l, (int[]){1, 3}, 2));
    list_del_init(&a.link);
    list_del_init(&a.link);
    CHECK(list_empty(&a.link));
    CHECK(holds(&l, (int[]){3}, 1));
    list_move_tail(&c.link, &l);
    list_add(&a.link, &c.link);
    CHECK(holds(&l, (int[]){3, 1}, 2));
}

UNIT_TEST(splice)
{
    struct list_head x = LIST_INIT(x);
    struct list_head y = LIST_INIT(y);
    struct item it[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};

    list_splice(&x, &y);
    CHECK(list_empty(&x) && list_empty(&y));
    for (size_t i = 0; i < 4; i++) {
        list_add_tail(&it[i].link, i < 2 ? &x : &y);
    }
    list_splice(&y, &x);
    CHECK(list_empty(&y));
    CHECK(holds(&x, (int[]){0, 1, 2, 3}, 4));
    list_splice(&x, &y);
    CHECK(holds(&y, (int[]){0, 1, 2, 3}, 4));
    list_splice(&x, &y);
    CHECK(holds(&y, (int[]){0, 1, 2, 3}, 4));
}

UNIT_TEST(safe_walk_frees)
{
    struct list_head l = LIST_INIT(l);
    struct item *it;
    struct item *tmp;
    struct list_head *p;
    struct list_head *q;
    int sum = 0;

    for (int i = 0; i < 5; i++) {
        it = malloc(sizeof(*it));
        it->value = i;
        list_add_tail(&it->link, &l);
    }
    list_for_each_safe (p, q, &l) {
        it = list_entry(p, struct item, link);
        if (it->value % 2) {
            list_del(p);
            free(it);
        }
    }
    CHECK(holds(&l, (int[]){0, 2, 4}, 3));
    list_for_each (p, &l) {
        sum += list_entry(p, struct item, link)->value;
    }
    CHECK_EQ(sum, 6);
    list_for_each_entry_safe(it, tmp, &l, link)
    {
        list_del(&it->link);
        free(it);
    }
    CHECK(list_empty(&l));
}

/* The model of a list: an array. */
struct model {
    int v[ITEMS];
    size_t count;
};

static void model_insert(struct model *m, size_t at, int value)
{
    memmove(&m->v[at + 1], &m->v[at], (m->count - at) * sizeof(int));
    m->v[at] = value;
    m->count++;
}

static void model_remove(struct model *m, int value)
{
    size_t at = 0;

    while (m->v[at] != value) {
        at++;
    }
    m->count--;
    memmove(&m->v[at], &m->v[at + 1], (m->count - at) * sizeof(int));
}

UNIT_TEST(against_an_array)
{
    struct list_head l;
    struct item items[ITEMS];
    struct model m = {.count = 0};

    list_init(&l);
    for (int i = 0; i < ITEMS; i++) {
        items[i].value = i;
        list_init(&items[i].link);
    }
    for (int step = 0; step < 20000; step++) {
        struct item *it = &items[unit_rand_below(ITEMS)];
        u64 op = unit_rand_below(4);

        if (op == 3 || !list_empty(&it->link)) {
            if (!list_empty(&it->link)) {
                model_remove(&m, it->value);
            }
            list_del_init(&it->link);
        } else if (op == 0) {
            list_add(&it->link, &l);
            model_insert(&m, 0, it->value);
        } else if (op == 1 || m.count == 0) {
            list_add_tail(&it->link, &l);
            model_insert(&m, m.count, it->value);
        } else {
            size_t at = unit_rand_below(m.count);

            list_add(&it->link, &items[m.v[at]].link);
            model_insert(&m, at + 1, it->value);
        }
        REQUIRE(holds(&l, m.v, m.count));
    }
}
