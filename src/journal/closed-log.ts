/**
 * Opening what was closed: the last owner left word of where its log ends (fence.ts), so there is nothing to search. Its
 * segments end where the next one begins.
 */

import type { Closing } from './fence.ts'
import { SEGMENT_HEADER_BYTES, readSegmentHeader } from './segment-header.ts'
import { segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import type { RecoveryComponents } from './recovery.ts'
import { Segment } from './segment.ts'

/** The owner's segments, with their ends; undefined where they do not fit together: scan them instead. */
export async function closedSegments(
  components: RecoveryComponents,
  ids: readonly SegmentId[],
  start: number,
  closing: Closing,
): Promise<readonly Segment[] | undefined> {
  const { device, directory, shard } = components
  const segments: Segment[] = []
  for (const [index, id] of ids.entries()) {
    const path = `${directory}/${segmentName(id)}`
    const file = await device.open(path, 'read')
    try {
      const probe = new Segment(directory, shard, id, 0)
      const header = await readSegmentHeader(file, probe.identity)
      const former = segments[segments.length - 1]
      if (header === undefined || header.base < start) return undefined
      if (former !== undefined) {
        if (id.index !== former.id.index + 1 || header.base <= former.base) return undefined
        former.end = header.base
      }
      const segment = new Segment(directory, shard, id, header.base)
      segment.storedBytes = await file.size()
      segment.endOffset = undefined
      if (index === ids.length - 1) {
        if (id.index !== closing.index || closing.end <= segment.base) return undefined
        if (closing.endOffset <= SEGMENT_HEADER_BYTES || closing.endOffset > segment.storedBytes) return undefined
        segment.end = closing.end
        segment.endOffset = closing.endOffset
      }
      segments.push(segment)
    } finally {
      await file.close()
    }
  }
  return segments.length > 0 ? segments : undefined
}
