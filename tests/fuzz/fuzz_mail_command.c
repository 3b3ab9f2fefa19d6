/* What MAIL, RCPT and BDAT accept is bounded, printable, and a real address. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/command.h"
#include "mail/lines.h"
#include "mail/utf8.h"

static void
check_rcpt(const struct rcpt_args *r)
{
	assert(r->notify == ON_NEVER || (r->notify & ON_NEVER) == 0);
	assert(memchr(r->orcpt, '\0', sizeof(r->orcpt)) != NULL);
	assert(utf8_text(r->orcpt, strlen(r->orcpt)));
	assert(r->orcpt[0] == '\0' || strchr(r->orcpt, ';') != NULL);
}

/* Such an address needs SMTPUTF8 (RFC 6531). */
static bool
eight_bit(const struct address *a)
{
	return lines_eight_bit(a->local, strlen(a->local));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n);
	struct mail_args m;
	struct rcpt_args r;
	struct bdat_args b;

	memset(&m, 0x5a, sizeof(m));
	if (command_mail(&m, s, n) == ARGS_OK) {
		assert(m.null == (m.from.local[0] == '\0'));
		assert(m.null || address_valid(&m.from));
		assert(memchr(m.auth, '\0', sizeof(m.auth)) != NULL);
		for (const char *p = m.auth; *p != '\0'; p++)
			assert(ascii_print(*p));
		assert(m.has_size || m.size == 0);
		assert(m.smtputf8 || !eight_bit(&m.from));
		assert(memchr(m.envid, '\0', sizeof(m.envid)) != NULL);
		for (const char *p = m.envid; *p != '\0'; p++)
			assert(ascii_print(*p));
		assert(
		    m.priority >= -PRIORITY_MAX && m.priority <= PRIORITY_MAX);
		assert(m.by != BY_RETURN || m.by_s > 0);
		assert(m.hold_for_s == 0 || m.hold_until_s == 0);
	}
	memset(&r, 0x5a, sizeof(r));
	if (command_rcpt(&r, s, n, false) == ARGS_OK) {
		assert(address_valid(&r.to) ||
		    (strcmp(r.to.local, "postmaster") == 0 &&
			r.to.domain[0] == '\0'));
		assert(!eight_bit(&r.to));
		check_rcpt(&r);
	}
	if (command_rcpt(&r, s, n, true) == ARGS_OK)
		check_rcpt(&r);
	if (command_bdat(&b, s, n))
		assert(b.sized && ascii_digit(s[0]));
	if (command_hello(s, n)) {
		assert(n > 0 && n < 256);
		for (size_t i = 0; i < n; i++)
			assert(((unsigned char)s[i] >= 0x80 ||
				   ascii_print(s[i])) &&
			    strchr(" \"\\<>()", s[i]) == NULL);
	}
	free(s);
	return 0;
}
