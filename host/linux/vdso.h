/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/host.h"

void clock_init(u64 vdso_base);
