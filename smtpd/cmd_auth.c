/*
 * cmd_auth.c - AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616).
 *
 * Whether a password is right is auth's business; here it is only read and
 * passed on.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/ascii.h"
#include "smtpd/session.h"
#include "smtpd/text.h"

#define MAX_FAILURES 3 /* RFC 4954 4: then we hang up */

void
auth_clear(struct session *s)
{
	if (s->login == NULL)
		return;
	explicit_bzero(s->login, sizeof(*s->login));
	free(s->login);
	s->login = NULL;
}

static int
malformed(struct session *s)
{
	return reply(
	    s, 501, "5.5.2", "cannot read this login; is the password empty?");
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
	text_copy(a->tls, sizeof(a->tls), s->tls);
	text_copy(a->mech, sizeof(a->mech), s->mech);
	explicit_bzero(login, sizeof(*login));
	ask(s, &m);
	explicit_bzero(a, sizeof(*a));
	return WAIT;
}

static int
plain(struct session *s, const char *response, size_t n)
{
	struct sasl_login login;

	switch (sasl_plain(&login, response, n)) {
	case SASL_OK:
		return check(s, &login);
	case SASL_AUTHZID:
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

static const struct mechanism {
	const char *name;
	const char *challenge; /* to one who gave no initial response */
	int (*hear)(struct session *, const char *response, size_t n);
} mechanisms[] = {
	{ "PLAIN", "", plain },
	{ "LOGIN", "VXNlcm5hbWU6", login }, /* "Username:" */
};

static const struct mechanism *
find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++)
		if (ascii_is(name, n, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

int
cmd_auth(struct session *s, char *args, size_t n)
{
	const char *space = memchr(args, ' ', n);
	size_t name = space != NULL ? (size_t)(space - args) : n;
	const struct mechanism *mech;

	if (n == 0)
		return reply(s, 501, "5.5.4", "AUTH needs a mechanism");
	mech = find(args, name);
	if (mech == NULL)
		return reply(s, 504, "5.5.4", "PLAIN or LOGIN, please");
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
	return find(s->mech, strlen(s->mech))->hear(s, line, n);
}

int
auth_answered(struct session *s, const struct msg *m, int fd)
{
	const struct msg_auth_result *r = &m->u.auth_result;
	struct outcome o;

	(void)fd;
	outcome_set(&o, r->verdict, r->code, r->status, r->text);
	if (o.verdict == V_OK && r->account[0] == '\0')
		outcome_set(&o, V_TEMP, 454, "4.7.0", "");
	reply_outcome(s, &o);
	if (o.verdict == V_OK) {
		text_copy(s->account, sizeof(s->account), r->account);
		text_copy(s->credential, sizeof(s->credential), r->credential);
		s->errors = 0;
	}
	return o.verdict == V_PERM ? failed(s, o.code) : o.code;
}
