// Secrets, scan: folders of other people's code and of downloads. The keys in there (examples, test data) are no leak of the user's.

/** Matches a path that lies in one. Values of the user's own are looked for there all the same. */
export const foreignFolder: RegExp =
  /(?:^|\/)(?:node_modules|\.venv|venv|site-packages|vendor|third_party|\.git|\.cache|\.npm|\.cargo|\.rustup|\.m2|\.gradle|\.pnpm-store)\//
