/*
 * main.c - postern-deliver: talks SMTP to other servers; no accounts, no
 * store.
 */
#include "deliver/agent.h"

int
main(int argc, char **argv)
{
	static const struct child child = {
		.self = P_DELIVER,
		.program = "postern-deliver",
		.rights = MAY_CONNECT | MAY_BIND,
		.start = agent_start,
		.reload = agent_reload,
		.peer = agent_peer,
		.file = agent_file,
		.message = agent_message,
		.stop = agent_stop,
	};

	return child_main(&child, argc, argv);
}
