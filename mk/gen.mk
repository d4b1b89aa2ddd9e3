# SPDX-License-Identifier: Apache-2.0
# abi/*.tbl -> $(GEN): prototypes, dispatch table, tracer and fuzzer tables, coverage.

GEN_OUT := $(addprefix $(GEN)/,sysproto.h sysent.h sysent.c sysargs.h sysargs.c sysdesc.h sysdesc.c)
GEN_HDR := $(filter %.h,$(GEN_OUT))
GEN_SRC := $(filter %.c,$(GEN_OUT))
GEN_STAMP := $(GEN)/.stamp
TABLES := $(wildcard abi/*.tbl)

# Outputs are only rewritten when their text changes, so a note in a table recompiles little.
$(GEN_STAMP): tools/gensys.py $(wildcard tools/gensys_*.py) $(TABLES) abi/lx_errno.h
	$(call say,GEN,$(GEN))
	$(mkdir)
	$(Q)$(PYTHON) tools/gensys.py --abi abi --tests tests/guest --out $(GEN)
	@touch $@

$(GEN_OUT): $(GEN_STAMP) ;

.PHONY: gen
gen: $(GEN_STAMP) ## regenerate build/gen and docs/coverage.md
	$(Q)$(PYTHON) tools/gensys.py --abi abi --tests tests/guest --out $(GEN)
	$(Q)cmp -s $(GEN)/coverage.md docs/coverage.md || cp $(GEN)/coverage.md docs/coverage.md
