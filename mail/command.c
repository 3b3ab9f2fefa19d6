/*
 * command.c - the arguments of EHLO, MAIL, RCPT and BDAT.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/command.h"
#include "mail/domain.h"
#include "mail/lines.h"
#include "mail/param.h"

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
	r = param_read(mail_params, args, s + used, end);
	if (r == ARGS_OK && !args->smtputf8 && lines_eight_bit(s, used))
		return ARGS_NEEDS_UTF8;
	return r;
}

enum args_result
command_rcpt(struct rcpt_args *args, const char *s, size_t n, bool smtputf8)
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
	if (r == ARGS_OK)
		r = param_read(rcpt_params, args, s + used, end);
	if (r == ARGS_OK && !smtputf8 && lines_eight_bit(s, (size_t)(end - s)))
		return ARGS_NEEDS_UTF8;
	return r;
}

/* RFC 3030 2: a number of octets, then perhaps LAST. */
bool
command_bdat(struct bdat_args *args, const char *s, size_t n)
{
	size_t digits = 0;

	memset(args, 0, sizeof(*args));
	while (digits < n && ascii_digit(s[digits]))
		digits++;
	if (digits == 0 || (digits < n && s[digits] != ' '))
		return false;
	args->size = ascii_number(s, digits);
	args->sized = true;
	s += digits;
	n -= digits;
	args->last = n > 0;
	if (n == 0)
		return true;
	for (; n > 0 && *s == ' '; n--)
		s++;
	return ascii_is(s, n, "LAST");
}

/* Windows lets people call a PC "BÜRO", and Outlook says so in its own
 * letters. */
static bool
is_machine_name(const char *s, size_t n)
{
	bool letters = false;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c == 0x7f || memchr("<>\"()[]\\,;@", c, 11))
			return false;
		letters |= c != '.' && c != '-';
	}
	return letters;
}

bool
command_hello(const char *s, size_t n)
{
	if (n == 0 || n >= DOMAIN_MAX)
		return false;
	if (s[0] != '[')
		return is_machine_name(s, n);
	if (n < 3 || s[n - 1] != ']')
		return false;
	/* RFC 5321 4.1.3, and what phones make of it: no tag, zone names. */
	for (size_t i = 1; i < n - 1; i++)
		if (!ascii_alnum(s[i]) && memchr(".:-%_", s[i], 5) == NULL)
			return false;
	return true;
}
