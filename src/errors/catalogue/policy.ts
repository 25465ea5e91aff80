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
  'policy/bad-route': {
    message: '{where}: "{route}" is not a route: {reason}',
    remedy: 'Write HOST[:PORT]=ADDRESS[:PORT], for example --route model.test:80=127.0.0.1:8080.',
  },
  'policy/route-needs-tls-ending': {
    message: '{where}: the route "{route}" goes to plain HTTP, for which the gateway must end TLS, and this version does not end TLS yet',
    remedy: 'Route port 80 without a scheme (HOST:80=ADDRESS:PORT), or route port 443 to a service that speaks TLS.',
  },
  'policy/bad-limit': {
    message: '{where}: the limit {name} can\'t be "{value}": {reason}',
    remedy: 'For example: --limit memory=4g, --limit processes=512, --limit cpus=2, --limit time=2h, --limit tmp=1g.',
  },
} as const
