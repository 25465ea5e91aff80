// Between enter.c and its checks: the self-tests inside a new cell.
#ifndef ANCHORHOLD_ENTER_H
#define ANCHORHOLD_ENTER_H
#define _GNU_SOURCE
// Runs one check (fields of model/plan.ts Preflight). NULL when it holds, else what is wrong, in words.
const char *check_one(const char *kind, const char *subject, const char *detail);
#endif
