/*
 * pemfile.c - see pemfile.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/pemfile.h"

/* Beyond the longest chain that anybody has. */
#define LOOKED_AT 65536

/* clang-format off */
static const struct {
	const char *name; /* what was wanted */
	const char *mark; /* of it */
	const char *other, *other_mark;
	const char *der; /* how to make it of DER */
} kinds[] = {
[PEM_CERTIFICATE] = { "certificate", "-----BEGIN CERTIFICATE-----",
	"a private key", "PRIVATE KEY-----", "openssl x509 -inform DER" },
[PEM_KEY] = { "private key", "PRIVATE KEY-----",
	"a certificate", "-----BEGIN CERTIFICATE-----", "openssl pkey -inform DER" },
};
/* clang-format on */

static bool
holds(const char *text, size_t n, const char *mark)
{
	return memmem(text, n, mark, strlen(mark)) != NULL;
}

void
pemfile_explain(const char *path, const char *text, size_t n, enum pem kind,
    char *out, size_t size)
{
	const char *name = kinds[kind].name;

	if (n == 0)
		snprintf(out, size, "%.300s is empty: put the %s into it", path,
		    name);
	else if (text[0] == '0' && !holds(text, n, "-----BEGIN "))
		snprintf(out, size,
		    "%.300s is not PEM but DER or PKCS#12: \"%s -in FILE -out "
		    "NEW\", or \"openssl pkcs12 -nodes -in FILE -out NEW\"",
		    path, kinds[kind].der);
	else if (kind == PEM_KEY &&
	    (holds(text, n, "BEGIN ENCRYPTED ") ||
		holds(text, n, "Proc-Type: 4,ENCRYPTED")))
		snprintf(out, size,
		    "%.300s needs a passphrase, and nobody is there to type "
		    "it: \"openssl pkey -in FILE -out NEW\" takes it off",
		    path);
	else if (holds(text, n, kinds[kind].mark))
		snprintf(out, size,
		    "%.300s: the %s in it is damaged or cut short; copy it "
		    "again",
		    path, name);
	else if (holds(text, n, kinds[kind].other_mark))
		snprintf(out, size,
		    "%.300s holds %s and no %s; are certificate and key "
		    "swapped?",
		    path, kinds[kind].other, name);
	else
		snprintf(out, size,
		    "%.300s holds no %s in PEM form; name the file that does",
		    path, name);
}

void
pemfile_tell(const char *path, enum pem kind, char *out, size_t size)
{
	static char text[LOOKED_AT];
	FILE *f = fopen(path, "re");
	size_t n = 0;

	errno = f == NULL ? errno : 0;
	if (f != NULL)
		n = fread(text, 1, sizeof(text), f);
	if (errno == EISDIR)
		snprintf(out, size,
		    "%.300s is a directory: name the file in it that holds "
		    "the %s",
		    path, kinds[kind].name);
	else if (f == NULL || ferror(f))
		snprintf(out, size, "%.300s: %s", path, strerror(errno));
	else
		pemfile_explain(path, text, n, kind, out, size);
	if (f != NULL)
		fclose(f);
	explicit_bzero(text, sizeof(text));
}
