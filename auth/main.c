/*
 * main.c - postern-auth.
 */
#include "auth/vault.h"

int
main(int argc, char **argv)
{
	int status = child_main(&vault, argc, argv);

	return vault_again() ? CHILD_AGAIN : status;
}
