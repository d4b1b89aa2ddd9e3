/* SPDX-License-Identifier: Apache-2.0 */
/* The memory devices: major 1. */
#pragma once

#define MEM_MAJOR   1
#define MEM_NULL    3
#define MEM_ZERO    5
#define MEM_FULL    7
#define MEM_RANDOM  8
#define MEM_URANDOM 9
#define MEM_KMSG    11

/* Register the drivers. At boot. */
void mem_register(void);
