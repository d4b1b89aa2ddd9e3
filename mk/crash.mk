# SPDX-License-Identifier: Apache-2.0
# tests/crash: death at every store. The core as it is built for use, optimised and without
# sanitizers, on the fake host; its instructions lie in a section of their own (but for the part
# that stands for the stack pointer in the journal: the fake host runs it).

CRASH_CORE := $(filter-out -fsanitize% -fno-sanitize% -D__SANITIZE% -O1,$(UNIT_CORE)) -O2 \
              -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-pie \
              $(if $(findstring clang,$(CC)),,-fno-reorder-functions -fno-reorder-blocks-and-partition)
CRASH_TEST := $(filter-out -fsanitize% -fno-sanitize% -D__SANITIZE%,$(UNIT_TEST)) -fno-pie
CRASH_CORE_C := $(filter-out core/gate/% core/session/%,$(CORE_C))
CRASH_OBJ := $(CRASH_CORE_C:%.c=$(OBJ)/crash/%.o) $(GEN_SRC:$(GEN)/%.c=$(OBJ)/crash/gen/%.o) \
             $(patsubst %.c,$(OBJ)/crash/%.o,$(sort $(wildcard host/fake/*.c tests/crash/*.c)))
CRASH_BIN := $(BUILD)/tests/crash/test_crash

$(OBJ)/crash/core/%.o: core/%.c | $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(CRASH_CORE) $(DEPFLAGS) -c -o $@ $<
	$(Q)$(if $(filter core/base/undo.c,$<),,objcopy --rename-section .text=core_text $@)

$(OBJ)/crash/gen/%.o: $(GEN)/%.c $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(CRASH_CORE) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/crash/%.o: %.c | $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(CRASH_TEST) $(DEPFLAGS) -c -o $@ $<

$(CRASH_BIN): $(CRASH_OBJ)
	$(call say,LD,$@)
	$(mkdir)
	$(Q)$(CC) -no-pie -o $@ $^

.PHONY: crash
crash: $(CRASH_BIN) ## death at every store of every scene, not only at some (T='names epoll' selects)
	$(Q)CRASH_MAX=0 $(CRASH_BIN) $(T)
