// Ubuntu 24.04 gives rights in user namespaces only to programs with an AppArmor profile that says `userns`.
// The profile names the programs by their fixed paths; `doctor` prints it.
export const appArmorProfilePath = '/etc/apparmor.d/anchorhold'

/** Both programs run unconfined but for the right to make user namespaces, as Ubuntu's own profiles for browsers do. */
export function appArmorProfile(cell: string, bubblewrap: string): string {
  const profile = (name: string, file: string): string => `profile ${name} "${file}" flags=(unconfined) {\n  userns,\n}\n`
  return `abi <abi/4.0>,\ninclude <tunables/global>\n\n${profile('anchorhold-cell', cell)}${profile('anchorhold-bwrap', bubblewrap)}`
}
