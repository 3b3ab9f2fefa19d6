/*
 * handshakes.c - see handshakes.h.
 *
 * A table of fixed size; which place a network has is told by a key of this
 * process, so that nobody can choose to share one.  When two do, the newer
 * takes it: a flood has its place again at once.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/siphash.h"
#include "smtpd/handshakes.h"

#define SLOTS     4096
#define PERIOD_MS 60000

struct slot {
	struct network network;
	double level; /* begun and not drained, at: */
	int64_t at_ms;
	int64_t told_ms; /* 0 never */
};

static struct slot slots[SLOTS];

void
network_of(struct network *n, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;

	/* The first octet is the family, so that neither looks like the
	 * other. */
	memset(n, 0, sizeof(*n));
	if (sa->sa_family == AF_INET6 &&
	    !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		n->octets[0] = 6;
		memcpy(n->octets + 1, &v6->sin6_addr, 7);
	} else if (sa->sa_family == AF_INET6) {
		n->octets[0] = 4;
		memcpy(n->octets + 1, v6->sin6_addr.s6_addr + 12, 3);
	} else if (sa->sa_family == AF_INET) {
		n->octets[0] = 4;
		memcpy(n->octets + 1, &v4->sin_addr, 3);
	}
}

static struct slot *
slot_of(const struct network *n)
{
	static uint64_t key[2];
	uint64_t out[2];

	if (key[0] == 0 && getrandom(key, sizeof(key), 0) != sizeof(key))
		fatal("getrandom: %s", strerror(errno));
	siphash(key, n->octets, sizeof(n->octets), out);
	return &slots[out[0] % SLOTS];
}

static struct slot *
find(const struct network *n)
{
	struct slot *s = slot_of(n);

	return memcmp(&s->network, n, sizeof(*n)) == 0 ? s : NULL;
}

static double
level(const struct slot *s, unsigned most, int64_t now_ms)
{
	double left = s->level - (double)(now_ms - s->at_ms) * most / PERIOD_MS;

	return left > 0 ? left : 0;
}

bool
handshakes_allowed(
    const struct network *n, unsigned most, int64_t now_ms, bool *first)
{
	struct slot *s = find(n);

	*first = false;
	if (most == 0 || s == NULL || level(s, most, now_ms) + 1 <= most)
		return true;
	*first = s->told_ms == 0 || now_ms - s->told_ms >= PERIOD_MS;
	if (*first)
		s->told_ms = now_ms;
	return false;
}

void
handshakes_begun(const struct network *n, unsigned most, int64_t now_ms)
{
	struct slot *s = slot_of(n);

	if (memcmp(&s->network, n, sizeof(*n)) != 0)
		*s = (struct slot){ .network = *n };
	s->level = level(s, most, now_ms) + 1;
	s->at_ms = now_ms;
}

void
handshakes_forgive(const struct network *n)
{
	struct slot *s = find(n);

	if (s != NULL)
		s->level = s->level > 1 ? s->level - 1 : 0;
}
