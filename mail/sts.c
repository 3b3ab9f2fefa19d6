/*
 * sts.c - see sts.h.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/sts.h"

/* The next field of "a=1; b=2": trimmed, its end in *next. */
static size_t
field(const char **s, const char **next)
{
	const char *end;

	*s += strspn(*s, " \t");
	end = *s + strcspn(*s, ";");
	*next = *end == ';' ? end + 1 : end;
	while (end > *s && ascii_blank(end[-1]))
		end--;
	return (size_t)(end - *s);
}

static bool
read_id(const char *s, size_t n, char id[STS_ID_MAX + 1])
{
	if (n == 0 || n > STS_ID_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_alnum(s[i]))
			return false;
	memcpy(id, s, n);
	id[n] = '\0';
	return true;
}

bool
sts_read_record(const char *txt, char id[STS_ID_MAX + 1])
{
	const char *next;
	bool found = false;
	size_t n;

	/* RFC 8461 3.1: the version comes first, exactly so. */
	if (strncmp(txt, "v=STSv1", 7) != 0 ||
	    (txt[7] != ';' && !ascii_blank(txt[7])))
		return false;
	field(&txt, &next);
	for (txt = next; *txt != '\0'; txt = next) {
		n = field(&txt, &next);
		if (n < 3 || strncmp(txt, "id=", 3) != 0)
			continue; /* extensions */
		if (found || !read_id(txt + 3, n - 3, id))
			return false;
		found = true;
	}
	return found;
}

/* A domain, perhaps with "*." in front. */
static bool
is_pattern(const char *s, size_t n)
{
	size_t label = 0;

	if (n > 2 && s[0] == '*' && s[1] == '.') {
		s += 2;
		n -= 2;
	}
	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (ascii_alnum(s[i]) || s[i] == '-' || s[i] == '_') {
			label++;
		} else {
			return false;
		}
	}
	return label > 0;
}

static const char *
add_mx(struct sts_policy *p, const char *s, size_t n, unsigned *count)
{
	size_t len = strlen(p->mx);

	if (n > 0 && s[n - 1] == '.')
		n--;
	if (!is_pattern(s, n))
		return "an mx is not a domain";
	if (++*count > STS_MX_MAX || len + n + 2 > sizeof(p->mx))
		return "too many mx";
	if (len > 0)
		p->mx[len++] = ' ';
	for (size_t i = 0; i < n; i++)
		p->mx[len++] = ascii_lower(s[i]);
	p->mx[len] = '\0';
	return NULL;
}

static const char *
read_age(struct sts_policy *p, const char *s, size_t n)
{
	uint32_t v = 0;

	if (n == 0 || n > 10)
		return "max_age is not a number";
	for (size_t i = 0; i < n; i++) {
		if (!ascii_digit(s[i]))
			return "max_age is not a number";
		if (v <= STS_AGE_MAX)
			v = v * 10 + (uint32_t)(s[i] - '0');
	}
	p->max_age_s = v > STS_AGE_MAX ? STS_AGE_MAX : v;
	return NULL;
}

static const char *
read_mode(struct sts_policy *p, const char *s, size_t n)
{
	for (unsigned m = STS_NONE; m <= STS_ENFORCE; m++) {
		const char *name = sts_mode_name((enum sts_mode)m);

		if (strlen(name) == n && memcmp(s, name, n) == 0) {
			p->mode = (enum sts_mode)m;
			return NULL;
		}
	}
	return "no such mode";
}

struct seen {
	bool version, mode, age;
	unsigned mx;
};

/* "key: value".  A key that comes twice counts the first time (3.2). */
static const char *
read_line(struct sts_policy *p, struct seen *seen, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n), *value;
	size_t key, len;

	if (colon == NULL)
		return n == 0 ? NULL : "a line without a colon";
	key = (size_t)(colon - s);
	value = colon + 1;
	len = n - key - 1;
	while (len > 0 && ascii_blank(*value)) {
		value++;
		len--;
	}
	while (len > 0 && ascii_blank(value[len - 1]))
		len--;
	if (key == 7 && memcmp(s, "version", 7) == 0 && !seen->version) {
		seen->version = true;
		return len == 5 && memcmp(value, "STSv1", 5) == 0
		    ? NULL
		    : "not version STSv1";
	}
	if (key == 4 && memcmp(s, "mode", 4) == 0 && !seen->mode) {
		seen->mode = true;
		return read_mode(p, value, len);
	}
	if (key == 7 && memcmp(s, "max_age", 7) == 0 && !seen->age) {
		seen->age = true;
		return read_age(p, value, len);
	}
	if (key == 2 && memcmp(s, "mx", 2) == 0)
		return add_mx(p, value, len, &seen->mx);
	return NULL;
}

const char *
sts_read_policy(struct sts_policy *p, const char *text, size_t n)
{
	struct seen seen = { 0 };
	const char *problem, *end;
	size_t len, line;

	memset(p, 0, sizeof(*p));
	for (; n > 0; text += line, n -= line) {
		end = memchr(text, '\n', n);
		line = end != NULL ? (size_t)(end - text) + 1 : n;
		len = end != NULL ? line - 1 : line;
		if (len > 0 && text[len - 1] == '\r')
			len--;
		problem = read_line(p, &seen, text, len);
		if (problem != NULL)
			return problem;
	}
	if (!seen.version)
		return "no version";
	if (!seen.mode)
		return "no mode";
	if (!seen.age)
		return "no max_age";
	if (p->mode != STS_NONE && seen.mx == 0)
		return "no mx";
	return NULL;
}

static bool
is_one(const char *pattern, size_t n, const char *host)
{
	if (n > 2 && pattern[0] == '*') {
		host = strchr(host, '.');
		if (host == NULL)
			return false;
		pattern++;
		n--;
	}
	return strlen(host) == n && ascii_same(host, pattern, n);
}

bool
sts_lists(const char *mx, const char *host)
{
	size_t n;

	for (; *mx != '\0'; mx += n + (mx[n] == ' ')) {
		n = strcspn(mx, " ");
		if (is_one(mx, n, host))
			return true;
	}
	return false;
}

const char *
sts_mode_name(enum sts_mode mode)
{
	static const char *const names[] = {
		[STS_NONE] = "none",
		[STS_TESTING] = "testing",
		[STS_ENFORCE] = "enforce",
	};

	return names[mode];
}
