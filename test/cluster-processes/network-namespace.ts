/** A network namespace of Linux, joined to ours by a cable that can be pulled. Needs root and `ip`. */

import { spawnSync } from 'node:child_process'

export class NetworkNamespace {
  readonly #name: string
  readonly #ours: string
  readonly #subnet: string

  private constructor(number: number) {
    this.#name = `varve-${number}`
    this.#ours = `varve${number}`
    this.#subnet = `10.213.${number % 250}`
  }

  /** @returns why there can be none, where that is so */
  static make(): NetworkNamespace | string {
    const made = new NetworkNamespace(process.pid % 100_000)
    const there = `${made.#ours}n`
    const inside = ['netns', 'exec', made.#name, 'ip']
    for (const words of [
      ['netns', 'add', made.#name],
      ['link', 'add', made.#ours, 'type', 'veth', 'peer', 'name', there],
      ['link', 'set', there, 'netns', made.#name],
      ['addr', 'add', `${made.#subnet}.1/24`, 'dev', made.#ours],
      ['link', 'set', made.#ours, 'up'],
      [...inside, 'addr', 'add', `${made.#subnet}.2/24`, 'dev', there],
      [...inside, 'link', 'set', there, 'up'],
      [...inside, 'link', 'set', 'lo', 'up'],
    ]) {
      const problem = ip(words)
      if (problem === undefined) continue
      made.remove()
      return `no network namespaces here: ${problem}`
    }
    return made
  }

  /** Our end of the cable. */
  get address(): string {
    return `${this.#subnet}.1`
  }

  /** Runs a command inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  pull(): void {
    ip(['link', 'set', this.#ours, 'down'])
  }

  plug(): void {
    ip(['link', 'set', this.#ours, 'up'])
  }

  remove(): void {
    ip(['link', 'del', this.#ours])
    ip(['netns', 'del', this.#name])
  }
}

/** @returns what went wrong */
function ip(words: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync('ip', words, { encoding: 'utf8' })
  if (error !== undefined) return error.message
  return status === 0 ? undefined : stderr.trim() || `ip ${words.join(' ')} failed`
}
