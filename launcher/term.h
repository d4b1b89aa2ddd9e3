/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal: raw while a console is relayed, as it was on every way out. */
#pragma once

#include <stdbool.h>

/* Whether stdin and stdout are one terminal that is ours to use now. */
bool term_usable(void);
/* Enter and leave raw mode; both may be called at any time. */
void term_raw(void);
void term_restore(void);
bool term_size(unsigned *rows, unsigned *cols);
