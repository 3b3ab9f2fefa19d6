/*
 * conf.h - the configuration, one const struct for everybody (the file format
 * is postern.conf(5)).
 *
 * conf_parse() collects every error of the file in one run.  The parent reads
 * the file and hands its text to the children, who parse it themselves.
 */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net.h"
#include "lib/screen.h"

#define CONF_DEFAULT_FILE "/etc/postern/postern.conf"
#define CONF_ROOT_KEY     "/usr/share/dns/root.key"
#define CONF_LISTENS      16
#define CONF_PROXIES      16
#define CONF_TLS          65
#define CONF_ROUTES       64
#define CONF_ROUTE_NAME   300
#define CONF_ROUTE_TEXT   640
#define CONF_RETRIES      16
#define CONF_PATH         1024
#define CONF_MAX          65536 /* bytes of the file */
#define CONF_KEYS         64
#define CONF_WORKERS      64                   /* smtpd processes */
#define CONF_TIME_MOST    (10LL * 366 * 86400) /* seconds, of any time */

enum tls_mode { TLS_MODE_STARTTLS, TLS_MODE_IMPLICIT };

struct conf_listen {
	char name[64]; /* [listen NAME] */
	enum tls_mode tls;
	struct net_address address;
	bool scram;               /* offers SCRAM */
	bool client_certificates; /* asks for one, and offers EXTERNAL */
	bool legacy; /* TLS 1.0 and 1.1 too, for accounts that may */
	/* Load balancers, whose connections begin with a PROXY header. */
	struct net_network proxies[CONF_PROXIES];
	size_t nproxies; /* 0: clients themselves connect here */
	int line;
};

/* A certificate and its key. */
struct conf_tls {
	char name[256]; /* of its [tls NAME], lower case; "" is [tls] */
	char certificate[CONF_PATH];
	char key[CONF_PATH];
	int line;
};

/* How a route wants its connection secured. */
enum route_tls {
	ROUTE_TLS_MAY,      /* try, fall back to clear text */
	ROUTE_TLS_REQUIRED, /* encrypted or not at all */
	ROUTE_TLS_VERIFIED, /* and the certificate must be the host's */
	ROUTE_TLS_IMPLICIT, /* TLS from the first byte, verified */
	ROUTE_TLS_NEVER,
};

/* Whose mail a route carries; the rest of its name says of which. */
enum route_kind {
	ROUTE_TO,      /* "example.net", "*.example.net" or "*" */
	ROUTE_FROM,    /* "from:example.net", "from:*.example.net" */
	ROUTE_ACCOUNT, /* "account:alice@example.net" */
};

struct conf_route {
	char name[CONF_ROUTE_NAME]; /* of its [route NAME], lower case */
	enum route_kind kind;
	bool mx;        /* look the destination up; host is empty */
	char host[256]; /* name or address literal without brackets */
	unsigned port;
	enum route_tls tls;
	char user[256]; /* "" no authentication */
	char password_file[CONF_PATH];
	/* From where to connect; len 0: nothing said.  With one of them only,
	 * nothing of the other family is connected to. */
	struct net_address source4, source6;
	char helo[256];     /* "" hostname */
	uint32_t rate_jobs; /* messages to one destination in rate_s; 0 any */
	uint32_t rate_s;
	int line;
};

/* A mail in search of its route. */
struct conf_mail {
	const char *domain;  /* of its recipients */
	const char *account; /* "": postern itself made it */
	const char *sender;  /* "" is the null path */
};

struct conf {
	char file[CONF_PATH];
	char hostname[256];
	char default_domain[256]; /* of user names without one; "" guess */

	/*
	 * The first is that of [tls], for whoever asks for no name or an
	 * unknown one; unset, its files are STATE/tls/cert.pem and key.pem,
	 * made by init.
	 */
	struct conf_tls tls[CONF_TLS];
	size_t ntls;
	bool tls_doubtful;       /* of conf_salvage() only */
	char ca_file[CONF_PATH]; /* to verify other servers */

	struct conf_listen listens[CONF_LISTENS];
	size_t nlistens;

	uint64_t message_size; /* bytes */
	uint32_t recipients;   /* a message */
	uint32_t rcpts_hour;   /* recipients an hour for an account */
	uint32_t rcpts_day;
	uint32_t messages_hour; /* messages an hour for an account */
	uint32_t messages_day;
	uint32_t new_day;     /* recipients a day it never wrote to before */
	int64_t young_s;      /* an account is new for so long: half of it */
	char contact[256];    /* whom to ask; "" nobody in particular */
	int64_t hold_s;       /* how far ahead a client may date its mail */
	uint32_t connections; /* from one address */
	uint32_t handshakes;  /* from one network in a minute, without a login;
			       * 0 any number */

	struct screen_rule rules[SCREEN_RULES]; /* of [screen], in order */
	size_t nrules;

	bool guard_freeze;       /* it acts, and does not only watch */
	uint32_t guard_new;      /* new recipients a day */
	uint32_t guard_refused;  /* recipients refused for good, a day, */
	uint32_t guard_share;    /* and so many in a hundred */
	uint32_t guard_networks; /* unfamiliar ones a day */
	uint32_t guard_rate;     /* recipients an hour, from elsewhere */
	char guard_notify[256];  /* "" postmaster */

	int64_t give_up_s;
	int64_t delay_notice_s;
	uint32_t notices_hour; /* of failures, one by one, to an account */
	int64_t digest_s;      /* how long those behind them gather */
	int64_t retry_s[CONF_RETRIES]; /* the last one repeats */
	size_t nretries;
	uint32_t per_destination; /* connections to one destination at most */
	uint32_t in_flight;       /* jobs with deliver at most */
	uint64_t cache_bytes;     /* of the spool's store */
	int64_t journal_s;        /* how long the journal is kept */
	bool hold_uncertain;      /* what may have arrived; else retry */
	bool tls_reports;         /* to domains that ask (RFC 8460) */
	char tls_contact[320];    /* in those; "" postmaster */

	char dns_server[64]; /* "192.0.2.1@53", "" resolve by ourselves */
	char trust_anchor[CONF_PATH]; /* "" no validation */

	struct conf_route routes[CONF_ROUTES];
	size_t nroutes;

	char state[CONF_PATH];
	char run[CONF_PATH];

	char user_smtpd[64], user_auth[64], user_queue[64], user_deliver[64];
	char user_sts[64];
	char admin_group[64]; /* "" only root and the server's user */

	uint32_t workers; /* smtpd processes; 0: see conf_workers() */
	bool syslog;

	int lines[CONF_KEYS]; /* of the keys of plain sections, by the row of
			       * their table; 0: not in the file */
};

/* Told once for each error: "FILE:LINE: text", and a hint or "". */
typedef void
conf_error_fn(void *arg, int line, const char *text, const char *hint);

/*
 * Parse text[len] as the contents of `file` (a name for messages).  Returns a
 * new struct, or NULL after telling every error.  Pure: looks at no other
 * file, no network, no clock.
 */
struct conf *conf_parse(
    const char *file, const char *text, size_t len, conf_error_fn *, void *arg);
void conf_free(struct conf *);

/*
 * The same of a file with errors: what could be read of it, defaults for the
 * rest, and in *errors how many there are.  For commands to a server that goes
 * on with its old configuration; no server may use it.  `run` is "" when an
 * error leaves doubt about it, and tls_doubtful is set when one does about
 * which certificates there are.
 */
struct conf *
conf_salvage(const char *file, const char *text, size_t len, int *errors);

/* The line that sets a key of a plain section; 0 when none does. */
int conf_line(const struct conf *, const char *section, const char *key);

/*
 * Read `file` into *text (malloc'd, CONF_MAX bytes at most).  0, or -1 with
 * errno, EFBIG for a longer one.
 */
int conf_read(const char *file, char **text, size_t *len);

/* The checks of conf_check_files() for certificates and their keys alone. */
int conf_check_tls(const struct conf *, conf_error_fn *, void *arg);

/*
 * Checks that need the machine: certificate, key and password files exist,
 * are readable, and secrets are not open to everyone; groups and, as root,
 * users exist, and no two processes share one.  Errors as above; returns how
 * many.
 */
int conf_check_files(const struct conf *, conf_error_fn *, void *arg);

/* The directories of accounts and spool, followed where they are links, are
 * there and belong, with the stores in them, to those who open them.  As
 * above. */
int conf_check_state(const struct conf *, conf_error_fn *, void *arg);

/* The source addresses of routes are this machine's: what was true at boot may
 * not be now, so that a server starts without them.  As above. */
int conf_check_sources(const struct conf *, conf_error_fn *, void *arg);

/*
 * The route of a mail, the most specific one: of the recipients' domain, then
 * of the account, then of the sender's domain, then "*"; of domains the exact
 * one, then the longest *.suffix.  What has no account is a notice of our own
 * and goes by its recipients alone.  Never NULL: without a [route] it is
 * `via = mx`.
 */
const struct conf_route *
conf_route(const struct conf *, const struct conf_mail *);

/* A route in one line, for people: "[route *.example.net] via mx:25". */
void conf_route_text(const struct conf_route *, char out[CONF_ROUTE_TEXT]);

/* Does anything but the recipients' domain choose a route? */
bool conf_route_by_sender(const struct conf *);

/*
 * How many smtpds there are, 1 to CONF_WORKERS: as configured, or one for
 * every two processors of the machine, for the other processes have work, too,
 * and one smtpd that serves many sessions in a row finds its caches warm.
 * processors is what sysconf(3) says, with -1 for "not known".
 */
unsigned conf_workers(const struct conf *, long processors);

/* The [listen NAME] section of this name, as its first address has it, or
 * NULL. */
const struct conf_listen *conf_listen(const struct conf *, const char *name);

/* A rule of [screen] as the file would write it. */
void conf_rule_print(const struct screen_rule *, char *out, size_t size);

/*
 * A number that nobody wrote, where the one it goes by was raised from its own
 * default: raised in proportion, never lowered.
 */
uint64_t conf_grown(uint64_t base, uint64_t lead, uint64_t lead_base);

/* With which key, "limits.per-day", one that the file does not name was raised;
 * NULL: it has its default. */
const char *
conf_raised_with(const struct conf *, const char *section, const char *name);

/* Every effective value, defaults included, for `config show`; section "" is
 * the top of the file. */
typedef void conf_value_fn(
    void *arg, const char *section, const char *key, const char *value);
void conf_each(const struct conf *, conf_value_fn *, void *arg);

#endif
