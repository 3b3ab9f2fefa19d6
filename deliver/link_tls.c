/*
 * link_tls.c - see link.h: TLS on a connection, and how it went.
 */
#include "deliver/link_parts.h"
#include "deliver/results.h"
#include "deliver/trust.h"
#include "lib/log.h"

/* What a server may know as one client: without a name and an address of its
 * own a route's connections are like all others.  A trial is to see the
 * certificate. */
static const char *
self_of(const struct link *l)
{
	const struct link_key *k = &l->kept.key;

	if (l->job != NULL && l->job->trial != NULL)
		return NULL;
	return *k->user != '\0' || *k->helo != '\0' || k->source4.len != 0 ||
		k->source6.len != 0
	    ? k->route
	    : "";
}

void
link_shake(struct link *l)
{
	if (l->shaking)
		return;
	l->shaking = true;
	l->resuming = trust_secure(&l->io, &l->target, &l->kept.key.policy,
	    l->kept.domain, self_of(l));
}

void
link_note_tls(struct link *l, enum tlsrpt_result result, const char *why)
{
	const struct link_key *k = &l->kept.key;

	if (!l->noted && (l->job == NULL || l->job->trial == NULL))
		results_session(l->kept.domain, &l->target, &k->policy,
		    k->demand, l->io.fd, result, why);
	l->noted = true;
}

static enum tlsrpt_result
result_of(enum trust_flaw flaw)
{
	switch (flaw) {
	case TRUST_FINE:
		return TLSRPT_SUCCESS;
	case TRUST_NAME:
		return TLSRPT_HOST_MISMATCH;
	case TRUST_EXPIRED:
		return TLSRPT_EXPIRED;
	case TRUST_UNKNOWN:
		return TLSRPT_NOT_TRUSTED;
	case TRUST_HANDSHAKE:
	case TRUST_OTHER:
		break;
	}
	return TLSRPT_VALIDATION;
}

void
link_secured(struct link *l)
{
	struct io *io = &l->io;
	enum tlsrpt_result result;
	char flaw[160];

	l->shaking = false;
	result = result_of(trust_flaw(io, flaw, sizeof(flaw)));
	/* Without a proof or a watch nobody looked. */
	if (l->kept.key.policy.proof == PROOF_NONE && !l->kept.key.policy.watch)
		result = TLSRPT_SUCCESS;
	link_note_tls(l, result, flaw);
	if (l->job != NULL && l->job->trial != NULL)
		trust_flaw(io, l->job->trial->certificate,
		    sizeof(l->job->trial->certificate));
	talk_secured(&l->talk, io_tls_version(io), io_tls_cipher(io));
}

void
link_not_secured(struct link *l, const char *why)
{
	enum tlsrpt_result result;
	char flaw[160];

	if (l->resuming && l->io.ssl != NULL) {
		/* A session that the server gave and cannot go on with says
		 * nothing about its TLS: the same again, from the start. */
		log_event("tls.not-resumed", "mx=%s error=%s", log_quote(l->mx),
		    log_quote(why));
		trust_distrust(&l->io);
		link_give_up(l, LINK_STALE, "4.7.5", why);
		return;
	}
	result = result_of(trust_flaw(&l->io, flaw, sizeof(flaw)));
	if (*flaw != '\0')
		why = flaw;
	link_note_tls(
	    l, result == TLSRPT_SUCCESS ? TLSRPT_VALIDATION : result, why);
	link_give_up(l, LINK_TLS_FAILED, "4.7.5", why);
}
