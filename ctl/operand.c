/*
 * operand.c - see operand.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/operand.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/code.h"
#include "mail/address.h"
#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/msgid.h"

#define SHOWN 200

static int
refuse(const char *word, const char *why)
{
	char clean[SHOWN];

	return output_fail(CODE_USAGE, "\"%s\" %s",
	    text_clean(clean, sizeof(clean), word), why);
}

/* Addresses are ASCII here. */
static int
refuse_name(const char *word, const char *why)
{
	for (const char *c = word; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			why = "has letters beyond ASCII; a domain with such "
			      "is written like xn--mnchen-3ya.de";
	return refuse(word, why);
}

int
operand_address(const char *word, char out[ADDR_SIZE])
{
	struct address a;

	if (!address_parse(&a, word, strlen(word)) || a.domain[0] == '\0')
		return refuse_name(
		    word, "is not an address; write it like alice@example.org");
	address_format(&a, out);
	return CODE_OK;
}

int
operand_return_path(const char *text, char out[ADDR_SIZE])
{
	if (strcmp(text, "<>") != 0)
		return operand_sender(text, out);
	strcpy(out, text);
	return CODE_OK;
}

int
operand_domain(const char *word, char out[256])
{
	size_t n = strlen(word);

	if (n >= 256 ||
	    (!domain_valid(word, n, 0) && !domain_literal(word, n, out)))
		return refuse_name(
		    word, "is not a domain; write it like example.org");
	for (size_t i = 0; i <= n; i++)
		out[i] = ascii_lower(word[i]);
	return CODE_OK;
}

int
operand_sender(const char *word, char out[ADDR_SIZE])
{
	if (word[0] != '@' && strchr(word, '@') == NULL)
		return refuse_name(word,
		    "is not an address; write it like alice@example.org, or "
		    "@example.org for all of a domain");
	if (word[0] != '@')
		return operand_address(word, out);
	out[0] = '@';
	return operand_domain(word + 1, out + 1);
}

int
operand_id(const char *word, uint64_t *out)
{
	if (!msgid_parse(word, out))
		return refuse(word,
		    "is not the id of a message: 13 letters and digits, as "
		    "\"postern queue list\" prints them");
	return CODE_OK;
}

int
operand_number(const char *flag, const char *word, uint64_t least,
    uint64_t most, uint64_t *out)
{
	char *rest;

	errno = 0;
	*out = strtoull(word, &rest, 10);
	if (!ascii_digit(word[0]) || *rest != '\0' || errno != 0 ||
	    *out < least || *out > most)
		return output_fail(CODE_USAGE,
		    "--%s needs a number from %" PRIu64 " to %" PRIu64, flag,
		    least, most);
	return CODE_OK;
}

/* "90d" and the like, in seconds. */
static bool
read_span(const char *word, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 } };
	char *rest;

	errno = 0;
	*seconds = strtoull(word, &rest, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ascii_digit(word[0]) && errno == 0 && *seconds > 0 &&
		    *seconds < 1000000000 && rest[0] == units[i].unit &&
		    rest[1] == '\0') {
			*seconds *= units[i].seconds;
			return true;
		}
	return false;
}

int
operand_time(const char *flag, const char *word, uint64_t *seconds)
{
	if (read_span(word, seconds))
		return CODE_OK;
	return output_fail(
	    CODE_USAGE, "--%s needs a time like 90d, 12h or 30m", flag);
}

int
operand_since(const char *word, uint64_t *out)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	uint64_t now = (uint64_t)time(NULL), span;
	const char *rest;
	struct tm tm;

	if (read_span(word, &span)) {
		*out = span < now ? (now - span) * 1000 : 0;
		return CODE_OK;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		rest = strptime(word, forms[i], &tm);
		if (rest != NULL && (*rest == '\0' || strcmp(rest, "Z") == 0)) {
			*out = (uint64_t)timegm(&tm) * 1000;
			return CODE_OK;
		}
	}
	return output_fail(CODE_USAGE,
	    "--since %s: write an age (\"36h\", \"7d\") or a time in UTC "
	    "(\"2026-11-21T19:20\")",
	    word);
}
