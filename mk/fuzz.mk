# SPDX-License-Identifier: Apache-2.0
# Fuzz targets: tests/fuzz/fuzz_<what>.c over the portable core, built as the unit tests are. With
# tests/fuzz/driver.c they replay the corpus and some mutations of it (fuzz-check, any compiler);
# with clang's libFuzzer they search (fuzz). `/* with: objects */` names what a target needs besides
# its `links:`.

FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_C:%.c=$(BUILD)/%)
FUZZ_MAIN := $(OBJ)/unit/tests/fuzz/driver.o
# `make fuzz` sets it, with a build folder of its own
ifneq ($(LIBFUZZER),)
FUZZ_MAIN := -fsanitize=fuzzer
endif

with_of = $(addprefix $(OBJ)/unit/,$(shell sed -n 's:^/\* with\: \(.*\) \*/.*:\1:p' $(1)))
define fuzz_bin_rule
$(BUILD)/$(1:%.c=%): $(OBJ)/unit/$(1:%.c=%.o) $(filter %.o,$(FUZZ_MAIN)) $(call with_of,$(1)) \
                     $(call libs_of,$(1))
	$$(call say,LD,$$@)
	$$(mkdir)
	$$(Q)$$(CC) $$(SAN) $(filter -%,$(FUZZ_MAIN)) -pthread -o $$@ -Wl,--start-group $$^ -Wl,--end-group
endef
$(foreach t,$(FUZZ_C),$(eval $(call fuzz_bin_rule,$(t))))

# T='mm path' selects; SECONDS for each
FUZZ_WANTED = $(if $(T),$(foreach t,$(T),$(filter %/fuzz_$(t),$(FUZZ_BIN))),$(FUZZ_BIN))
FUZZ_TREE := $(BUILD)/fuzz
override SECONDS := $(or $(filter-out 0,$(SECONDS)),60)
.PHONY: fuzz fuzz-bin fuzz-check
fuzz-bin: $(FUZZ_WANTED)

fuzz: ## search with libFuzzer, SECONDS=60 for each target (T='mm path' selects)
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=$(FUZZ_TREE) LIBFUZZER=1 fuzz-bin
	$(Q)$(PYTHON) tools/runfuzz.py --tree $(FUZZ_TREE) --seconds $(SECONDS) \
	    $(notdir $(FUZZ_WANTED))

fuzz-check: $(GEN_STAMP) ## replay the fuzz corpus and seeded mutations of it (T='mm path' selects)
	@+$(MAKE) --no-print-directory -k fuzz-bin || echo 'some fuzz targets do not build'
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) fuzz $(FUZZ_WANTED)
$(OBJ)/unit/tests/fuzz/fuzz_proto.o: | $(GEN)/.proto

# parts of other programs, under the sanitizers
$(OBJ)/unit/init/%.o: init/%.c | $(GEN)/.proto
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_TEST) -Iinit $(DEPFLAGS) -c -o $@ $<
$(OBJ)/unit/session/%.o: session/%.c | $(GEN)/.proto
	$(call say,CC,$@)
	$(mkdir)
	$(Q)$(CC) $(UNIT_TEST) $(DEPFLAGS) -c -o $@ $<
