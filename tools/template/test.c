// test.c - the bodies of @NAME@ without a broker.

#include <assert.h>

#include "@NAME@.contract.h"

int main(void)
{
    counter_t self = {0};
    int64_t out = 0;
    mob_err_t err = counter_init(NULL, &self, 10);
    assert(err == MOB_OK);
    err = counter_add(NULL, &self, 5, &out);
    assert(err == MOB_OK && out == 15);
    err = counter_value(NULL, &self, &out);
    assert(err == MOB_OK && out == 15);
    return err != MOB_OK;
}
