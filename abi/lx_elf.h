/* SPDX-License-Identifier: Apache-2.0 */
/* ELF64 files, notes and the auxiliary vector; see elf(5), getauxval(3). */
#pragma once

#include <stddef.h>

#include "base/types.h"

/* e_ident and header values */
#define LX_EI_CLASS       4
#define LX_EI_DATA        5
#define LX_EI_VERSION     6
#define LX_EI_OSABI       7
#define LX_EI_NIDENT      16
#define LX_ELFCLASS32     1
#define LX_ELFCLASS64     2
#define LX_ELFDATA2LSB    1
#define LX_EV_CURRENT     1
#define LX_ELFOSABI_NONE  0
#define LX_ELFOSABI_LINUX 3
#define LX_ET_NONE        0
#define LX_ET_REL         1
#define LX_ET_EXEC        2
#define LX_ET_DYN         3
#define LX_ET_CORE        4
#define LX_EM_386         3
#define LX_EM_X86_64      62
#define LX_PN_XNUM        0xffff

/* program headers */
#define LX_PT_NULL         0x0
#define LX_PT_LOAD         0x1
#define LX_PT_DYNAMIC      0x2
#define LX_PT_INTERP       0x3
#define LX_PT_NOTE         0x4
#define LX_PT_SHLIB        0x5
#define LX_PT_PHDR         0x6
#define LX_PT_TLS          0x7
#define LX_PT_GNU_EH_FRAME 0x6474e550
#define LX_PT_GNU_STACK    0x6474e551
#define LX_PT_GNU_RELRO    0x6474e552
#define LX_PT_GNU_PROPERTY 0x6474e553
#define LX_PF_X            0x1
#define LX_PF_W            0x2
#define LX_PF_R            0x4

/* dynamic section and symbols, as far as the vdso needs them */
#define LX_DT_NULL      0
#define LX_DT_HASH      4
#define LX_DT_STRTAB    5
#define LX_DT_SYMTAB    6
#define LX_DT_STRSZ     10
#define LX_DT_SYMENT    11
#define LX_DT_SONAME    14
#define LX_DT_VERSYM    0x6ffffff0
#define LX_DT_VERDEF    0x6ffffffc
#define LX_DT_VERDEFNUM 0x6ffffffd

/* notes of core files and programs */
#define LX_NT_PRSTATUS     1
#define LX_NT_PRFPREG      2
#define LX_NT_PRPSINFO     3
#define LX_NT_AUXV         6
#define LX_NT_SIGINFO      1397311305
#define LX_NT_FILE         1179208773
#define LX_NT_X86_XSTATE   514
#define LX_NT_GNU_BUILD_ID 3

/* auxiliary vector */
#define LX_AT_NULL              0
#define LX_AT_IGNORE            1
#define LX_AT_EXECFD            2
#define LX_AT_PHDR              3
#define LX_AT_PHENT             4
#define LX_AT_PHNUM             5
#define LX_AT_PAGESZ            6
#define LX_AT_BASE              7
#define LX_AT_FLAGS             8
#define LX_AT_ENTRY             9
#define LX_AT_NOTELF            10
#define LX_AT_UID               11
#define LX_AT_EUID              12
#define LX_AT_GID               13
#define LX_AT_EGID              14
#define LX_AT_PLATFORM          15
#define LX_AT_HWCAP             16
#define LX_AT_CLKTCK            17
#define LX_AT_SECURE            23
#define LX_AT_BASE_PLATFORM     24
#define LX_AT_RANDOM            25
#define LX_AT_HWCAP2            26
#define LX_HWCAP2_FSGSBASE      2 /* rdgsbase and its like may be used */
#define LX_AT_RSEQ_FEATURE_SIZE 27
#define LX_AT_RSEQ_ALIGN        28
#define LX_AT_EXECFN            31
#define LX_AT_SYSINFO           32
#define LX_AT_SYSINFO_EHDR      33
#define LX_AT_MINSIGSTKSZ       51

#define LX_ELFMAG  "\177ELF"
#define LX_SELFMAG 4

struct lx_elf64_ehdr {
    u8 e_ident[16];
    u16 e_type;
    u16 e_machine;
    u32 e_version;
    u64 e_entry;
    u64 e_phoff;
    u64 e_shoff;
    u32 e_flags;
    u16 e_ehsize;
    u16 e_phentsize;
    u16 e_phnum;
    u16 e_shentsize;
    u16 e_shnum;
    u16 e_shstrndx;
};
_Static_assert(sizeof(struct lx_elf64_ehdr) == 64, "lx_elf64_ehdr");

struct lx_elf64_phdr {
    u32 p_type;
    u32 p_flags;
    u64 p_offset;
    u64 p_vaddr;
    u64 p_paddr;
    u64 p_filesz;
    u64 p_memsz;
    u64 p_align;
};
_Static_assert(sizeof(struct lx_elf64_phdr) == 56, "lx_elf64_phdr");

struct lx_elf64_shdr {
    u32 sh_name;
    u32 sh_type;
    u64 sh_flags;
    u64 sh_addr;
    u64 sh_offset;
    u64 sh_size;
    u32 sh_link;
    u32 sh_info;
    u64 sh_addralign;
    u64 sh_entsize;
};
_Static_assert(sizeof(struct lx_elf64_shdr) == 64, "lx_elf64_shdr");

struct lx_elf64_sym {
    u32 st_name;
    u8 st_info;
    u8 st_other;
    u16 st_shndx;
    u64 st_value;
    u64 st_size;
};
_Static_assert(sizeof(struct lx_elf64_sym) == 24, "lx_elf64_sym");

struct lx_elf64_dyn {
    s64 d_tag;
    u64 d_val;
};
_Static_assert(sizeof(struct lx_elf64_dyn) == 16, "lx_elf64_dyn");

/* Followed by name and descriptor, each padded to 4 bytes. */
struct lx_elf64_nhdr {
    u32 n_namesz;
    u32 n_descsz;
    u32 n_type;
};
_Static_assert(sizeof(struct lx_elf64_nhdr) == 12, "lx_elf64_nhdr");

struct lx_auxv {
    u64 a_type;
    u64 a_val;
};
_Static_assert(sizeof(struct lx_auxv) == 16, "lx_auxv");
