/*
 * console.c - see console.h.
 *
 * One question, check or trial at a time.  A question that is with the resolver
 * cannot be called back: when its time is over, or its console hangs up, its
 * answer goes nowhere.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/console.h"
#include "deliver/dns.h"
#include "deliver/rdata.h"
#include "deliver/screening.h"
#include "deliver/trial.h"
#include "ipc/metrics.h"
#include "lib/log.h"

#define RECORDS_MAX 65536
#define PATIENCE_MS 10000

struct question {
	struct console *console; /* NULL: nobody waits any more */
	unsigned type;           /* of a record; 0: what the rules say */
};

struct console {
	struct channel line;
	struct trial *trial; /* under way, or NULL */
	uint64_t tag;
	struct question *question; /* under way, or NULL */
	struct timer timer;
	LIST_ENTRY(console) link;
};

static const struct conf *conf;
static LIST_HEAD(, console) consoles = LIST_HEAD_INITIALIZER(consoles);

static void
let_go(struct console *con)
{
	if (con->question != NULL)
		con->question->console = NULL;
	con->question = NULL;
	timer_clear(&con->timer);
}

static void
free_console(struct console *con)
{
	let_go(con);
	channel_close(&con->line);
	if (con->trial != NULL)
		trial_stop(con->trial);
	LIST_REMOVE(con, link);
	free(con);
}

static void
on_gone(struct channel *c)
{
	free_console(c->arg);
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
	struct question *q = arg;
	struct console *con = q->console;
	unsigned type = q->type;
	size_t len = 0;

	if (con != NULL)
		let_go(con);
	free(q);
	if (con == NULL)
		return;
	if (result == DNS_FOUND) {
		if (!rdata_list(type, packet, n, list, sizeof(list), &len))
			result = DNS_FAILED;
		else if (len == 0)
			result = DNS_NOTHING;
	}
	answer(con, result, (struct bytes){ list, len }, secure);
}

static void
on_timer(void *arg)
{
	let_go(arg);
	answer(arg, DNS_FAILED, (struct bytes){ NULL, 0 }, false);
}

static void
on_trial(void *arg, struct msg *m)
{
	struct console *con = arg;

	if (m->type == MSG_CMD_DONE)
		con->trial = NULL;
	m->tag = con->tag;
	channel_send(&con->line, m, -1);
}

static void
on_verdict(void *arg, const struct msg_conn_verdict *v)
{
	struct question *q = arg;
	struct console *con = q->console;
	struct msg m = { .type = MSG_CONN_VERDICT };
	struct msg done = { .type = MSG_CMD_DONE };

	if (con != NULL)
		let_go(con);
	free(q);
	if (con == NULL)
		return;
	m.tag = done.tag = con->tag;
	m.u.conn_verdict = *v;
	channel_send(&con->line, &m, -1);
	channel_send(&con->line, &done, -1);
}

static void
check_client(struct console *con, const struct msg *m)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		abort();
	q->console = con;
	con->tag = m->tag;
	con->question = q;
	screening_ask(m->u.conn_check.ip, on_verdict, q);
}

/* True when it was one that is answered here. */
static bool
is_simple(struct console *con, const struct msg *m)
{
	if (con->question != NULL || con->trial != NULL)
		return false;
	if (m->type == MSG_METRICS)
		metrics_tell(&con->line, m->tag);
	else if (m->type == MSG_CLIENT_TEST)
		check_client(con, m);
	else
		return false;
	return true;
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct console *con = c->arg;
	const struct msg_dns_query *ask = &m->u.dns_query;
	struct question *q;

	(void)fd; /* none may ride with these */
	if (is_simple(con, m))
		return;
	if (m->type == MSG_RELAY_TEST && con->question == NULL &&
	    con->trial == NULL) {
		con->tag = m->tag;
		con->trial = trial_start(&m->u.relay_test, conf, on_trial, con);
		if (con->trial == NULL)
			free_console(con); /* `postern` would not ask that */
		return;
	}
	if (m->type != MSG_DNS_QUERY || con->question != NULL ||
	    con->trial != NULL) {
		free_console(con);
		return;
	}
	con->tag = m->tag;
	if (!rdata_knows(ask->type)) {
		answer(con, DNS_FAILED, (struct bytes){ NULL, 0 }, false);
		return;
	}
	q = malloc(sizeof(*q));
	if (q == NULL)
		abort();
	*q = (struct question){ con, ask->type };
	con->question = q;
	timer_set(&con->timer, PATIENCE_MS);
	dns_ask_packet(ask->name, ask->type, on_dns, q);
}

void
console_configure(const struct conf *c)
{
	conf = c;
}

void
console_open(int fd)
{
	struct console *con = calloc(1, sizeof(*con));

	if (con == NULL)
		abort();
	timer_init(&con->timer, on_timer, con);
	LIST_INSERT_HEAD(&consoles, con, link);
	channel_open(
	    &con->line, fd, P_DELIVER, P_CTL, 0, on_message, on_gone, con);
}

void
consoles_close(void)
{
	struct console *con;

	while ((con = LIST_FIRST(&consoles)) != NULL)
		free_console(con);
}
