/*
 * import.c - see import.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/hash.h"
#include "ctl/import.h"
#include "ctl/text.h"
#include "lib/crypt_kind.h"
#include "mail/address.h"
#include "mail/ascii.h"

static const struct {
	const char *name;
	bool (*line)(struct import *, char *line, size_t n);
} formats[IMPORT_FORMATS] = {
	[IMPORT_AUTO] = { "auto", NULL },
	[IMPORT_SHADOW] = { "shadow", import_colons },
	[IMPORT_HTPASSWD] = { "htpasswd", import_colons },
	[IMPORT_PASSWD_FILE] = { "passwd-file", import_colons },
	[IMPORT_SASLDB] = { "sasldb", import_sasldb },
	[IMPORT_CSV] = { "csv", import_csv },
	[IMPORT_JSON] = { "json", import_json },
	[IMPORT_ALIASES] = { "aliases", import_map },
	[IMPORT_MAP] = { "map", import_map },
};

bool
import_format_named(enum import_format *f, const char *name, bool grants)
{
	for (int i = 0; i < IMPORT_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0 &&
		    (i == IMPORT_AUTO || grants == (i >= IMPORT_ALIASES))) {
			*f = (enum import_format)i;
			return true;
		}
	return false;
}

const char *
import_format_name(enum import_format f)
{
	return formats[f].name;
}

bool
import_fail(struct import *im, const char *fmt, ...)
{
	char raw[sizeof(im->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(im->error, sizeof(im->error), raw);
	return false;
}

bool
import_login(struct import *im, const char *name, char out[ADDR_SIZE])
{
	char text[2 * ADDR_SIZE];
	struct address a;
	int n;

	n = snprintf(text, sizeof(text), "%s%s%s", name,
	    strchr(name, '@') == NULL ? "@" : "",
	    strchr(name, '@') == NULL ? im->domain : "");
	if (strchr(name, '@') == NULL && im->domain[0] == '\0')
		return import_fail(im,
		    "\"%.100s\" has no domain: say which with --domain", name);
	if (n >= (int)sizeof(text) || !address_parse(&a, text, (size_t)n))
		return import_fail(im, "\"%.100s\" is not an address", text);
	for (char *p = a.local; *p != '\0'; p++)
		*p = ascii_lower(*p);
	address_format(&a, out);
	return true;
}

bool
import_grant(struct import *im, const char *login, const char *address)
{
	struct msg_item i = { .item = ITEM_GRANT, .line = im->line };

	snprintf(i.account, sizeof(i.account), "%s", login);
	if (address[0] == '@')
		for (size_t k = 0; address[k] != '\0' && k < ADDR_SIZE - 1; k++)
			i.name[k] = ascii_lower(address[k]);
	else if (!import_login(im, address, i.name))
		return false;
	im->item(im->arg, &i);
	return true;
}

static void
put(struct import *im, const char *login, const char *hash, const char *scram)
{
	struct msg_item i = { .item = ITEM_ACCOUNT, .line = im->line };

	im->accounts++;
	snprintf(i.account, sizeof(i.account), "%s", login);
	im->item(im->arg, &i);
	i.item = ITEM_CREDENTIAL;
	i.kind = CREDENTIAL_CRYPT;
	strcpy(i.name, "password");
	snprintf(i.hash, sizeof(i.hash), "%s", hash);
	snprintf(i.scram, sizeof(i.scram), "%s", scram);
	if (hash[0] != '\0')
		im->item(im->arg, &i);
	explicit_bzero(&i, sizeof(i));
	import_grant(im, login, login);
}

/* "{CRAM-MD5}", and no letter of what is behind it. */
static int
scheme_length(const char *password)
{
	const char *end = *password == '{' ? strchr(password, '}') : NULL;

	return end != NULL && end - password < 40 ? (int)(end - password + 1)
						  : 0;
}

/* Why it is not taken, and no letter of what might be a password. */
static bool
refuse_hash(struct import *im, enum hash_result why, const char *login,
    const char *password)
{
	int n = scheme_length(password);

	if (why == HASH_CUT)
		return import_fail(im,
		    "the hash of %s is not whole (%s, %zu bytes): was it in a "
		    "column that is too narrow?",
		    login, crypt_kind(password + n)->name, strlen(password));
	if (why == HASH_NONE)
		return import_fail(im,
		    "the password of %s is no hash: if it is the password "
		    "itself, write {PLAIN} in front of it",
		    login);
	return import_fail(im,
	    "the password of %s is of a kind that cannot be checked here%s%.*s"
	    "%s: leave it out with --skip-bad, and set one with \"postern "
	    "account passwd\"",
	    login, n > 0 ? " (" : "", n, password, n > 0 ? ")" : "");
}

bool
import_account(
    struct import *im, const char *login, const char *password, bool locked)
{
	char hash[HASH_SIZE], scram[sizeof(((struct msg_item *)0)->scram)];
	enum hash_result result = hash_read(password, hash, scram);
	bool ok = result == HASH_READ;

	if (!ok)
		refuse_hash(im, result, login, password);
	else if (hash[0] == '\0')
		im->left_out++;
	else if (locked)
		hash_lock(hash);
	if (ok && hash[0] != '\0')
		put(im, login, hash, scram);
	explicit_bzero(hash, sizeof(hash));
	return ok;
}

bool
import_plain(
    struct import *im, const char *login, const char *password, bool locked)
{
	char hash[HASH_SIZE];

	if (!hash_plain(password, hash))
		return import_fail(im,
		    "the password of %s is empty or longer than 255 bytes",
		    login);
	if (locked)
		hash_lock(hash);
	put(im, login, hash, "");
	explicit_bzero(hash, sizeof(hash));
	return true;
}

/* shadow(5): behind the password there are days and nothing else. */
static bool
is_shadow(const char *line)
{
	const char *days = strchr(line, ':');

	days = days != NULL ? strchr(days + 1, ':') : NULL;
	return days != NULL && days[strspn(days, ":-0123456789")] == '\0';
}

static size_t
count(const char *line, char c)
{
	size_t n = 0;

	for (; *line != '\0'; line++)
		n += *line == c;
	return n;
}

static enum import_format
guess(const struct import *im, const char *line)
{
	size_t colons = count(line, ':');

	if (im->grants)
		return line[strcspn(line, ": \t")] == ':' ? IMPORT_ALIASES
							  : IMPORT_MAP;

	if (line[0] == '{' && line[1 + strspn(line + 1, " \t")] == '"')
		return IMPORT_JSON;
	if (strncmp(line, "VERSION=", 8) == 0)
		return IMPORT_SASLDB;
	if (colons == 8 && is_shadow(line))
		return IMPORT_SHADOW;
	if (colons == 1)
		return IMPORT_HTPASSWD;
	if (colons >= 2)
		return IMPORT_PASSWD_FILE;
	return strpbrk(line, ",;\t") != NULL ? IMPORT_CSV : IMPORT_AUTO;
}

bool
import_line(struct import *im, char *line, size_t n)
{
	static const char mark[] = "\xef\xbb\xbf";

	im->error[0] = '\0';
	/* Windows begins UTF-8 with a byte order mark. */
	if (im->line++ == 0 && n >= 3 && memcmp(line, mark, 3) == 0) {
		line += 3;
		n -= 3;
	}
	if (n > 0 && line[n - 1] == '\r')
		line[--n] = '\0';
	if (memchr(line, '\0', n) != NULL)
		return import_fail(im, "a NUL in the line%s",
		    im->line != 1 ? ""
			: im->grants
			? ": no text.  Import what postmap(1) made "
			  "this file of"
			: ": no text.  Of a sasldb2, import what "
			  "\"db5.3_dump FILE\" prints");
	/* An empty line of a dump may be a value. */
	if (im->format != IMPORT_SASLDB &&
	    (line[strspn(line, " \t")] == '\0' || line[0] == '#'))
		return true;
	if (im->format == IMPORT_AUTO)
		im->format = guess(im, line);
	if (im->format == IMPORT_AUTO)
		return import_fail(im,
		    "this file is of no known format: say which with "
		    "--format");
	return formats[im->format].line(im, line, n);
}
