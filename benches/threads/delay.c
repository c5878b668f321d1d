/* Makes each call below take longer by TRACE_DELAY_NS, spent on the processor, as a dearer call would be. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long delay_ns;

__attribute__((constructor)) static void begin(void) {
  const char *delay = getenv("TRACE_DELAY_NS");
  delay_ns = delay ? atol(delay) : 0;
}

static void spend(void) {
  struct timespec from, now;
  if (delay_ns <= 0) return;
  clock_gettime(CLOCK_MONOTONIC, &from);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < delay_ns);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int linkat(int from, const char *path, int to, const char *new_path, int flags) {
  spend();
  return NEXT(linkat)(from, path, to, new_path, flags);
}
int link(const char *path, const char *new_path) {
  spend();
  return NEXT(link)(path, new_path);
}
int mkdir(const char *path, mode_t mode) {
  spend();
  return NEXT(mkdir)(path, mode);
}
int rename(const char *path, const char *new_path) {
  spend();
  return NEXT(rename)(path, new_path);
}
