/*
 * attempt.c - see attempt.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/attempt.h"

/* Each returns -1 with errno when it was refused. */

static long
read_file(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd == -1 ? -1 : read(fd, &byte, 1);
}

static long
write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd != -1)
		unlink(path);
	return fd;
}

/* The program that runs then is one that prints its argument. */
static long
execute(const char *path)
{
	char word[] = "allowed";
	char *const argv[] = { (char *)(uintptr_t)path, word, NULL };

	return execve(path, argv, argv + 2);
}

static long
fork_one(const char *unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
with_address(
    const char *port, int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	return call(fd, (const struct sockaddr *)&sin, sizeof(sin));
}

static long
connect_to(const char *port)
{
	return with_address(port, connect);
}

static long
bind_to(const char *port)
{
	return with_address(port, bind);
}

static long
trace(const char *unused)
{
	(void)unused;
	/* Does not stop it, should it be allowed. */
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static long
signal_to(const char *unused)
{
	(void)unused;
	return kill(getppid(), 0);
}

static long
be_root(const char *unused)
{
	(void)unused;
	return setresuid(0, 0, 0);
}

static long
make_code(const char *unused)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	return p == MAP_FAILED ? -1 : 0;
}

static long
make_ring(const char *unused)
{
	char parameters[120] = { 0 };

	(void)unused;
	return syscall(SYS_io_uring_setup, 1, parameters);
}

/* A socket that stands for one that others have, too. */
static int
shared_socket(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1
	    ? -1
	    : fds[0];
}

static long
shut_door(const char *unused)
{
	(void)unused;
	return shutdown(shared_socket(), SHUT_RD);
}

static long
filter_door(const char *unused)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { 1, &pass };

	(void)unused;
	return setsockopt(shared_socket(), SOL_SOCKET, SO_ATTACH_FILTER,
	    &program, sizeof(program));
}

static long
block_door(const char *unused)
{
	(void)unused;
	return fcntl(shared_socket(), F_SETFL, 0);
}

static const struct {
	const char *name;
	long (*try)(const char *operand);
} table[] = {
	/* clang-format off */
	{ "read-file",  read_file },
	{ "write-file", write_file },
	{ "exec",       execute },
	{ "fork",       fork_one },
	{ "connect",    connect_to },
	{ "bind",       bind_to },
	{ "ptrace",     trace },
	{ "signal",     signal_to },
	{ "root",       be_root },
	{ "code",       make_code },
	{ "io-uring",   make_ring },
	{ "shut",       shut_door },
	{ "filter",     filter_door },
	{ "block",      block_door },
	/* clang-format on */
};

int
attempt_run(const char *what)
{
	size_t n = strcspn(what, "=");
	const char *operand = what[n] == '=' ? what + n + 1 : "";

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strncmp(table[i].name, what, n) != 0 ||
		    table[i].name[n] != '\0')
			continue;
		if (table[i].try(operand) == -1)
			dprintf(
			    STDOUT_FILENO, "refused: %s\n", strerror(errno));
		else
			dprintf(STDOUT_FILENO, "allowed\n");
		return 0;
	}
	return 2;
}
