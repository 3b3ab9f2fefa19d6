/*
 * import_sasldb.c - db_dump of Cyrus SASL's sasldb2: pairs of lines, the key
 * "user NUL realm NUL property" and its value.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/import.h"
#include "mail/ascii.h"

static int
digit(char c)
{
	return ascii_digit(c)      ? c - '0'
	    : c >= 'a' && c <= 'f' ? c - 'a' + 10
	    : c >= 'A' && c <= 'F' ? c - 'A' + 10
				   : -1;
}

static bool
take_byte(const char *p, char *out)
{
	if (p[0] == '\0' || digit(p[0]) == -1 || digit(p[1]) == -1)
		return false;
	*out = (char)(digit(p[0]) << 4 | digit(p[1]));
	return true;
}

/* Undo the encoding in place: all hexadecimal, or printable text with "\00"
 * and "\\". */
static bool
decode(const struct import *im, char *line, size_t *n)
{
	char *to = line;

	for (char *p = line; *p != '\0';) {
		if (im->hex) {
			if (!take_byte(p, to++))
				return false;
			p += 2;
		} else if (*p == '\\' && p[1] == '\\') {
			*to++ = '\\';
			p += 2;
		} else if (*p == '\\') {
			if (!take_byte(p + 1, to++))
				return false;
			p += 3;
		} else {
			*to++ = *p++;
		}
	}
	*n = (size_t)(to - line);
	*to = '\0';
	return true;
}

static bool
read_header(struct import *im, const char *line)
{
	if (strcmp(line, "format=bytevalue") == 0)
		im->hex = true;
	else if (strcmp(line, "HEADER=END") == 0)
		im->data = true;
	return true;
}

static bool
read_key(struct import *im, const char *line, size_t n)
{
	const char *realm = memchr(line, '\0', n), *property;
	const char *end = line + n;

	im->have_key = true;
	im->name[0] = '\0';
	if (realm == NULL ||
	    (property = memchr(realm + 1, '\0', (size_t)(end - realm - 1))) ==
		NULL)
		return import_fail(im, "not a key of a sasldb2");
	realm++;
	property++;
	/* Others hold what each mechanism once made of the password. */
	if (strcmp(property, "userPassword") != 0)
		return true;
	if (strlen(line) >= sizeof(im->name) ||
	    strlen(realm) >= sizeof(im->realm))
		return import_fail(im, "a name that is too long");
	strcpy(im->name, line);
	strcpy(im->realm, realm);
	return true;
}

static bool
read_value(struct import *im, const char *line, size_t n)
{
	char name[sizeof(im->name) + sizeof(im->realm) + 1], login[ADDR_SIZE];
	bool bare = strchr(im->name, '@') == NULL;

	im->have_key = false;
	if (im->name[0] == '\0')
		return true;
	/* A realm without a dot is a host's nickname, not a domain. */
	if (!bare || im->insist || strchr(im->realm, '.') == NULL)
		snprintf(name, sizeof(name), "%s", im->name);
	else
		snprintf(name, sizeof(name), "%s@%s", im->name, im->realm);
	if (strlen(line) != n)
		return import_fail(im, "a NUL in the password of %s", im->name);
	return import_login(im, name, login) &&
	    import_plain(im, login, line, false);
}

bool
import_sasldb(struct import *im, char *line, size_t n)
{
	if (!im->data)
		return read_header(im, line);
	if (strcmp(line, "DATA=END") == 0) {
		im->data = false;
		return true;
	}
	if (line[0] != ' ')
		return import_fail(im, "not a line of db_dump");
	line++;
	if (!decode(im, line, &n))
		return import_fail(im, "malformed bytes");
	return im->have_key ? read_value(im, line, n) : read_key(im, line, n);
}
