/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of terminals: a node N for each, and ptmx. */
#pragma once

/* Register the filesystem type. At boot. */
void devpts_register(void);
