/**
 * Branches that no test can take, by the reason. One that is taken after all, or is not in the code any more, fails where
 * branches are counted: nothing stays here that is not true. Before a line is added here: can the code do without it?
 */

const BY_REASON: readonly { readonly reason: string; readonly branches: readonly string[] }[] = []

/** Reasons by `Branch.key`. */
export const UNTAKEABLE: ReadonlyMap<string, string> = new Map(
  BY_REASON.flatMap(({ reason, branches }) => branches.map((branch) => [branch, reason] as const)),
)
