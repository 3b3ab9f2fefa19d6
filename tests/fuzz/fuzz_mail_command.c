/* What MAIL and RCPT accept is bounded, printable, and a real address. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/command.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n);
	struct mail_args m;
	struct rcpt_args r;

	memset(&m, 0x5a, sizeof(m));
	if (command_mail(&m, s, n) == ARGS_OK) {
		assert(m.null == (m.from.local[0] == '\0'));
		assert(m.null || address_valid(&m.from));
		assert(memchr(m.auth, '\0', sizeof(m.auth)) != NULL);
		for (const char *p = m.auth; *p != '\0'; p++)
			assert(ascii_print(*p));
		assert(m.has_size || m.size == 0);
	}
	memset(&r, 0x5a, sizeof(r));
	if (command_rcpt(&r, s, n) == ARGS_OK)
		assert(address_valid(&r.to) ||
		    (strcmp(r.to.local, "postmaster") == 0 &&
			r.to.domain[0] == '\0'));
	if (command_hello(s, n)) {
		assert(n > 0 && n < 256);
		for (size_t i = 0; i < n; i++)
			assert(ascii_print(s[i]) && s[i] != ' ');
	}
	free(s);
	return 0;
}
