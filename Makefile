# SPDX-License-Identifier: Apache-2.0
# One non-recursive build; every output is under $(BUILD). Sources are found by wildcard, so adding
# a file needs no edit here. CC=gcc and CC=clang both work: make CC=clang BUILD=build-clang; without
# CC it is gcc, or clang where that is the only one.

BUILD ?= build
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(if $(shell command -v gcc),gcc,$(if $(shell command -v clang),clang,gcc))
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

include mk/config.mk
include mk/gen.mk
include mk/core.mk
include mk/hosted.mk
include mk/guest.mk
include mk/session.mk
include mk/unit.mk
include mk/crash.mk
include mk/fuzz.mk
include mk/check.mk
include mk/lint.mk
include mk/install.mk

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
