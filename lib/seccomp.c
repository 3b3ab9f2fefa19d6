/*
 * seccomp.c - see seccomp.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/seccomp.h"

/* Not every machine has each of them (arm64 has no open(2)): the library's
 * numbers are there all the same, and rules about them are left out. */
#define CALL(name) SCMP_SYS(name)
#define NO         SCMP_ACT_ERRNO(EACCES)

/* Argument N, counted from 0. */
#define IS(n, value)     SCMP_CMP(n, SCMP_CMP_EQ, value, 0)
#define IS_NOT(n, value) SCMP_CMP(n, SCMP_CMP_NE, value, 0)

/* What no right is needed for. */
static const int common[] = {
	/* Descriptors that are open. */
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(preadv),
	CALL(pwritev),
	CALL(lseek),
	CALL(close),
	CALL(close_range),
	CALL(fstat),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(ftruncate),
	CALL(fstatfs),
	CALL(sendfile),
	/* Sockets that are open, and messages between processes. */
	CALL(sendmsg),
	CALL(sendmmsg),
	CALL(recvmsg),
	CALL(recvmmsg),
	CALL(sendto),
	CALL(recvfrom),
	CALL(getsockopt),
	CALL(getsockname),
	CALL(getpeername),
	/* Waiting. */
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(poll),
	CALL(ppoll),
	CALL(select),
	CALL(pselect6),
	CALL(eventfd2),
	CALL(pipe2),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL(restart_syscall),
	CALL(sched_yield),
	CALL(futex),
	/* Memory. */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(mlock),
	CALL(mlock2),
	CALL(munlock),
	CALL(msync),
	/* Time and chance. */
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(gettimeofday),
	CALL(time),
	CALL(times),
	CALL(getrandom),
	/* Itself. */
	CALL(getpid),
	CALL(gettid),
	CALL(getppid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getrusage),
	CALL(getcwd),
	CALL(uname),
	CALL(sysinfo),
	CALL(umask),
	CALL(sched_getaffinity),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(membarrier),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(exit),
	CALL(exit_group),
};

/* See alone(). */
static const int changing[] = { CALL(fcntl), CALL(shutdown), CALL(setsockopt) };

static const int accepting[] = { CALL(accept), CALL(accept4) };

static const int connecting[] = { CALL(connect) };

static const int binding[] = { CALL(bind) };

static const int files[] = {
	CALL(open),
	CALL(openat),
	CALL(creat),
	CALL(stat),
	CALL(lstat),
	CALL(newfstatat),
	CALL(statx),
	CALL(statfs),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(getdents64),
	CALL(readlink),
	CALL(readlinkat),
	CALL(unlink),
	CALL(unlinkat),
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(link),
	CALL(linkat),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(rmdir),
	CALL(fsync),
	CALL(fdatasync),
	CALL(sync_file_range),
	CALL(fallocate),
	CALL(fadvise64),
	CALL(flock),
	CALL(truncate),
	CALL(fchmod),
	CALL(chmod),
	CALL(utimensat),
	CALL(memfd_create),
	CALL(copy_file_range),
};

static const int threads[] = { CALL(sched_setscheduler),
	CALL(sched_getscheduler), CALL(sched_getparam), CALL(setpriority),
	CALL(getpriority) };

/* Libraries look around: for their configuration, for a file that was never
 * there, for a terminal.  They take a no. */
static const int declined[] = { CALL(open), CALL(openat), CALL(stat),
	CALL(lstat), CALL(newfstatat), CALL(statx), CALL(access),
	CALL(faccessat), CALL(faccessat2), CALL(readlink), CALL(readlinkat),
	CALL(getdents64), CALL(statfs) };

#define EACH(list) list, sizeof(list) / sizeof((list)[0])

static void
need(int ret)
{
	if (ret < 0)
		fatal("seccomp: %s", strerror(-ret));
}

static void
rules(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		need(seccomp_rule_add(f, action, calls[i], 0));
}

/* One call, as far as its argument compares so. */
static void
rule(scmp_filter_ctx f, uint32_t action, int call, struct scmp_arg_cmp cmp)
{
	need(seccomp_rule_add(f, action, call, 1, cmp));
}

/* No memory that is code, but for what the loader did. */
static void
memory(scmp_filter_ctx f, int call)
{
	rule(
	    f, SCMP_ACT_ALLOW, call, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rule(f, NO, call, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
}

static void
itself(scmp_filter_ctx f)
{
	/* Limits may be read. */
	rule(f, SCMP_ACT_ALLOW, CALL(prlimit64), IS(2, 0));
	rule(f, NO, CALL(prlimit64), IS_NOT(2, 0));
	/* abort() is a signal to itself. */
	rule(f, SCMP_ACT_ALLOW, CALL(tgkill), IS(0, (scmp_datum_t)getpid()));
	/* Threads have names. */
	rule(f, SCMP_ACT_ALLOW, CALL(prctl), IS(0, PR_SET_NAME));
	rule(f, NO, CALL(prctl), IS_NOT(0, PR_SET_NAME));
}

static void
set_option(scmp_filter_ctx f, int level, int option)
{
	need(seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(setsockopt), 2,
	    IS(1, (scmp_datum_t)level), IS(2, (scmp_datum_t)option)));
}

/*
 * Who accepts has sockets that others accept at, too, and that the parent gives
 * to the next one: what is done to them does not end with who did it.  So it
 * closes no door, filters nothing that comes there, has nobody wait in
 * accept(2), and has the kernel send no signals.
 *
 * It may make anything not wait, since it does so with its own connections and
 * a filter cannot tell which those are: what all write to, as standard error,
 * too.  Then a log line of another may be lost there.
 */
static void
alone(scmp_filter_ctx f)
{
	static const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
		F_SETFD, F_GETFL };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		rule(f, SCMP_ACT_ALLOW, CALL(fcntl),
		    IS(1, (scmp_datum_t)commands[i]));
	need(seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(fcntl), 2, IS(1, F_SETFL),
	    SCMP_A2(SCMP_CMP_MASKED_EQ, O_NONBLOCK | O_ASYNC, O_NONBLOCK)));
	rule(f, SCMP_ACT_ALLOW, CALL(shutdown), IS(1, SHUT_WR));
	set_option(f, IPPROTO_TCP, TCP_NODELAY);
	set_option(f, SOL_SOCKET, SO_RCVTIMEO);
	set_option(f, SOL_SOCKET, SO_SNDTIMEO);
}

static void
sockets(scmp_filter_ctx f, bool connect)
{
	/* Reaches nobody outside. */
	rule(f, SCMP_ACT_ALLOW, CALL(socketpair), IS(0, AF_UNIX));
	/* syslog(3) tries again when its daemon was restarted. */
	if (!connect) {
		need(seccomp_rule_add(f, NO, CALL(socket), 0));
		need(seccomp_rule_add(f, NO, CALL(ioctl), 0));
		return;
	}
	rule(f, SCMP_ACT_ALLOW, CALL(socket), IS(0, AF_INET));
	rule(f, SCMP_ACT_ALLOW, CALL(socket), IS(0, AF_INET6));
	rule(f, NO, CALL(socket), IS(0, AF_UNIX));
	rule(f, NO, CALL(socket), IS(0, AF_NETLINK));
	rule(f, SCMP_ACT_ALLOW, CALL(ioctl), IS(1, FIONBIO));
	rule(f, NO, CALL(ioctl), IS_NOT(1, FIONBIO));
}

/* Threads, not processes.  What clone3() asks for a filter cannot see;
 * without it the library takes clone(). */
static void
thread(scmp_filter_ctx f)
{
	rules(f, SCMP_ACT_ALLOW, EACH(threads));
	rule(f, SCMP_ACT_ALLOW, CALL(clone),
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	need(seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0));
}

bool
seccomp_enter(unsigned rights)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret;

	if (f == NULL)
		fatal("seccomp: no memory");
	rules(f, SCMP_ACT_ALLOW, EACH(common));
	memory(f, CALL(mmap));
	memory(f, CALL(mprotect));
	itself(f);
	sockets(f, (rights & MAY_CONNECT) != 0);
	if ((rights & MAY_ACCEPT) != 0) {
		rules(f, SCMP_ACT_ALLOW, EACH(accepting));
		alone(f);
	} else {
		rules(f, SCMP_ACT_ALLOW, EACH(changing));
	}
	if ((rights & MAY_CONNECT) != 0)
		rules(f, SCMP_ACT_ALLOW, EACH(connecting));
	if ((rights & MAY_BIND) != 0)
		rules(f, SCMP_ACT_ALLOW, EACH(binding));
	else if ((rights & MAY_CONNECT) != 0)
		rules(f, NO, EACH(binding)); /* libraries try */
	if ((rights & MAY_THREAD) != 0)
		thread(f);
	if ((rights & MAY_FILES) != 0)
		rules(f, SCMP_ACT_ALLOW, EACH(files));
	else
		rules(f, NO, EACH(declined));
	ret = seccomp_load(f);
	seccomp_release(f);
	if (ret == -EINVAL || ret == -ENOSYS || ret == -ECANCELED)
		return false;
	need(ret);
	return true;
}
