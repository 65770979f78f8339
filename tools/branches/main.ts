/**
 * `npm run coverage -- [--list=GROUP]`: runs the tests of `npm test` and says how many branches of each group of the code
 * they take of those that can be taken (`untakeable.ts` lists the others); with `--list`, which of a group they do not.
 * Takes about twice as long as the tests.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, env, execPath } from 'node:process'
import { ROOT } from '../repository.ts'
import { branchCoverage, describeGroup } from './branch-coverage.ts'

const listed = argv.find((argument) => argument.startsWith('--list='))?.slice('--list='.length)
const directory = mkdtempSync(join(tmpdir(), 'varve-coverage-'))
try {
  const child = spawn(execPath, [join(ROOT, 'build/tools/run-tests.js')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...env, NODE_V8_COVERAGE: directory },
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) console.log('a test has failed: what it would have taken is missing here')
  const { groups, wrong } = branchCoverage(directory)
  for (const group of groups) {
    console.log(describeGroup(group))
    if (listed !== undefined && group.name.includes(listed)) console.log(group.untaken.join('\n'))
  }
  for (const line of wrong) console.log(`tools/branches/untakeable.ts lists what ${line}`)
  process.exitCode = wrong.length > 0 ? 1 : (code ?? 1)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
