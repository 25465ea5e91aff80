// The id a price is looked up by. Exact: what is not stripped here must match, so that a new model never gets an older one's price.

/**
 * Without a provider's prefix (`anthropic/`, `us.anthropic.`), a region's or platform's suffix (`@20250929`, `-v1:0`), a date (`-20250929`,
 * `-2025-09-29`) and the mark of a larger window (`[1m]`). Case does not matter.
 */
export function modelId(name: string): string {
  return name
    .toLowerCase()
    .replace(/\[[^\]]*\]$/, '')
    .replace(/^.*\//, '')
    .replace(/^(?:[a-z-]{2,10}\.)?(?:anthropic|openai)\./, '')
    .replace(/-v\d+(?::\d+)?$/, '')
    .replace(/@.*$/, '')
    .replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, '')
}
