/*
 * main.c - postern-auth.
 */
#include "auth/vault.h"

int
main(int argc, char **argv)
{
	return child_main(&vault, argc, argv);
}
