/** What compaction takes from writes, where it runs: here, on threads, on workers elsewhere, with default settings. */

import { spawnSync } from 'node:child_process'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { labelOf } from './compositions.ts'
import type { Request } from './compositions.ts'
import { keepTo, splitCores } from './cores.ts'
import type { Cores } from './cores.ts'
import type { Foreground } from './measurements.ts'
import type { Servers } from './servers.ts'

// First in, first out, and nothing ever too much: nothing is compacted.
const NO_COMPACTION = { policy: 'fifo', fifoBytesMax: Number.MAX_SAFE_INTEGER } as const
const PLACES = [
  ['none', 'threads', NO_COMPACTION],
  ['this thread', 'inline', {}],
  ['worker threads', 'threads', {}],
  ['remote workers', 'workers', {}],
] as const

export interface CompactionRun {
  readonly servers: Servers
  readonly request: Request
  readonly seconds: number
  readonly rounds: number
}

export function compaction({ servers, request, seconds, rounds }: CompactionRun): readonly Record<string, unknown>[] {
  const cores = splitCores()
  if (cores === undefined) console.log('Cores could not be given out: workers take theirs from the writer.')
  else for (const each of servers.pids) keepTo(each, cores.others)
  const kinds = (['local', 'files', 'elsewhere'] as const).flatMap((composition) =>
    PLACES.filter(([, jobs]) => composition !== 'local' || jobs !== 'workers').map((place) => ({ composition, place })),
  )
  const measured = kinds.map((): Foreground[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [index, { composition, place }] of kinds.entries())
      measured[index]?.push(measure([JSON.stringify(request(composition, place[1], place[2])), `${seconds}`], cores))
  if (cores !== undefined) for (const each of servers.pids) keepTo(each, cores.all)
  let none = 0
  return kinds.map(({ composition, place: [where] }, index) => {
    const of = (figure: keyof Foreground): number => median((measured[index] ?? []).map((each) => each[figure]))
    if (where === 'none') none = of('perSecond')
    return {
      'parts elsewhere': labelOf(composition),
      compaction: where,
      'puts/s': Math.round(of('perSecond')),
      'to none': (of('perSecond') / none).toFixed(2),
      'CPU µs/put': of('cpuMicros').toFixed(2),
      compactions: of('compactions'),
      'level 0': of('level0'),
      'held ms': of('heldMs'),
    }
  })
}

function measure(words: readonly string[], cores: Cores | undefined): Foreground {
  const own = cores === undefined ? [] : ['taskset', '--cpu-list', cores.application]
  const [program, ...rest] = [
    ...own,
    execPath,
    fileURLToPath(new URL('./foreground-task.js', import.meta.url)),
    ...words,
  ]
  const { status, stdout } = spawnSync(program as string, rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`a measurement ended with ${status}`)
  return JSON.parse(stdout) as Foreground
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN
}
