# SPDX-License-Identifier: Apache-2.0
# Programs that run as guests: build/init and the guest tests.

INIT_C := $(sort $(wildcard init/*.c))
INIT_S := $(sort $(wildcard init/*.S))
INIT_OBJ := $(INIT_C:%.c=$(OBJ)/%.o) $(INIT_S:%.S=$(OBJ)/%.S.o)
INIT_FLAGS := $(GUEST) -Iinit -Iabi -Icore -I.

$(OBJ)/init/%.o: init/%.c | $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(INIT_FLAGS) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/init/%.S.o: init/%.S
	$(call say,AS,$<)
	$(mkdir)
	$(Q)$(CC) $(INIT_FLAGS) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/init: $(INIT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(GUEST_LINK) -o $@ $^

ifneq ($(INIT_C),)
ALL += $(BUILD)/init
endif

# tests/guest/t_*.c and, for root, r_*.c with the runtime in tests/guest/lib, no libc
GT := tests/guest
GT_C := $(sort $(wildcard $(GT)/[rt]_*.c))
GT_LIB := $(patsubst %.c,$(OBJ)/%.o,$(wildcard $(GT)/lib/*.c)) \
          $(patsubst %.S,$(OBJ)/%.S.o,$(wildcard $(GT)/lib/*.S))
GT_BIN := $(GT_C:%.c=$(BUILD)/%)
GT_FLAGS := $(GUEST) -I$(GT)/lib -Iabi

$(OBJ)/$(GT)/%.o: $(GT)/%.c
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(GT_FLAGS) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/$(GT)/%.S.o: $(GT)/%.S
	$(call say,AS,$<)
	$(mkdir)
	$(Q)$(CC) $(GT_FLAGS) $(DEPFLAGS) -c -o $@ $<

$(GT_BIN): $(BUILD)/$(GT)/%: $(OBJ)/$(GT)/%.o $(GT_LIB)
	$(call say,LD,$@)
	$(mkdir)
	$(Q)$(CC) $(GUEST_LINK) -o $@ $^

# tests/guest/libc/*.c: ordinary programs with the system's libc, dynamic (NAME) and NAME.static
GTC_C := $(sort $(wildcard $(GT)/libc/*.c))
GTC_DYN := $(GTC_C:$(GT)/libc/%.c=$(BUILD)/$(GT)/%)
GTC_STATIC := $(GTC_DYN:%=%.static)
GTC_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -D_GNU_SOURCE -pthread \
             -I$(GT)/lib

$(GTC_DYN): $(BUILD)/$(GT)/%: $(GT)/libc/%.c
	$(call say,CC,$@)
	$(mkdir)
	@mkdir -p $(OBJ)/$(GT)/libc
	$(Q)$(CC) $(GTC_FLAGS) $(DEPFLAGS) -MF $(OBJ)/$(GT)/libc/$*.d -o $@ $< -lm -ldl -lrt

$(GTC_STATIC): $(BUILD)/$(GT)/%.static: $(GT)/libc/%.c
	$(call say,CC,$@)
	$(mkdir)
	@mkdir -p $(OBJ)/$(GT)/libc
	$(Q)$(CC) $(GTC_FLAGS) $(DEPFLAGS) -MF $(OBJ)/$(GT)/libc/$*.static.d -static -o $@ $< -lm -lrt

# the work that tests/soak/run.py kills
MILL := $(BUILD)/tests/soak/mill
$(MILL): tests/soak/mill.c
	$(call say,CC,$@)
	$(mkdir)
	@mkdir -p $(OBJ)/tests/soak
	$(Q)$(CC) $(GTC_FLAGS) $(DEPFLAGS) -MF $(OBJ)/tests/soak/mill.d -static -o $@ $<

# random sequences of calls, for tests/mix/run.py
MIX := $(BUILD)/tests/mix/mix
MIX_SRC := $(wildcard tests/mix/*.c)
$(MIX): $(MIX_SRC) tests/mix/mix.h
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(GTC_FLAGS) -static -o $@ $(MIX_SRC)

GUEST_BIN := $(GT_BIN) $(GTC_DYN) $(GTC_STATIC) $(MILL) $(MIX)
.PHONY: guest-bin
guest-bin: $(GUEST_BIN) ## the guest test programs
