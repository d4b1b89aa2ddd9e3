# SPDX-License-Identifier: Apache-2.0
# build/lxcore: the kernel interface and its Linux host backend, one static image.

CORE_C := $(sort $(shell find core -name '*.c' 2>/dev/null))
CORE_S := $(sort $(shell find core -name '*.S' 2>/dev/null))
HOST_C := $(sort $(wildcard host/linux/*.c))
HOST_S := $(sort $(wildcard host/linux/*.S))
LDSCRIPT := host/linux/lxcore.ld

CORE_OBJ := $(CORE_C:%.c=$(OBJ)/%.o) $(CORE_S:%.S=$(OBJ)/%.S.o)
HOST_OBJ := $(HOST_C:%.c=$(OBJ)/%.o) $(HOST_S:%.S=$(OBJ)/%.S.o)
GEN_OBJ := $(GEN_SRC:$(GEN)/%.c=$(OBJ)/gen/%.o)
LXCORE_OBJ := $(CORE_OBJ) $(HOST_OBJ) $(GEN_OBJ)

LXCORE_LINK := -static -nostdlib $(NO_PIE) -Wl,-T,$(LDSCRIPT) -Wl,-z,noexecstack \
               -Wl,--build-id=none -Wl,--no-relax -Wl,--gc-sections -Wl,--no-dynamic-linker

$(OBJ)/core/%.o: core/%.c | $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(FREE) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/core/%.S.o: core/%.S | $(GEN_STAMP)
	$(call say,AS,$<)
	$(mkdir)
	$(Q)$(CC) -g -Werror $(INCLUDES) -I$(BUILD) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/host/linux/%.o: host/linux/%.c | $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(FREE_HOST) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/host/linux/%.S.o: host/linux/%.S | $(GEN_STAMP)
	$(call say,AS,$<)
	$(mkdir)
	$(Q)$(CC) -g -Werror $(INCLUDES) -I$(BUILD) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/gen/%.o: $(GEN)/%.c $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(FREE) $(DEPFLAGS) -c -o $@ $<

$(BUILD)/lxcore: $(LXCORE_OBJ) $(LDSCRIPT)
	$(call say,LD,$@)
	$(Q)$(CC) $(LXCORE_LINK) -o $@ $(LXCORE_OBJ)

# an assembly file of this name may .incbin "init"
$(filter %/init_blob.S.o,$(LXCORE_OBJ)): $(BUILD)/init

.PHONY: core
core: $(BUILD)/lxcore ## build/lxcore only

# skipped while the folders or the linker script do not exist yet
ifneq ($(and $(CORE_C),$(HOST_C),$(wildcard $(LDSCRIPT))),)
ALL += $(BUILD)/lxcore
endif
