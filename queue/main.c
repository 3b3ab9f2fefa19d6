/*
 * main.c - postern-queue: the spool, the schedule, bounces, history.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/child.h"
#include "ipc/token.h"
#include "lib/code.h"
#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "queue/admin.h"
#include "queue/ahead.h"
#include "queue/bodyfile.h"
#include "queue/check.h"
#include "queue/clock.h"
#include "queue/digest.h"
#include "queue/flight.h"
#include "queue/flow.h"
#include "queue/frozen.h"
#include "queue/group.h"
#include "queue/history.h"
#include "queue/intake.h"
#include "queue/marks.h"
#include "queue/permits.h"
#include "queue/refill.h"
#include "queue/rescue.h"
#include "queue/results.h"
#include "queue/room.h"
#include "queue/settings.h"
#include "queue/t_message.h"
#include "queue/t_meta.h"
#include "queue/upkeep.h"

#define LINES_MAX    128
#define STOP_WAIT_MS 10000 /* for what deliver still carries */

static struct channel auth = { .fd = -1 };
static unsigned told; /* how often auth began to tell */
static bool stopping;
static bool opened; /* the store */
static bool start_anew;
static char boot[40];
static struct timer patience;

static void
on_auth(struct channel *c, const struct msg *m, int fd)
{
	const struct msg_account_state *a = &m->u.account_state;

	(void)c;
	if (fd != -1)
		close(fd);
	switch (m->type) {
	case MSG_ACCOUNT_STATE:
		if (a->account[0] == '\0')
			break; /* our own notices are nobody's to stop */
		if (a->state == ACC_ACTIVE)
			flow_resume(a->account);
		else
			flow_suspend(a->account, told);
		break;
	case MSG_FROZEN:
		frozen_tell(&m->u.frozen);
		break;
	case MSG_ACCOUNTS_DONE:
		flow_resume_untold(told);
		flight_allow();
		break;
	default:
		break;
	}
}

static void
on_auth_gone(struct channel *c)
{
	(void)c;
	log_event("auth.gone", "text=%s",
	    log_quote("who is suspended stays as last told"));
}

/* What deliver carries, what is gathered, what is being written. */
static void
maybe_end(void)
{
	if (flight_count() > 0 && timer_pending(&patience))
		return;
	history_stop();
	group_finish();
	group_turn();
	if (group_idle() && bodyfile_idle())
		loop_stop();
}

static void
turn(void *arg)
{
	(void)arg;
	if (!opened) {
		/* Everything else stands on the store. */
		admin_turn();
		intake_turn();
		return;
	}
	if (!stopping) {
		refill_turn();
		rescue_turn();
	}
	admin_turn();
	group_turn();
	flight_turn();
	upkeep_turn();
	intake_turn();
	if (stopping)
		maybe_end();
}

/* Neighbours may speak before the store is open: their lines wait, but for
 * smtpd's once it is clear that there is no room. */
static struct line {
	enum process process;
	unsigned index;
	int fd;
} early[LINES_MAX];
static unsigned nearly;

static void
connect_line(enum process p, unsigned index, int fd)
{
	if (p == P_SMTPD) {
		intake_smtpd_is(index, fd);
	} else if (p == P_DELIVER) {
		flight_deliver_is(fd);
	} else if (p == P_AUTH) {
		told++;
		channel_close(&auth);
		channel_open(
		    &auth, fd, P_QUEUE, P_AUTH, 0, on_auth, on_auth_gone, NULL);
		results_line(&auth);
		permits_line(&auth);
	} else {
		fatal("a line to a process that is no neighbour");
	}
}

static void
peer(enum process p, unsigned index, bool sign, int fd)
{
	(void)sign;
	if (opened || (settings != NULL && p == P_SMTPD)) {
		connect_line(p, index, fd);
		return;
	}
	if (nearly == LINES_MAX)
		fatal("more neighbours than %d", LINES_MAX);
	early[nearly++] = (struct line){ p, index, fd };
}

static void
path_in(const char *dir, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
}

static bool
open_store(const char *dir, uint64_t cache)
{
	char home[CONF_PATH + 16];

	path_in(dir, "env", home, sizeof(home));
	if (room_drop_ballast(false))
		log_event("queue.ballast", "text=%s",
		    log_quote("given up, because room is scarce"));
	return store_open(home, cache, room_total()) == STORE_OPENED;
}

static void
on_patience_end(void *arg)
{
	(void)arg; /* maybe_end() does the rest */
}

/* Connect what came early, all of it or smtpd's only. */
static void
connect_early(bool all)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nearly; i++)
		if (all || early[i].process == P_SMTPD)
			connect_line(
			    early[i].process, early[i].index, early[i].fd);
		else
			early[n++] = early[i];
	nearly = n;
}

static void
begin(void)
{
	char bodies[CONF_PATH + 16], marks[CONF_PATH + 16];
	unsigned swept;

	t_meta_check_format();
	path_in(child_directory(), "bodies", bodies, sizeof(bodies));
	bodyfile_open(bodies);
	path_in(child_directory(), "marks", marks, sizeof(marks));
	marks_open(marks, boot);
	swept = bodyfile_sweep(t_message_exists);
	group_start();
	clock_start();
	permits_start();
	rescue_start();
	refill_start();
	ahead_look();
	intake_set(INTAKE_OPEN);
	upkeep_start();
	history_start();
	digest_start();
	opened = true;
	connect_early(true);
	log_event("queue.ready", "messages=%llu waiting=%llu swept=%u",
	    (unsigned long long)group_totals()->messages,
	    (unsigned long long)group_totals()->waiting, swept);
}

static void
end_and_start(void)
{
	log_event("queue.again", "free=%llu", (unsigned long long)room_free());
	start_anew = true;
	loop_stop();
}

/*
 * Without room for recovery nothing can be done but refuse new mail until
 * there is.  Only another process can try then (store_open()): this one
 * ends when there may be room enough, and the parent starts the next at once.
 */
static void
wait_for_room(void)
{
	uint64_t had = room_free();

	log_event("queue.no-room", "free=%llu text=%s", (unsigned long long)had,
	    log_quote("the spool cannot be opened before there is room"));
	room_drop_ballast(true);
	intake_set(INTAKE_NO_ROOM);
	admin_refuse(CODE_TEMP,
	    "the disk of the spool has no room: the queue waits until there "
	    "is; make some");
	connect_early(false);
	room_await(had, end_and_start);
}

/* Which run of the machine this is: nobody in an empty root can ask. */
static void
prepare(void)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f == NULL)
		return;
	if (fgets(boot, sizeof(boot), f) == NULL)
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	fclose(f);
}

static void
start(const struct conf *c)
{
	settings = c;
	crash_init();
	room_open(child_directory());
	check_open(child_directory());
	timer_init(&patience, on_patience_end, NULL);
	loop_hook(turn, NULL);
	if (open_store(child_directory(), c->cache_bytes))
		begin();
	else
		wait_for_room();
	child_ready();
}

static void
reload(const struct conf *c)
{
	settings = c;
	if (opened)
		flow_reroute();
}

static void
stop(void)
{
	stopping = true;
	if (!opened) {
		loop_stop();
		return;
	}
	intake_set(INTAKE_STOPPING);
	flight_forbid();
	timer_set(&patience, STOP_WAIT_MS);
}

/* No file concerns the spool. */
static void
file(enum file_kind kind, const char *name, int fd)
{
	(void)kind, (void)name;
	close(fd);
}

static void
message(const struct msg *m, int fd)
{
	if (m->type == MSG_TOKEN_KEY)
		token_set_key(&m->u.token_key);
	else if (m->type == MSG_CTL_CLIENT && fd != -1)
		admin_client(&m->u.ctl_client, fd);
	else if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	static const struct child child = {
		.self = P_QUEUE,
		.program = "postern-queue",
		.rights = MAY_FILES | MAY_THREAD,
		.prepare = prepare,
		.start = start,
		.reload = reload,
		.peer = peer,
		.file = file,
		.message = message,
		.stop = stop,
	};
	int status = child_main(&child, argc, argv);
	bool quiet;

	if (!opened)
		return start_anew ? CHILD_AGAIN : status;
	quiet = check_stop();
	digest_stop();
	upkeep_stop();
	group_stop();
	bodyfile_close();
	marks_close();
	store_close();
	log_event("queue.closed", "text=%s", log_quote("all is on disk"));
	if (!quiet)
		_exit(status); /* a thread is at work */
	return status;
}
