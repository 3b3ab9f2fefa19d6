/* Records and policies of strangers: bounded, and only what the RFC allows. */
#include "fuzz_mail.h"

#include "mail/sts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n), *z = room(n + 1);
	char id[STS_ID_MAX + 1];
	struct sts_policy p;

	memcpy(z, s, n);
	z[n] = '\0';
	if (sts_read_record(z, id))
		assert(strlen(id) > 0 && strlen(id) <= STS_ID_MAX);
	if (sts_read_policy(&p, s, n) == NULL) {
		assert(memchr(p.mx, '\0', sizeof(p.mx)) != NULL);
		assert(p.max_age_s <= STS_AGE_MAX);
		assert(p.mode == STS_NONE || p.mx[0] != '\0');
		assert(!sts_lists(p.mx, ""));
		sts_lists(p.mx, z);
	}
	free(s);
	free(z);
	return 0;
}
