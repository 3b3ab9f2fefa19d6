/*
 * t_tlsrpt.h - how TLS went on the way to domains that ask for reports (RFC
 * 8460): (day, domain, n) -> one policy that was in force, with its sessions.
 *
 * Rows of today grow; rows of earlier days wait for their report to go out.
 * A domain has TLSRPT_ROWS a day at most, each with TLSRPT_DETAILS kinds of
 * failure; what is beyond that is counted without its details, or not at all.
 */
#ifndef QUEUE_T_TLSRPT_H
#define QUEUE_T_TLSRPT_H

#include "ipc/messages.h"
#include "queue/store.h"

#define TLSRPT_ROWS    4
#define TLSRPT_DETAILS 20

struct tlsrpt_detail {
	uint32_t result;
	uint64_t sessions;
	char ip[46], mx[256], mx_ip[46], reason[160];
};

struct tlsrpt_row {
	char rua[1280];
	uint32_t policy;
	char lines[DOMAIN_MX_SIZE];
	uint64_t good, bad;
	uint32_t done; /* bit n: place n of rua has it; in row 0 */
	unsigned ndetails;
	struct tlsrpt_detail details[TLSRPT_DETAILS];
};

/* Add sessions to the row of their policy. */
void t_tlsrpt_add(struct txn *, uint32_t day, const struct msg_tls_sessions *);

/* The n-th policy of a report, from 0; false when there is none. */
bool t_tlsrpt_get(struct txn *, uint32_t day, const char *domain, unsigned n,
    struct tlsrpt_row *);
/* Note that these places have the report; nothing when there is no row. */
void t_tlsrpt_done(struct txn *, uint32_t day, const char *domain, uint32_t);
/* Delete the rows of a report. */
void t_tlsrpt_forget(struct txn *, uint32_t day, const char *domain);

/* The first report behind this one (day 0 and "": the first of all); false
 * when there is none. */
bool t_tlsrpt_next(uint32_t *day, char domain[256]);

#endif
