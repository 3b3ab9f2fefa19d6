/*
 * certificate.c - see certificate.h.
 *
 * A reload reaches auth and us at about the same time, so auth may still be
 * reading the new key when we ask for a first signature: hence the tries.
 */
#include <stdlib.h>

#include "ipc/child.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "smtpd/certificate.h"
#include "smtpd/keyless.h"

#define CHAIN_MOST (256 * 1024)
#define TRIES      400
#define TRY_MS     25

static SSL_CTX *current, *candidate;
static struct timer again;
static int tries;

void
certificate_take(int fd)
{
	char err[160] = "", *pem;
	SSL_CTX *ctx = tls_server_new();
	EVP_PKEY *pub = NULL;
	size_t n;

	pem = child_read_file(fd, CHAIN_MOST, &n);
	if (pem == NULL)
		snprintf(err, sizeof(err), "unreadable or over 256 KiB");
	else if (tls_use_chain(ctx, pem, n, &pub, err, sizeof(err)))
		keyless_use(ctx, pub, err, sizeof(err));
	free(pem);
	EVP_PKEY_free(pub);
	SSL_CTX_free(candidate);
	candidate = ctx;
	if (err[0] == '\0') {
		tls_use_tickets(ctx);
		return;
	}
	log_event("tls.certificate", "status=%s reason=%s",
	    current != NULL ? "kept" : "none", log_quote(err));
	SSL_CTX_free(candidate);
	candidate = NULL;
}

static void
replace(const char *status)
{
	SSL_CTX_free(current);
	current = candidate;
	candidate = NULL;
	log_debug("tls.certificate", "status=%s", status);
}

static void
attempt(void *arg)
{
	static const char *const reasons[] = {
		[KEYLESS_SILENT] = "auth does not answer",
		[KEYLESS_REFUSED] = "auth has no key for it",
		[KEYLESS_DIFFERS] = "its key is another one",
	};
	enum keyless k;

	(void)arg;
	if (candidate == NULL)
		return;
	k = keyless_try(candidate);
	if (k == KEYLESS_FITS) {
		replace("new");
	} else if (--tries > 0) {
		timer_set(&again, TRY_MS);
	} else {
		log_event("tls.certificate", "status=kept reason=%s",
		    log_quote(reasons[k]));
		SSL_CTX_free(candidate);
		candidate = NULL;
	}
}

void
certificate_adopt(void)
{
	if (candidate == NULL)
		return;
	if (!again.ready)
		timer_init(&again, attempt, NULL);
	tries = TRIES;
	/* With nothing to fall back on there is no choice. */
	if (current == NULL)
		replace("first");
	else
		attempt(NULL);
}

SSL_CTX *
certificate_context(void)
{
	return current;
}
