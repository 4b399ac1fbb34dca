// Where a broker may listen: directories, locks, addresses, ports.

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"

static char directory[64], address[128], why[512];
static void *zmq;
static gate_t gate;

static void set_up(void)
{
    strcpy(directory, "/tmp/mobula-test-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(address, sizeof address, "ipc://%s/calls.sock", directory);
    zmq = zmq_ctx_new();
    gate = GATE_INIT;
    why[0] = '\0';
}

static void tear_down(void)
{
    char lock[128];
    gate_close(&gate, true);
    zmq_ctx_term(zmq);
    snprintf(lock, sizeof lock, "%s/broker.lock", directory);
    unlink(lock);
    rmdir(directory);
}

TestSuite(gate, .init = set_up, .fini = tear_down, .timeout = 10);

static mob_err_t try(const char *text, unsigned insecure)
{
    mob_err_t err = gate_open(&gate, zmq, text, insecure, why, sizeof why);
    if (err != MOB_OK)
        cr_expect_gt(strlen(why), 10, "%s was refused without a sentence", text);
    return err;
}

static void expect_refused(const char *text, unsigned insecure, const char *word)
{
    cr_expect_eq(try(text, insecure), MOB_EARGS, "%s", text);
    cr_expect_not_null(strstr(why, word), "%s: \"%s\" does not say %s", text, why, word);
}

static bool exists(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

Test(gate, ipc_has_three_sockets_for_nobody_else)
{
    struct stat status;
    cr_assert_eq(try(address, INSECURE_NO), MOB_OK, "%s", why);
    cr_expect_str_eq(gate.addresses[SOCKET_CALLS], address);
    cr_expect(exists("calls.sock") && exists("notices.sock") && exists("feed.sock"));
    cr_expect_eq(stat(address + strlen("ipc://"), &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    gate_close(&gate, true);
    cr_expect(!exists("calls.sock") && !exists("notices.sock") && !exists("feed.sock"));
}

Test(gate, a_second_broker_is_told_of_the_first)
{
    gate_t second;
    char pid[32];
    cr_assert_eq(try(address, INSECURE_NO), MOB_OK);
    cr_expect_eq(gate_open(&second, zmq, address, INSECURE_NO, why, sizeof why), MOB_EDENIED);
    snprintf(pid, sizeof pid, "pid %d", (int)getpid());
    cr_expect_not_null(strstr(why, pid), "%s", why);
    cr_expect(exists("calls.sock"), "the first one's socket is still there");
    gate_close(&gate, true);
    cr_expect_eq(try(address, INSECURE_NO), MOB_OK, "%s", why);
}

Test(gate, a_socket_left_by_a_dead_broker_is_taken_over)
{
    FILE *left = fopen(address + strlen("ipc://"), "w");
    fclose(left);
    cr_expect_eq(try(address, INSECURE_NO), MOB_OK, "%s", why);
}

Test(gate, a_directory_open_to_others_is_refused)
{
    chmod(directory, 0755);
    cr_expect_eq(try(address, INSECURE_NO), MOB_EDENIED);
}

Test(gate, a_path_above_107_bytes_is_refused)
{
    char path[256];
    snprintf(path, sizeof path, "ipc:///tmp/%0*d/calls.sock", 90, 0);
    cr_assert_eq(strlen(path + strlen("ipc://")), 106); // and notices.sock is two longer
    expect_refused(path, INSECURE_NO, "107");
}

Test(gate, other_addresses_are_refused)
{
    expect_refused("ipc://@mobula", INSECURE_NO, "from the root");
    expect_refused("ipc://run/calls.sock", INSECURE_NO, "from the root");
    expect_refused("ipc:///run/mobula/", INSECURE_NO, "from the root");
    expect_refused("ipc:///run/mobula/notices.sock", INSECURE_NO, "notices");
    expect_refused("inproc://calls", INSECURE_NO, "tcp");
    expect_refused("udp://127.0.0.1:7770", INSECURE_NO, "tcp");
    expect_refused("", INSECURE_NO, "tcp");
}

Test(gate, tcp_without_keys_wants_insecure)
{
    expect_refused("tcp://127.0.0.1:*", INSECURE_NO, "--insecure");
    cr_expect_eq(try("tcp://127.0.0.1:*", INSECURE_LOOPBACK), MOB_OK, "%s", why);
}

Test(gate, tcp_siblings_are_the_next_two_ports)
{
    int ports[SOCKET_KINDS];
    cr_assert_eq(try("tcp://localhost:*", INSECURE_LOOPBACK), MOB_OK, "%s", why);
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        cr_assert_eq(sscanf(gate.addresses[kind], "tcp://127.0.0.1:%d", &ports[kind]), 1, "%s",
                     gate.addresses[kind]);
    cr_expect_eq(ports[SOCKET_NOTICES], ports[SOCKET_CALLS] + 1);
    cr_expect_eq(ports[SOCKET_FEED], ports[SOCKET_CALLS] + 2);
}

Test(gate, insecure_reaches_loopback_alone_or_private_networks)
{
    expect_refused("tcp://10.1.2.3:7770", INSECURE_LOOPBACK, "private-network");
    expect_refused("tcp://192.168.0.1:7770", INSECURE_LOOPBACK, "private-network");
    expect_refused("tcp://8.8.8.8:7770", INSECURE_LOOPBACK, "loopback");
    expect_refused("tcp://8.8.8.8:7770", INSECURE_PRIVATE, "private");
    expect_refused("tcp://172.32.0.1:7770", INSECURE_PRIVATE, "private");
    expect_refused("tcp://[2001:db8::1]:7770", INSECURE_PRIVATE, "private");
    expect_refused("tcp://example.org:7770", INSECURE_PRIVATE, "numbers");
}

Test(gate, ports_of_the_ephemeral_range_are_refused)
{
    expect_refused("tcp://127.0.0.1:40000", INSECURE_LOOPBACK, "40000");
    expect_refused("tcp://127.0.0.1:32767", INSECURE_LOOPBACK, "32767"); // its siblings are within
}

Test(gate, broken_tcp_addresses_are_refused)
{
    const char *const broken[] = {"tcp://",           "tcp://127.0.0.1",    "tcp://127.0.0.1:",
                                  "tcp://:7770",      "tcp://127.0.0.1:x",  "tcp://127.0.0.1:-1",
                                  "tcp://[]:7770",    "tcp://127.0.0.1:7x", "tcp://127.0.0.1:65535",
                                  "tcp://[::1]:99999"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        expect_refused(broken[i], INSECURE_LOOPBACK, "tcp://");
}
