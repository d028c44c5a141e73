// What stage.c and actors.c share.
#ifndef STAGE_H
#define STAGE_H

#include <sys/types.h>

enum { MIB = 1 << 20, FOREVER_MIB = 1 << 16 };

struct actor {
  char kind[8], name[16];
  long mib;
  double rate;
  int stubborn, plain, spare, late, tasks;
  pid_t pid;
};

// Where the cgroups of the actors are.
extern const char *group;

double now_ms(void);
void sleep_us(double us);
char *path(const char *form, ...);
void put(const char *file, const char *text);

// What an actor does until it is ended. Writes a byte to `ready` when it has begun, or has what it rests with; `leak` for each of three.
void act(const struct actor *actor, int ready) __attribute__((noreturn));

#endif
