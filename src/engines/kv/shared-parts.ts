/** Components that several shards are opened over, `{ ...components, shard }`: they are closed after the last of these. */

type Close = () => Promise<void>

/** Shards over the components that each of these closes, open or on their way. Spread objects have only that in common. */
const SHARDS_OVER = new WeakMap<Close, number>()

/** Counts a shard in. Returns what it calls once, when it is closed or could not be opened. */
export function holdParts(close: Close): Close {
  SHARDS_OVER.set(close, (SHARDS_OVER.get(close) ?? 0) + 1)
  return () => {
    const left = (SHARDS_OVER.get(close) ?? 0) - 1
    SHARDS_OVER.set(close, left)
    return left > 0 ? Promise.resolve() : close()
  }
}
