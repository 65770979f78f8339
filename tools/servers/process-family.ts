/** A process of Linux and its children, as of a server that makes one for each connection: stopped and ended together. */

import { readFileSync, readdirSync } from 'node:fs'
import { kill } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 2

export type FamilySignal = 'SIGKILL' | 'SIGQUIT' | 'SIGSTOP' | 'SIGCONT'

/**
 * Stops a process, and then its children: resolves when all of them stand still.
 *
 * A signal is sent before anybody has stopped. Who is in the midst of making a child has one more after that.
 *
 * @returns the children
 */
export async function stopFamily(parent: number): Promise<readonly number[]> {
  signalTo(parent, 'SIGSTOP')
  await until(() => !runs(parent))
  const children = childrenOf(parent)
  for (const child of children) signalTo(child, 'SIGSTOP')
  await until(() => !children.some(runs))
  return children
}

/** Nothing happens where it has ended. */
export function signalTo(pid: number, signal: FamilySignal): void {
  try {
    kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** Resolves when none of them is there any more. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  await until(() => pids.every((pid) => 'ZX'.includes(statusOf(pid)?.state ?? 'X')))
}

export function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && statusOf(pid)?.parent === parent)
}

/** Neither stopped nor ended. */
export function runs(pid: number): boolean {
  return !'TZX'.includes(statusOf(pid)?.state ?? 'X')
}

/** @returns undefined: there is no such process */
function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    // The name in parentheses may have spaces; state and parent follow it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(LOOK_MS)
}
