/*
 * source.c - see source.h.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "smtpd/source.h"

struct source {
	uint8_t key[16];
	unsigned count;
	bool told;
	UT_hash_handle hh;
};

static struct source *sources;

static void
key_of(const struct sockaddr *sa, uint8_t key[16])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	memset(key, 0, 16);
	if (sa->sa_family == AF_INET)
		memcpy(
		    key + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	else if (sa->sa_family == AF_INET6) {
		memcpy(key, &v6->sin6_addr, 16);
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			memset(key, 0, 12);
		else
			memset(key + 8, 0, 8);
	}
}

struct source *
source_enter(const struct sockaddr *sa, unsigned most, bool *first)
{
	struct source *src;
	uint8_t key[16];

	*first = false;
	key_of(sa, key);
	HASH_FIND(hh, sources, key, sizeof(key), src);
	if (src == NULL) {
		src = calloc(1, sizeof(*src));
		if (src == NULL)
			abort();
		memcpy(src->key, key, sizeof(key));
		HASH_ADD(hh, sources, key, sizeof(key), src);
	}
	if (src->count >= most) {
		*first = !src->told;
		src->told = true;
		return NULL;
	}
	src->count++;
	return src;
}

void
source_leave(struct source *src)
{
	if (--src->count > 0)
		return;
	HASH_DEL(sources, src);
	free(src);
}
