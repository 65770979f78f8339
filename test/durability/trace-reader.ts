/**
 * Reads what `strace -f -y -s …` recorded of the durability writer, feeds it to a ledger, and asks the ledger at every
 * acknowledgement.
 */

import { markersIn } from './markers.ts'
import type { SyncLedger } from './sync-ledger.ts'

export interface TraceReport {
  readonly acknowledged: number
  /** What a power cut at an acknowledgement would have taken. */
  readonly risks: readonly string[]
}

const ACKNOWLEDGED = /"ack (<synced [0-9]+>)/

/** @param root absolute path: everything else is left out */
export function readTrace(trace: string, root: string, ledger: SyncLedger): TraceReport {
  const risks: string[] = []
  let acknowledged = 0
  /** By thread: how the call that it is in ends. */
  const running = new Map<string, (result: number) => void>()
  for (const line of trace.split('\n')) {
    const [, thread = '', text = ''] = /^([0-9]+)\s+(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>.* = (-?[0-9]+)/.exec(text)
    if (resumed !== null) {
      running.get(thread)?.(Number(resumed[1]))
      running.delete(thread)
      continue
    }
    const marker = ACKNOWLEDGED.exec(text)?.[1]
    if (marker !== undefined) {
      acknowledged++
      risks.push(...ledger.atRisk(marker).map((risk) => `${marker}: ${risk}`))
      continue
    }
    const end = begin(text, root, ledger)
    if (end === undefined) continue
    const result = / = (-?[0-9]+)(?:<[^>]*>)?(?: E[A-Z]+ .*)?$/.exec(text)
    if (result === null) running.set(thread, end)
    else end(Number(result[1]))
  }
  return { acknowledged, risks }
}

/** A system call begins. Returns what its end is to the ledger, nothing where the call is none of its business. */
function begin(text: string, root: string, ledger: SyncLedger): ((result: number) => void) | undefined {
  const call = /^(\w+)\(/.exec(text)?.[1] ?? ''
  if (/^pwritev?2?(64)?$|^writev?$/.test(call)) {
    const file = descriptorPath(text)
    return inside(file, root) ? succeeded(ledger.write(file, markersIn(text))) : undefined
  }
  if (call === 'fdatasync' || call === 'fsync') {
    const file = descriptorPath(text)
    if (!inside(file, root)) return undefined
    const [bytes, names] = [ledger.sync(file), ledger.syncDirectory(file)]
    return succeeded(() => (bytes(), names()))
  }
  const names = [...text.matchAll(/"(\/[^"]*)"/g)].map((match) => match[1] as string)
  const created = names.at(-1) ?? ''
  const makesName = /^(mkdir|rename|link)/.test(call) || (call === 'openat' && text.includes('O_CREAT'))
  return makesName && inside(created, root) ? succeeded(() => ledger.named(created)) : undefined
}

/** The path that `-y` prints beside the first argument, a descriptor. */
function descriptorPath(text: string): string {
  return /^\w+\([0-9]+<([^>]*)>/.exec(text)?.[1] ?? ''
}

function inside(file: string, root: string): boolean {
  return file === root || file.startsWith(`${root}/`)
}

function succeeded(end: () => void): (result: number) => void {
  return (result) => {
    if (result >= 0) end()
  }
}
