/*
 * queue_fill - a spool in which very much waits, as a bad week would make it.
 *
 *   queue_fill DIRECTORY MESSAGES RCPTS DOMAINS ACCOUNTS SIZE DUE_S
 *
 * Writes MESSAGES with RCPTS recipients each into the spool's environment in
 * DIRECTORY, which no queue has open.  They were accepted during the last
 * hour, from load0@bench.example and the following ACCOUNTS in turn, have
 * bodies of about SIZE octets in the table, and one attempt behind them; the next
 * one is DUE_S seconds from now (or, negative, was).  The recipients are
 * spread over DOMAINS, a job for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "queue/ids.h"
#include "queue/job.h"
#include "queue/t_meta.h"

#define BATCH   500 /* messages in a transaction, less when they are large */
#define CACHE   ((uint64_t)256 << 20)
#define DISK    ((uint64_t)64 << 30)
#define HOUR_MS 3600000
#define LINE    64

static unsigned long messages, rcpts, domains, accounts, next;
static size_t size;
static int64_t now_ms, due_s;
static uint8_t body[BODY_ROWS_MAX];
static struct totals totals;
static const char line[LINE + 1] =
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789\r\n";

static void
add_job(struct txn *t, uint64_t id, uint32_t n, const char *account)
{
	unsigned long number = next * rcpts + n;
	uint8_t packed[2 + 2 + RCPT_ITEM_MAX];
	struct job_row row = { .attempts = 1 };
	struct due_key key = { .id = id, .n = n };
	struct due_row due = { .account = hash64(account) };
	char address[ADDR_SIZE];
	int len;

	snprintf(row.domain, sizeof(row.domain), "d%lu.sink.example",
	    number % domains);
	len = snprintf(
	    address, sizeof(address), "r%lu@%.200s", number, row.domain);
	row.rcpts.len = job_pack_rcpt(packed, sizeof(packed), 0, RCPT_WAITING,
	    NO_ANSWER, (struct bytes){ (uint8_t *)address, (size_t)len });
	row.rcpts.data = packed;
	row.due = (uint64_t)(now_ms + due_s * 1000);
	key.time = row.due;
	due.domain = hash64(row.domain);
	t_job_put(t, id, n, &row);
	t_due_put(t, &key, &due);
}

static void
add_message(struct txn *t)
{
	struct message_row m = { .size = size,
		.rcpts = (uint32_t)rcpts,
		.jobs = (uint32_t)rcpts,
		.port = 465,
		.ip = "192.0.2.7",
		.tls = "TLSv1.3",
		.mech = "PLAIN",
		.credential = "password",
		.body = BODY_ROWS };
	char text[64];
	size_t head;
	uint64_t id = totals.last_id = id_next(totals.last_id,
	    now_ms - HOUR_MS + (int64_t)(HOUR_MS * next / messages));

	snprintf(m.account, sizeof(m.account), "load%lu@bench.example",
	    next % accounts);
	memcpy(m.sender, m.account, sizeof(m.sender));
	snprintf(m.msgid, sizeof(m.msgid), "<%lu@load.example>", next);
	m.accepted = (uint64_t)id_time_ms(id);
	t_message_put(t, id, &m);
	head = (size_t)snprintf(
	    text, sizeof(text), "X-Load-Id: fill-0-%lu\r\n\r\n", next);
	memcpy(body, text, head);
	t_body_put_rows(t, id, body, size);
	for (uint32_t n = 0; n < rcpts; n++)
		add_job(t, id, n, m.account);
	totals.messages++;
	totals.accepted++;
	totals.waiting += rcpts;
}

static void
fill(struct txn *t, void *arg)
{
	(void)arg;
	for (unsigned long k = 0; k < BATCH && next < messages; k += rcpts) {
		add_message(t);
		next++;
	}
	totals.log_from = totals.last_id + 1; /* none has its body there */
	t_meta_put(t, &totals);
}

static unsigned long
number(const char *text, unsigned long least, unsigned long most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n < least || n > most) {
		fprintf(stderr, "queue_fill: %s: from %lu to %lu\n", text,
		    least, most);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr,
		    "usage: queue_fill DIRECTORY MESSAGES RCPTS DOMAINS "
		    "ACCOUNTS SIZE DUE_S\n");
		return 2;
	}
	messages = number(argv[2], 1, 100000000);
	rcpts = number(argv[3], 1, 10000);
	domains = number(argv[4], 1, 1000000);
	accounts = number(argv[5], 1, 1000000);
	size = number(argv[6], 2 * LINE, sizeof(body)) / LINE * LINE;
	due_s = strtol(argv[7], NULL, 10);
	now_ms = (int64_t)time(NULL) * 1000;
	for (size_t i = 0; i < size; i += LINE)
		memcpy(body + i, line, LINE);
	if (store_open(argv[1], CACHE, DISK) != STORE_OPENED)
		return 1;
	t_meta_get(&totals);
	for (unsigned long batch = 0; next < messages; batch++) {
		store_txn(fill, NULL, COMMIT_MEMORY);
		if (batch % 200 == 199) {
			store_checkpoint();
			store_log_remove(store_log_unneeded());
		}
	}
	store_close();
	return 0;
}
