# SPDX-License-Identifier: Apache-2.0
# build/lx and build/lxmanager (hosted, static libc for a fast start), and build/bench/*.

COMMON_C := $(sort $(wildcard session/common/*.c))
LX_C := $(sort $(wildcard launcher/*.c))
LXMANAGER_C := $(sort $(wildcard session/*.c))
LX_LIBS ?=
LXMANAGER_LIBS ?=
hosted_obj = $(patsubst %.c,$(OBJ)/hosted/%.o,$(1))

$(OBJ)/hosted/%.o: %.c | $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(HOSTED) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/lx: $(call hosted_obj,$(LX_C) $(COMMON_C))
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $^ $(LX_LIBS)

$(BUILD)/lxmanager: $(call hosted_obj,$(LXMANAGER_C) $(COMMON_C))
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $^ $(LXMANAGER_LIBS)

ifneq ($(LX_C),)
ALL += $(BUILD)/lx
endif
ifneq ($(LXMANAGER_C),)
ALL += $(BUILD)/lxmanager
endif

BENCH_C := $(sort $(wildcard bench/*.c))
BENCH_BIN := $(BENCH_C:bench/%.c=$(BUILD)/bench/%)
BENCH_DYN := $(BENCH_BIN:%=%.dyn)
BENCH_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -pthread

$(BUILD)/bench/%: bench/%.c
	$(call say,CC,$@)
	$(mkdir)
	@mkdir -p $(OBJ)/bench
	$(Q)$(CC) $(BENCH_FLAGS) $(DEPFLAGS) -MF $(OBJ)/bench/$*.d -static -o $@ $<

$(BUILD)/bench/%.dyn: bench/%.c
	$(call say,CC,$@)
	$(mkdir)
	@mkdir -p $(OBJ)/bench
	$(Q)$(CC) $(BENCH_FLAGS) $(DEPFLAGS) -MF $(OBJ)/bench/$*.dyn.d -o $@ $<

.PHONY: bench-bin
bench-bin: $(BENCH_BIN) $(BENCH_DYN) ## the benchmark programs
