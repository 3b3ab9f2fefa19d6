/*
 * param.c - the parameters of MAIL and RCPT.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/param.h"
#include "mail/utf8.h"
#include "mail/xtext.h"

/* The n characters as a word of a list, for parameters that choose. */
struct choice {
	const char *word;
	unsigned value;
};

static bool
choose(const struct choice *c, const char *s, size_t n, unsigned *value)
{
	for (; c->word != NULL; c++)
		if (ascii_is(s, n, c->word)) {
			*value = c->value;
			return true;
		}
	return false;
}

static bool
all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ascii_digit(s[i]))
			return false;
	return n > 0;
}

/* RFC 1870 3: one to twenty digits. */
static bool
set_size(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	if (n > 20 || !all_digits(value, n))
		return false;
	m->size = ascii_number(value, n);
	m->has_size = true;
	return true;
}

/* RFC 6152 2, RFC 3030 3. */
static bool
set_body(void *args, const char *value, size_t n)
{
	static const struct choice choices[] = {
		{ "7BIT", BODY_7BIT },
		{ "8BITMIME", BODY_8BITMIME },
		{ "BINARYMIME", BODY_BINARYMIME },
		{ NULL, 0 },
	};
	struct mail_args *m = args;
	unsigned body;

	if (!choose(choices, value, n, &body))
		return false;
	m->body = (enum body)body;
	return true;
}

/* RFC 4954 5: a mailbox or "<>", as xtext (RFC 3461 4). */
static bool
set_auth(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	return n > 0 && xtext_decode(value, n, m->auth, sizeof(m->auth));
}

static bool
set_smtputf8(void *args, const char *value, size_t n)
{
	(void)value;
	((struct mail_args *)args)->smtputf8 = true;
	return n == 0;
}

static bool
set_requiretls(void *args, const char *value, size_t n)
{
	(void)value;
	((struct mail_args *)args)->requiretls = true;
	return n == 0;
}

/* RFC 3461 4.3. */
static bool
set_ret(void *args, const char *value, size_t n)
{
	static const struct choice choices[] = {
		{ "FULL", RET_FULL },
		{ "HDRS", RET_HDRS },
		{ NULL, 0 },
	};
	struct mail_args *m = args;
	unsigned ret;

	if (!choose(choices, value, n, &ret))
		return false;
	m->ret = (enum ret)ret;
	return true;
}

/* RFC 3461 4.4: up to 100 characters. */
static bool
set_envid(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	return n > 0 && n < sizeof(m->envid) &&
	    xtext_decode(value, n, m->envid, sizeof(m->envid));
}

/* RFC 4865 4: one to nine digits. */
static bool
set_hold_for(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	if (m->holds || n > 9 || !all_digits(value, n))
		return false;
	m->hold_for_s = (uint32_t)ascii_number(value, n);
	m->holds = true;
	return true;
}

/* The same, until a date-time of RFC 3339 (erratum 2040). */
static bool
set_hold_until(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	if (m->holds)
		return false;
	m->holds = true;
	return date_read_rfc3339(value, n, &m->hold_until_s);
}

/* RFC 2852 4: seconds; R or N; then perhaps T. */
static bool
set_by(void *args, const char *value, size_t n)
{
	static const struct choice choices[] = {
		{ "R", BY_RETURN },
		{ "N", BY_NOTIFY },
		{ "RT", BY_RETURN | 4 },
		{ "NT", BY_NOTIFY | 4 },
		{ NULL, 0 },
	};
	struct mail_args *m = args;
	const char *mode = memchr(value, ';', n);
	bool negative = n > 0 && *value == '-';
	size_t digits;
	unsigned by;

	if (mode == NULL)
		return false;
	n -= (size_t)(mode + 1 - value);
	if (negative || *value == '+')
		value++;
	digits = (size_t)(mode - value);
	if (digits > 9 || !all_digits(value, digits) ||
	    !choose(choices, mode + 1, n, &by))
		return false;
	m->by = (enum by_mode)(by & 3);
	m->by_trace = by & 4;
	m->by_s = (int32_t)ascii_number(value, digits);
	if (negative)
		m->by_s = -m->by_s;
	/* RFC 2852 4.1.2: nothing can be delivered before it came. */
	return m->by == BY_NOTIFY || m->by_s > 0;
}

/* RFC 6710 4: one digit, perhaps with a sign. */
static bool
set_priority(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;
	bool negative = n > 0 && *value == '-';

	if (negative || (n > 0 && *value == '+')) {
		value++;
		n--;
	}
	if (n != 1 || !ascii_digit(*value))
		return false;
	m->priority = negative ? '0' - *value : *value - '0';
	m->has_priority = true;
	return true;
}

/* RFC 3461 4.1: NEVER, or a list of the others. */
static bool
set_notify(void *args, const char *value, size_t n)
{
	static const struct choice choices[] = {
		{ "NEVER", ON_NEVER },
		{ "SUCCESS", ON_SUCCESS },
		{ "FAILURE", ON_FAILURE },
		{ "DELAY", ON_DELAY },
		{ NULL, 0 },
	};
	struct rcpt_args *r = args;
	const char *end = value + n;
	unsigned one;

	for (;;) {
		const char *comma = memchr(value, ',', (size_t)(end - value));
		const char *to = comma != NULL ? comma : end;

		if (!choose(choices, value, (size_t)(to - value), &one))
			return false;
		r->notify |= one;
		if (comma == NULL)
			break;
		value = comma + 1;
	}
	return !(r->notify & ON_NEVER) || r->notify == ON_NEVER;
}

/* RFC 3461 4.2, RFC 6533 3: the type, ";", the address in its encoding. */
static bool
set_orcpt(void *args, const char *value, size_t n)
{
	struct rcpt_args *r = args;
	const char *semicolon = memchr(value, ';', n);
	size_t type;

	if (semicolon == NULL || n >= sizeof(r->orcpt))
		return false;
	type = (size_t)(semicolon - value);
	for (size_t i = 0; i < type; i++)
		if (!ascii_alnum(value[i]) && value[i] != '-')
			return false;
	memcpy(r->orcpt, value, ++type);
	value += type;
	n -= type;
	if (type < 2 || n == 0)
		return false;
	return (ascii_is(r->orcpt, type, "utf-8;") ? xtext_decode_utf8
						   : xtext_decode)(
	    value, n, r->orcpt + type, sizeof(r->orcpt) - type);
}

/* clang-format off */
const struct param mail_params[] = {
	{ "SIZE",        set_size },
	{ "BODY",        set_body },
	{ "SMTPUTF8",    set_smtputf8 },
	{ "AUTH",        set_auth },
	{ "RET",         set_ret },
	{ "ENVID",       set_envid },
	{ "REQUIRETLS",  set_requiretls },
	{ "MT-PRIORITY", set_priority },
	{ "BY",          set_by },
	{ "HOLDFOR",     set_hold_for },
	{ "HOLDUNTIL",   set_hold_until },
	{ NULL, NULL },
};

const struct param rcpt_params[] = {
	{ "NOTIFY", set_notify },
	{ "ORCPT",  set_orcpt },
	{ NULL, NULL },
};
/* clang-format on */

/* RFC 5321 4.1.2, esmtp-keyword and esmtp-value. */
static bool
keyword_valid(const char *s, size_t n)
{
	if (n == 0 || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

/* RFC 6531 3.3 adds what is over ASCII. */
static bool
value_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == ' ' || s[i] == '=')
			return false;
	return utf8_text(s, n);
}

/* One "KEYWORD" or "KEYWORD=value"; *seen has a bit for each row of table. */
static enum args_result
read_one(const struct param *table, void *args, const char *s, size_t n,
    unsigned *seen)
{
	const char *eq = memchr(s, '=', n), *value = s + n;
	size_t nkey = n;

	if (eq != NULL) {
		nkey = (size_t)(eq - s);
		value = eq + 1;
	}
	n = (size_t)(s + n - value);
	if (!keyword_valid(s, nkey) || !value_valid(value, n))
		return ARGS_SYNTAX;
	for (unsigned i = 0; table[i].keyword != NULL; i++) {
		if (!ascii_is(s, nkey, table[i].keyword))
			continue;
		if (*seen & 1u << i)
			return ARGS_DUPLICATE_PARAM;
		*seen |= 1u << i;
		/* "SMTPUTF8=" has a value, if an empty one. */
		if (eq != NULL && n == 0)
			return ARGS_BAD_PARAM;
		return table[i].set(args, value, n) ? ARGS_OK : ARGS_BAD_PARAM;
	}
	return ARGS_UNKNOWN_PARAM;
}

enum args_result
param_read(
    const struct param *table, void *args, const char *s, const char *end)
{
	unsigned seen = 0;

	while (s < end) {
		const char *word = s, *space;
		enum args_result r;

		if (*s != ' ')
			return ARGS_SYNTAX;
		while (word < end && *word == ' ')
			word++;
		if (word == end)
			break; /* trailing space: RFC 5321 4.1.1 */
		space = memchr(word, ' ', (size_t)(end - word));
		s = space != NULL ? space : end;
		r = read_one(table, args, word, (size_t)(s - word), &seen);
		if (r != ARGS_OK)
			return r;
	}
	return ARGS_OK;
}
