// Failures of images: what a container's cell starts from.
export const imageFailures = {
  'image/engine': {
    message: '{program} does not answer as it should: {reason}.',
    remedy: 'See whether it works by itself: {program} info',
  },
  'image/no-engine': {
    message: 'No engine for containers answers here: {reason}.',
    remedy: 'Install one of them (Debian, Ubuntu: sudo apt-get install podman), or start it; anchorhold doctor says more.',
  },
  'image/base-missing': {
    message: 'The base image {base} is not on this machine and could not be fetched: {reason}.',
    remedy:
      'Fetch it where there is a network ({program} pull {base}), or name one that is here: anchorhold image build --base NAME (in the policy: image: base: NAME)',
  },
  'image/bad-base': {
    message: 'The image {base} cannot be the base of a cell: {why}.',
    remedy: 'Name another one: image in the policy, or --image NAME',
  },
  'image/build-failed': {
    message: '{program} could not build the image of {what}:\n{lines}',
    remedy:
      'See the whole build: anchorhold image build --verbose. A build has no network unless your policy gives it one: image.network: true',
  },
  'image/not-approved': {
    message:
      "The cell's image would be built from {file}, which lies in the project: what it runs while it is built is not behind the wall, and this content was not approved.",
    remedy: 'Look at it, then: anchorhold trust',
  },
  'image/unreadable': {
    message: '{file}, which an image is to be built from, cannot be used: {reason} ({where}).',
    remedy: 'Mend image in the policy, or the file.',
  },
  'image/context-too-large': {
    message: 'The build context {folder} has more than {files} files or {mebibytes} MiB.',
    remedy: 'Name a folder with only what the Dockerfile copies: image.context',
  },
  'image/devcontainer': {
    message: '{file} cannot be taken for the image: {reason}.',
    remedy: 'Mend the file, or name an image or a Dockerfile in the policy: image',
  },
  'image/old-agent': {
    message: '{title} {version} is older than {floor}, the oldest version whose permission rules hold against a project ({why}).',
    remedy: 'Take image.version out of the policy, or name a later one: npm view {package} version',
  },
  'image/integrity': {
    message:
      'The copy of {package} {version} in {folder} is not the one that anchorhold was made for: npm noted {found}, and it should be {wanted}.',
    remedy: 'Remove that folder and start again. If the registry really serves another content for this version, do not run it.',
  },
} as const
