/* What PLAIN and LOGIN accept is bounded UTF-8; what not, is wiped. */
#include "fuzz_mail.h"

#include "mail/base64.h"
#include "mail/sasl.h"
#include "mail/utf8.h"

static void
check_field(const char *s)
{
	size_t n = strnlen(s, SASL_MAX);

	assert(n > 0 && n < SASL_MAX && utf8_valid(s, n));
}

static void
check_wiped(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert(((const char *)p)[i] == '\0');
}

static void
check(const char *s, size_t n)
{
	struct sasl_login login;
	char piece[SASL_MAX];

	memset(&login, 0x5a, sizeof(login));
	if (sasl_plain(&login, s, n) == SASL_OK) {
		check_field(login.user);
		check_field(login.password);
	} else {
		check_wiped(&login, sizeof(login));
	}
	memset(piece, 0x5a, sizeof(piece));
	if (sasl_login_user(piece, s, n))
		check_field(piece);
	else
		check_wiped(piece, sizeof(piece));
	memset(piece, 0x5a, sizeof(piece));
	if (sasl_login_password(piece, s, n))
		check_field(piece);
	else
		check_wiped(piece, sizeof(piece));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n), *text = room(BASE64_SIZE(n));

	check(s, n);
	/* And as what base64 brings. */
	check(text, base64_encode(s, n, text));
	free(s);
	free(text);
	return 0;
}
