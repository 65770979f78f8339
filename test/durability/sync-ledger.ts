/**
 * What a power cut now would take: fed with what was asked of a disk, in order, it says what no finished sync covers.
 *
 * A sync covers the writes that had ended before it began; a directory's sync the entries made before it began. Knows
 * nothing of varve, so it judges a device wrapper's record and a system-call trace alike.
 */

import path from 'node:path'

interface Pending {
  readonly what: string
  /** Number of the event at which it ended, Infinity while it runs. */
  ended: number
}

export class SyncLedger {
  #events = 0
  /** By file: writes that no sync covers yet. */
  readonly #writes = new Map<string, Pending[]>()
  /** By directory: entries that no sync of it covers yet. */
  readonly #entries = new Map<string, Pending[]>()
  /** By marker: the file it was written to, and the write. */
  readonly #marked = new Map<string, { file: string; write: Pending }>()
  syncs = 0
  directorySyncs = 0

  /** A write begins; `markers` are the texts in it by which it will be asked for. Returns what to call at its end. */
  write(file: string, markers: readonly string[]): () => void {
    const write: Pending = { what: `bytes of ${file}`, ended: Infinity }
    listOf(this.#writes, file).push(write)
    for (const marker of markers) if (!this.#marked.has(marker)) this.#marked.set(marker, { file, write })
    return () => void (write.ended = ++this.#events)
  }

  /** A file's sync begins. Returns what to call at its end, when it succeeded. */
  sync(file: string): () => void {
    const began = ++this.#events
    return () => {
      this.syncs++
      keep(this.#writes, file, (write) => write.ended > began)
    }
  }

  /** A file or directory has got its name. */
  named(target: string): void {
    listOf(this.#entries, path.dirname(target)).push({ what: `the name ${target}`, ended: ++this.#events })
  }

  /** A directory's sync begins. Returns what to call at its end, when it succeeded. */
  syncDirectory(directory: string): () => void {
    const began = ++this.#events
    return () => {
      this.directorySyncs++
      keep(this.#entries, directory, (entry) => entry.ended > began)
    }
  }

  /** What a power cut would take of the write with `marker`: its bytes, its file's name or that of a directory above. */
  atRisk(marker: string): readonly string[] {
    const marked = this.#marked.get(marker)
    if (marked === undefined) return [`${marker} was never written`]
    const risks: string[] = []
    if (this.#writes.get(marked.file)?.includes(marked.write) === true) risks.push(marked.write.what)
    for (let name = marked.file; name !== path.dirname(name); name = path.dirname(name)) {
      const entries = this.#entries.get(path.dirname(name)) ?? []
      risks.push(...entries.filter(({ what }) => what === `the name ${name}`).map(({ what }) => what))
    }
    return risks
  }
}

function listOf(lists: Map<string, Pending[]>, key: string): Pending[] {
  let list = lists.get(key)
  if (list === undefined) lists.set(key, (list = []))
  return list
}

function keep(lists: Map<string, Pending[]>, key: string, which: (pending: Pending) => boolean): void {
  lists.set(key, (lists.get(key) ?? []).filter(which))
}
