/*
 * sts.h - the words of MTA-STS (RFC 8461 3): the TXT record that announces a
 * policy, the policy itself, and whether it lists a host.
 */
#ifndef MAIL_STS_H
#define MAIL_STS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STS_ID_MAX   32       /* characters of an id */
#define STS_AGE_MAX  31557600 /* RFC 8461 3.2: a year */
#define STS_MX_MAX   64       /* patterns kept */
#define STS_MX_BYTES 4096     /* of all of them */

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

/*
 * The id of a TXT record "v=STSv1; id=...;".  False when it is none, or is
 * malformed.
 */
bool sts_read_record(const char *txt, char id[STS_ID_MAX + 1]);

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age_s;
	char mx[STS_MX_BYTES]; /* patterns, lower case, one space between */
};

/*
 * Read a policy file; lines end with LF or CRLF.  NULL when it is one, else
 * what is wrong with it.
 */
const char *sts_read_policy(struct sts_policy *, const char *text, size_t n);

/* Whether patterns (as above) list a host; "*.example.net" stands for exactly
 * one label (RFC 8461 4.1, RFC 6125 6.4.3). */
bool sts_lists(const char *mx, const char *host);

const char *sts_mode_name(enum sts_mode);

#endif
