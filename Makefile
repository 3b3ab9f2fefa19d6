# make            build everything into build/
# make run        install what is missing, build, start an instance of its own
#                 on 127.0.0.1 (2465 and 2587) and send one mail through it;
#                 ONCE=1 stops after that proof
# make check      install what is missing, build, run the tests
# make check-all  and the long ones: crashes, power cuts, failing disks
# make torture    everything at once for TORTURE_SECONDS (an hour): crashes,
#                 power cuts, full disks, no memory, jumping clocks; a ledger
# make asan       the unit tests, dialogs and system tests under ASan and UBSan
# make tsan       what has threads under ThreadSanitizer
# make valgrind   unit tests, and a server with mail going through, under memcheck
# make mutate     take protections away, one by one, and see their tests fail
# make fuzz       every fuzzer for FUZZ_SECONDS each (clang)
# make bench      what a message costs, each figure with its target beside it
# make bench-scale  the same as work grows; QUICK=1 for a reduced run
# make bench-peers  beside Postfix and Exim, where they are installed
# make bench-hostile  how long a session takes while others misbehave
# make bench-fair  how long a letter takes behind 45,000 recipients of another
# make bench-abuse  recipients that a stolen password reaches
# make format     clang-format
# make deps       install missing Debian packages (run and check call it)
# make build-deps  only those that the build needs: on a server
# make install    DESTDIR= PREFIX=
# make clean

VERSION := 0.1.0
PREFIX  ?= /usr/local
B       ?= build

BINDIR     := $(PREFIX)/bin
LIBEXECDIR := $(PREFIX)/libexec/postern
DATADIR    := $(PREFIX)/share
MANDIR     := $(DATADIR)/man
DOCDIR     := $(DATADIR)/doc/postern
UNITDIR    ?= $(PREFIX)/lib/systemd/system
# Where Debian's zsh looks, and where others do.
ZSHDIR     ?= $(DATADIR)/zsh/$(if \
              $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FUZZ_SECONDS ?= 30
TORTURE_SECONDS ?= 3600

CFLAGS   ?= -O2 -g
HARDEN   ?= -fPIE -fstack-protector-strong -fstack-clash-protection \
            -D_FORTIFY_SOURCE=2
CPPFLAGS += -D_GNU_SOURCE -I. -MMD -MP -DVERSION='"$(VERSION)"' \
            -DLIBEXECDIR='"$(LIBEXECDIR)"' $(HARDEN)
WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
            -Wwrite-strings -Wvla -Wpointer-arith -Wformat=2 -Wundef \
            -Werror=implicit -Werror=return-type
override CFLAGS += -std=gnu11 $(WARN) $(SANITIZE)
override LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
            $(SANITIZE)

EVENT   := $(shell pkg-config --libs libevent_core 2>/dev/null)
SSL     := $(shell pkg-config --libs openssl 2>/dev/null)
UNBOUND := $(shell pkg-config --libs libunbound 2>/dev/null)
INIH    := $(shell pkg-config --libs inih 2>/dev/null)
CURL    := $(shell pkg-config --libs libcurl 2>/dev/null)
JANSSON := $(shell pkg-config --libs jansson 2>/dev/null)
QR      := $(shell pkg-config --libs qrcodegen 2>/dev/null)
IDN     := $(shell pkg-config --libs libidn2 2>/dev/null)
SECCOMP := $(shell pkg-config --libs libseccomp 2>/dev/null)
ARGON2  := $(shell pkg-config --libs libargon2 2>/dev/null)

# What each process links: the linker shows what a process cannot do.
PROCESSES    := parent smtpd auth queue deliver sts
SHARED       := ipc mail lib
CHILD        := $(INIH) $(EVENT) $(IDN) $(SECCOMP)
LIBS_ctl     := $(SSL) $(JANSSON) $(QR) $(INIH) $(EVENT) $(IDN)
LIBS_parent  := $(INIH) $(EVENT)
LIBS_smtpd   := $(SSL) $(CHILD)
LIBS_auth    := $(SSL) $(CHILD) $(ARGON2) -ldb-5.3 -lcrypt -lunistring -lpthread -lm
LIBS_queue   := $(CHILD) -ldb-5.3 -lpthread
LIBS_deliver := $(SSL) $(UNBOUND) $(CHILD)
LIBS_sts     := $(CURL) $(SSL) $(CHILD)

.DEFAULT_GOAL := all
.SECONDARY:
.SUFFIXES:

# One archive per folder, of everything in it but main.c.
define archive
$B/$1.a: $(patsubst %.c,$B/%.o,$(filter-out $1/main.c,$(wildcard $1/*.c)))
	@rm -f $$@ && $(AR) rcs $$@ $$^
endef
$(foreach d,$(PROCESSES) ctl $(SHARED),$(eval $(call archive,$d)))

SHARED_A := $(SHARED:%=$B/%.a)

define program
$B/postern-$1: $B/$1/main.o $B/$1.a $(SHARED_A)
	$$(LINK.o) $$^ $$(LIBS_$1) -o $$@
endef
$(foreach p,$(PROCESSES),$(eval $(call program,$p)))

$B/postern: $B/ctl/main.o $B/ctl.a $(SHARED_A)
	$(LINK.o) $^ $(LIBS_ctl) -o $@

$B/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE.c) $< -o $@

PROGRAMS := $B/postern $(PROCESSES:%=$B/postern-%)

# tests/unit/test_FOLDER_*.c and tests/fuzz/fuzz_FOLDER_*.c link FOLDER.
UNIT     := $(patsubst %.c,$B/%,$(wildcard tests/unit/test_*.c))
FUZZERS  := $(patsubst %.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))
CMOCKA   := $(shell pkg-config --libs cmocka 2>/dev/null)

define tests_of
$(filter $B/tests/unit/test_$1_%,$(UNIT)): $B/tests/unit/%: \
    $B/tests/unit/%.o $(if $(filter $1,$(SHARED)),,$B/$1.a) $(SHARED_A)
	$$(LINK.o) $$^ $$(LIBS_$1) $(CMOCKA) -o $$@
$(filter $B/tests/fuzz/fuzz_$1_%,$(FUZZERS)): $B/tests/fuzz/%: \
    $B/tests/fuzz/%.o $(if $(filter $1,$(SHARED)),,$B/$1.a) $(SHARED_A) \
    $(FUZZ_MAIN)
	$$(LINK.o) $$^ $$(LIBS_$1) $(FUZZ_LINK) -o $$@
endef
LIBS_lib  := $(SSL) $(CHILD) -lpthread
LIBS_mail := $(IDN)
LIBS_ipc  := $(CHILD) -lpthread
# Without libFuzzer a small main() replays the corpus.
FUZZ_MAIN ?= $B/tests/fuzz/replay.o
$(foreach d,$(PROCESSES) ctl $(SHARED),$(eval $(call tests_of,$d)))

DIALOG_C := $(wildcard tests/dialog/*.c)
DIALOGS := $(if $(DIALOG_C),$B/tests/dialog/run_dialogs)
$B/tests/dialog/run_dialogs: $(DIALOG_C:%.c=$B/%.o) \
    $B/smtpd.a $(SHARED_A)
	$(LINK.o) $^ $(LIBS_smtpd) -o $@

BENCH := $(patsubst %.c,$B/%,$(filter tests/bench/load.c tests/bench/sink.c \
    tests/bench/handshake.c,$(wildcard tests/bench/*.c)))
$(BENCH): $B/tests/bench/%: $B/tests/bench/%.o
	$(LINK.o) $^ $(SSL) -lpthread -o $@
SCALE := $(patsubst %,$B/tests/bench/%,queue_bench queue_fill store_bench)
$(SCALE) $B/tests/bench/journal_fill: \
    $B/tests/bench/%: $B/tests/bench/%.o $B/queue.a $(SHARED_A)
	$(LINK.o) $^ $(LIBS_queue) -o $@
PRELOADS := $(patsubst %.c,$B/%.so,$(wildcard tests/crash/*.c))
$(PRELOADS): $B/%.so: %.c
	@mkdir -p $(@D)
	$(CC) -O2 -std=gnu11 -D_GNU_SOURCE -fPIC -shared $< -ldl -o $@

.PHONY: all tests deps build-deps run check check-all torture asan tsan valgrind mutate fuzz \
    run-fuzz bench bench-abuse bench-fair bench-hostile bench-peers bench-scale format install \
    clean
all: $(PROGRAMS)
tests: $(UNIT) $(FUZZERS) $(DIALOGS) $(BENCH) $(SCALE) $(PRELOADS)

# Packages first, then a make that sees them.
MAKE_J := $(MAKE) --no-print-directory -s -j$(shell nproc)
deps:
	@tests/lib/deps.sh build run check
build-deps:
	@tests/lib/deps.sh build
run:
	@tests/lib/deps.sh build run
	@$(MAKE_J) all
	@tests/lib/run.py $(if $(ONCE),--once)
check:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all tests
	@tests/run unit fuzz dialog lint system crash
check-all:
	@tests/lib/deps.sh build check-all
	@$(MAKE_J) all tests
	@tests/run --all unit fuzz dialog lint system crash

torture:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all tests
	@B=$B POSTERN_TESTS=full tests/crash/torture.py $(TORTURE_SECONDS)

asan:
	@tests/lib/deps.sh build check
	@$(MAKE_J) B=$B/asan HARDEN=-fPIE \
	    SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer" all tests
	@B=$B/asan tests/run unit fuzz dialog
	@# The leak checker cannot look around inside an empty root; clocks and
	@# slow disks of the tests are loaded before the sanitizer.
	@B=$B/asan ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
	    tests/run system

# Threads are in auth (hashes, signatures) and queue (flushes, files, checks).
THREADED := test_auth_hasher test_auth_vault test_smtpd_keyless \
    test_queue_process test_queue_token test_queue_marks test_queue_bundle \
    test_queue_group
tsan:
	@tests/lib/deps.sh build check
	@$(MAKE_J) B=$B/tsan HARDEN=-fPIE \
	    SANITIZE="-fsanitize=thread -fno-omit-frame-pointer" all \
	    $(THREADED:%=$B/tsan/tests/unit/%)
	@# It finds its shadow only where addresses are not random.
	@B=$B/tsan TSAN_OPTIONS="exitcode=66 atexit_sleep_ms=0 \
	    suppressions=$(CURDIR)/tests/lib/tsan.supp" \
	    setarch -R tests/run $(THREADED:%=$B/tsan/tests/unit/%)

# One after the other; what a test starts of other programs is not looked at.
MEMCHECK := valgrind -q --leak-check=full --errors-for-leak-kinds=definite \
    --error-exitcode=99 --child-silent-after-fork=yes \
    --suppressions=tests/lib/valgrind.supp
# Whole processes are too slow for their time limits, children that die with a
# store open leak by design, and one looks for freed memory on purpose.
UNCHECKED := %_vault %_process %_agent %_server %_long %_auth_store \
    %_queue_store %_auth_scrub
valgrind:
	@tests/lib/deps.sh build check valgrind
	@$(MAKE_J) all tests
	@for t in $(filter-out $(UNCHECKED),$(UNIT)); do \
	    echo "$$t"; $(MEMCHECK) $$t > $B/valgrind.log 2>&1 || \
	        { cat $B/valgrind.log; exit 1; }; done
	@tests/run --all tests/system/memcheck.py

mutate:
	@tests/lib/deps.sh build check
	@tests/mutate.py

fuzz:
	@tests/lib/deps.sh build fuzz
	@$(MAKE_J) B=$B/fuzz CC=clang HARDEN=-fPIE FUZZ_MAIN= \
	    SANITIZE="-fsanitize=fuzzer-no-link,address,undefined" \
	    FUZZ_LINK=-fsanitize=fuzzer run-fuzz
run-fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do \
	    n=$${f##*/fuzz_}; mkdir -p $B/corpus/$$n; echo "fuzz $$n"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -max_len=65536 \
	        $B/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done

bench:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all $(BENCH) $(SCALE)
	@tests/bench/bench.py
bench-scale:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all $(BENCH) $(SCALE)
	@tests/bench/scale.py $(if $(QUICK),--quick)
bench-peers:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all $(BENCH) $(SCALE)
	@tests/bench/peers.py $(if $(QUICK),--quick)
bench-hostile:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all $(BENCH)
	@tests/bench/hostile.py
bench-fair:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all
	@tests/bench/fair.py

# A stolen password against the guard, and a month of ordinary people.
bench-abuse:
	@tests/lib/deps.sh build check
	@$(MAKE_J) all $B/tests/unit/test_auth_guard_rules
	@$B/tests/unit/test_auth_guard_rules
	@B=$B tests/system/guard.py
	@B=$B tests/system/stolen.py

format:
	clang-format -i $(wildcard */*.c */*.h tests/*/*.c tests/*/*.h)

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) \
	    $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
	    $(DESTDIR)$(DOCDIR)/docs $(DESTDIR)$(DOCDIR)/fail2ban \
	    $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	    $(DESTDIR)$(DATADIR)/bash-completion/completions \
	    $(DESTDIR)$(DATADIR)/fish/vendor_completions.d $(DESTDIR)$(ZSHDIR)
	install -m 755 $B/postern $(DESTDIR)$(BINDIR)/
	install -m 755 $(PROCESSES:%=$B/postern-%) $(DESTDIR)$(LIBEXECDIR)/
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5/
	install -m 644 README.md CHANGES.md LICENSE \
	    packaging/postern.conf.example $(DESTDIR)$(DOCDIR)/
	install -m 644 docs/* $(DESTDIR)$(DOCDIR)/docs/
	umask 022; cp -r packaging/fail2ban/. $(DESTDIR)$(DOCDIR)/fail2ban/
	install -m 644 packaging/sysusers.d/*.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/
	install -m 644 packaging/tmpfiles.d/*.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/
	for unit in postern postern-rootless; do \
	    sed 's|@BINDIR@|$(BINDIR)|g' packaging/$$unit.service \
	        > $(DESTDIR)$(UNITDIR)/$$unit.service && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$unit.service || exit 1; done
	umask 022; $B/postern completion bash \
	    > $(DESTDIR)$(DATADIR)/bash-completion/completions/postern
	umask 022; $B/postern completion zsh > $(DESTDIR)$(ZSHDIR)/_postern
	umask 022; $B/postern completion fish \
	    > $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/postern.fish

clean:
	rm -rf $B

-include $(shell find $B -name '*.d' 2>/dev/null)
