// 01_hello.c - one task, offered and called by the same program. It needs a broker: mobula broker

#include <stdio.h>

#include <mobula/contract.h>

MOB_TASK(greet, str, (str, who)); // takes a string, gives a string

mob_err_t greet(mob_ctx_t *ctx, const char *who, const char **out)
{
    *out = mob_format(ctx, "hello, %s", who);
    return MOB_OK;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    mob_err_t err = mob_offer(m, mob_task(greet));

    const char *text = "";
    if (!err)
        err = mob_get(m, mob_run(m, greet, "world"), &text, 5000); // waits 5 s at most
    puts(err ? mob_strerror(err) : text);

    mob_close(&m);
    return mob_exit_status(err);
}
