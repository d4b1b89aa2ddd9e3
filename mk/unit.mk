# SPDX-License-Identifier: Apache-2.0
# Unit tests (hosted, sanitizers) and the host-interface tests.
# The core objects go into one archive per folder; a test links all of them, or, to stay independent
# of folders that do not build, only those it names in a line: /* links: core/base host/fake */

# files of core that make no sense outside lxcore (wiring, assembly partners)
UNIT_EXCLUDE ?=
UNIT_CORE_C := $(filter-out $(UNIT_EXCLUDE),$(CORE_C)) $(sort $(wildcard host/fake/*.c))
UNIT_OBJ := $(UNIT_CORE_C:%.c=$(OBJ)/unit/%.o) $(GEN_SRC:$(GEN)/%.c=$(OBJ)/unit/gen/%.o)
UNIT_DIRS := $(sort $(patsubst %/,%,$(dir $(UNIT_CORE_C)))) gen
unit_lib = $(OBJ)/unit/lib/$(subst /,_,$(1)).a
UNIT_LIBS := $(foreach d,$(UNIT_DIRS),$(call unit_lib,$(d)))

$(OBJ)/unit/gen/%.o: $(GEN)/%.c $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_CORE) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/unit/core/%.o: core/%.c | $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_CORE) $(DEPFLAGS) -c -o $@ $<

# the fake host is a hosted program's part: it may use libc
$(OBJ)/unit/host/fake/%.o: host/fake/%.c | $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_TEST) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/unit/tests/%.o: tests/%.c | $(GEN_STAMP)
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_TEST) $(DEPFLAGS) -c -o $@ $<

define unit_lib_rule
$(call unit_lib,$(1)): $(filter $(OBJ)/unit/$(1)/%,$(foreach o,$(UNIT_OBJ),$(if $(filter $(OBJ)/unit/$(1)/,$(dir $(o))),$(o))))
	$$(call say,AR,$$@)
	$$(mkdir)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach d,$(UNIT_DIRS),$(eval $(call unit_lib_rule,$(d))))

# folders named by a test's `links:` line, or all
links_of = $(shell sed -n 's:^/\* links\: \(.*\) \*/.*:\1:p' $(1))
libs_of = $(foreach d,$(or $(call links_of,$(1)),$(UNIT_DIRS)),$(call unit_lib,$(d)))

UNIT_C := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP := $(patsubst %.c,$(OBJ)/unit/%.o,$(filter-out $(UNIT_C),$(wildcard tests/unit/*.c)))
UNIT_BIN := $(UNIT_C:%.c=$(BUILD)/%)
define unit_bin_rule
$(BUILD)/$(1:%.c=%): $(OBJ)/unit/$(1:%.c=%.o) $(UNIT_HELP) $(call libs_of,$(1))
	$$(call say,LD,$$@)
	$$(mkdir)
	$$(Q)$$(CC) $$(SAN) -pthread -o $$@ -Wl,--start-group $$^ -Wl,--end-group
endef
$(foreach t,$(UNIT_C),$(eval $(call unit_bin_rule,$(t))))

# tests/host/test_*.c: the specification of host.h. NAME.fake is hosted, with the fake; NAME.linux is
# freestanding, with the Linux backend and as much of core as it needs: the test defines boot_main
# itself (host/boot.h). Other files there are helpers of all; PICOLX_HOSTED tells the two apart.
HT_C := $(sort $(wildcard tests/host/test_*.c))
HT_HELP := $(filter-out $(HT_C),$(wildcard tests/host/*.c))
HT_FAKE := $(if $(wildcard host/fake/*.c),$(HT_C:%.c=$(BUILD)/%.fake))
HT_LINUX := $(if $(and $(HOST_C),$(wildcard $(LDSCRIPT))),$(HT_C:%.c=$(BUILD)/%.linux))

$(HT_FAKE): $(BUILD)/tests/host/%.fake: $(OBJ)/unit/tests/host/%.o \
            $(HT_HELP:%.c=$(OBJ)/unit/%.o) $(UNIT_LIBS)
	$(call say,LD,$@)
	$(mkdir)
	$(Q)$(CC) $(SAN) -pthread -o $@ -Wl,--start-group $^ -Wl,--end-group

$(OBJ)/tests/host/%.o: tests/host/%.c | $(GEN_STAMP)
	$(call say,CC,$<)
	$(mkdir)
	$(Q)$(CC) $(FREE) $(DEPFLAGS) -c -o $@ $<

$(OBJ)/lib/core.a: $(CORE_OBJ) $(GEN_OBJ)
	$(call say,AR,$@)
	$(mkdir)
	$(Q)rm -f $@ && ar rcs $@ $^

$(HT_LINUX): $(BUILD)/tests/host/%.linux: $(OBJ)/tests/host/%.o $(HT_HELP:%.c=$(OBJ)/%.o) \
             $(HOST_OBJ) $(OBJ)/lib/core.a $(LDSCRIPT)
	$(call say,LD,$@)
	$(mkdir)
	$(Q)$(CC) $(LXCORE_LINK) -o $@ $(filter %.o,$^) $(OBJ)/lib/core.a

HOST_TESTS := $(HT_FAKE) $(HT_LINUX)
.PHONY: unit-bin
unit-bin: $(UNIT_BIN) $(HOST_TESTS) ## the unit and host test programs
