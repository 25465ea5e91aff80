// Memory limit where no cgroup can be had: adds up what the cell's processes hold. Called every 250 ms.
#include "common.h"
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static unsigned long long of_one(pid_t pid, int exact) {
  char path[64], line[256];
  unsigned long long bytes = 0, total, resident, shared;
  snprintf(path, sizeof path, exact ? "/proc/%d/smaps_rollup" : "/proc/%d/statm", pid);
  FILE *file = fopen(path, "re");
  if (!file) return 0; // ended meanwhile
  if (!exact) {
    if (fscanf(file, "%llu %llu %llu", &total, &resident, &shared) == 3 && resident > shared)
      bytes = (resident - shared) * (unsigned long long)sysconf(_SC_PAGESIZE);
  } else {
    unsigned long long kilobytes;
    while (fgets(line, sizeof line, file))
      if (sscanf(line, "Pss_Anon: %llu", &kilobytes) == 1 || sscanf(line, "Pss_Shmem: %llu", &kilobytes) == 1) bytes += kilobytes * 1024;
  }
  fclose(file);
  return bytes;
}

static unsigned long long of_tree(pid_t pid, int exact, int depth);

// A process is listed as a child of the thread that started it.
static unsigned long long of_children(const char *tasks, const char *thread, int exact, int depth) {
  char path[400];
  snprintf(path, sizeof path, "%s/%s/children", tasks, thread);
  FILE *file = fopen(path, "re");
  if (!file) return 0; // ended meanwhile
  unsigned long long sum = 0;
  int child;
  while (fscanf(file, "%d", &child) == 1) sum += of_tree(child, exact, depth);
  fclose(file);
  return sum;
}

static unsigned long long of_tree(pid_t pid, int exact, int depth) {
  unsigned long long sum = of_one(pid, exact);
  if (depth > 200) return sum; // deeper ones are re-parented to init as soon as one of the chain ends
  char tasks[64];
  snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
  DIR *folder = opendir(tasks);
  if (!folder) return sum;
  for (struct dirent *thread; (thread = readdir(folder));)
    if (thread->d_name[0] != '.') sum += of_children(tasks, thread->d_name, exact, depth + 1);
  closedir(folder);
  return sum;
}

unsigned long long memory_held(pid_t init, unsigned long long limit) {
  unsigned long long estimate = of_tree(init, 0, 0);
  // Memory shared after a fork is counted once for each process above: ask exactly before anybody is killed for it.
  return estimate > limit ? of_tree(init, 1, 0) : estimate;
}
