/*
 * talk_session.c - the steps that make a session: greeting, EHLO, STARTTLS,
 * AUTH, QUIT.
 *
 * A refusal here is about the destination and not about a mail, and another
 * server may do better.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/talk_steps.h"
#include "mail/ascii.h"
#include "mail/base64.h"

enum heard
hear_greeting(struct talk *t, const struct owed *o)
{
	(void)o;
	if (talk_class(t) == 2)
		return HEARD_FINE;
	if (talk_class(t) == 3)
		return talk_absurd(t);
	talk_blame_reply(t);
	return HEARD_FAIL;
}

enum said
say_ehlo(struct talk *t)
{
	/* RFC 3207 4.2: what was said before TLS is forgotten. */
	t->offers = 0;
	t->size_limit = t->by_least_s = 0;
	talk_say(t, "EHLO %s", t->rules.helo);
	return SAID;
}

/* The parameters of AUTH, and of AUTH=, which old clients wanted. */
static unsigned
read_mechanisms(const char *s)
{
	unsigned offers = 0;
	size_t n;

	for (; *s != '\0'; s += n) {
		s += strspn(s, " =");
		n = strcspn(s, " =");
		if (ascii_is(s, n, "SCRAM-SHA-256"))
			offers |= OFFERS_SCRAM;
		else if (ascii_is(s, n, "PLAIN"))
			offers |= OFFERS_PLAIN;
		else if (ascii_is(s, n, "LOGIN"))
			offers |= OFFERS_LOGIN;
	}
	return offers;
}

void
hear_ehlo_line(void *talk, unsigned number, const char *text)
{
	static const struct {
		const char *keyword;
		enum offer offer;
	} keywords[] = {
		{ "PIPELINING", OFFERS_PIPELINING },
		{ "8BITMIME", OFFERS_8BITMIME },
		{ "SIZE", OFFERS_SIZE },
		{ "STARTTLS", OFFERS_STARTTLS },
		{ "SMTPUTF8", OFFERS_SMTPUTF8 },
		{ "CHUNKING", OFFERS_CHUNKING },
		{ "BINARYMIME", OFFERS_BINARYMIME },
		{ "DSN", OFFERS_DSN },
		{ "DELIVERBY", OFFERS_DELIVERBY },
		{ "MT-PRIORITY", OFFERS_PRIORITY },
		{ "REQUIRETLS", OFFERS_REQUIRETLS },
	};
	struct talk *t = talk;
	size_t n = strcspn(text, " =");

	if (number == 0)
		return; /* its name */
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (ascii_is(text, n, keywords[i].keyword))
			t->offers |= keywords[i].offer;
	if (ascii_is(text, n, "SIZE"))
		t->size_limit = strtoull(text + n, NULL, 10);
	else if (ascii_is(text, n, "DELIVERBY"))
		t->by_least_s = strtoull(text + n, NULL, 10);
	else if (ascii_is(text, n, "AUTH"))
		t->offers |= read_mechanisms(text + n);
}

enum heard
hear_ehlo(struct talk *t, const struct owed *o)
{
	if (talk_class(t) == 2)
		return HEARD_FINE;
	t->offers = 0;
	if (talk_class(t) == 5)
		return HEARD_GIVE_UP;
	return hear_helo(t, o);
}

enum said
say_helo(struct talk *t)
{
	talk_say(t, "HELO %s", t->rules.helo);
	return SAID;
}

enum heard
hear_helo(struct talk *t, const struct owed *o)
{
	return hear_greeting(t, o);
}

/* Our own reason not to go on with this server. */
static enum said
refuse(struct talk *t, const char *status, const char *why)
{
	struct outcome o =
	    outcome_make(V_TEMP, SCOPE_DEST, 0, status, "%s", why);

	talk_blame(t, &o);
	return SAID_FAIL;
}

enum said
say_starttls(struct talk *t)
{
	char why[120];

	if (t->tls[0] != '\0' || t->rules.tls == ROUTE_TLS_NEVER)
		return SAID_GIVE_UP;
	if (!(t->offers & OFFERS_STARTTLS)) {
		t->no_tls = true;
		if (t->rules.tls == ROUTE_TLS_MAY)
			return SAID_GIVE_UP;
		snprintf(why, sizeof(why),
		    "TLS is required (policy %s), and the server does not "
		    "offer it",
		    t->rules.policy);
		return refuse(t, "4.7.10", why);
	}
	talk_say(t, "STARTTLS");
	return SAID;
}

enum heard
hear_starttls(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	/* An answer to what has not left yet was not meant for it. */
	if (talk_class(t) == 3 || t->out->len > 0)
		return talk_absurd(t);
	if (talk_class(t) == 2) {
		t->wants_tls = true;
		return HEARD_FINE;
	}
	t->no_tls = true;
	if (t->rules.tls == ROUTE_TLS_MAY)
		return HEARD_GIVE_UP;
	out = talk_outcome(t, SCOPE_DEST);
	outcome_soften(&out);
	talk_blame(t, &out);
	return HEARD_FAIL;
}

/* Whether a mechanism is to be used now, for those that may begin. */
static enum said
consider(struct talk *t, enum offer mechanism)
{
	if (!(t->offers & mechanism))
		return SAID_SKIP;
	if (t->tls[0] == '\0')
		return refuse(t, "4.7.0",
		    "the password may not leave without TLS, and there is "
		    "none");
	if (t->has_secret)
		return SAID;
	t->wants_secret = true;
	return SAID_WAIT;
}

/* Who reads it is to know at once which server, which login, and what to do. */
static void
explain_refusal(const struct talk *t, const char *said, char *out, size_t size)
{
	snprintf(out, size,
	    "%.120s refused user or password of \"%.100s\" (it said: %.100s); "
	    "correct user or password-file of the route, then "
	    "\"postern queue retry\"",
	    t->rules.mx, t->rules.user, said);
}

/* A refused password is our mistake or the smarthost's, never the mail's. */
static enum heard
refuse_auth(struct talk *t)
{
	struct outcome o = talk_outcome(t, SCOPE_DEST);

	if (talk_class(t) == 5)
		explain_refusal(t, t->reply.text, o.text, sizeof(o.text));
	outcome_soften(&o);
	talk_blame(t, &o);
	return HEARD_FAIL;
}

/*
 * First, for it tells nothing of the password to a server that does not have
 * it.  Where it comes to nothing the others may still do: some servers offer
 * it for accounts that cannot use it.
 */
enum said
say_auth_scram(struct talk *t)
{
	char text[SCRAM_TEXT];
	enum said said;

	if (t->rules.user[0] == '\0')
		return SAID_GIVE_UP;
	said = consider(t, OFFERS_SCRAM);
	if (said == SAID_SKIP)
		return SAID_GIVE_UP;
	if (said == SAID) {
		scram_first(&t->scram, t->rules.user, t->rules.nonce, text);
		talk_say(t, "AUTH SCRAM-SHA-256 %s", text);
	}
	return said;
}

enum heard
hear_scram_challenge(struct talk *t, const struct owed *o)
{
	(void)o;
	if (talk_class(t) == 3)
		return HEARD_FINE;
	if (talk_class(t) == 5)
		return HEARD_GIVE_UP;
	return talk_class(t) == 2 ? talk_absurd(t) : refuse_auth(t);
}

enum said
say_scram_proof(struct talk *t)
{
	char text[SCRAM_TEXT];

	t->scram_flaw = scram_proof(&t->scram, t->reply.text, t->secret, text);
	talk_say(t, "%s", t->scram_flaw == NULL ? text : "*");
	return SAID;
}

enum heard
hear_scram_last(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	if (talk_class(t) == 5)
		return HEARD_GIVE_UP;
	if (talk_class(t) == 4)
		return refuse_auth(t);
	if (talk_class(t) == 3 && t->scram_flaw == NULL &&
	    scram_proven(&t->scram, t->reply.text))
		return HEARD_FINE;
	/* RFC 5802 5: whoever does not know the password is not the server. */
	out = outcome_make(V_TEMP, SCOPE_DEST, 0, "4.7.8",
	    "the server did not prove that it knows the password (SCRAM)");
	talk_blame(t, &out);
	return HEARD_FAIL;
}

enum said
say_scram_end(struct talk *t)
{
	talk_say(t, "%s", "");
	return SAID;
}

enum said
say_auth_plain(struct talk *t)
{
	char plain[2 + sizeof(t->rules.user) + sizeof(t->secret)];
	char text[BASE64_SIZE(sizeof(plain))];
	size_t user = strlen(t->rules.user), secret;
	enum said said;

	if (user == 0)
		return SAID_SKIP;
	said = consider(t, OFFERS_PLAIN);
	if (said != SAID)
		return said;
	/* RFC 4616 2: no other identity than the user's own. */
	secret = strlen(t->secret);
	plain[0] = plain[1 + user] = '\0';
	memcpy(plain + 1, t->rules.user, user);
	memcpy(plain + 2 + user, t->secret, secret);
	base64_encode(plain, 2 + user + secret, text);
	talk_say(t, "AUTH PLAIN %s", text);
	explicit_bzero(plain, sizeof(plain));
	explicit_bzero(text, sizeof(text));
	return SAID;
}

enum said
say_auth_login(struct talk *t)
{
	char why[sizeof(((struct outcome *)0)->text)];
	enum said said;

	if (t->rules.user[0] == '\0' || t->authed)
		return SAID_GIVE_UP;
	said = consider(t, OFFERS_LOGIN);
	if (said == SAID_SKIP && t->scram_flaw != NULL)
		return refuse(t, "4.7.8", t->scram_flaw);
	if (said == SAID_SKIP && (t->offers & OFFERS_SCRAM)) {
		explain_refusal(t, "no, to SCRAM-SHA-256", why, sizeof(why));
		return refuse(t, "4.7.8", why);
	}
	if (said == SAID_SKIP)
		return refuse(t, "4.7.4",
		    "the server offers none of AUTH SCRAM-SHA-256, PLAIN and "
		    "LOGIN");
	if (said == SAID)
		talk_say(t, "AUTH LOGIN");
	return said;
}

enum said
say_auth_user(struct talk *t)
{
	char text[BASE64_SIZE(sizeof(t->rules.user))];

	base64_encode(t->rules.user, strlen(t->rules.user), text);
	talk_say(t, "%s", text);
	return SAID;
}

enum said
say_auth_secret(struct talk *t)
{
	char text[BASE64_SIZE(sizeof(t->secret))];

	base64_encode(t->secret, strlen(t->secret), text);
	talk_say(t, "%s", text);
	explicit_bzero(text, sizeof(text));
	return SAID;
}

enum heard
hear_auth_asks(struct talk *t, const struct owed *o)
{
	(void)o;
	if (talk_class(t) == 3)
		return HEARD_FINE;
	return talk_class(t) == 2 ? talk_absurd(t) : refuse_auth(t);
}

enum heard
hear_auth_done(struct talk *t, const struct owed *o)
{
	(void)o;
	if (talk_class(t) == 3)
		return talk_absurd(t);
	if (talk_class(t) != 2)
		return refuse_auth(t);
	explicit_bzero(t->secret, sizeof(t->secret));
	t->has_secret = false;
	t->authed = true;
	return HEARD_FINE;
}

enum said
say_quit(struct talk *t)
{
	talk_say(t, "QUIT");
	return SAID;
}

enum heard
hear_quit(struct talk *t, const struct owed *o)
{
	(void)o;
	t->parted = true;
	return HEARD_FINE;
}
