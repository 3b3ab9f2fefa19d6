/*
 * import_csv.c - comma-separated values (RFC 4180, but for line ends inside
 * quotes).
 */
#include <string.h>

#include "ctl/hash.h"
#include "ctl/import.h"
#include "mail/ascii.h"

enum column {
	IGNORED,
	ACCOUNT,
	PASSWORD,
	HASH,
	GRANTS,
	LOCKED,
	ACTIVE,
	COLUMNS
};

static const struct {
	const char *name;
	enum column column;
} names[] = {
	{ "account", ACCOUNT },
	{ "address", ACCOUNT },
	{ "email", ACCOUNT },
	{ "user", ACCOUNT },
	{ "username", ACCOUNT },
	{ "login", ACCOUNT },
	{ "name", ACCOUNT },
	{ "password", PASSWORD },
	{ "hash", HASH },
	{ "password_hash", HASH },
	{ "grants", GRANTS },
	{ "aliases", GRANTS },
	{ "locked", LOCKED },
	{ "active", ACTIVE },
};

/* The next cell of *line, unquoted in place; NULL at the end. */
static char *
next(const struct import *im, char **line)
{
	char *cell = *line, *to = cell, *p = cell;
	bool quoted = *p == '"';

	if (p == NULL)
		return NULL;
	if (quoted)
		p++;
	for (; *p != '\0' && (quoted || *p != im->separator); p++) {
		if (quoted && *p == '"') {
			if (p[1] != '"') {
				quoted = false;
				continue;
			}
			p++;
		}
		*to++ = *p;
	}
	*line = *p == im->separator ? p + 1 : NULL;
	*to = '\0';
	return cell;
}

static bool
read_header(struct import *im, char *line)
{
	bool account = false;
	char *cell;

	/* Where a comma is in numbers, spreadsheets write semicolons; and what
	 * "mysql --batch" prints has tabs. */
	im->separator = strchr(line, ',') != NULL ? ','
	    : strchr(line, ';') != NULL           ? ';'
						  : '\t';
	while (line != NULL && im->ncolumns < IMPORT_COLUMNS) {
		cell = next(im, &line);
		im->columns[im->ncolumns] = IGNORED;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (ascii_is(cell, strlen(cell), names[i].name))
				im->columns[im->ncolumns] =
				    (unsigned char)names[i].column;
		account |= im->columns[im->ncolumns++] == ACCOUNT;
	}
	if (account)
		return true;
	im->ncolumns = 0;
	return import_fail(im,
	    "the first line must name the columns: account, and password or "
	    "hash");
}

static bool
is_any(const char *cell, const char *a, const char *b, const char *c)
{
	size_t n = strlen(cell);

	return ascii_is(cell, n, a) || ascii_is(cell, n, b) ||
	    ascii_is(cell, n, c);
}

static bool
grant_all(struct import *im, const char *login, char *list)
{
	char *item, *save = NULL;

	for (item = strtok_r(list, " ;", &save); item != NULL;
	     item = strtok_r(NULL, " ;", &save))
		if (!import_grant(im, login, item))
			return false;
	return true;
}

bool
import_csv(struct import *im, char *line, size_t n)
{
	char *cells[COLUMNS] = { NULL }, none[] = "", login[ADDR_SIZE];
	bool locked, ok;

	(void)n;
	if (im->ncolumns == 0)
		return read_header(im, line);
	for (size_t i = 0; line != NULL && i < im->ncolumns; i++)
		cells[im->columns[i]] = next(im, &line);
	for (size_t i = 0; i < COLUMNS; i++)
		if (cells[i] == NULL)
			cells[i] = none;
	locked = is_any(cells[LOCKED], "yes", "true", "1") ||
	    is_any(cells[ACTIVE], "no", "false", "0");
	if (!import_login(im, cells[ACCOUNT], login))
		return false;
	if (hash_is_one(cells[PASSWORD]))
		return import_fail(im,
		    "the password of %s is a hash: call that column \"hash\" "
		    "in the first line",
		    login);
	ok = cells[PASSWORD][0] != '\0'
	    ? import_plain(im, login, cells[PASSWORD], locked)
	    : import_account(im, login, cells[HASH], locked);
	return ok && grant_all(im, login, cells[GRANTS]);
}
