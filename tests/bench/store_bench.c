/*
 * store_bench - what Berkeley DB alone makes of messages: the yardstick for
 * queue_bench.
 *
 *   store_bench [-n MESSAGES] [-s BYTES] [-g GROUP]
 *
 * A message is its body, 400 octets of envelope and a key in the schedule,
 * all in tables; GROUP of them are one transaction and one log flush.  Then
 * the same again with each deleted 2,000 messages later.  In a directory of
 * its own below the current one.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "queue/store.h"

#define CACHE    ((uint64_t)64 << 20)
#define DISK     ((uint64_t)64 << 30)
#define WINDOW   2000
#define ENVELOPE 400
#define KEY      20

static unsigned long messages = 20000, size = 10240, group = 20, next, oldest;
static uint8_t body[65536];

static void
make_key(uint8_t key[KEY], unsigned long i)
{
	key_u64(key, i);
	key_u64(key + 8, i);
	key_u32(key + 16, 0);
}

static void
put(struct txn *t, void *arg)
{
	const unsigned long *last = arg;
	uint8_t key[KEY];

	for (; next < *last; next++) {
		make_key(key, next);
		store_put(t, T_BODY, key, 12, body, size);
		store_put(t, T_MESSAGE, key, 8, body, ENVELOPE);
		store_put(t, T_DUE, key, KEY, body, 16);
	}
	for (; oldest + WINDOW < next; oldest++) {
		make_key(key, oldest);
		store_del(t, T_BODY, key, 12);
		store_del(t, T_MESSAGE, key, 8);
		store_del(t, T_DUE, key, KEY);
	}
}

static double
cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void
measure(const char *what, unsigned long from, unsigned long to, bool churn)
{
	double began = now_s(), cpu = cpu_s();
	unsigned long last;

	next = from;
	oldest = churn ? from : ULONG_MAX / 2;
	while (next < to) {
		last = next + group < to ? next + group : to;
		store_txn(put, &last, COMMIT_MEMORY);
		store_flush();
	}
	printf("%s: %.0f/s, %.1f us CPU each\n", what,
	    (double)(to - from) / (now_s() - began),
	    (cpu_s() - cpu) * 1e6 / (double)(to - from));
}

int
main(int argc, char **argv)
{
	char dir[] = "store-bench-XXXXXX", cwd[PATH_MAX], path[PATH_MAX + 32];
	int opt;

	while ((opt = getopt(argc, argv, "n:s:g:")) != -1)
		switch (opt) {
		case 'n':
			messages = strtoul(optarg, NULL, 10);
			break;
		case 's':
			size = strtoul(optarg, NULL, 10);
			break;
		case 'g':
			group = strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	if (size > sizeof(body) || size < ENVELOPE || group == 0 ||
	    mkdtemp(dir) == NULL || getcwd(cwd, sizeof(cwd)) == NULL) {
		fprintf(stderr, "store_bench: no directory, or a bad number\n");
		return 2;
	}
	memset(body, 'x', sizeof(body));
	snprintf(path, sizeof(path), "%s/%s/env", cwd, dir);
	if (store_open(path, CACHE, DISK) != STORE_OPENED)
		return 1;
	measure("insert", 0, messages, false);
	store_checkpoint();
	measure("insert and delete", messages, 2 * messages, true);
	store_close();
	snprintf(path, sizeof(path), "rm -rf %s/%s", cwd, dir);
	return system(path) == 0 ? 0 : 1;
}
