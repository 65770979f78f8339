/**
 * `npm run soak -- [SEEDS] [--network] [--seed=FIRST] [--crash] [--fuzz=SCALE] [--kills=N]`: as many seeds of the whole system as you like,
 * default 10,000, on two processes; with `--network` of a cluster instead (test/network); with `--crash` also all crash-point workloads of up to four operations, recoveries cut
 * three deep; with `--fuzz` also SCALE damaged inputs to each parser of stored bytes, and fewer to the dear ones
 * (test/fuzz); with `--kills` also that many processes killed at work, half of them losing what was not synced (test/kill).
 *
 * A seed that fails is printed with the command that repeats it; that seed alone: `npm run soak -- 1 --seed=FIRST`.
 */

import { argv } from 'node:process'
import { describeTarget, watchFuzz } from '../fuzz/fuzz-watch.ts'
import { killLoop } from '../kill/kill-loop.ts'
import { runPart, runParts } from './part-processes.ts'

const RUN_SEEDS = new URL('../seeds/run-seeds.js', import.meta.url)
const ENUMERATE = new URL('../crash/enumerate.js', import.meta.url)
const PROCESSES = 2
// So many at a time: what they report is printed in between.
const CHUNK = 500

const seeds = Number(argv.slice(2).find((argument) => /^[0-9]+$/.test(argument)) ?? 10_000)
const first = Number(
  argv.find((argument) => argument.startsWith('--seed='))?.slice('--seed='.length) ?? Date.now() % 1e9,
)

const world = argv.includes('--network') ? 'network' : 'shard'
const again = world === 'network' ? ' --network' : ''

const started = performance.now()
console.log(`${seeds} seeds from ${first} on`)
for (let done = 0; done < seeds;) {
  const counts = Array.from({ length: PROCESSES }, (_, part) => share(Math.min(CHUNK, seeds - done), part))
  const requests = counts
    .map((count, part) => ({ first: first + done + part, count, step: PROCESSES, world }))
    .filter(({ count }) => count > 0)
  try {
    await runParts(RUN_SEEDS, requests)
  } catch (error) {
    const text = String(error)
    const seed = Number(/seed ([0-9]+):/.exec(text)?.[1] ?? first)
    console.error(`${text}\nrepeat it: npm run soak -- 1${again} --seed=${seed}\nthe shortest run of it that fails:`)
    console.error(await shortest(seed))
    process.exit(1)
  }
  done += counts.reduce((sum, count) => sum + count, 0)
  console.log(`${done} seeds, ${((done * 1000) / (performance.now() - started)).toFixed(1)} seeds/s`)
}
if (argv.includes('--crash')) {
  const parts = Array.from({ length: 10 }, (_, part) => part)
  for (let at = 0; at < parts.length; at += PROCESSES) {
    const requests = parts
      .slice(at, at + PROCESSES)
      .map((part) => ({ part, of: parts.length, lengthMin: 1, lengthMax: 4, depth: 3, recrashOneOf: 100 }))
    console.log(`workloads of up to four operations: ${JSON.stringify(await runParts(ENUMERATE, requests))}`)
  }
}
const fuzz = argv.find((argument) => argument.startsWith('--fuzz='))?.slice('--fuzz='.length)
if (fuzz !== undefined) {
  const parts = Array.from({ length: PROCESSES }, (_, part) =>
    watchFuzz({ scale: Number(fuzz), seed: first, part, of: PROCESSES }, (report) => {
      console.log(describeTarget(report, first).join('\n'))
      if (report.failures.length > 0) process.exitCode = 1
    }),
  )
  await Promise.all(parts)
}
const kills = argv.find((argument) => argument.startsWith('--kills='))?.slice('--kills='.length)
if (kills !== undefined) {
  const each = Math.ceil(Number(kills) / 2)
  const reports = await Promise.all(
    (['kill', 'power cut'] as const).map(async (means) => ({ means, ...(await killLoop(each, first, means)) })),
  )
  for (const report of reports) console.log(`${each} of each: ${JSON.stringify(report)}`)
}

/** @returns the command for it, and what it says */
async function shortest(seed: number): Promise<string> {
  for (let rounds = 0; rounds <= 4; rounds++) {
    for (const calls of [1, 2, 3, 4, 6, 8, 12]) {
      const request = { first: seed, world, length: { rounds, calls } }
      const failed = await runPart(RUN_SEEDS, request).then(() => undefined, String)
      if (failed !== undefined) return `node build/test/seeds/run-seeds.js '${JSON.stringify(request)}'\n${failed}`
    }
  }
  return 'none shorter'
}

function share(count: number, part: number): number {
  return Math.floor(count / PROCESSES) + (part < count % PROCESSES ? 1 : 0)
}
