/**
 * Whether package-lock.json is whole.
 *
 * A binary package has a variant per platform, as optional dependencies. When the registry at hand lacks one, npm leaves
 * it out of the lock without a word, and `npm ci` refuses the lock later, on every platform.
 */

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export function missingFromLock(lock: LockFile): readonly string[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !isLocked(lock, path, name))
      .map(
        (name) =>
          `package-lock.json lacks ${name}, which ${path === '' ? 'package.json' : path} needs on some platform`,
      ),
  )
}

/** As Node looks for packages: in the folder of the package that asks, then outwards. */
function isLocked(lock: LockFile, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(lock.packages, `${folder === '' ? '' : `${folder}/`}node_modules/${name}`)) return true
    if (folder === '') return false
  }
}
