// main.c - a caller of @NAME@.

#include <inttypes.h>
#include <stdio.h>

#include "@NAME@.contract.h"

int main(void)
{
    mob_t *m = mob_connect(NULL);
    const char *text = "";
    int64_t value = 0;

    mob_ref_str greeting = mob_run(m, hello, "world");
    mob_err_t err = mob_get(m, greeting, &text, 5000);
    printf("%s\n", err ? mob_reason(m, greeting.ref) : text);

    counter_h hits = mob_new(m, counter, 10);
    mob_tell(m, hits, counter_add, 5);
    mob_ref_i64 total = mob_call(m, hits, counter_value);
    if (!err)
        err = mob_get(m, total, &value, 5000);
    printf("%" PRId64 "\n", value);

    mob_close(&m);
    return mob_exit_status(err);
}
