# SPDX-License-Identifier: Apache-2.0
# Compilers, flags and the words recipes are made of.

OBJ := $(BUILD)/obj
GEN := $(BUILD)/gen
PYTHON ?= python3
V ?= 0
Q := $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-7s %s\n' '$(1)' '$(2)')
mkdir = $(Q)mkdir -p $(dir $@)
comma := ,

# the compiler's own freestanding headers, and the system's kernel headers
CC_INC := $(shell $(CC) -print-file-name=include)
SYS_INC := $(wildcard /usr/include/$(shell uname -m)-linux-gnu) /usr/include

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
        -Wcast-function-type -Wformat=2 -Wswitch-enum
INCLUDES := -Icore -Iabi -I. -I$(GEN)
DEPFLAGS = -MMD -MP

# without vector registers gcc clears a structure by `rep stos`, which takes 15 ns to begin
BY_WORDS := $(if $(findstring clang,$(CC)),,\
        -mmemset-strategy=unrolled_loop:256:noalign$(comma)libcall:-1:noalign \
        -mmemcpy-strategy=unrolled_loop:256:noalign$(comma)libcall:-1:noalign)

# freestanding code: lxcore and its generated tables
FREE := -std=c11 -O2 -g -ffreestanding -nostdinc -isystem $(CC_INC) -fPIE -fvisibility=hidden \
        -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing -fcf-protection=none \
        -fno-asynchronous-unwind-tables -fno-common $(BY_WORDS) $(WARN) $(INCLUDES)
# the Linux backend may see kernel headers, but no libc
FREE_HOST := $(FREE) $(addprefix -isystem ,$(SYS_INC))

# hosted programs: launcher, manager
HOSTED := -std=gnu11 -O2 -g -fno-strict-aliasing $(filter-out -Wundef,$(WARN)) -D_GNU_SOURCE \
          $(INCLUDES)

# unit tests: the same core sources, hosted, with sanitizers
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# gcc's word for it, which older clangs do not say
SAN += $(if $(findstring clang,$(CC)),-D__SANITIZE_ADDRESS__=1)
# mk/fuzz.mk
LIBFUZZER ?=
SAN += $(if $(LIBFUZZER),-fsanitize=fuzzer-no-link)
UNIT_CORE := -std=c11 -O1 -g -ffreestanding -nostdinc -isystem $(CC_INC) -fno-strict-aliasing \
             -DPICOLX_HOSTED=1 $(SAN) $(WARN) $(INCLUDES)
UNIT_TEST := -std=gnu11 -O1 -g -fno-strict-aliasing -DPICOLX_HOSTED=1 -D_GNU_SOURCE $(SAN) \
             $(filter-out -Wundef,$(WARN)) $(INCLUDES) -Itests/unit

# small static programs without a libc that run as guests
GUEST := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -fno-stack-protector \
         -fno-pie -fcf-protection=none -ffreestanding
# clang finds -no-pie superfluous with -static, gcc needs it where PIE is the default
NO_PIE := $(if $(findstring clang,$(CC)),,-no-pie)
GUEST_LINK := -static -nostdlib $(NO_PIE) -Wl,-z,noexecstack -Wl,--build-id=none

ifneq ($(findstring clang,$(CC)),)
FREE += -Wthread-safety
UNIT_CORE += -Wthread-safety
endif
