# SPDX-License-Identifier: Apache-2.0
# What people type: build, run, test, measure.

RESULTS := $(BUILD)/results
CMD ?=

.PHONY: all run check unit hosttest guest native mix mix-lite e2e suites soak soak-lite bench deps-run deps-check abi-check clean help
all: $(GEN_STAMP) $(ALL) ## build everything that runs (default)
	@:

deps-run:
	@CC='$(CC)' sh tools/deps.sh run
deps-check:
	@CC='$(CC)' sh tools/deps.sh check

# as it was typed, without make's own $
run: export RUN_CMD := $(value CMD)
run: deps-run ## install what is missing, build, start a shell (CMD='...' for another command)
	$(Q)$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) sh tools/run.sh

# What does not build counts as failed; the rest still runs. T='fmt path' selects.
UNIT_RUN = $(if $(T),$(foreach t,$(T),$(filter %/test_$(t),$(UNIT_BIN))),$(UNIT_BIN))
unit: $(GEN_STAMP) ## unit tests (T='fmt path' selects)
	@+$(MAKE) --no-print-directory -k $(UNIT_RUN) || echo 'some unit tests do not build'
	@+$(if $(T),,$(MAKE) --no-print-directory -k $(CRASH_BIN) || echo 'the crash tests do not build')
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) unit $(UNIT_RUN) $(if $(T),,$(CRASH_BIN))

hosttest: $(GEN_STAMP) ## tests of host.h on the fake and on this host
	@+$(MAKE) --no-print-directory -k $(HOST_TESTS) || echo 'some host tests do not build'
	$(Q)$(PYTHON) tools/runtests.py --results $(RESULTS) host $(HOST_TESTS)

abi-check: ## abi/*.h against this host's own headers
	$(Q)$(PYTHON) tests/abi/check_abi.py --cc $(CC) --out $(OBJ)/abi --results $(RESULTS)

RUN_WHERE = --lx $(abspath $(BUILD))/lx --bin $(abspath $(BUILD))/tests/guest
guest: ## guest tests, natively and under lx (T='pipe mm*' selects)
	@+$(MAKE) --no-print-directory -k all guest-bin || echo 'some programs do not build'
	$(Q)$(if $(wildcard tests/run.py),$(PYTHON) tests/run.py $(RUN_WHERE) --results $(RESULTS) $(T),echo 'no tests/run.py')

native: guest-bin ## guest tests on this host's kernel only
	$(Q)$(PYTHON) tests/run.py $(RUN_WHERE) --native-only $(T)

# SEEDS of each theme; the first ones are what `make check` tries
SEEDS ?= 1000
mix: all guest-bin ## random sequences of calls, natively and under lx (SEEDS=1000 of each theme)
	$(Q)$(PYTHON) tests/mix/run.py --lx $(BUILD)/lx --seeds $(SEEDS)

mix-lite: all guest-bin
	$(Q)$(PYTHON) tests/mix/run.py --lx $(BUILD)/lx --seeds 40 --results $(RESULTS)

# Time limits follow the load of the machine: SLOW is a factor on them.
SLOW ?= 3
e2e: all ## real programs, natively and under lx (T='gcc* node' selects)
	$(Q)$(PYTHON) tests/e2e/run.py --lx $(BUILD)/lx --slow $(SLOW) --results $(RESULTS) $(T)

suites: all ## other projects' test suites, natively and under lx (T='python:test_os go perl' selects)
	$(Q)$(PYTHON) tests/e2e/suites.py --lx $(BUILD)/lx --slow $(SLOW) $(T)
	$(Q)$(if $(T),,$(PYTHON) tests/e2e/run.py --lx $(BUILD)/lx --slow $(SLOW) --long busybox_suite stress_ng)

# N rounds; `make soak N=500` is what a release is measured with
N ?= 100
soak: all guest-bin bench-bin ## loops, 1000 processes, random kills (N=500 rounds of each)
	$(Q)$(PYTHON) tests/soak/run.py --lx $(BUILD)/lx --count $(N) $(T)

soak-lite: all
	$(Q)$(PYTHON) tests/soak/run.py --lx $(BUILD)/lx --count 20 --results $(RESULTS) loops kill

# Every suite runs even if an earlier one fails; the last line is the sum.
check: deps-check ## everything: build, lint, unit, fuzz, host, guest, program tests; ends with the total
	@rm -rf $(RESULTS)
	@mkdir -p $(RESULTS)
	$(Q)$(PYTHON) tools/summary.py --results $(RESULTS) --make '$(MAKE)' \
	    all lint-lite tool-check abi-check unit fuzz-check hosttest guest mix-lite e2e session-test soak-lite

bench: all bench-bin ## benchmarks against native, as ratios (PEERS=1: bwrap, proot, runsc too)
	$(Q)$(PYTHON) bench/run.py $(if $(PEERS),--peers)

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this text
	@grep -hE '^[a-z-]+:.*##' Makefile mk/*.mk | sed 's/:.*## /\t/' | sort | \
	    awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'
