/* Domains, literals, patterns, and the printed ids. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/msgid.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n), out[DOMAIN_MAX],
	     again[DOMAIN_MAX], text[MSGID_SIZE];
	char *z = room(n + 1);
	uint64_t id;

	if (domain_valid(s, n, 0))
		assert(domain_valid(s, n, DOMAIN_UNDERSCORE));
	if (domain_valid(s, n, DOMAIN_UNDERSCORE))
		for (size_t i = 0; i < n; i++)
			assert(ascii_alnum(s[i]) || strchr("-._", s[i]));
	if (domain_literal(s, n, out)) {
		assert(domain_literal(out, strlen(out), again));
		assert(strcmp(out, again) == 0);
		assert(!domain_valid(s, n, DOMAIN_UNDERSCORE));
	}
	memcpy(z, s, n);
	z[n] = '\0';
	if (msgid_parse(z, &id)) {
		msgid_format(id, text);
		for (size_t i = 0; i < sizeof(text); i++)
			assert(text[i] == ascii_lower(z[i]));
	}
	free(s);
	free(z);
	return 0;
}
