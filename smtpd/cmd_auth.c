/*
 * cmd_auth.c - AUTH (RFC 4954): PLAIN (RFC 4616) and LOGIN are read here,
 * SCRAM (RFC 7677) and EXTERNAL (RFC 4422 A) are not even that.
 *
 * Whether somebody is who they say is auth's business.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/metric.h"
#include "mail/ascii.h"
#include "mail/base64.h"
#include "smtpd/handler.h"
#include "smtpd/text.h"

#define RESPONSE_MOST 1024 /* octets, decoded; RFC 5802 needs some 200 */
#define MAX_FAILURES  3    /* RFC 4954 4: then we hang up */
#define SUSPENDED     525 /* what auth says when only the account is at fault */

void
auth_clear(struct session *s)
{
	if (s->login == NULL)
		return;
	explicit_bzero(s->login, sizeof(*s->login));
	free(s->login);
	s->login = NULL;
}

void
auth_bar(struct session *s, const char *text)
{
	free((char *)s->barred.text);
	s->barred = (struct refusal){ 0, NULL, NULL };
	if (text == NULL)
		return;
	s->barred = (struct refusal){ 550, "5.7.13", strdup(text) };
	if (s->barred.text == NULL)
		abort();
}

/*
 * The password is right, and the account suspended.  RFC 5248 has 525 for
 * that, at which Thunderbird and mutt tell people to type their password
 * again.  What MAIL is answered, every program shows.
 */
static int
bar(struct session *s, const struct outcome *o)
{
	auth_bar(s, o->text);
	return reply(s, 235, "2.7.0", "password accepted, but %s", o->text);
}

/*
 * The client's first word, if it is one that programs say.  Others are not
 * logged: who forgets the mechanism says name and password there, in base64.
 */
static const char *
word(const char *name, size_t n)
{
	static const char *const known[] = { "PLAIN", "LOGIN", "CRAM-MD5",
		"DIGEST-MD5", "NTLM", "GSSAPI", "GSS-SPNEGO", "XOAUTH2",
		"OAUTHBEARER", "EXTERNAL", "ANONYMOUS", "SCRAM-SHA-1",
		"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
		"SCRAM-SHA-512", "SCRAM-SHA-512-PLUS" };
	const char *space = memchr(name, ' ', n);

	if (space != NULL)
		n = (size_t)(space - name);
	if (n == 0)
		return "-";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ascii_is(name, n, known[i]))
			return known[i];
	return "?";
}

void
auth_refused(struct session *s, const char *name, size_t n, const char *reason)
{
	/* Once is enough to help, and no way to fill a disk. */
	if (s->login_told)
		return;
	s->login_told = true;
	log_event("auth.failed",
	    "ip=%s port=%u tls=%s mech=%s reason=%s user=%s", s->ip, s->port,
	    s->tls[0] != '\0' ? s->tls : "-", word(name, n), reason,
	    log_quote(""));
	metric_add(METRIC_AUTH, "-", reason, NULL, 1);
}

static int
malformed(struct session *s)
{
	auth_refused(s, s->mech, strlen(s->mech), "malformed");
	return reply(s, 501, "5.5.2",
	    "cannot read this login: is the password empty, or in it a letter "
	    "that the program does not send as UTF-8?");
}

static int
failed(struct session *s, int code)
{
	if (++s->auth_failures < MAX_FAILURES)
		return code;
	return reply(s, 421, "4.7.0", "too many failed logins");
}

/* Wipes login. */
static int
check(struct session *s, struct sasl_login *login)
{
	struct msg m;
	struct msg_auth_check *a = &m.u.auth_check;

	memset(&m, 0, sizeof(m));
	m.type = MSG_AUTH_CHECK;
	text_copy(a->user, sizeof(a->user), login->user);
	text_copy(a->secret, sizeof(a->secret), login->password);
	text_copy(a->ip, sizeof(a->ip), s->ip);
	a->port = s->port;
	a->legacy = s->legacy;
	a->screen = s->screen;
	text_copy(a->certificate, sizeof(a->certificate), s->facts.certificate);
	text_copy(a->tls, sizeof(a->tls), s->tls);
	text_copy(a->mech, sizeof(a->mech), s->mech);
	explicit_bzero(login, sizeof(*login));
	ask(s, &m);
	explicit_bzero(a, sizeof(*a));
	return WAIT;
}

static bool
has_scram(const struct session *s)
{
	return s->scram;
}

static bool
has_plus(const struct session *s)
{
	return s->scram && (s->facts.nexporter > 0 || s->facts.nendpoint > 0);
}

static bool
has_certificate(const struct session *s)
{
	return s->facts.certificate[0] != '\0';
}

static int
plain(struct session *s, const char *response, size_t n)
{
	struct sasl_login login;

	switch (sasl_plain(&login, response, n)) {
	case SASL_OK:
		return check(s, &login);
	case SASL_AUTHZID:
		auth_refused(s, s->mech, strlen(s->mech), "authzid");
		return failed(
		    s, reply(s, 535, "5.7.8", "may not act as somebody else"));
	case SASL_MALFORMED:
		break;
	}
	return malformed(s);
}

/* The user name first, then the password. */
static int
login(struct session *s, const char *response, size_t n)
{
	if (s->login == NULL) {
		s->login = calloc(1, sizeof(*s->login));
		if (s->login == NULL)
			abort();
		if (!sasl_login_user(s->login->user, response, n)) {
			auth_clear(s);
			return malformed(s);
		}
		/* Some clients compare the octets: "Password:". */
		return reply(s, 334, "", "UGFzc3dvcmQ6");
	}
	if (!sasl_login_password(s->login->password, response, n))
		return malformed(s);
	return check(s, s->login);
}

/* Mechanisms that auth alone understands: a message goes there as it is. */
static int
relay(struct session *s, const char *response, size_t n)
{
	struct msg m = { .type = MSG_SASL_STEP };
	struct msg_sasl_step *a = &m.u.sasl_step;
	char raw[RESPONSE_MOST];
	size_t len;

	if (!base64_decode(response, n, raw, sizeof(raw), &len))
		return malformed(s);
	text_copy(a->mech, sizeof(a->mech), s->mech);
	text_copy(a->ip, sizeof(a->ip), s->ip);
	a->port = s->port;
	text_copy(a->tls, sizeof(a->tls), s->tls);
	a->legacy = s->legacy;
	a->screen = s->screen;
	a->first = !s->relayed;
	a->plus = has_plus(s);
	text_copy(a->certificate, sizeof(a->certificate), s->facts.certificate);
	a->exporter = (struct bytes){ s->facts.exporter, s->facts.nexporter };
	a->endpoint = (struct bytes){ s->facts.endpoint, s->facts.nendpoint };
	a->response = (struct bytes){ (const uint8_t *)raw, len };
	s->relayed = true;
	ask(s, &m);
	explicit_bzero(raw, sizeof(raw));
	return WAIT;
}

/* Best first: some clients take the first they know. */
static const struct mechanism {
	const char *name;
	const char *challenge; /* to one who gave no initial response */
	int (*hear)(struct session *, const char *response, size_t n);
	bool (*offered)(const struct session *); /* NULL: always */
} mechanisms[] = {
	{ "SCRAM-SHA-256-PLUS", "", relay, has_plus },
	{ "SCRAM-SHA-256", "", relay, has_scram },
	{ "EXTERNAL", "", relay, has_certificate },
	{ "PLAIN", "", plain, NULL },
	{ "LOGIN", "VXNlcm5hbWU6", login, NULL }, /* "Username:" */
};

#define MECHANISMS (sizeof(mechanisms) / sizeof(*mechanisms))

static bool
is_offered(const struct session *s, const struct mechanism *m)
{
	return m->offered == NULL || m->offered(s);
}

static const struct mechanism *
find(const struct session *s, const char *name, size_t n)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (ascii_is(name, n, mechanisms[i].name) &&
		    is_offered(s, &mechanisms[i]))
			return &mechanisms[i];
	return NULL;
}

void
auth_list(const struct session *s, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < MECHANISMS && len < size; i++)
		if (is_offered(s, &mechanisms[i]))
			len += (size_t)snprintf(
			    out + len, size - len, " %s", mechanisms[i].name);
}

int
cmd_auth(struct session *s, char *args, size_t n)
{
	const char *space = memchr(args, ' ', n);
	size_t name = space != NULL ? (size_t)(space - args) : n;
	const struct mechanism *mech;
	char list[100];

	if (n == 0)
		return reply(s, 501, "5.5.4", "AUTH needs a mechanism");
	mech = find(s, args, name);
	if (mech == NULL) {
		auth_refused(s, args, name, "mechanism");
		auth_list(s, list, sizeof(list));
		return reply(s, 504, "5.5.4",
		    "no such mechanism here; there is%s", list);
	}
	/* Before the password is said. */
	if (s->screen == SCREEN_CERTIFICATE && !has_certificate(s))
		return failed(s, reply(s, 535, "5.7.8", "%s", s->screen_text));
	s->relayed = false;
	s->mech = mech->name;
	args += name;
	for (n -= name; n > 0 && *args == ' '; n--)
		args++; /* Windows Mail sends two */
	if (n == 0)
		return reply(s, 334, "", "%s", mech->challenge);
	if (memchr(args, ' ', n) != NULL)
		return reply(s, 501, "5.5.4", "one initial response only");
	if (n == 1 && *args == '=')
		n = 0; /* RFC 4954 4: empty, but there */
	return mech->hear(s, args, n);
}

int
auth_line(struct session *s, char *line, size_t n)
{
	if (n == 1 && *line == '*')
		return reply(s, 501, "5.7.0", "cancelled");
	if (n == 1 && *line == '=')
		n = 0;
	return find(s, s->mech, strlen(s->mech))->hear(s, line, n);
}

static int
pass_challenge(struct session *s, struct bytes challenge)
{
	char base64[BASE64_SIZE(1024)];

	base64_encode(challenge.data, challenge.len, base64);
	return reply(s, 334, "", "%s", base64);
}

int
auth_answered(struct session *s, const struct msg *m, int fd)
{
	const struct msg_auth_result *r = &m->u.auth_result;
	struct outcome o;

	(void)fd;
	if (r->verdict == V_OK && r->code == 334)
		return pass_challenge(s, r->challenge);
	outcome_set(&o, r->verdict, r->code, r->status, r->text);
	if (o.verdict == V_OK && r->account[0] == '\0')
		outcome_set(&o, V_TEMP, 454, "4.7.0", "");
	if (o.verdict == V_OK && !s->world->enter(r->account)) {
		log_event("smtp.closed", "ip=%s port=%u hint=%s account=%s",
		    s->ip, s->port, "too-many-sessions", log_quote(r->account));
		return reply(s, 421, "4.7.0",
		    "too many sessions of this account at a time; close some, "
		    "or try again in a minute");
	}
	if (o.code == SUSPENDED)
		return bar(s, &o);
	reply_outcome(s, &o);
	if (o.verdict == V_OK) {
		text_copy(s->account, sizeof(s->account), r->account);
		text_copy(s->credential, sizeof(s->credential), r->credential);
		s->token = r->token;
		s->most_rcpts = r->rcpts;
		s->most_size = r->size;
		s->errors = 0;
	}
	return o.verdict == V_PERM ? failed(s, o.code) : o.code;
}
