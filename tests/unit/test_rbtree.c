/* SPDX-License-Identifier: Apache-2.0 */
/* links: core/base */
#include "tests/unit/unit.h"

#include "base/rbtree.h"

#define KEYS 300

struct item {
    int key;
    bool in;
    struct rb_node rb;
};

static void put(struct rb_root *root, struct item *it)
{
    struct rb_node **link = &root->node;
    struct rb_node *parent = NULL;

    while (*link) {
        parent = *link;
        link = it->key < rb_entry(parent, struct item, rb)->key ? &parent->left : &parent->right;
    }
    rb_insert(root, &it->rb, parent, link);
}

/* Number of black nodes on every way down from n, or -1 if a rule is broken. */
static int black_height(const struct rb_node *n, const struct rb_node *parent)
{
    bool red;
    int left;
    int right;

    if (!n) {
        return 0;
    }
    red = n->parent_red & 1;
    if (rb_parent(n) != parent || (red && (!parent || (parent->parent_red & 1)))) {
        return -1;
    }
    left = black_height(n->left, n);
    right = black_height(n->right, n);
    return left < 0 || left != right ? -1 : left + !red;
}

/* True if the tree is in order, obeys the rules, and holds exactly the items marked `in`. */
static bool sound(const struct rb_root *root, struct item *items, int count)
{
    struct rb_node *n = rb_first(root);
    struct rb_node *prev = NULL;

    for (int i = 0; i < count; i++) {
        if (!items[i].in) {
            continue;
        }
        if (n != &items[i].rb || rb_prev(n) != prev) {
            return false;
        }
        prev = n;
        n = rb_next(n);
    }
    return !n && rb_last(root) == prev && black_height(root->node, NULL) >= 0;
}

UNIT_TEST(empty)
{
    struct rb_root root;
    struct item a = {.key = 1};

    rb_init(&root);
    CHECK(rb_empty(&root));
    CHECK(rb_first(&root) == NULL && rb_last(&root) == NULL);
    put(&root, &a);
    CHECK(!rb_empty(&root));
    CHECK(rb_first(&root) == &a.rb && rb_last(&root) == &a.rb);
    CHECK(rb_next(&a.rb) == NULL && rb_prev(&a.rb) == NULL);
    rb_erase(&root, &a.rb);
    CHECK(rb_empty(&root));
}

/* All orders of erasure from all trees of up to 7 keys inserted in a rotated order. */
UNIT_TEST(small_trees)
{
    for (int count = 1; count <= 7; count++) {
        for (int step = 0; step < 3000; step++) {
            struct item items[7];
            struct rb_root root;
            int left = count;

            rb_init(&root);
            for (int i = 0; i < count; i++) {
                items[i] = (struct item){.key = i};
            }
            while (left > 0) {
                int i = (int)unit_rand_below((u64)count);

                if (!items[i].in) {
                    items[i].in = true;
                    put(&root, &items[i]);
                    left--;
                }
            }
            REQUIRE(sound(&root, items, count));
            for (left = count; left > 0;) {
                int i = (int)unit_rand_below((u64)count);

                if (items[i].in) {
                    items[i].in = false;
                    rb_erase(&root, &items[i].rb);
                    left--;
                    REQUIRE(sound(&root, items, count));
                }
            }
        }
    }
}

UNIT_TEST(against_a_sorted_array)
{
    static struct item items[KEYS];
    struct rb_root root;
    struct rb_node *pos;
    int seen = 0;
    int in = 0;

    rb_init(&root);
    for (int i = 0; i < KEYS; i++) {
        items[i] = (struct item){.key = i};
    }
    for (int step = 0; step < 20000; step++) {
        struct item *it = &items[unit_rand_below(KEYS)];
        u64 grow = step / 2000 % 2 ? 3 : 7; /* fill, then drain, in turns */

        if (unit_rand_below(10) < grow) {
            if (!it->in) {
                it->in = true;
                put(&root, it);
            }
        } else if (it->in) {
            it->in = false;
            rb_erase(&root, &it->rb);
        }
        REQUIRE(sound(&root, items, KEYS));
    }
    for (int i = 0; i < KEYS; i++) {
        in += items[i].in;
    }
    rb_for_each (pos, &root) {
        seen++;
    }
    CHECK(in > 0);
    CHECK_EQ(seen, in);
}

UNIT_TEST(sorted_input_stays_flat)
{
    static struct item items[4096];
    struct rb_root root;
    int depth = 0;

    rb_init(&root);
    for (int i = 0; i < 4096; i++) {
        items[i] = (struct item){.key = i, .in = true};
        put(&root, &items[i]);
    }
    CHECK(sound(&root, items, 4096));
    for (struct rb_node *n = &items[4095].rb; n; n = rb_parent(n)) {
        depth++;
    }
    CHECK(depth <= 24);
}

UNIT_TEST(replace)
{
    for (int which = 0; which < 9; which++) {
        struct item items[9];
        struct item old = {0};
        struct rb_root root;

        rb_init(&root);
        for (int i = 0; i < 9; i++) {
            items[i] = (struct item){.key = i, .in = true};
            old = i == which ? items[i] : old;
            put(&root, i == which ? &old : &items[i]);
        }
        rb_replace(&root, &old.rb, &items[which].rb);
        memset(&old, 0xff, sizeof(old));
        CHECK(sound(&root, items, 9));
    }
}
