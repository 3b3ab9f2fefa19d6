/*
 * main.c - postern-auth.
 */
#include "auth/scrub.h"
#include "auth/vault.h"

int
main(int argc, char **argv)
{
	int status;

	scrub_install();
	status = child_main(&vault, argc, argv);

	return vault_again() ? CHILD_AGAIN : status;
}
