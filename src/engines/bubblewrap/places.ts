// Where the engine's own things lie inside a cell, and the descriptors that native/cell.h knows. Used by every file here.
export const enterPath = '/run/anchorhold/enter'
/** An empty folder over which the supervisor lays what covers are cloned from (native/cell-cover.c). */
export const coversPath = '/run/anchorhold/covers'
export const ownFolder = '/run/anchorhold'

/** Descriptor of the supervisor's own records; the numbers below `firstInput` are the supervisor's. */
export const supervisorFd = 4
export const infoFd = 3
export const argumentsFd = 10
export const filterFd = 11
export const firstFileFd = 12
/** native/cell.h MAX_TARGET. */
export const lastFd = 99
