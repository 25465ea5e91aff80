// Memory limit where no cgroup can be had: adds up what the cell's processes hold. Called every 250 ms.
// What a file system or an IPC namespace holds for them is in cell-shared.c.
#include "common.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Pages of its own; `shared` receives those that may be others' too. Memory shared after a fork counts once for each process.
static unsigned long long quick_look(pid_t pid, unsigned long long *shared) {
  char path[64], line[256];
  unsigned long long own = 0, kilobytes;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "re");
  if (!file) return 0; // ended meanwhile
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "RssAnon: %llu", &kilobytes) == 1) own = kilobytes * 1024;
    else if (sscanf(line, "RssShmem: %llu", &kilobytes) == 1) *shared += kilobytes * 1024;
    else if (sscanf(line, "VmSwap: %llu", &kilobytes) == 1) own += kilobytes * 1024;
  }
  fclose(file);
  return own;
}

static unsigned long long exact_look(pid_t pid) {
  char path[64], line[256];
  unsigned long long bytes = 0, kilobytes;
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  FILE *file = fopen(path, "re");
  if (!file) return 0; // ended meanwhile
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "Pss_Anon: %llu", &kilobytes) == 1 || sscanf(line, "SwapPss: %llu", &kilobytes) == 1) bytes += kilobytes * 1024;
  fclose(file);
  return bytes;
}

struct look {
  int exact;
  unsigned long long own, shared;
};

static void look_at_tree(struct look *look, pid_t pid, int depth);

// A process is listed as a child of the thread that started it.
static void look_at_children(struct look *look, const char *tasks, const char *thread, int depth) {
  char path[400];
  snprintf(path, sizeof path, "%s/%s/children", tasks, thread);
  FILE *file = fopen(path, "re");
  if (!file) return; // ended meanwhile
  int child;
  while (fscanf(file, "%d", &child) == 1) look_at_tree(look, child, depth);
  fclose(file);
}

static void look_at_tree(struct look *look, pid_t pid, int depth) {
  look->own += look->exact ? exact_look(pid) : quick_look(pid, &look->shared);
  if (look->exact) look->shared += shared_mapped(pid);
  shared_opened(pid);
  if (depth > 200) return; // deeper ones are re-parented to init as soon as one of the chain ends
  char tasks[64];
  snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
  DIR *folder = opendir(tasks);
  if (!folder) return;
  for (struct dirent *thread; (thread = readdir(folder));)
    if (thread->d_name[0] != '.') look_at_children(look, tasks, thread->d_name, depth + 1);
  closedir(folder);
}

static unsigned long long look_around(pid_t init, int exact) {
  struct look look = {.exact = exact};
  shared_begin();
  look_at_tree(&look, init, 0);
  return look.own + look.shared + shared_held();
}

unsigned long long memory_held(pid_t init, unsigned long long limit) {
  unsigned long long estimate = look_around(init, 0);
  // The estimate counts some pages more than once: ask exactly before anybody is killed for it.
  return estimate > limit ? look_around(init, 1) : estimate;
}
