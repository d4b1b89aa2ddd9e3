/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive red-black tree. The tree knows no keys: the caller walks down from `root->node` with
 * its own comparison, remembers the parent and the empty link it ended at, and calls rb_insert.
 *
 *     struct rb_node **link = &root->node, *parent = NULL;
 *     while (*link) {
 *         parent = *link;
 *         link = key < rb_entry(parent, struct vma, rb)->start ? &parent->left : &parent->right;
 *     }
 *     rb_insert(root, &vma->rb, parent, link);
 *
 * All operations are O(log n) without recursion. The caller owns the nodes and the locking.
 */
#pragma once

#include "base/types.h"

struct rb_node {
    uintptr_t parent_red; /* address of the parent; bit 0 set in a red node */
    struct rb_node *left;
    struct rb_node *right;
};

struct rb_root {
    struct rb_node *node; /* NULL in an empty tree */
};

/* The element that holds the node `ptr`. */
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

/* Make the tree empty. */
static inline void rb_init(struct rb_root *root)
{
    root->node = NULL;
}

/* True if the tree has no node. */
static inline bool rb_empty(const struct rb_root *root)
{
    return root->node == NULL;
}

/* Parent of a node that is in a tree; NULL for the root. */
static inline struct rb_node *rb_parent(const struct rb_node *n)
{
    return (struct rb_node *)(n->parent_red & ~(uintptr_t)1);
}

/*
 * Hang `node` at the empty link `*link` of `parent` and rebalance.
 *   parent   NULL only if the tree is empty; then link is &root->node
 */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link);

/* Take `node`, which is in the tree, out of it and rebalance. Its fields are stale afterwards. */
void rb_erase(struct rb_root *root, struct rb_node *node);

/* Put `fresh` in the place of `old` without a search; both must compare alike. */
void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *fresh);

/* Leftmost node, or NULL in an empty tree. */
struct rb_node *rb_first(const struct rb_root *root);

/* Rightmost node, or NULL in an empty tree. */
struct rb_node *rb_last(const struct rb_root *root);

/* In-order successor, or NULL after the last. */
struct rb_node *rb_next(const struct rb_node *node);

/* In-order predecessor, or NULL before the first. */
struct rb_node *rb_prev(const struct rb_node *node);

/* Walk the nodes in order; the tree must not change meanwhile. */
#define rb_for_each(pos, root) for ((pos) = rb_first(root); (pos); (pos) = rb_next(pos))
