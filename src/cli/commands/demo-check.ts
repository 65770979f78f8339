/** `varve demo-check`: the part of the main job that runs in a second process. It answers the first by a message. */

import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import type { CheckMessage } from '../main-job/second-process.ts'
import { checkShard } from '../main-job/shard-check.ts'
import { UsageError } from '../usage-error.ts'

export const demoCheck: Command = {
  name: 'demo-check',
  parameters: [],
  summary: 'the second process of `varve demo`; use `varve demo --check-only`',
  details: [],
  internal: true,
  options: [
    { name: 'data', value: 'DIR', help: 'where the shard is' },
    { name: 'input', value: 'DIR', help: 'the tree' },
  ],
  async run(given, context) {
    const data = given.value('data')
    if (data === undefined || process.send === undefined) {
      throw new UsageError('demo-check is started by `varve demo`; use `varve demo --check-only --data DIR`')
    }
    const report = await checkShard(data, given.value('input'), context)
    await tell({ varveDemoCheck: report })
    return report.findings.differences.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failure
  },
}

/** Resolves when the message is on its way: ending earlier could lose it. */
function tell(message: CheckMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, (error: Error | null) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}
