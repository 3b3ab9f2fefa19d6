/* A stranger's TXT record becomes places for reports and nothing else, and a
 * report is ASCII whatever it is about. */
#include "fuzz_mail.h"

#include "mail/tlsrpt.h"

static void
look(void *arg, const char *s, size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		assert(s[i] == '\n' || (s[i] >= ' ' && s[i] <= '~'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char rua[TLSRPT_RUA_SIZE], uri[TLSRPT_URI_SIZE], to[TLSRPT_URI_SIZE];
	char *z = room(n + 1);
	struct tlsrpt_failure f = { TLSRPT_EXPIRED, z, z, z, z, 1 };
	struct tlsrpt_applied p = { TLSRPT_STS, z, 1, 1, &f, 1 };
	struct tlsrpt r = { .submitter = "a.example",
		.contact = z,
		.domain = z,
		.policies = &p,
		.npolicies = 1 };
	unsigned places = 0;

	memcpy(z, in, n);
	z[n] = '\0';
	if (tlsrpt_read_record(z, rua)) {
		assert(strlen(rua) < sizeof(rua));
		while (tlsrpt_place(rua, places, uri)) {
			places++;
			if (tlsrpt_mailto(uri, to))
				assert(strpbrk(to, "\r\n") == NULL);
		}
		assert(places > 0 && places <= TLSRPT_URIS);
	}
	tlsrpt_write_json(&r, look, NULL);
	free(z);
	return 0;
}
