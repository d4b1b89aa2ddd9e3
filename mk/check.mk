# SPDX-License-Identifier: Apache-2.0
# What people type: build, run, test, measure.

RESULTS := $(BUILD)/results
CMD ?=

.PHONY: all run check unit guest native bench deps-run deps-check abi-check clean help
all: $(GEN_STAMP) $(ALL) ## build everything that runs (default)

deps-run:
	@sh tools/deps.sh run
deps-check:
	@sh tools/deps.sh check

run: deps-run ## install what is missing, build, start a shell (CMD='...' for another command)
	$(Q)$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) sh tools/run.sh $(CMD)

unit: unit-bin abi-check tool-check ## unit tests, host tests and the tools' own tests
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) unit $(UNIT_BIN)
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) host $(HOST_TESTS)

abi-check: ## abi/*.h against this host's own headers
	$(Q)$(PYTHON) tests/abi/check_abi.py --cc $(CC) --out $(OBJ)/abi --results $(RESULTS)

guest: all guest-bin ## guest tests, natively and under lx (T='pipe mm*' selects)
	$(Q)$(if $(wildcard tests/run.py),$(PYTHON) tests/run.py $(T),echo 'no tests/run.py')

native: guest-bin ## guest tests on this host's kernel only
	$(Q)$(PYTHON) tests/run.py --native-only $(T)

# Every suite runs even if an earlier one fails; the last line is the sum.
check: deps-check ## everything: build, lint, unit, host and guest tests; ends with the total
	@rm -rf $(RESULTS)
	@mkdir -p $(RESULTS)
	$(Q)$(PYTHON) tools/summary.py --results $(RESULTS) --make '$(MAKE)' all lint-lite unit guest

bench: all bench-bin ## benchmarks against native, as ratios
	$(Q)$(if $(wildcard bench/run.py),$(PYTHON) bench/run.py,echo 'no bench/run.py')

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this text
	@grep -hE '^[a-z-]+:.*##' Makefile mk/*.mk | sed 's/:.*## /\t/' | sort | \
	    awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'
