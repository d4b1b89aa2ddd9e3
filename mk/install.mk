# SPDX-License-Identifier: Apache-2.0
# make install PREFIX=/usr/local: programs in bin, what they start in lib/picolx.

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR = $(DESTDIR)$(PREFIX)/bin
LIBDIR = $(DESTDIR)$(PREFIX)/lib/picolx

.PHONY: install
install: all ## copy the programs below PREFIX (and DESTDIR)
	install -d $(BINDIR) $(LIBDIR)
	install -m 755 $(BUILD)/lx $(BINDIR)/lx
	install -m 755 $(BUILD)/lxcore $(BUILD)/lxmanager $(BUILD)/init $(LIBDIR)/
	install -m 644 $(BUILD)/distro.tar $(LIBDIR)/
