# SPDX-License-Identifier: Apache-2.0
# Checks of the source text. lint-lite needs only python3; lint also the clang tools and cppcheck.

OWN_SRC := $(shell find abi core host session launcher init tests bench -name '*.[ch]' 2>/dev/null)
TIDY_SRC = $(CORE_C)
# clang reads its own headers, whatever CC is
TIDY_FLAGS = $(patsubst $(CC_INC),$(shell clang -print-file-name=include 2>/dev/null),$(filter-out -W% -mmem%,$(FREE)))

.PHONY: layers style lint lint-lite fmt fmt-check tidy cppcheck syms headers-check coverage-check tool-check \
        llp64
lint: lint-lite fmt-check llp64 tidy cppcheck ## all checks of the source text

lint-lite: layers style headers-check syms coverage-check ## layers, style, headers, symbols

layers:
	$(Q)$(PYTHON) tools/check_layers.py
style:
	$(Q)$(PYTHON) tools/check_style.py

tool-check: ## the tools' own tests
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) tools $(sort $(wildcard tools/tests/test_*.py))

fmt: ## format the sources in place
	$(Q)clang-format -i $(OWN_SRC)

fmt-check:
	@if command -v clang-format >/dev/null; then clang-format --dry-run -Werror $(OWN_SRC); \
	else echo 'lint: clang-format is not installed, skipped'; fi

tidy:
	@if command -v clang-tidy >/dev/null; then \
	    mkdir -p $(OBJ); printf '%s\n' $(TIDY_SRC) | xargs -r -P $$(nproc) -n 4 sh -c \
	        'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>&1 | grep -vE "warnings? generated|^Suppressed |^Use -header" ; true' sh \
	        > $(OBJ)/tidy.txt; \
	    cat $(OBJ)/tidy.txt; ! grep -qE '(warning|error):' $(OBJ)/tidy.txt; \
	else echo 'lint: clang-tidy is not installed, skipped'; fi

# The next host has a 32-bit long and another calling convention: lxcore must compile for it too.
LLP64_FLAGS = $(filter-out -fPIE -mmem% -isystem $(CC_INC),$(FREE)) -Wno-missing-prototypes \
              -isystem $(shell clang -print-file-name=include 2>/dev/null)
llp64: $(GEN_STAMP)
	@if command -v clang >/dev/null; then \
	    printf '%s\n' $(CORE_C) | xargs -r -P $$(nproc) -n 8 clang --target=x86_64-w64-windows-gnu \
	        $(LLP64_FLAGS) -fsyntax-only && echo 'llp64: ok, $(words $(CORE_C)) files'; \
	else echo 'lint: clang is not installed, llp64 skipped'; fi

cppcheck:
	@if command -v cppcheck >/dev/null; then \
	    cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	        --suppressions-list=tools/cppcheck.txt -j $$(nproc) -Icore -Iabi -I. -I$(GEN) $(CORE_C); \
	else echo 'lint: cppcheck is not installed, skipped'; fi

syms: $(LXCORE_OBJ)
	@if [ -e $(BUILD)/lxcore ]; then sh tools/check_syms.sh $(OBJ) $(BUILD)/lxcore; \
	else echo 'syms: lxcore is not linked yet, skipped'; fi

# every header compiles alone
HDRS := $(wildcard abi/*.h) $(shell find core -name '*.h' 2>/dev/null) $(wildcard host/*.h)
HDR_OK := $(HDRS:%=$(OBJ)/hdr/%.ok)
$(HDR_OK): $(OBJ)/hdr/%.ok: % | $(GEN_STAMP)
	$(mkdir)
	$(Q)echo '#include "$<"' | $(CC) $(FREE) -Wno-unused-function $(DEPFLAGS) -MF $@.d -MT $@ \
	    -x c -fsyntax-only - && touch $@
headers-check: $(HDR_OK)

coverage-check: $(GEN_STAMP)
	@cmp -s $(GEN)/coverage.md docs/coverage.md || \
	    { echo 'lint: docs/coverage.md is stale: run make gen and commit it'; exit 1; }
