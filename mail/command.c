/*
 * command.c - the arguments of EHLO, MAIL and RCPT.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/command.h"
#include "mail/domain.h"

/*
 * A parameter of MAIL or RCPT.  A table of them ends with a NULL keyword.
 *
 *   set  writes the value into the command's args; false: the value is wrong
 */
struct param {
	const char *keyword;
	bool (*set)(void *args, const char *value, size_t n);
};

/* RFC 1870 3: one to twenty digits. */
static bool
set_size(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;
	uint64_t size = 0;

	if (n == 0 || n > 20)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!ascii_digit(value[i]))
			return false;
		if (__builtin_mul_overflow(size, 10, &size) ||
		    __builtin_add_overflow(size, value[i] - '0', &size))
			size = UINT64_MAX;
	}
	m->size = size;
	m->has_size = true;
	return true;
}

/* RFC 6152 2. */
static bool
set_body(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;

	if (ascii_is(value, n, "7BIT"))
		m->body = BODY_7BIT;
	else if (ascii_is(value, n, "8BITMIME"))
		m->body = BODY_8BITMIME;
	else
		return false;
	return true;
}

/* One upper-case hex digit, or -1. */
static int
hex(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 4954 5: a mailbox or "<>", as xtext (RFC 3461 4). */
static bool
set_auth(void *args, const char *value, size_t n)
{
	struct mail_args *m = args;
	size_t len = 0;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = value[i];

		if (c == '+') {
			if (n - i < 3 || hex(value[i + 1]) < 0 ||
			    hex(value[i + 2]) < 0)
				return false;
			c = (char)(hex(value[i + 1]) << 4 | hex(value[i + 2]));
			i += 2;
		}
		if (!ascii_print(c) || len == sizeof(m->auth) - 1)
			return false;
		m->auth[len++] = c;
	}
	m->auth[len] = '\0';
	return true;
}

static const struct param mail_params[] = {
	{ "SIZE", set_size },
	{ "BODY", set_body },
	{ "AUTH", set_auth },
	{ NULL, NULL },
};

static const struct param rcpt_params[] = {
	{ NULL, NULL },
};

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

static bool
value_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ascii_print(s[i]) || s[i] == ' ' || s[i] == '=')
			return false;
	return true;
}

/* One "KEYWORD" or "KEYWORD=value"; *seen has a bit for each row of table. */
static enum args_result
read_param(const struct param *table, void *args, const char *s, size_t n,
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
		return table[i].set(args, value, n) ? ARGS_OK : ARGS_BAD_PARAM;
	}
	return ARGS_UNKNOWN_PARAM;
}

/* What follows the path: each parameter has a space or more before it. */
static enum args_result
read_params(
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
		r = read_param(table, args, word, (size_t)(s - word), &seen);
		if (r != ARGS_OK)
			return r;
	}
	return ARGS_OK;
}

/* The keyword in front of the path; *s ends up behind it. */
static bool
skip_keyword(const char **s, const char *end, const char *keyword)
{
	const char *p = *s;
	size_t n = strlen(keyword);

	while (p < end && *p == ' ')
		p++;
	if ((size_t)(end - p) < n || !ascii_same(p, keyword, n))
		return false;
	*s = p + n;
	return true;
}

static enum args_result
path_trouble(enum path_result r)
{
	switch (r) {
	case PATH_OK:
	case PATH_NULL:
		return ARGS_OK;
	case PATH_ROUTE:
		return ARGS_ROUTE;
	case PATH_TOO_LONG:
		return ARGS_TOO_LONG;
	case PATH_SYNTAX:
		break;
	}
	return ARGS_SYNTAX;
}

enum args_result
command_mail(struct mail_args *args, const char *s, size_t n)
{
	const char *end = s + n;
	enum path_result path;
	enum args_result r;
	size_t used = 0;

	memset(args, 0, sizeof(*args));
	if (!skip_keyword(&s, end, "FROM:"))
		return ARGS_SYNTAX;
	path = address_path(&args->from, s, (size_t)(end - s), &used, false);
	r = path_trouble(path);
	if (r != ARGS_OK)
		return r;
	args->null = path == PATH_NULL;
	return read_params(mail_params, args, s + used, end);
}

enum args_result
command_rcpt(struct rcpt_args *args, const char *s, size_t n)
{
	const char *end = s + n;
	enum path_result path;
	enum args_result r;
	size_t used = 0;

	memset(args, 0, sizeof(*args));
	if (!skip_keyword(&s, end, "TO:"))
		return ARGS_SYNTAX;
	path = address_path(&args->to, s, (size_t)(end - s), &used, true);
	if (path == PATH_NULL)
		return ARGS_SYNTAX;
	r = path_trouble(path);
	if (r != ARGS_OK)
		return r;
	return read_params(rcpt_params, args, s + used, end);
}

bool
command_hello(const char *s, size_t n)
{
	if (n == 0 || n >= DOMAIN_MAX)
		return false;
	if (s[0] != '[')
		return domain_valid(
		    s, n, DOMAIN_UNDERSCORE | DOMAIN_NUMERIC | DOMAIN_DOT);
	if (n < 3 || s[n - 1] != ']')
		return false;
	/* RFC 5321 4.1.3, and what phones make of it: no tag, zone names. */
	for (size_t i = 1; i < n - 1; i++)
		if (!ascii_alnum(s[i]) && memchr(".:-%_", s[i], 5) == NULL)
			return false;
	return true;
}
