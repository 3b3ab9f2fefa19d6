/*
 * report.c - see report.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/loop.h"
#include "mail/address.h"
#include "queue/report.h"
#include "queue/settings.h"
#include "queue/spool.h"

static void
write_postmaster(char out[ADDR_SIZE])
{
	snprintf(out, ADDR_SIZE, "postmaster@%s", settings_domain());
}

static void
take_row(struct report *r, unsigned n)
{
	struct tlsrpt_row *row = &r->rows[n];

	for (unsigned i = 0; i < row->ndetails; i++) {
		const struct tlsrpt_detail *d = &row->details[i];

		r->failures[n][i] =
		    (struct tlsrpt_failure){ .result = d->result,
			    .ip = d->ip,
			    .mx = d->mx,
			    .mx_ip = d->mx_ip,
			    .reason = d->reason,
			    .sessions = d->sessions };
	}
	r->policies[n] = (struct tlsrpt_applied){ .policy = row->policy,
		.lines = row->lines,
		.good = row->good,
		.bad = row->bad,
		.failures = r->failures[n],
		.nfailures = row->ndetails };
}

bool
report_read(struct report *r, uint32_t day, uint32_t day_s, const char *domain)
{
	unsigned n = 0;

	while (n < TLSRPT_ROWS &&
	    t_tlsrpt_get(NULL, day, domain, n, &r->rows[n])) {
		take_row(r, n);
		n++;
	}
	if (settings->tls_contact[0] != '\0')
		snprintf(r->contact, sizeof(r->contact), "%s",
		    settings->tls_contact);
	else
		write_postmaster(r->contact);
	r->tlsrpt = (struct tlsrpt){ .submitter = settings_domain(),
		.contact = r->contact,
		.domain = domain,
		.begin = (int64_t)day * day_s,
		.end = ((int64_t)day + 1) * day_s - 1,
		.policies = r->policies,
		.npolicies = n };
	return n > 0;
}

static void
put(void *arg, const char *text, size_t n)
{
	buf_add(arg, text, n);
}

void
report_write(struct report *r, struct buf *json)
{
	for (size_t most = TLSRPT_DETAILS;; most /= 2) {
		for (size_t i = 0; i < r->tlsrpt.npolicies; i++)
			if (r->policies[i].nfailures > most)
				r->policies[i].nfailures = most;
		tlsrpt_write_json(&r->tlsrpt, put, json);
		if (json->len <= FETCH_MAX || most == 0)
			return;
		buf_release(json);
	}
}

bool
report_mail(const struct report *r, const struct buf *json, const char *uri)
{
	char text[TLSRPT_URI_SIZE], to[ADDRESS_MAX], from[ADDR_SIZE];
	uint8_t list[2 + ADDR_SIZE];
	struct address parsed;
	struct accept *a;
	struct bytes rcpts;
	struct buf out = { 0 };

	if (!tlsrpt_mailto(uri, text) ||
	    !address_parse(&parsed, text, strlen(text)))
		return false;
	address_format(&parsed, to);
	rcpts = (struct bytes){ list,
		list_add(list, sizeof(list), 0, to, strlen(to)) };
	a = accept_new();
	if (envelope_read(&a->envelope, rcpts, 1) != ENVELOPE_FINE) {
		accept_free(a);
		return false;
	}
	write_postmaster(from);
	a->id = group_new_id();
	tlsrpt_write_message(&r->tlsrpt,
	    &(struct tlsrpt_message){ .from = from,
		.to = to,
		.id = a->id,
		.now = loop_wall_ms() / 1000,
		.json = buf_data(json),
		.json_len = json->len },
	    put, &out);
	a->row.flags = TX_BOUNCE | TX_TLS_OPTIONAL;
	a->body = body_new(out.len);
	memcpy(a->body->data, buf_data(&out), out.len);
	buf_release(&out);
	a->row.size = a->body->len;
	a->row.body = BODY_ROWS;
	a->row.accepted = (uint64_t)loop_wall_ms();
	a->no_delay_notice = true;
	snprintf(a->detail, sizeof(a->detail),
	    "kind=tls-report about=%.200s size=%zu", r->tlsrpt.domain,
	    a->body->len);
	spool_accept(a);
	return true;
}
