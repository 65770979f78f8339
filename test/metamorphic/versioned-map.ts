/** The oracle: a sorted map that keeps every version of every key. */

export class VersionedMap {
  /** By key: what it became at which version, oldest first. */
  readonly #keys = new Map<string, (readonly [version: number, value: string | undefined])[]>()
  #version = 0

  /** Of the last write. */
  get version(): number {
    return this.#version
  }

  /** One version for all of them; of one key the last change counts. undefined deletes. */
  write(changes: readonly (readonly [key: string, value: string | undefined])[]): void {
    this.#version++
    for (const [key, value] of changes) {
      const versions = this.#keys.get(key) ?? []
      versions.push([this.#version, value])
      this.#keys.set(key, versions)
    }
  }

  /** Deletes what is in [from, to). */
  deleteRange(from: string, to: string): void {
    this.write([...this.#keys.keys()].filter((key) => key >= from && key < to).map((key) => [key, undefined]))
  }

  get(key: string, version: number): string | undefined {
    return this.#keys.get(key)?.findLast(([at]) => at <= version)?.[1]
  }

  /** `key=value` of [from, to), ascending. */
  scan(from: string, to: string, version: number): readonly string[] {
    return [...this.#keys.keys()]
      .filter((key) => key >= from && key < to)
      .sort()
      .flatMap((key) => {
        const value = this.get(key, version)
        return value === undefined ? [] : [`${key}=${value}`]
      })
  }
}
