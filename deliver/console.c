/*
 * console.c - see console.h.
 *
 * One question at a time.  A question that is with the resolver cannot be
 * called back, so a console that hangs up is freed when the answer comes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/console.h"
#include "deliver/dns.h"
#include "deliver/rdata.h"
#include "ipc/channel.h"
#include "lib/log.h"

#define RECORDS_MAX 65536

struct console {
	struct channel line;
	bool asking;
	uint64_t tag;
	unsigned type;
	LIST_ENTRY(console) link;
};

static LIST_HEAD(, console) consoles = LIST_HEAD_INITIALIZER(consoles);

static void
free_console(struct console *con)
{
	channel_close(&con->line);
	LIST_REMOVE(con, link);
	free(con);
}

static void
on_gone(struct channel *c)
{
	struct console *con = c->arg;

	if (!con->asking)
		free_console(con);
}

static void
answer(struct console *con, enum dns_result result, struct bytes records,
    bool secure)
{
	struct msg m = { .type = MSG_DNS_ANSWER, .tag = con->tag };
	struct msg done = { .type = MSG_CMD_DONE, .tag = con->tag };

	m.u.dns_answer.result = result;
	m.u.dns_answer.secure = secure;
	m.u.dns_answer.records = records;
	channel_send(&con->line, &m, -1);
	channel_send(&con->line, &done, -1);
}

static void
on_dns(void *arg, enum dns_result result, const uint8_t *packet, size_t n,
    bool secure)
{
	static uint8_t list[RECORDS_MAX];
	struct console *con = arg;
	size_t len = 0;

	con->asking = false;
	if (!channel_up(&con->line)) {
		free_console(con);
		return;
	}
	if (result == DNS_FOUND) {
		if (!rdata_list(con->type, packet, n, list, sizeof(list), &len))
			result = DNS_FAILED;
		else if (len == 0)
			result = DNS_NOTHING;
	}
	answer(con, result, (struct bytes){ list, len }, secure);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct console *con = c->arg;
	const struct msg_dns_query *q = &m->u.dns_query;

	(void)fd; /* none may ride with these */
	if (m->type != MSG_DNS_QUERY || con->asking) {
		channel_close(c);
		on_gone(c);
		return;
	}
	con->tag = m->tag;
	con->type = q->type;
	if (!rdata_knows(q->type)) {
		answer(con, DNS_FAILED, (struct bytes){ NULL, 0 }, false);
		return;
	}
	con->asking = true;
	dns_ask_packet(q->name, q->type, on_dns, con);
}

void
console_open(int fd)
{
	struct console *con = calloc(1, sizeof(*con));

	if (con == NULL)
		abort();
	LIST_INSERT_HEAD(&consoles, con, link);
	channel_open(
	    &con->line, fd, P_DELIVER, P_CTL, 0, on_message, on_gone, con);
}

void
consoles_close(void)
{
	struct console *con, *next;

	for (con = LIST_FIRST(&consoles); con != NULL; con = next) {
		next = LIST_NEXT(con, link);
		channel_close(&con->line);
		if (!con->asking)
			free_console(con);
	}
}
