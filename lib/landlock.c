/*
 * landlock.c - see landlock.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/landlock.h"
#include "lib/log.h"
#include "lib/sandbox.h"

/* Younger than the headers we build with. */
#define FS_TRUNCATE     (UINT64_C(1) << 14)
#define NET_BIND_TCP    (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT  (UINT64_C(1) << 0)
#define SCOPE_SIGNAL    (UINT64_C(1) << 1)
#define RULE_NET_PORT   2

/* struct landlock_ruleset_attr as the newest kernel knows it; an older one
 * takes the beginning of it. */
struct ruleset {
	uint64_t fs, net, scope;
};

struct net_rule {
	uint64_t access, port;
};

/* Making and using files and folders: no devices, no sockets, no programs. */
#define FS_OWN \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | \
	    FS_TRUNCATE)

/* clang-format off */
static const struct version {
	uint64_t fs; /* rights that this version can take away */
	uint64_t net, scope;
	size_t size; /* of the ruleset */
} versions[] = {
	{ (UINT64_C(1) << 13) - 1, 0, 0,                               8 },
	{ (UINT64_C(1) << 14) - 1, 0, 0,                               8 },
	{ (UINT64_C(1) << 15) - 1, 0, 0,                               8 },
	{ (UINT64_C(1) << 15) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0, 16 },
	{ (UINT64_C(1) << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0, 16 },
	{ (UINT64_C(1) << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP,
	  SCOPE_ABSTRACT | SCOPE_SIGNAL,                              24 },
};
/* clang-format on */

#define VERSIONS ((long)(sizeof(versions) / sizeof(versions[0])))

static void
add_rule(int set, int type, const void *rule)
{
	if (syscall(SYS_landlock_add_rule, set, type, rule, 0) == -1)
		fatal("landlock: %s", strerror(errno));
}

static void
allow_here(int set, uint64_t access)
{
	int fd = open(".", O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { access, fd };

	if (fd == -1)
		fatal("landlock: %s", strerror(errno));
	add_rule(set, LANDLOCK_RULE_PATH_BENEATH, &rule);
	close(fd);
}

int
landlock_enter(unsigned rights)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	const struct version *v;
	struct ruleset rules;
	int set;

	if (version < 1)
		return 0;
	v = &versions[(version > VERSIONS ? VERSIONS : version) - 1];
	rules = (struct ruleset){ v->fs, v->net, v->scope };
	if ((rights & MAY_CONNECT) != 0)
		rules.net &= ~NET_CONNECT_TCP;
	set = (int)syscall(SYS_landlock_create_ruleset, &rules, v->size, 0);
	if (set == -1)
		fatal("landlock: %s", strerror(errno));
	if ((rights & MAY_FILES) != 0)
		allow_here(set, FS_OWN & v->fs);
	if ((rights & MAY_BIND) != 0 && (rules.net & NET_BIND_TCP) != 0)
		add_rule(
		    set, RULE_NET_PORT, &(struct net_rule){ NET_BIND_TCP, 0 });
	if (syscall(SYS_landlock_restrict_self, set, 0) == -1)
		fatal("landlock: %s", strerror(errno));
	close(set);
	return (int)version;
}
