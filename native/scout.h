// anchorhold-scout: finds names that matter below writable roots, fast, and then watches for them. Never follows a link.
// Spoken to by src/workspace/scout.ts; the name tables are data of src/workspace/*-names.ts.
#ifndef ANCHORHOLD_SCOUT_H
#define ANCHORHOLD_SCOUT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NONE UINT32_MAX
#define MAX_SEGMENTS 24
#define NAME_BYTES 256

// What a match is, where it is not a pattern of the table: parts of a git-dir, found by shape.
enum special { GIT_CONFIG = 60001, GIT_HOOKS, GIT_WORKTREE_CONFIG, GIT_LINK, GIT_COMMONDIR, GIT_DIR, UNREADABLE = 60008, GIT_HOOK, GIT_INNER_LINK, GIT_TODO };

enum kind { PLAIN, GITDIR, WORKTREES, HOOKS, SEQUENCE };
#define MAX_IDS 1024
enum node_flag { IN_DEPENDENCY = 1, HAS_GIT = 2, FREED = 4, SEEN = 8, IS_ROOT = 16, NO_ACCESS = 32, READS_WRITES = 64 };

struct pattern { uint32_t id; char flags[8]; bool floating; int count; char *segment[MAX_SEGMENTS]; bool wild[MAX_SEGMENTS]; };

struct node {
  uint32_t parent, name, child, next; // indexes into nodes / bytes into names
  uint32_t states;                    // offset into the state pool, NONE when not computed
  uint32_t match, matches;            // first match (linked), count
  uint16_t root;
  uint8_t kind, flags;
  int32_t wd;
  uint64_t ino, dev;
  int64_t ctime; // ns; 0 = always read again
};
struct match { uint32_t next, name, id; char type; uint8_t note; uint64_t ino; int64_t ctime; };

struct root { char *path, *index; int fd; uint32_t node; uint64_t dev, ino; bool changed; };

struct scout {
  struct pattern *patterns; uint32_t pattern_count;
  struct root *roots; uint32_t root_count;
  struct node *nodes; uint32_t node_count, node_room, free_node;
  struct match *matches; uint32_t match_count, match_room, free_match;
  char *names; size_t names_used, names_room;
  uint32_t *states; uint32_t states_used, states_room;
  uint32_t *stepped, stepped_room;
  uint32_t *buckets; uint32_t *bucket_next; uint32_t *wild_list; uint32_t wild_count;
  uint64_t table_hash;
  int inotify; bool watching; bool watch_failed; bool unlock; bool sweep;
  uint32_t *by_wd; uint32_t by_wd_room;
  uint64_t folders_read, folders_known;
  char report; // letter of the records that a newly found match prints: 'M' or 'A', 0 for silence
};

// scout-match.c
void add_pattern(struct scout *s, const char *record);
void finish_patterns(struct scout *s);
size_t fold_name(const char *name, char *out);
uint32_t states_of(struct scout *s, uint32_t node);
// Collects the ids of the patterns that end at this name; returns the states of the child folder.
uint32_t step(struct scout *s, uint32_t node, const char *folded, char type, bool want_states, uint32_t *ids, uint32_t *id_count);
bool is_dependency_folder(const char *folded);
bool is_judged(struct scout *s, const uint32_t *ids, uint32_t count);

// scout-tree.c
void *grow(void *memory, size_t size);
uint32_t add_name(struct scout *s, const char *name);
uint32_t add_node(struct scout *s, uint32_t parent, const char *name);
void drop_children(struct scout *s, uint32_t node);
void drop_node(struct scout *s, uint32_t node);
void drop_matches(struct scout *s, uint32_t node);
uint32_t find_child(struct scout *s, uint32_t node, const char *name);
char *node_path(struct scout *s, uint32_t node, const char *leaf);
int open_below(int root, const char *path, int flags);
int open_node(struct scout *s, uint32_t node);
int open_root(const struct scout *s, const char *path);
int64_t now_ns(void);

// scout-walk.c
void walk(struct scout *s, uint32_t node);
void read_folder(struct scout *s, uint32_t node);
void evaluate_name(struct scout *s, uint32_t node, int fd, const char *name, char type, uint64_t ino);
void print_match(struct scout *s, char letter, uint32_t node, const struct match *match);
char type_letter(mode_t mode);
uint8_t config_note(int folder, const char *name, int64_t *ctime);
void set_watch(struct scout *s, uint32_t node, int fd);
void add_watch(struct scout *s, uint32_t node, const char *path);

// scout-index.c
bool load_index(struct scout *s, uint32_t root);
void save_index(struct scout *s, uint32_t root);
/// Compares every known folder with the disk, reads again what changed.
void revalidate(struct scout *s, uint32_t root);
void reread(struct scout *s, uint32_t node);

// scout-watch.c
int watch_loop(struct scout *s);

// scout-move.c
int move_below(int top, const char *from, const char *to_folder, const char *to_name, char *message, size_t room);
int restore_below(const char *kept_folder, const char *kept_name, int top, const char *to, char *message, size_t room);

// scout-out.c
void out_record(const char *text);
void out_bytes(const void *bytes, size_t size);
void out_flush(void);
_Noreturn void die(const char *what);
#endif
