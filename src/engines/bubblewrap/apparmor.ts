// Ubuntu 24.04 gives rights in user namespaces only to programs with an AppArmor profile that says `userns`.
// The profile names the programs by their fixed paths; `doctor` prints it.
export const appArmorProfilePath = '/etc/apparmor.d/anchorhold'

/**
 * The supervisor runs unconfined but for the right to make user namespaces, as Ubuntu's own profiles for browsers do. bubblewrap
 * needs none of its own: started by it, it keeps this one, or gets the system's where there is one. A second profile for the
 * same path would break every other use of bubblewrap.
 */
export function appArmorProfile(cell: string): string {
  return `abi <abi/4.0>,\ninclude <tunables/global>\n\nprofile anchorhold-cell "${cell}" flags=(unconfined) {\n  userns,\n}\n`
}
