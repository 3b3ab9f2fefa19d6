/*
 * main.c - postern-sts: fetches MTA-STS policies and posts TLS reports; no
 * mail, no names to look up, no store.
 *
 * What strangers' web servers say is read here and nowhere else, by a process
 * that could do nothing with the rest of postern.
 */
#include <unistd.h>

#include "ipc/child.h"
#include "lib/log.h"
#include "sts/fetch.h"

#define ROOTS_MAX (4 * 1024 * 1024)

static struct channel deliver = { .fd = -1 };

static void
on_fetched(void *arg, const struct msg *m)
{
	const uint64_t *serial = arg;

	/* A deliver that was started again asks again. */
	if (*serial == deliver.serial)
		channel_send(&deliver, m, -1);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)fd; /* none may ride with these */
	if (m->type != MSG_FETCH)
		fatal("deliver sent %s", msg_name(m->type));
	fetch(&m->u.fetch, m->tag, c->serial, on_fetched);
}

static void
on_gone(struct channel *c)
{
	fetch_forget(c->serial);
}

static void
prepare(void)
{
	fetch_init();
}

static void
start(const struct conf *c)
{
	(void)c;
	child_ready();
}

static void
reload(const struct conf *c)
{
	(void)c;
}

static void
peer(enum process p, unsigned index, bool sign, int fd)
{
	(void)index, (void)sign;
	if (p != P_DELIVER)
		fatal("unexpected peer %s", process_name(p));
	fetch_forget(deliver.serial);
	channel_close(&deliver);
	channel_open(
	    &deliver, fd, P_STS, P_DELIVER, 0, on_message, on_gone, NULL);
}

static void
file(enum file_kind kind, const char *name, int fd)
{
	char *roots;
	size_t n;

	if (kind != FILE_CA_BUNDLE) {
		close(fd);
		return;
	}
	roots = child_read_file(fd, ROOTS_MAX, &n);
	if (roots == NULL)
		log_event("sts.unreadable", "file=%s", log_quote(name));
	fetch_trust(roots, n);
}

int
main(int argc, char **argv)
{
	static const struct child child = {
		.self = P_STS,
		.program = "postern-sts",
		.rights = MAY_CONNECT,
		.prepare = prepare,
		.start = start,
		.reload = reload,
		.peer = peer,
		.file = file,
		.stop = loop_stop,
	};

	return child_main(&child, argc, argv);
}
