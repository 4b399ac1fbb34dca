// 08_loop.c - a program with an event loop of its own: epoll watches its descriptors and that of the library,
// nothing waits anywhere else.

#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <mobula/contract.h>

MOB_TASK(square, i64, (i64, n));

mob_err_t square(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n * n;
    return MOB_OK;
}

enum { JOBS = 5 };

typedef struct loop {
    int epoll, ticks;
    int64_t begun, done, sum;
} loop_t;

static void when_done(mob_t *m, mob_ref_t ref, void *arg)
{
    loop_t *loop = arg;
    int64_t value = 0;
    if (mob_get(m, mob_as(i64, ref), &value, 0) == MOB_OK) // it is here
        loop->sum += value;
    loop->done++;
    mob_drop(m, ref);
}

// Something of the program's own: now and then there is a job.
static void on_tick(loop_t *loop, mob_t *m)
{
    uint64_t count;
    if (read(loop->ticks, &count, sizeof count) == sizeof count && loop->begun < JOBS)
        mob_then(m, mob_run(m, square, ++loop->begun).ref, when_done, loop);
}

static bool watch(const loop_t *loop, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_loop(loop_t *loop, mob_t *m)
{
    const struct itimerspec often = {{0, 2000000}, {0, 2000000}};
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->ticks = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return timerfd_settime(loop->ticks, 0, &often, NULL) == 0 && watch(loop, loop->ticks) &&
           watch(loop, mob_fd(m));
}

static mob_err_t turn(loop_t *loop, mob_t *m)
{
    struct epoll_event events[4];
    int count = epoll_wait(loop->epoll, events, 4, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == loop->ticks)
            on_tick(loop, m);
        else
            mob_step(m, 0); // calls when_done() for whatever has come
    }
    return count < 0 ? MOB_EINTERNAL : MOB_OK;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    loop_t loop = {.epoll = -1, .ticks = -1};
    mob_err_t err = mob_offer(m, mob_task(square));
    if (!err && !open_loop(&loop, m))
        err = MOB_EINTERNAL;
    while (!err && loop.done < JOBS)
        err = turn(&loop, m);
    printf("%" PRId64 " jobs, sum of squares %" PRId64 "\n", loop.done, loop.sum);
    close(loop.ticks);
    close(loop.epoll);
    mob_close(&m);
    return mob_exit_status(err);
}
