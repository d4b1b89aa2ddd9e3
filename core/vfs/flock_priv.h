/* SPDX-License-Identifier: Apache-2.0 */
/* For vnode.c: the end of a vnode's lock list. */
#pragma once

struct flock_list;

/* Free a list that has no lock left (the last open file is gone). NULL is legal. */
void flock_list_free(struct flock_list *l);
