/**
 * Where outrigger's files belong on a VM: in places of its own where it installs itself, and in the
 * distribution's where a package brings them. Pure.
 *
 * @module
 */

/** One of the two. */
export interface Layout {
  /** Whether a package brings the files below /usr, and its package manager replaces and removes them. */
  readonly isPackage: boolean;
  /** What all below /usr is below. */
  readonly prefix: string;
  /** The program: the units call it there. */
  readonly program: string;
  /** What gives the VM its own DNS back where the program is what is broken. */
  readonly release: string;
  /** The folder of the units. */
  readonly unitFolder: string;
  /** The user, as systemd-sysusers reads it. */
  readonly sysusers: string;
  /** The folders, as systemd-tmpfiles reads them. */
  readonly tmpfiles: string;
}

/** Where `outrigger install` puts it: nothing of a distribution's is touched. */
export const OWN_LAYOUT: Layout = {
  isPackage: false,
  prefix: "/usr/local",
  program: "/usr/local/bin/outrigger",
  release: "/usr/local/lib/outrigger/release",
  unitFolder: "/etc/systemd/system",
  sysusers: "/etc/sysusers.d/outrigger.conf",
  tmpfiles: "/etc/tmpfiles.d/outrigger.conf",
};

/** Where a package puts it: /etc is left to the administrator, and to `outrigger install`. */
export const PACKAGE_LAYOUT: Layout = {
  isPackage: true,
  prefix: "/usr",
  program: "/usr/bin/outrigger",
  release: "/usr/lib/outrigger/release",
  unitFolder: "/usr/lib/systemd/system",
  sysusers: "/usr/lib/sysusers.d/outrigger.conf",
  tmpfiles: "/usr/lib/tmpfiles.d/outrigger.conf",
};

/** A text of the folder of this file, whose paths are those of {@link OWN_LAYOUT}, with those of a layout. */
export function placeText(text: string, { prefix }: Layout): string {
  return text.replaceAll(`${OWN_LAYOUT.prefix}/`, `${prefix}/`);
}
