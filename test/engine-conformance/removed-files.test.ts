/** The suite of engines, over an engine that is right, and whose openings take away files that the suite has seen. */

import { test } from 'node:test'
import type { FileName } from '../../src/kernel/ids.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { PAGE_VIEWS_SUITE } from '../../examples/custom-engine/test/page-views-suite.ts'

let openings = 0
let passing: FileName | undefined

testEngine({
  ...PAGE_VIEWS_SUITE,
  test,
  name: 'page views whose openings each have a passing file',
  async open(components) {
    const { files } = components
    if (passing !== undefined) await files.remove([passing])
    openings++
    // Of one length and kind: each may stand in the place of another.
    passing = fileName(`passing-${openings}.page-views-rows`)
    const file = await files.create(passing)
    await file.write(Buffer.alloc(20, openings))
    await file.finish()
    return PAGE_VIEWS_SUITE.open(components)
  },
})
