/*
 * main.c - postern-smtpd: the process that talks to the world.
 */
#include "smtpd/server.h"

int
main(int argc, char **argv)
{
	return child_main(&server, argc, argv);
}
