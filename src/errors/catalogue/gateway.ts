// Failures of the gateway phase.
export const gatewayFailures = {
  'gateway/bad-parent-proxy': {
    message:
      'The variable {variable} names a proxy that anchorhold cannot use: only http://HOST:PORT and https://HOST:PORT are understood.',
    remedy: 'Correct {variable}, or unset it for this run: env -u {variable} anchorhold run …',
  },
  'gateway/bad-listener': {
    message: 'The engine handed over a socket that does not fit its listener ({kind}, port {port}).',
    remedy: 'This is a defect of the engine; the cell was not started.',
  },
} as const
