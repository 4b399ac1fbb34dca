// worker.c - the host of @NAME@: start it, and its tasks and actors can be called.

#include "@NAME@.contract.h"

int main(int argc, char **argv)
{
    return mob_main(argc, argv, mob_task(hello), mob_actor(counter, COUNTER));
}
