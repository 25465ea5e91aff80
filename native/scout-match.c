// Which names match: gitignore-like patterns over folded names, as a small state machine that follows the walk.
#include "scout.h"
#include <stdlib.h>
#include <string.h>

// Case-folding file systems take these for letters or for nothing (CVE-2014-9390; Unicode CaseFolding.txt with its full foldings, and
// Default_Ignorable_Code_Point of DerivedCoreProperties.txt, as ext4 and f2fs fold names).
static const struct { uint32_t first, last; const char *as; } look_alikes[] = {
  {0xAD, 0xAD, ""}, {0x17F, 0x17F, "s"}, {0x34F, 0x34F, ""}, {0x61C, 0x61C, ""}, {0x115F, 0x1160, ""}, {0x17B4, 0x17B5, ""}, {0x180B, 0x180F, ""},
  {0x200B, 0x200F, ""}, {0x202A, 0x202E, ""}, {0x2060, 0x206F, ""}, {0x212A, 0x212A, "k"}, {0x3164, 0x3164, ""},
  {0xFB00, 0xFB00, "ff"}, {0xFB01, 0xFB01, "fi"}, {0xFB02, 0xFB02, "fl"}, {0xFB03, 0xFB03, "ffi"}, {0xFB04, 0xFB04, "ffl"}, {0xFB05, 0xFB06, "st"},
  {0xFE00, 0xFE0F, ""}, {0xFEFF, 0xFEFF, ""}, {0xFFA0, 0xFFA0, ""}, {0xFFF0, 0xFFF8, ""}, {0x1BCA0, 0x1BCA3, ""}, {0x1D173, 0x1D17A, ""}, {0xE0000, 0xE0FFF, ""},
};

/// Bytes of the sequence that starts here; 1 where it is none.
static size_t code_point(const unsigned char *p, uint32_t *code) {
  size_t size = *p >= 0xF0 && *p < 0xF8 ? 4 : *p >= 0xE0 ? 3 : *p >= 0xC0 ? 2 : 1;
  *code = size == 4 ? *p & 7u : size == 3 ? *p & 15u : *p & 31u;
  for (size_t i = 1; i < size; i++) {
    if ((p[i] & 0xC0) != 0x80) { *code = 0; return 1; }
    *code = *code << 6 | (p[i] & 63u);
  }
  if (size == 1) *code = 0;
  return size;
}

size_t fold_name(const char *name, char *out) {
  size_t n = 0;
  for (const unsigned char *p = (const unsigned char *)name; *p != 0 && n < NAME_BYTES - 1;) {
    if (*p < 0x80) {
      out[n++] = (*p >= 'A' && *p <= 'Z') ? (char)(*p + 32) : (char)*p;
      p++;
      continue;
    }
    uint32_t code = 0;
    size_t used = code_point(p, &code);
    const char *as = NULL;
    for (size_t i = 0; i < sizeof look_alikes / sizeof *look_alikes && as == NULL; i++)
      if (code >= look_alikes[i].first && code <= look_alikes[i].last) as = look_alikes[i].as;
    if (as != NULL) for (; *as != 0 && n < NAME_BYTES - 1; as++) out[n++] = *as;
    else for (size_t i = 0; i < used && n < NAME_BYTES - 1; i++) out[n++] = (char)p[i];
    p += used;
  }
  while (n > 1 && (out[n - 1] == '.' || out[n - 1] == ' ')) n--; // FAT and NTFS drop these
  out[n] = 0;
  return n;
}

bool is_dependency_folder(const char *folded) {
  return strcmp(folded, "node_modules") == 0 || strcmp(folded, "site-packages") == 0 || strcmp(folded, "bower_components") == 0;
}

static bool wild_match(const char *pattern, const char *text) {
  const char *star = NULL, *back = NULL;
  while (*text != 0) {
    bool ok = false;
    size_t used = 1;
    if (*pattern == '*') { star = pattern++; back = text; continue; }
    if (*pattern == '?') ok = true;
    else if (*pattern == '[') {
      const char *p = pattern + 1;
      bool invert = *p == '!' || *p == '^', hit = false;
      if (invert) p++;
      for (bool first = true; *p != 0 && (first || *p != ']'); first = false, p++) {
        if (p[1] == '-' && p[2] != 0 && p[2] != ']') { if ((unsigned char)*text >= (unsigned char)p[0] && (unsigned char)*text <= (unsigned char)p[2]) hit = true; p += 2; }
        else if (*p == *text) hit = true;
      }
      if (*p == ']') { ok = hit != invert; used = (size_t)(p - pattern) + 1; }
      else ok = *text == '[';
    } else {
      const char *literal = *pattern == '\\' && pattern[1] != 0 ? pattern + 1 : pattern;
      ok = *literal != 0 && *literal == *text;
      used = (size_t)(literal - pattern) + 1;
    }
    if (ok) { pattern += used; text++; continue; }
    if (star == NULL) return false;
    pattern = star + 1;
    text = ++back;
  }
  while (*pattern == '*') pattern++;
  return *pattern == 0;
}

static uint32_t hash_text(const char *text) {
  uint32_t h = 2166136261u;
  for (; *text != 0; text++) h = (h ^ (unsigned char)*text) * 16777619u;
  return h;
}

/// Record: id ':' flags ':' glob. Flags: f or d (only files, only folders), r (only at the top of a repository), n (also below dependency folders).
void add_pattern(struct scout *s, const char *record) {
  for (const char *p = record; *p != 0; p++) s->table_hash = (s->table_hash ^ (unsigned char)*p) * 1099511628211u;
  s->table_hash = (s->table_hash ^ 0xff) * 1099511628211u;
  s->patterns = grow(s->patterns, (s->pattern_count + 1) * sizeof *s->patterns);
  struct pattern *p = &s->patterns[s->pattern_count++];
  memset(p, 0, sizeof *p);
  char *rest = NULL;
  p->id = (uint32_t)strtoul(record, &rest, 10);
  if (*rest != ':') die("a pattern without flags");
  const char *end = strchr(rest + 1, ':');
  if (end == NULL || end - rest - 1 >= (long)sizeof p->flags) die("a pattern without text");
  memcpy(p->flags, rest + 1, (size_t)(end - rest - 1));
  char *copy = strdup(end + 1), *save = NULL;
  if (copy == NULL) die("out of memory");
  for (char *part = strtok_r(copy, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
    if (p->count == MAX_SEGMENTS) die("a pattern with too many parts");
    char *folded = malloc(strlen(part) + NAME_BYTES);
    if (folded == NULL) die("out of memory");
    fold_name(part, folded);
    p->wild[p->count] = strpbrk(part, "*?[\\") != NULL;
    if (strcmp(part, "**") == 0) strcpy(folded, "**");
    p->segment[p->count++] = folded;
  }
  free(copy);
  if (p->count == 0) die("an empty pattern");
  p->floating = p->count > 1 && strcmp(p->segment[0], "**") == 0 && strcmp(p->segment[1], "**") != 0;
}

#define BUCKETS 1024
void finish_patterns(struct scout *s) {
  s->buckets = malloc(BUCKETS * sizeof *s->buckets);
  s->bucket_next = calloc(s->pattern_count + 1, sizeof *s->bucket_next);
  s->wild_list = calloc(s->pattern_count + 1, sizeof *s->wild_list);
  if (s->buckets == NULL || s->bucket_next == NULL || s->wild_list == NULL) die("out of memory");
  for (int i = 0; i < BUCKETS; i++) s->buckets[i] = NONE;
  for (uint32_t i = 0; i < s->pattern_count; i++) {
    struct pattern *p = &s->patterns[i];
    if (!p->floating) continue;
    if (p->wild[1]) { s->wild_list[s->wild_count++] = i; continue; }
    uint32_t bucket = hash_text(p->segment[1]) % BUCKETS;
    s->bucket_next[i] = s->buckets[bucket];
    s->buckets[bucket] = i;
  }
}

struct stepping { struct scout *s; const char *folded; char type; uint32_t count; uint32_t *ids; uint32_t *id_count; };

static void keep(struct stepping *t, uint32_t item) {
  struct scout *s = t->s;
  for (uint32_t i = 0; i < t->count; i++) if (s->stepped[i] == item) return;
  if (t->count == s->stepped_room) { s->stepped_room = s->stepped_room * 2 + 256; s->stepped = grow(s->stepped, s->stepped_room * sizeof *s->stepped); }
  s->stepped[t->count++] = item;
}

static void advance(struct stepping *t, uint32_t index, int at) {
  struct pattern *p = &t->s->patterns[index];
  while (at < p->count && strcmp(p->segment[at], "**") == 0) { keep(t, index << 8 | (uint32_t)at); at++; }
  if (at == p->count) return;
  if (p->wild[at] ? !wild_match(p->segment[at], t->folded) : strcmp(p->segment[at], t->folded) != 0) return;
  if (at < p->count - 1) { keep(t, index << 8 | (uint32_t)(at + 1)); return; }
  if (strchr(p->flags, 'd') != NULL && t->type != 'd' && t->type != 'l') return;
  if (strchr(p->flags, 'f') != NULL && t->type == 'd') return;
  if (*t->id_count < MAX_IDS) t->ids[(*t->id_count)++] = p->id;
}

static void advance_floating(struct stepping *t, uint32_t index, uint8_t flags) {
  struct pattern *p = &t->s->patterns[index];
  if ((flags & IN_DEPENDENCY) != 0 && strchr(p->flags, 'n') == NULL) return;
  if (strchr(p->flags, 'r') != NULL && (flags & (HAS_GIT | IS_ROOT)) == 0) return;
  advance(t, index, 1);
}

uint32_t step(struct scout *s, uint32_t node, const char *folded, char type, bool want_states, uint32_t *ids, uint32_t *id_count) {
  struct stepping t = {.s = s, .folded = folded, .type = type, .ids = ids, .id_count = id_count};
  uint32_t states = states_of(s, node);
  uint8_t flags = s->nodes[node].flags;
  for (uint32_t i = s->buckets[hash_text(folded) % BUCKETS]; i != NONE; i = s->bucket_next[i])
    if (strcmp(s->patterns[i].segment[1], folded) == 0) advance_floating(&t, i, flags);
  for (uint32_t i = 0; i < s->wild_count; i++) {
    const char *segment = s->patterns[s->wild_list[i]].segment[1];
    if (segment[0] != '*' && segment[0] != '?' && segment[0] != '[' && segment[0] != '\\' && segment[0] != folded[0]) continue;
    advance_floating(&t, s->wild_list[i], flags);
  }
  if (s->states[states] > 0)
    for (uint32_t i = 1, n = s->states[states]; i <= n; i++) advance(&t, s->states[states + i] >> 8, (int)(s->states[states + i] & 0xff));
  if (!want_states) return NONE;
  if (t.count == 0) return 0;
  if (s->states_used + t.count + 1 > s->states_room) {
    s->states_room = (s->states_used + t.count + 1) * 2;
    s->states = grow(s->states, s->states_room * sizeof *s->states);
  }
  uint32_t at = s->states_used;
  s->states[at] = t.count;
  memcpy(&s->states[at + 1], s->stepped, t.count * sizeof *s->stepped);
  s->states_used += t.count + 1;
  return at;
}

/// The states of a folder; computed from its ancestors where it came from the index. Offset 0 is the empty set.
uint32_t states_of(struct scout *s, uint32_t node) {
  uint32_t chain[64], depth = 0, at = node;
  while (s->nodes[at].states == NONE) {
    uint32_t parent = s->nodes[at].parent;
    if (parent == NONE) {
      uint32_t anchored = 0;
      for (uint32_t i = 0; i < s->pattern_count; i++) anchored += !s->patterns[i].floating;
      if (s->states_used + anchored + 1 > s->states_room) {
        s->states_room = (s->states_used + anchored + 1) * 2;
        s->states = grow(s->states, s->states_room * sizeof *s->states);
      }
      s->nodes[at].states = s->states_used;
      s->states[s->states_used++] = anchored;
      for (uint32_t i = 0; i < s->pattern_count; i++) if (!s->patterns[i].floating) s->states[s->states_used++] = i << 8;
      break;
    }
    if (depth < 64) chain[depth++] = at;
    else { memmove(chain, chain + 1, 63 * sizeof *chain); chain[63] = at; }
    at = parent;
  }
  while (depth > 0) {
    uint32_t below = chain[--depth], ids[MAX_IDS], count = 0;
    char folded[NAME_BYTES];
    fold_name(s->names + s->nodes[below].name, folded);
    s->nodes[below].states = step(s, s->nodes[below].parent, folded, 'd', true, ids, &count);
  }
  return s->nodes[node].states == NONE ? states_of(s, node) : s->nodes[node].states;
}

/// Whether one of these patterns is judged by content (flag j): its folder is watched for writes too.
bool is_judged(struct scout *s, const uint32_t *ids, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t p = 0; p < s->pattern_count; p++)
      if (s->patterns[p].id == ids[i] && strchr(s->patterns[p].flags, 'j') != NULL) return true;
  return false;
}
