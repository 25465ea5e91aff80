// Failures of the policy phase.
export const policyFailures = {
  'policy/bad-host': {
    message: '"{host}" is not a host name that a rule can stand for: {reason}',
    remedy: 'Write a plain name such as docs.example.org, without scheme, path, port or address.',
  },
  'policy/bad-rule': {
    message: '{where}: "{rule}" is not a rule: {reason}',
    remedy: 'Write HOST, HOST:PORT, *.HOST or *.HOST:PORT, for example docs.example.org or db.example.com:5432.',
  },
  'policy/bad-requests': {
    message: '{where}: "{what}" can\'t stand in a rule: {reason}',
    remedy: 'Write methods: [GET, HEAD] and paths: ["/repos/me/x/**"]; docs/rules.md has the forms.',
  },
  'policy/bad-route': {
    message: '{where}: "{route}" is not a route: {reason}',
    remedy:
      'Write HOST[:PORT]=ADDRESS[:PORT], for example --route model.test:80=127.0.0.1:8080, or --route model.test:443=http://127.0.0.1:8080 where the gateway is to end TLS.',
  },
  'policy/bad-limit': {
    message: '{where}: the limit {name} can\'t be "{value}": {reason}',
    remedy: 'For example: --limit memory=4g, --limit processes=512, --limit cpus=2, --limit time=2h, --limit tmp=1g.',
  },
  'policy/unknown-limit': {
    message: '{where}: "{name}" is not NAME=VALUE of a limit. {hint}',
    remedy: 'For example: --limit memory=4g, --limit processes=512, --limit cpus=2, --limit time=2h, --limit tmp=1g.',
  },
  'policy/bad-budget': {
    message: '{where}: the budget can\'t be "{value}": {reason}',
    remedy: 'For example: --budget 5 (dollars for this session), --budget day=20, --budget "month=5m tokens", --budget "50 requests".',
  },
  'policy/bad-image': {
    message: '{where}: this image cannot be taken: {reason}.',
    remedy: 'Write image: NAME, or a mapping with one of name, base, dockerfile, devcontainer: docs/images.md',
  },
  'policy/bad-env': {
    message: '{where}: the variable "{name}" can\'t be set: {reason}',
    remedy: 'Write --env NAME=VALUE, or --env NAME to pass your own value on.',
  },
  'policy/bad-secret': {
    message: "the secret {secret} can't be bound like that ({where}): {reason}",
    remedy:
      'Write --secret NAME@HOST[:PORT], or in your policy: secrets: [{ name: NAME, from: env, hosts: [HOST], where: header }] (docs/secrets.md).',
  },
  'policy/project-secret-command': {
    message:
      "{where}: a project's policy can't say which command prints the secret {secret}: that would run on your machine, outside the wall",
    remedy:
      'Move the line to your own policy (~/.config/anchorhold/policy.yaml), or put the value there once: anchorhold secret set {secret}',
  },
  'policy/bad-path': {
    message: '{where}: the path "{path}" can\'t be used: {reason}',
    remedy: 'Write a plain path or pattern, for example deploy/ or *.pem; a mount takes an existing folder or file.',
  },
  'policy/mount-refused': {
    message: '{where}: {path} is not mounted: {reason}',
    remedy: 'Mount the one folder that the task needs, read-only where that is enough (PATH:ro).',
  },
  'policy/unknown-preset': {
    message: '{where}: there is no preset "{name}". {hint}',
    remedy: 'A host is written with a dot or with its port, for example docs.example.org or intranet:443.',
  },
  'policy/manager-missing': {
    message: 'the preset {name} asks {program} on this machine which registries it is set up for, and {program} is not installed',
    remedy: 'Install {program}, or name the host itself: anchorhold run --allow HOST …',
  },
  'policy/manager-unclear': {
    message: 'the preset {name} asked {program} which registries it is set up for, and got no usable answer: {reason}',
    remedy: 'Try "{command}" yourself, or name the host itself: anchorhold run --allow HOST …',
  },
  'policy/no-registry': {
    message: 'the preset {name} found no registry on a network: {name} is set up to use none on this machine',
    remedy: 'Set {name} up, or name the host itself: anchorhold run --allow HOST …',
  },
  'policy/unreadable': {
    message: "the policy {file} can't be used: {reason}",
    remedy: 'Mend or remove the file. anchorhold does not start with a policy that it could not read whole.',
  },
  'policy/untrusted-file': {
    message: 'the policy {file} is not safe to follow: {reason}',
    remedy:
      "Keep it where only you can write: ~/.config/anchorhold/policy.yaml, mode 0600, or give such a file with --policy. A project's own policy is anchorhold.yaml.",
  },
  'policy/other-spelling': {
    message: '{file} is not read: policies end with .yaml',
    remedy: 'mv {file} {right}',
  },
  'policy/empty': {
    message: 'the policy {file} says nothing',
    remedy: 'Write at least one key (anchorhold init makes a commented policy), or remove the file.',
  },
  'policy/bad-yaml': {
    message: '{where}: this is not a policy: {reason}',
    remedy: 'Mend this line. Policies are plain YAML: keys, lists and text, each key once.',
  },
  'policy/unknown-key': {
    message: '{where}: there is no key "{key}"; {hint}',
    remedy: 'Mend or remove the key; docs/policy.md has them all, and "anchorhold policy schema" prints them for an editor.',
  },
  'policy/wrong-type': {
    message: '{where}: {key} must be {expected}{found}',
    remedy: 'Mend this line; docs/policy.md has every key with its form.',
  },
  'policy/project-routes': {
    message: "{where}: a project's policy can't have routes: they decide which machine answers for a name",
    remedy: 'Move the route to your own policy (~/.config/anchorhold/policy.yaml), or give it with --route.',
  },
  'policy/pass-through': {
    message: '{where}: {host} is to be passed through unread, but {why}',
    remedy: 'Take {host} out of network.passThrough, or take out what has to read it.',
  },
  'policy/project-widens': {
    message: '{file} comes with the project and asks for more than you allow:\n{lines}',
    remedy: 'Read it; then approve exactly this content with: anchorhold trust',
  },
  'policy/nothing-to-trust': {
    message: 'there is no {file}, so there is nothing to approve',
    remedy: 'anchorhold init writes one; your own policy needs no approval.',
  },
  'policy/needs-terminal': {
    message: '{file} needs your approval, and there is no terminal to ask on',
    remedy: 'Read the lines above; then run: anchorhold trust --yes',
  },
  'policy/not-approved': {
    message: '{file} was not approved; nothing changed',
    remedy: 'anchorhold trust asks again.',
  },
  'policy/exists': {
    message: '{file} exists already; nothing was written',
    remedy: 'Edit it, or move it away first. anchorhold policy shows what it does.',
  },
} as const
