/*
 * vault.c - see vault.h.
 *
 * The order of a start: the parent's messages, the TLS keys, the store, the
 * lines.  A line that comes before what it is about is there waits unread.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/admin_check.h"
#include "auth/book.h"
#include "auth/console.h"
#include "auth/dkim.h"
#include "auth/exchange.h"
#include "auth/hasher.h"
#include "auth/import.h"
#include "auth/keys.h"
#include "auth/login.h"
#include "auth/peers.h"
#include "auth/secrets.h"
#include "auth/signer.h"
#include "auth/store.h"
#include "auth/store_room.h"
#include "auth/tally.h"
#include "auth/throttle.h"
#include "auth/uses.h"
#include "auth/vault.h"
#include "auth/verified.h"
#include "ipc/token.h"
#include "lib/log.h"

#define EARLY       514 /* before the start: two of each smtpd, queue, deliver */
#define SECURE_HEAP (1024 * 1024) /* locked in memory, never in a core */
#define LOOK_MS     1000          /* at the disk, while it is full */

static struct {
	enum process process;
	unsigned index;
	bool sign;
	int fd;
} early[EARLY];
static size_t nearly;
static enum {
	STARTING, /* the parent's messages come */
	SERVING,
	ROOMLESS, /* the store could not be opened; see wait_for_room() */
} phase;
static bool again;
static struct timer look;

static void
use_conf(const struct conf *conf)
{
	bool scram = false;

	login_set_names(conf->default_domain, conf->hostname);
	for (size_t i = 0; i < conf->nlistens; i++)
		scram |= conf->listens[i].scram;
	login_make_verifiers(scram);
	peers_use_conf(conf);
	secrets_apply();
	keys_apply(conf);
}

/*
 * While the rights are there to lock memory.  Passwords that wait to be hashed
 * and the TLS keys live in a heap of their own; but the library keeps the
 * primes of an RSA key in ordinary memory too, so all is kept out of the swap
 * where the kernel allows that.
 */
static void
prepare(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &all) == -1 ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == -1)
		log_debug(
		    "auth.unlocked", "error=%s", log_quote(strerror(errno)));
	if (!CRYPTO_secure_malloc_initialized() &&
	    CRYPTO_secure_malloc_init(SECURE_HEAP, 32) == 0)
		fatal("no memory for secrets");
}

static void
on_look(void *arg)
{
	(void)arg;
	again = store_room();
	if (again)
		loop_stop();
	else
		timer_set(&look, LOOK_MS);
}

/*
 * Without room for recovery there are no accounts: whoever logs in is told at
 * once to come again, because smtpd sees its line closed.  Handshakes go on.
 * Only another process may open the store (store_open()), so this one ends
 * when there is room, and the parent starts the next at once.
 */
static void
wait_for_room(void)
{
	phase = ROOMLESS;
	for (size_t i = 0; i < nearly; i++)
		if (!early[i].sign)
			close(early[i].fd);
	nearly = 0;
	consoles_refuse("the disk of the accounts has no room: nobody can log "
			"in until there is; make some");
	timer_init(&look, on_look, NULL);
	timer_set(&look, LOOK_MS);
	child_ready();
}

static void
start(const struct conf *conf)
{
	/* Handshakes need no accounts: they go on while the store recovers. */
	keys_apply(conf);
	for (size_t i = 0; i < nearly; i++)
		if (early[i].sign)
			signer_serve(early[i].fd);
	admin_check_sweep();
	if (!store_open(child_directory())) {
		wait_for_room();
		return;
	}
	import_recover();
	use_conf(conf);
	phase = SERVING;
	/* Or a taken smtpd would end us after each message, and what its
	 * account is charged and the guard saw would be forgotten. */
	channel_before_breach(tally_write);
	for (size_t i = 0; i < nearly; i++)
		if (!early[i].sign)
			peers_open(
			    early[i].process, early[i].index, early[i].fd);
	nearly = 0;
	child_ready();
}

static void
peer(enum process process, unsigned index, bool sign, int fd)
{
	if (phase != STARTING && sign) {
		signer_serve(fd);
	} else if (phase == ROOMLESS) {
		close(fd);
	} else if (phase == SERVING) {
		peers_open(process, index, fd);
	} else {
		if (nearly == EARLY)
			fatal("more than %d neighbours", EARLY);
		early[nearly].process = process;
		early[nearly].index = index;
		early[nearly].sign = sign;
		early[nearly++].fd = fd;
	}
}

static void
file(enum file_kind kind, const char *name, int fd)
{
	switch (kind) {
	case FILE_TLS_CERT:
		keys_certificate(name, fd);
		break;
	case FILE_TLS_KEY:
		keys_private(name, fd);
		break;
	case FILE_ROUTE_SECRET:
		secrets_file(name, fd);
		break;
	default:
		fatal("the parent sent a file of kind %d", (int)kind);
	}
}

static void
message(const struct msg *m, int fd)
{
	if (m->type == MSG_TOKEN_KEY) {
		token_set_key(&m->u.token_key);
		return;
	}
	if (m->type != MSG_CTL_CLIENT || fd == -1 || phase == STARTING)
		fatal("unexpected %s from the parent", msg_name(m->type));
	console_open(fd, m->u.ctl_client.by,
	    m->u.ctl_client.uid == 0 || m->u.ctl_client.uid == getuid());
}

bool
vault_again(void)
{
	return again;
}

static void
reload(const struct conf *conf)
{
	if (phase == ROOMLESS)
		keys_apply(conf);
	else
		use_conf(conf);
}

/* Workers first: after them nobody wants the store. */
static void
stop(void)
{
	if (phase == ROOMLESS) {
		signer_stop();
		consoles_close();
		loop_stop();
		return;
	}
	channel_before_breach(NULL);
	hasher_stop();
	signer_stop();
	uses_write();
	tally_write();
	import_stop();
	admin_check_stop();
	store_close();
	login_close();
	exchange_close();
	consoles_close();
	peers_close();
	book_close();
	verified_close();
	throttle_close();
	tally_close();
	dkim_close();
	secrets_close();
	loop_stop();
}

const struct child vault = {
	.self = P_AUTH,
	.program = "postern-auth",
	.rights = MAY_FILES | MAY_THREAD,
	.prepare = prepare,
	.start = start,
	.reload = reload,
	.peer = peer,
	.file = file,
	.message = message,
	.stop = stop,
};
