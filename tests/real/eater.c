// eater NAME [stubborn]: a process of that name that takes memory when it is told to; a stubborn one ignores SIGTERM. Says "ready",
// and then does what each line of its input says:
//
//   take MIB RATE   touches MIB more, at RATE MiB/s or, for 0, at once. Says "MIB US" after every 32 MiB (how much, after how many
//                   microseconds), and "took" at the end.
//
// Ends with its input, with its parent, and by itself after ten minutes.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, PAGE = 4096, TELL_MIB = 32, LIFE_S = 600 };

// What a late eater makes up for: beyond that it goes on at its rate from where it is, and does not burst.
static const double LATE_US = 5000;

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void sleep_until(double us) {
  struct timespec until = {(time_t)(us / 1e6), 0};
  until.tv_nsec = (long)((us - until.tv_sec * 1e6) * 1e3);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void take(long mib, double rate) {
  char *memory = mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    exit(3);
  }
  double began = now_us(), due = began;
  for (long taken = 0; taken < mib;) {
    for (long at = 0; at < MIB; at += PAGE) memory[taken * MIB + at] = 1;
    taken += 1;
    if (taken % TELL_MIB == 0) printf("%ld %.0f\n", taken, now_us() - began);
    if (rate <= 0) continue;
    due += 1e6 / rate;
    double now = now_us();
    if (now < due) sleep_until(due);
    else if (now > due + LATE_US) due = now - LATE_US;
  }
  printf("took\n");
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Sleeps of 0.4 ms are to be 0.4 ms long.
  prctl(PR_SET_TIMERSLACK, 1);
  prctl(PR_SET_NAME, arguments[1]);
  if (count > 2 && !strcmp(arguments[2], "stubborn")) signal(SIGTERM, SIG_IGN);
  alarm(LIFE_S);
  setlinebuf(stdout);
  puts("ready");
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    long mib;
    double rate;
    if (sscanf(line, "take %ld %lf", &mib, &rate) == 2) take(mib, rate);
  }
  return 0;
}
