/*
 * tlsrpt.h - the words of TLS reports (RFC 8460): the TXT record that asks for
 * them, the report as JSON, and the message that carries it.
 */
#ifndef MAIL_TLSRPT_H
#define MAIL_TLSRPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLSRPT_URIS     4   /* places that get a report, at most */
#define TLSRPT_URI_SIZE 320 /* of one, with its NUL */
#define TLSRPT_RUA_SIZE (TLSRPT_URIS * TLSRPT_URI_SIZE)

/*
 * Read "v=TLSRPTv1; rua=mailto:a@example.net,https://example.net/r" (RFC 8460
 * 3).  False when it is no such record, or names no place that we can use.
 *
 *   rua  the places, a space between; those over the bounds are left out
 */
bool tlsrpt_read_record(const char *txt, char rua[TLSRPT_RUA_SIZE]);

/* The place number n of a list as above; false when there is none. */
bool tlsrpt_place(const char *rua, unsigned n, char uri[TLSRPT_URI_SIZE]);

/* The address of a mailto: URI (RFC 6068), decoded and not parsed; false when
 * it is not one.  What follows "?" does not count. */
bool tlsrpt_mailto(const char *uri, char address[TLSRPT_URI_SIZE]);

enum tlsrpt_policy {
	TLSRPT_NO_POLICY,
	TLSRPT_TLSA,
	TLSRPT_STS,
	TLSRPT_POLICIES
};

/* RFC 8460 4.3; kept in rows: append only. */
enum tlsrpt_result {
	TLSRPT_SUCCESS,
	TLSRPT_NO_STARTTLS,
	TLSRPT_HOST_MISMATCH,
	TLSRPT_EXPIRED,
	TLSRPT_NOT_TRUSTED,
	TLSRPT_VALIDATION,
	TLSRPT_TLSA_INVALID,
	TLSRPT_DNSSEC_INVALID,
	TLSRPT_STS_FETCH,
	TLSRPT_STS_INVALID,
	TLSRPT_STS_WEBPKI,
	TLSRPT_RESULTS
};

/* One kind of failure; all strings are borrowed, "" not known. */
struct tlsrpt_failure {
	enum tlsrpt_result result;
	const char *ip;         /* the sending side */
	const char *mx, *mx_ip; /* the receiving one */
	const char *reason;
	uint64_t sessions;
};

struct tlsrpt_applied {
	enum tlsrpt_policy policy;
	const char *lines;  /* of it, LF between; "" none */
	uint64_t good, bad; /* sessions */
	const struct tlsrpt_failure *failures;
	size_t nfailures;
};

struct tlsrpt {
	const char *submitter; /* our domain */
	const char *contact;   /* of ours: an address */
	const char *domain;    /* whom it is about */
	int64_t begin, end;    /* unix seconds; the first and the last one */
	const struct tlsrpt_applied *policies;
	size_t npolicies;
};

typedef void tlsrpt_put(void *arg, const char *, size_t);

/* The report as JSON (RFC 8460 4.4): ASCII, whatever the strings hold. */
void tlsrpt_write_json(const struct tlsrpt *, tlsrpt_put *, void *arg);

/*
 * The message with a report as JSON (RFC 8460 5.3): 7 bits, CRLF line ends.
 *
 *   from, to  addresses, canonical
 *   id        of the message, for Message-ID: and boundary
 *   now       unix seconds
 */
struct tlsrpt_message {
	const char *from, *to;
	uint64_t id;
	int64_t now;
	const char *json;
	size_t json_len;
};
void tlsrpt_write_message(const struct tlsrpt *, const struct tlsrpt_message *,
    tlsrpt_put *, void *arg);

#endif
