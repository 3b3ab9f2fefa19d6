/*
 * relay_run.c - see relay_run.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/relay_forms.h"
#include "ctl/relay_run.h"
#include "ctl/secret.h"
#include "lib/code.h"
#include "mail/base64.h"

#define TEXT_MAX 2048

/* One attempt under way. */
struct attempt {
	struct relay_run *run;
	struct probe p;
	const char *words[RELAY_WORDS];
	char user[64];
};

static void
begin(struct attempt *a, struct relay_run *run)
{
	memset(a, 0, sizeof(*a));
	a->run = run;
	snprintf(a->user, sizeof(a->user), "relay-check-%s", run->nonce);
	a->words[0] = a->user;
	a->words[1] = run->domain;
	a->words[2] = run->hostname;
	a->words[3] = run->ip;
	a->words[4] = run->account;
	a->words[5] = run->nonce;
}

static int
say(struct attempt *a, const char *text)
{
	char line[TEXT_MAX];

	relay_fill(line, sizeof(line), text, a->words);
	return probe_say(&a->p, line);
}

/* "X" of "@raw X": \r and \n are those. */
static void
say_raw(struct attempt *a, const char *text)
{
	char filled[TEXT_MAX], out[TEXT_MAX];
	size_t n = 0;

	relay_fill(filled, sizeof(filled), text, a->words);
	for (const char *s = filled; *s != '\0'; s++) {
		if (s[0] == '\\' && (s[1] == 'r' || s[1] == 'n'))
			out[n++] = *++s == 'r' ? '\r' : '\n';
		else
			out[n++] = *s;
	}
	probe_send(&a->p, out, n);
}

/* False when a step that matters was refused. */
static bool
prelude(struct attempt *a, const char *lines)
{
	char line[TEXT_MAX];
	int code = 0;

	for (size_t n; *lines != '\0'; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		if (n >= sizeof(line))
			return false;
		memcpy(line, lines, n);
		line[n] = '\0';
		if (strcmp(line, "@tls") == 0) {
			if (code != 220 ||
			    !probe_secure(&a->p, a->run->ctx, NULL))
				return false;
		} else if (strncmp(line, "@raw ", 5) == 0) {
			say_raw(a, line + 5);
		} else if ((code = say(a, line)) == 0) {
			return false;
		}
	}
	return true;
}

static bool
start_tls(struct attempt *a)
{
	return probe_say(&a->p, "EHLO relay-check.invalid") == 250 &&
	    probe_say(&a->p, "STARTTLS") == 220 &&
	    probe_secure(&a->p, a->run->ctx, NULL);
}

static const char *
message(const struct attempt *a, char out[TEXT_MAX])
{
	snprintf(out, TEXT_MAX,
	    "From: <%s>\r\nTo: <%s@%s>\r\nSubject: relay check %s\r\n"
	    "\r\nThis server was asked to relay.\r\n",
	    a->run->account, a->user, a->run->domain, a->run->nonce);
	return out;
}

/*
 * From MAIL to the final dot, as far as the server goes along: a refusal in
 * between is not believed, because some servers take the next command all the
 * same.  True when the message was taken; else p.reply says what RCPT got.
 */
static bool
submit(struct attempt *a, const char *mail, const char *rcpt)
{
	char text[TEXT_MAX], line[TEXT_MAX], reply[sizeof(a->p.reply)];
	int code;

	snprintf(line, sizeof(line), "MAIL %s", mail);
	if (say(a, line) == 0)
		return false;
	snprintf(line, sizeof(line), "RCPT %s", rcpt);
	if (say(a, line) == 0)
		return false;
	memcpy(reply, a->p.reply, sizeof(reply));
	code = probe_say(&a->p, "DATA");
	if (code == 354) {
		message(a, text);
		if (probe_send(&a->p, text, strlen(text)) &&
		    probe_send(&a->p, ".\r\n", 3) &&
		    probe_hear(&a->p) / 100 == 2)
			return true;
	}
	memcpy(a->p.reply, reply, sizeof(reply));
	return false;
}

static bool
try_form(struct attempt *a, const struct relay_form *f, bool tls)
{
	if (probe_hear(&a->p) != 220)
		return false;
	if (tls && !start_tls(a))
		return false;
	return prelude(a,
		   f->prelude != NULL ? f->prelude
				      : "EHLO relay-check.invalid\n") &&
	    submit(a, f->mail, f->rcpt);
}

static int
unreachable(const struct relay_run *run)
{
	return output_fail(CODE_TEMP, "%s port %u: %s", run->ip,
	    net_port((const struct sockaddr *)&run->to.ss),
	    errno != 0 ? strerror(errno) : "no TLS");
}

static int
run_form(struct relay_run *run, const struct relay_form *f, bool tls,
    relay_result_fn *cb, void *arg)
{
	struct attempt a;
	struct relay_result r = { .group = f->group, .title = f->title };

	begin(&a, run);
	errno = 0;
	if (!probe_open(&a.p, &run->to, run->ctx, run->implicit))
		return unreachable(run);
	r.relayed = try_form(&a, f, tls);
	r.reply = a.p.reply;
	cb(arg, &r);
	probe_close(&a.p);
	return CODE_OK;
}

/* Log in with the account; the session may then be taken with *ticket. */
static bool
log_in(struct attempt *a)
{
	char plain[ADDR_SIZE + SECRET_MADE + 2], line[TEXT_MAX];
	size_t n = strlen(a->run->account), k = strlen(a->run->secret);
	bool in;

	plain[0] = '\0';
	memcpy(plain + 1, a->run->account, n);
	plain[n + 1] = '\0';
	memcpy(plain + n + 2, a->run->secret, k);
	memcpy(line, "AUTH PLAIN ", 11);
	line[11 + base64_encode(plain, n + k + 2, line + 11)] = '\0';
	in = probe_hear(&a->p) == 220 && (a->run->implicit || start_tls(a)) &&
	    probe_say(&a->p, "EHLO relay-check.invalid") == 250 &&
	    probe_say(&a->p, line) == 235;
	explicit_bzero(plain, sizeof(plain));
	explicit_bzero(line, sizeof(line));
	return in;
}

/*
 * A mail with a false end in the middle and, behind it, another mail.  The
 * server may refuse it or take it as one, but not as two.  Both are put off
 * for an hour, so that neither leaves.
 */
static bool
try_end(struct attempt *a, const struct relay_end *e, bool bdat)
{
	char one[TEXT_MAX], text[3 * TEXT_MAX], line[64];
	size_t n;

	if (!log_in(a) || say(a, "MAIL FROM:<%a> HOLDFOR=3600") != 250 ||
	    say(a, "RCPT TO:<%u@%d>") != 250)
		return false;
	message(a, one);
	n = strlen(one) - 2; /* the false end brings its own line end */
	memcpy(text, one, n);
	memcpy(text + n, e->octets, e->n);
	n += e->n;
	n += (size_t)snprintf(text + n, sizeof(text) - n,
	    "MAIL FROM:<%s> HOLDFOR=3600\r\nRCPT TO:<%s@%s>\r\nDATA\r\n%s",
	    a->run->account, a->user, a->run->domain, one);
	if (bdat) {
		snprintf(line, sizeof(line), "BDAT %zu LAST\r\n", n);
		probe_send(&a->p, line, strlen(line));
	} else if (probe_say(&a->p, "DATA") != 354) {
		return false;
	} else {
		memcpy(text + n, ".\r\n", 3);
		n += 3;
	}
	probe_send(&a->p, text, n);
	probe_hear(&a->p);
	memcpy(one, a->p.reply, sizeof(a->p.reply));
	/* Whatever was said for the rest is waited for, so that it is over. */
	probe_say(&a->p, "QUIT");
	memcpy(a->p.reply, one, sizeof(a->p.reply));
	return true;
}

static int
run_end(struct relay_run *run, const struct relay_end *e, bool bdat,
    relay_result_fn *cb, void *arg)
{
	struct relay_result r = { .group = bdat ? "BDAT" : "end of data",
		.title = e->title };
	unsigned before, after;
	struct attempt a;
	int code = run->spool_count(run->spool_arg, &before);

	if (code != CODE_OK)
		return code;
	begin(&a, run);
	errno = 0;
	if (!probe_open(&a.p, &run->to, run->ctx, run->implicit))
		return unreachable(run);
	if (!try_end(&a, e, bdat)) {
		probe_close(&a.p);
		return output_fail(CODE_TEMP,
		    "the login for the check was refused: %s", a.p.reply);
	}
	probe_close(&a.p);
	code = run->spool_count(run->spool_arg, &after);
	r.relayed = after > before + 1;
	r.reply = a.p.reply;
	if (code == CODE_OK)
		cb(arg, &r);
	return code;
}

/* A ticket from a session that was logged in is not a login. */
static int
run_ticket(struct relay_run *run, relay_result_fn *cb, void *arg)
{
	struct relay_result r = { .group = "ticket",
		.title = "the TLS session of somebody who was logged in" };
	SSL_SESSION *session = NULL;
	struct attempt a;

	begin(&a, run);
	errno = 0;
	if (!probe_open(&a.p, &run->to, run->ctx, run->implicit))
		return unreachable(run);
	if (log_in(&a))
		session = SSL_get1_session(a.p.ssl);
	probe_close(&a.p);
	if (session == NULL)
		return output_fail(CODE_TEMP,
		    "the login for the check was refused: %s", a.p.reply);
	if (!probe_open(&a.p, &run->to, run->ctx, false)) {
		SSL_SESSION_free(session);
		return unreachable(run);
	}
	if (!run->implicit) {
		probe_hear(&a.p);
		probe_say(&a.p, "EHLO relay-check.invalid");
		probe_say(&a.p, "STARTTLS");
	}
	if (probe_secure(&a.p, run->ctx, session)) {
		if (run->implicit)
			probe_hear(&a.p);
		probe_say(&a.p, "EHLO relay-check.invalid");
		r.relayed = submit(&a, "FROM:<%a>", "TO:<%u@%d>");
	}
	r.reply = a.p.reply;
	cb(arg, &r);
	probe_close(&a.p);
	SSL_SESSION_free(session);
	return CODE_OK;
}

int
relay_run(struct relay_run *run, relay_result_fn *cb, void *arg)
{
	int code = CODE_OK;

	for (int tls = 0; tls < (run->implicit ? 1 : 2); tls++)
		for (const struct relay_form *f = relay_forms;
		     f->group != NULL && code == CODE_OK; f++)
			/* The handshake of these is their own. */
			if (strcmp(f->group, "starttls") != 0 ||
			    (tls == 0 && !run->implicit))
				code = run_form(run, f, tls != 0, cb, arg);
	if (run->secret == NULL || code != CODE_OK)
		return code;
	for (int bdat = 0; bdat < 2; bdat++)
		for (const struct relay_end *e = relay_ends;
		     e->n > 0 && code == CODE_OK; e++)
			code = run_end(run, e, bdat != 0, cb, arg);
	return code == CODE_OK ? run_ticket(run, cb, arg) : code;
}
