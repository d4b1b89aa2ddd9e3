# SPDX-License-Identifier: Apache-2.0
# The session protocol's generated code, and the built-in distribution's archive.

PROTO_GEN := $(GEN)/proto.h $(GEN)/proto.c
$(GEN)/.proto: session/proto.tbl tools/genproto.py
	$(call say,GEN,$(GEN)/proto.c)
	$(mkdir)
	$(Q)$(PYTHON) tools/genproto.py --table session/proto.tbl --out $(GEN)
	@touch $@
$(PROTO_GEN): $(GEN)/.proto ;

$(OBJ)/hosted/gen/proto.o: $(GEN)/.proto
	$(call say,CC,$(GEN)/proto.c)
	$(mkdir)
	$(Q)$(CC) $(HOSTED) $(DEPFLAGS) -c -o $@ $(GEN)/proto.c

$(OBJ)/init/gen/proto.o: $(GEN)/.proto
	$(mkdir)
	$(Q)$(CC) $(INIT_FLAGS) -I$(GEN) $(DEPFLAGS) -c -o $@ $(GEN)/proto.c
$(OBJ)/init/gen/codec.o: session/common/codec.c $(GEN)/.proto
	$(mkdir)
	$(Q)$(CC) $(INIT_FLAGS) -I$(GEN) $(DEPFLAGS) -c -o $@ $<

INIT_FLAGS += -I$(GEN)
$(INIT_OBJ) $(call hosted_obj,$(LX_C) $(LXMANAGER_C) $(COMMON_C)): | $(GEN)/.proto
$(BUILD)/lx $(BUILD)/lxmanager: $(OBJ)/hosted/gen/proto.o
$(BUILD)/init: $(OBJ)/init/gen/proto.o $(OBJ)/init/gen/codec.o
$(BUILD)/init: GUEST_LINK += -s

$(BUILD)/distro.tar: tools/mkdistro.py
	$(call say,TAR,$@)
	$(mkdir)
	$(Q)$(PYTHON) tools/mkdistro.py --out $@
ifneq ($(wildcard session/*.c),)
ALL += $(BUILD)/distro.tar
endif

# the codec under the sanitizers
$(OBJ)/unit/gen/proto.o: $(GEN)/.proto
	$(mkdir)
	$(Q)$(CC) $(UNIT_CORE) $(DEPFLAGS) -c -o $@ $(GEN)/proto.c
$(OBJ)/unit/gen/codec.o: session/common/codec.c $(GEN)/.proto
	$(mkdir)
	$(Q)$(CC) $(UNIT_CORE) $(DEPFLAGS) -c -o $@ $<
$(OBJ)/unit/tests/unit/test_proto.o: | $(GEN)/.proto
$(BUILD)/tests/unit/test_proto: $(OBJ)/unit/gen/proto.o $(OBJ)/unit/gen/codec.o

.PHONY: session-test
session-test: all ## lx, lxmanager and init: command line, life cycle, console
	$(Q)PICOLX_BUILD=$(abspath $(BUILD)) $(PYTHON) tools/runtests.py --results $(RESULTS) \
	    --timeout 400 --jobs 1 session $(sort $(wildcard tests/session/test_*.py))
