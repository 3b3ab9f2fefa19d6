/*
 * report.h - one TLS report (RFC 8460): of a domain, about a day.
 */
#ifndef QUEUE_REPORT_H
#define QUEUE_REPORT_H

#include "lib/buf.h"
#include "mail/tlsrpt.h"
#include "queue/t_tlsrpt.h"

/* Its rows, and what the writer takes of them. */
struct report {
	struct tlsrpt_row rows[TLSRPT_ROWS];
	struct tlsrpt_applied policies[TLSRPT_ROWS];
	struct tlsrpt_failure failures[TLSRPT_ROWS][TLSRPT_DETAILS];
	char contact[ADDR_SIZE];
	struct tlsrpt tlsrpt;
};

/*
 * Read it; false when there is none.
 *
 *   day     counted in days of day_s seconds since 1970
 *   domain  borrowed as long as the report is used
 */
bool
report_read(struct report *, uint32_t day, uint32_t day_s, const char *domain);
/* As JSON, within what can be posted; details give way. */
void report_write(struct report *, struct buf *json);
/* Accept a mail with it to this mailto: URI; false when that is no address.
 * RFC 8460 5.3; like a notice it is nobody's, and never comes back. */
bool
report_mail(const struct report *, const struct buf *json, const char *uri);

#endif
