/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Red-black tree by the textbook: the root is black, a red node has black children, and every way
 * from a node down to an empty link meets the same number of black nodes. Empty links count as
 * black. Insertion repairs red-red pairs going up; removal repairs a missing black going up.
 */
#include "base/rbtree.h"

#include "base/undo.h"

#define RED ((uintptr_t)1)

static bool is_red(const struct rb_node *n)
{
    return n && (n->parent_red & RED);
}

static void set_red(struct rb_node *n)
{
    undo_note(&n->parent_red);
    n->parent_red |= RED;
}

static void set_black(struct rb_node *n)
{
    undo_note(&n->parent_red);
    n->parent_red &= ~RED;
}

static void set_parent(struct rb_node *n, struct rb_node *parent)
{
    undo_note(&n->parent_red);
    n->parent_red = (uintptr_t)parent | (n->parent_red & RED);
}

/* Make what pointed from `parent` (or the root) to `old` point to `fresh`. */
static void change_child(struct rb_root *root, struct rb_node *parent, const struct rb_node *old,
                         struct rb_node *fresh)
{
    struct rb_node **link = !parent               ? &root->node
                            : parent->left == old ? &parent->left
                                                  : &parent->right;

    undo_note(link);
    *link = fresh;
}

/* The right child of n takes its place, n becomes its left child. */
static void rotate_left(struct rb_root *root, struct rb_node *n)
{
    struct rb_node *r = n->right;
    struct rb_node *parent = rb_parent(n);

    undo_note(&n->right);
    undo_note(&r->left);
    n->right = r->left;
    if (r->left) {
        set_parent(r->left, n);
    }
    r->left = n;
    set_parent(n, r);
    set_parent(r, parent);
    change_child(root, parent, n, r);
}

/* The mirror image. */
static void rotate_right(struct rb_root *root, struct rb_node *n)
{
    struct rb_node *l = n->left;
    struct rb_node *parent = rb_parent(n);

    undo_note(&n->left);
    undo_note(&l->right);
    n->left = l->right;
    if (l->right) {
        set_parent(l->right, n);
    }
    l->right = n;
    set_parent(n, l);
    set_parent(l, parent);
    change_child(root, parent, n, l);
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link)
{
    node->parent_red = (uintptr_t)parent | RED;
    node->left = NULL;
    node->right = NULL;
    undo_note(link);
    *link = node;

    while (is_red(parent = rb_parent(node))) {
        struct rb_node *grand = rb_parent(parent); /* there is one: a red node is not the root */
        bool on_left = parent == grand->left;
        struct rb_node *uncle = on_left ? grand->right : grand->left;

        if (is_red(uncle)) {
            set_black(parent);
            set_black(uncle);
            set_red(grand);
            node = grand;
            continue;
        }
        if (on_left) {
            if (node == parent->right) {
                rotate_left(root, parent);
                parent = node;
            }
            rotate_right(root, grand);
        } else {
            if (node == parent->left) {
                rotate_right(root, parent);
                parent = node;
            }
            rotate_left(root, grand);
        }
        set_black(parent);
        set_red(grand);
        break;
    }
    set_black(root->node);
}

/*
 * One step for a missing black below the left link of `parent`.
 * Returns true when the tree is in order again, false to go on one level up.
 */
static bool fix_left(struct rb_root *root, struct rb_node *parent)
{
    struct rb_node *sib = parent->right; /* there is one: its side has more blacks */

    if (is_red(sib)) {
        set_black(sib);
        set_red(parent);
        rotate_left(root, parent);
        sib = parent->right;
    }
    if (!is_red(sib->left) && !is_red(sib->right)) {
        bool done = is_red(parent);

        set_red(sib);
        set_black(parent);
        return done;
    }
    if (!is_red(sib->right)) {
        set_black(sib->left);
        set_red(sib);
        rotate_right(root, sib);
        sib = parent->right;
    }
    if (is_red(parent)) {
        set_red(sib);
    } else {
        set_black(sib);
    }
    set_black(parent);
    set_black(sib->right);
    rotate_left(root, parent);
    return true;
}

/* The mirror image, for the right link. */
static bool fix_right(struct rb_root *root, struct rb_node *parent)
{
    struct rb_node *sib = parent->left;

    if (is_red(sib)) {
        set_black(sib);
        set_red(parent);
        rotate_right(root, parent);
        sib = parent->left;
    }
    if (!is_red(sib->left) && !is_red(sib->right)) {
        bool done = is_red(parent);

        set_red(sib);
        set_black(parent);
        return done;
    }
    if (!is_red(sib->left)) {
        set_black(sib->right);
        set_red(sib);
        rotate_left(root, sib);
        sib = parent->left;
    }
    if (is_red(parent)) {
        set_red(sib);
    } else {
        set_black(sib);
    }
    set_black(parent);
    set_black(sib->left);
    rotate_right(root, parent);
    return true;
}

/* Take out a node with at most one child. */
static void erase_simple(struct rb_root *root, struct rb_node *node)
{
    struct rb_node *child = node->left ? node->left : node->right;
    struct rb_node *parent = rb_parent(node);
    bool on_left = parent && parent->left == node;
    bool missing = !is_red(node);

    change_child(root, parent, node, child);
    if (child) {
        /* an only child is red and has none itself: painted black it fills the gap */
        set_parent(child, parent);
        set_black(child);
        return;
    }
    while (missing && parent) {
        struct rb_node *up = parent;

        if (on_left ? fix_left(root, parent) : fix_right(root, parent)) {
            return;
        }
        parent = rb_parent(up);
        on_left = parent && parent->left == up;
    }
}

void rb_erase(struct rb_root *root, struct rb_node *node)
{
    struct rb_node *next;

    if (!node->left || !node->right) {
        erase_simple(root, node);
        return;
    }
    /* the successor has no left child: take that one out, then put it in the place of node */
    next = node->right;
    while (next->left) {
        next = next->left;
    }
    erase_simple(root, next);
    rb_replace(root, node, next);
}

void rb_replace(struct rb_root *root, struct rb_node *old, struct rb_node *fresh)
{
    undo_note(&fresh->parent_red);
    undo_note(&fresh->left);
    undo_note(&fresh->right);
    *fresh = *old;
    change_child(root, rb_parent(old), old, fresh);
    if (old->left) {
        set_parent(old->left, fresh);
    }
    if (old->right) {
        set_parent(old->right, fresh);
    }
}

struct rb_node *rb_first(const struct rb_root *root)
{
    struct rb_node *n = root->node;

    while (n && n->left) {
        n = n->left;
    }
    return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
    struct rb_node *n = root->node;

    while (n && n->right) {
        n = n->right;
    }
    return n;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    struct rb_node *n = node->right;

    if (n) {
        while (n->left) {
            n = n->left;
        }
        return n;
    }
    while ((n = rb_parent(node)) != NULL && n->right == node) {
        node = n;
    }
    return n;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    struct rb_node *n = node->left;

    if (n) {
        while (n->right) {
            n = n->right;
        }
        return n;
    }
    while ((n = rb_parent(node)) != NULL && n->left == node) {
        node = n;
    }
    return n;
}
