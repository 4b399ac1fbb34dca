// test_endpoint.c - addresses: what a user may say, and what is refused with a reason.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"

static char root[64]; // a directory of this test alone
static char out[ENDPOINT_MAX], why[256];

static void begin(void)
{
    strcpy(root, "/tmp/mobula-endpoint-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    setenv("XDG_RUNTIME_DIR", root, 1);
    unsetenv("MOBULA_BROKER");
    out[0] = why[0] = '\0';
}

static void end(void)
{
    char path[128];
    static const char *const leaves[] = {
        "mobula/calls.sock", "mobula", "link", "file", "open", "missing"};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        snprintf(path, sizeof path, "%s/%s", root, leaves[i]);
        remove(path);
    }
    rmdir(root);
}

TestSuite(endpoint, .init = begin, .fini = end);

static const char *in_root(const char *leaf)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", root, leaf);
    return path;
}

static mob_err_t dial(const char *text, size_t index)
{
    return endpoint_dial(text, index, out, sizeof out, why, sizeof why);
}

static void dials(const char *text, const char *wanted)
{
    cr_assert_eq(dial(text, 0), MOB_OK, "%s: %s", text, why);
    cr_assert_str_eq(out, wanted);
}

static void refuses(const char *text, const char *part_of_reason)
{
    why[0] = '\0';
    cr_assert_eq(dial(text, 0), MOB_EARGS, "%s gave %s", text, out);
    cr_assert_not_null(strstr(why, part_of_reason), "%s: %s", text, why);
}

Test(endpoint, hosts_and_ports)
{
    dials("broker", "tcp://broker:7770");
    dials("broker:8000", "tcp://broker:8000");
    dials("tcp://10.0.0.1", "tcp://10.0.0.1:7770");
    dials("tcp://10.0.0.1:7770", "tcp://10.0.0.1:7770");
    dials("[::1]", "tcp://[::1]:7770");
    dials("tcp://[fe80::1%eth0]:8000", "tcp://[fe80::1%eth0]:8000");
}

Test(endpoint, paths_and_directories)
{
    dials("ipc:///run/x/calls.sock", "ipc:///run/x/calls.sock");
    dials("/run/x/calls.sock", "ipc:///run/x/calls.sock");
    dials("/nowhere/at/all", "ipc:///nowhere/at/all/calls.sock");
    dials("/nowhere/at/all/", "ipc:///nowhere/at/all/calls.sock");
    dials("./here", "ipc://./here/calls.sock");
}

Test(endpoint, what_would_bite_is_refused)
{
    refuses("udp://host:1", "transport udp://");
    refuses("inproc://x", "transport inproc://");
    refuses("ipc://@abstract", "no path");
    refuses("ipc://", "no path");
    refuses("ipc://*", "no path");
    refuses("tcp://*:7770", "no address");
    refuses("tcp://host:*", "port");
    refuses("host:0", "port");
    refuses("host:", "port");
    refuses("host:77x", "port");
    refuses("host:65534", "port");
    refuses("host:99999999999", "port");
    refuses("host;other:7770", "no address");
    refuses("a b", "no address");
    refuses("[::1", "no address");
    refuses("[]:7770", "no address");
    refuses("tcp://", "no address");
}

Test(endpoint, a_port_that_the_system_gives_to_clients_is_refused)
{
    unsigned low = 0, high = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (!file || fscanf(file, "%u %u", &low, &high) != 2 || low < 1024 || high > 65000)
        cr_skip_test("no usual range of ports here");
    fclose(file);
    cr_assert_eq(endpoint_check_port(low, why, sizeof why), MOB_EARGS);
    cr_assert_not_null(strstr(why, "range"));
    cr_assert_eq(endpoint_check_port(high, why, sizeof why), MOB_EARGS);
    cr_assert_eq(endpoint_check_port(low - 2, why, sizeof why), MOB_EARGS,
                 "its feed would lie inside");
    cr_assert_eq(endpoint_check_port(low - 3, why, sizeof why), MOB_OK);
    cr_assert_eq(endpoint_check_port(high + 1, why, sizeof why), MOB_OK);
}

Test(endpoint, a_path_has_at_most_107_bytes_with_its_siblings)
{
    char path[160] = "ipc:///";
    size_t scheme = strlen("ipc://");
    memset(path + 7, 'x', 107 - 1 - strlen("/notices.sock"));
    strcpy(path + scheme + 107 - strlen("/notices.sock"), "/calls.sock");
    dials(path, path);
    memmove(path + 8, path + 7, strlen(path + 7) + 1);
    refuses(path, "107");
}

Test(endpoint, a_list_is_tried_in_turn)
{
    cr_assert_eq(dial(" one , ,two:7000,", 0), MOB_OK);
    cr_assert_str_eq(out, "tcp://one:7770");
    cr_assert_eq(dial(" one , ,two:7000,", 1), MOB_OK);
    cr_assert_str_eq(out, "tcp://two:7000");
    cr_assert_eq(dial(" one , ,two:7000,", 2), MOB_EEND);
    cr_assert_eq(dial(",", 0), MOB_EEND);
    char big[400];
    memset(big, 'h', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    refuses(big, "longer");
}

Test(endpoint, the_environment_then_the_local_socket)
{
    setenv("MOBULA_BROKER", "first,second", 1);
    cr_assert_eq(dial(NULL, 1), MOB_OK);
    cr_assert_str_eq(out, "tcp://second:7770");
    unsetenv("MOBULA_BROKER");
    cr_assert_eq(dial(NULL, 1), MOB_EEND);
}

Test(endpoint, the_local_socket_is_in_the_runtime_directory)
{
    char wanted[128];
    mkdir(in_root("mobula"), 0700);
    fclose(fopen(in_root("mobula/calls.sock"), "w"));
    snprintf(wanted, sizeof wanted, "ipc://%s/mobula/calls.sock", root);
    dials(NULL, wanted);
    dials("ipc", wanted);
    chmod(in_root("mobula"), 0755);
    cr_assert_eq(dial(NULL, 0), MOB_EDENIED, "a directory that others can look into");
}

Test(endpoint, a_directory_is_made_for_us_alone)
{
    struct stat is;
    cr_assert_eq(endpoint_check_directory(in_root("mobula"), false, why, sizeof why), MOB_ENOTFOUND);
    cr_assert_eq(endpoint_check_directory(in_root("mobula"), true, why, sizeof why), MOB_OK);
    cr_assert_eq(lstat(in_root("mobula"), &is), 0);
    cr_assert_eq(is.st_mode & 07777, 0700);
    cr_assert_eq(endpoint_check_directory(in_root("mobula"), true, why, sizeof why), MOB_OK);
}

static void denies(const char *path, const char *part_of_reason)
{
    cr_assert_eq(endpoint_check_directory(path, true, why, sizeof why), MOB_EDENIED, "%s", path);
    cr_assert_not_null(strstr(why, part_of_reason), "%s", why);
}

Test(endpoint, a_directory_that_another_may_have_made_is_refused)
{
    char target[128];
    mkdir(in_root("open"), 0700);
    chmod(in_root("open"), 0750);
    denies(in_root("open"), "open to others");
    chmod(in_root("open"), 0700);
    strcpy(target, in_root("open"));
    cr_assert_eq(symlink(target, in_root("link")), 0);
    denies(in_root("link"), "link");
    fclose(fopen(in_root("file"), "w"));
    denies(in_root("file"), "not a directory");
    denies(in_root("no/such/parent"), "cannot make");
    if (geteuid() == 0) {
        cr_assert_eq(chown(target, 1, 1), 0);
        denies(target, "belongs to user 1");
    }
}

Test(endpoint, siblings_stand_beside_the_calls_socket)
{
    cr_assert(endpoint_sibling("ipc:///run/mobula/calls.sock", "feed", 2, out, sizeof out));
    cr_assert_str_eq(out, "ipc:///run/mobula/feed.sock");
    cr_assert(endpoint_sibling("tcp://host:7770", "notices", 1, out, sizeof out));
    cr_assert_str_eq(out, "tcp://host:7771");
    cr_assert(endpoint_sibling("tcp://[::1]:7770", "feed", 2, out, sizeof out));
    cr_assert_str_eq(out, "tcp://[::1]:7772");
    cr_assert_not(endpoint_sibling("tcp://host:*", "feed", 2, out, sizeof out));
    cr_assert_not(endpoint_sibling("tcp://host:65535", "feed", 2, out, sizeof out));
    cr_assert_not(endpoint_sibling("nothing", "feed", 2, out, sizeof out));
    cr_assert_not(endpoint_sibling("tcp://host:7770", "feed", 2, out, 5), "no room");
}
