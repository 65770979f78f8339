/**
 * Every order in which processes may take their steps: a depth-first search over the choices of the scheduler, each run
 * from the beginning (stateless, as VeriSoft, Godefroid 1997).
 */

import type { SteppedProcess } from '../../src/testing/stepped-processes.ts'

/** @returns which of so many goes on */
export type Choose = (count: number) => number

export interface Schedules {
  readonly schedules: number
  /** Choices of the schedule that has the most. */
  readonly choicesMost: number
}

/** Runs `run` under every sequence of choices. @throws what a run throws, with the choices that led there */
export async function allSchedules(run: (choose: Choose) => Promise<void>): Promise<Schedules> {
  const path: { choice: number; readonly count: number }[] = []
  let [schedules, choicesMost] = [0, 0]
  for (;;) {
    let depth = 0
    try {
      await run((count) => {
        if (depth === path.length) path.push({ choice: 0, count })
        return path[depth++]?.choice ?? 0
      })
    } catch (cause) {
      const choices = path.map(({ choice }) => choice).join('')
      throw new Error(`schedule ${choices}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
    schedules++
    choicesMost = Math.max(choicesMost, path.length)
    while (path.length > 0 && (path.at(-1)?.choice ?? 0) + 1 === path.at(-1)?.count) path.pop()
    const last = path.at(-1)
    if (last === undefined) return { schedules, choicesMost }
    last.choice++
  }
}

/** Lets one of the processes that have come to a step take it, until none is left that does. */
export async function runSchedule(
  processes: readonly SteppedProcess[],
  choose: Choose,
  turn: () => Promise<void>,
): Promise<void> {
  for (;;) {
    for (const process of processes) await comeToRest(process, turn)
    const able = processes.filter((process) => process.running && process.waits)
    if (able.length === 0) return
    await able[able.length === 1 ? 0 : choose(able.length)]?.step()
  }
}

// Between two steps nothing takes longer: jobs give way now and then.
const TURNS_MAX = 30

async function comeToRest(process: SteppedProcess, turn: () => Promise<void>): Promise<void> {
  for (let left = TURNS_MAX; left > 0 && process.running && !process.waits; left--) await turn()
}
