/*
 * journal_fill - a journal of many events, with its index, as years of mail
 * would make it.
 *
 *   journal_fill DIRECTORY MESSAGES DAYS
 *
 * Writes into the spool's environment in DIRECTORY, which no queue has open:
 * for each message that it was accepted and delivered, spread evenly over the
 * last DAYS.  1,000 accounts, 100,000 recipients.  Prints the Message-ID of
 * one in the middle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "queue/ids.h"
#include "queue/t_index.h"
#include "queue/t_journal.h"
#include "queue/t_meta.h"

#define BATCH 500 /* messages in a transaction */

static unsigned long messages, next;
static uint64_t begin_ms, span_ms;
static struct totals totals;

static struct index_key
entry(enum index_kind kind, const void *name, size_t n, uint64_t time)
{
	return (struct index_key){ .period = index_period(time),
		.hash = index_hash(kind, name, n),
		.time = time,
		.seq = totals.journal_seq };
}

static size_t
add_message(struct txn *t, unsigned long i, struct index_key *keys)
{
	uint64_t time = begin_ms + span_ms * i / messages;
	struct journal_row j = { .id = time << ID_COUNT_BITS |
		    (i & ((1U << ID_COUNT_BITS) - 1)),
		.event = EVENT_ACCEPTED };
	size_t n = 0;

	snprintf(j.account, sizeof(j.account), "user%lu@example.org", i % 1000);
	memcpy(j.rcpt, j.account, sizeof(j.rcpt));
	snprintf(j.msgid, sizeof(j.msgid), "<%lu@client.test>", i);
	strcpy(j.detail,
	    "ip=192.0.2.7 port=465 tls=TLSv1.3 mech=PLAIN "
	    "credential=password rcpts=1 size=10240 "
	    "tag=0123456789abc");
	t_journal_add(t, time, &totals.journal_seq, &j);
	keys[n++] = entry(INDEX_ID, &j.id, sizeof(j.id), time);
	keys[n++] = entry(INDEX_ADDRESS, j.rcpt, strlen(j.rcpt), time);
	keys[n++] = entry(INDEX_MSGID, j.msgid, strlen(j.msgid), time);
	keys[n++] = entry(INDEX_ACCOUNT, j.account, strlen(j.account), time);

	time += 300;
	j.event = EVENT_DELIVERED;
	j.final = 1;
	j.msgid[0] = '\0';
	snprintf(
	    j.rcpt, sizeof(j.rcpt), "rcpt%lu@far%lu.test", i % 100000, i % 100);
	strcpy(j.detail,
	    "mx.far.test[192.0.2.25]:25 250 tls=TLSv1.3 "
	    "cipher=TLS_AES_256_GCM_SHA384 policy=opportunistic "
	    "2.0.0 Ok: queued as 0123456789");
	t_journal_add(t, time, &totals.journal_seq, &j);
	keys[n++] = entry(INDEX_ID, &j.id, sizeof(j.id), time);
	keys[n++] = entry(INDEX_ADDRESS, j.rcpt, strlen(j.rcpt), time);
	return n;
}

static void
fill(struct txn *t, void *arg)
{
	static struct index_key keys[BATCH * 6];
	size_t n = 0;

	(void)arg;
	for (unsigned k = 0; k < BATCH && next < messages; k++)
		n += add_message(t, next++, keys + n);
	qsort(keys, n, sizeof(keys[0]), index_compare);
	t_index_put(t, keys, n);
	t_index_mark_put(t, begin_ms + span_ms, totals.journal_seq);
	t_meta_put(t, &totals);
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(
		    stderr, "usage: journal_fill DIRECTORY MESSAGES DAYS\n");
		return 2;
	}
	messages = strtoul(argv[2], NULL, 10);
	span_ms = strtoul(argv[3], NULL, 10) * 86400000;
	begin_ms = (uint64_t)time(NULL) * 1000 - span_ms;
	if (store_open(argv[1], (uint64_t)256 << 20, (uint64_t)64 << 30) !=
	    STORE_OPENED)
		return 1;
	t_meta_get(&totals);
	while (next < messages) {
		store_txn(fill, NULL, COMMIT_MEMORY);
		if (next % (200 * BATCH) == 0) {
			store_checkpoint();
			store_log_remove(store_log_unneeded());
		}
	}
	store_close();
	printf("<%lu@client.test>\n", messages / 2);
	return 0;
}
