/**
 * The tables of jobs, and the statements over them. All time is the server's. Spec: docs/formats/postgres.md.
 *
 *      waiting ──pull──► leased ──finish──► done, failed ──forget──►
 *         ▲                 │
 *         └── lease ended ──┘  up to triesMax times: it is pulled again from where it is
 */

import type { SqlTables } from '../../postgres/sql-tables.ts'
import type { SqlStatement } from '../../postgres/sql.ts'

export const STATE = Object.freeze({ waiting: 0, leased: 1, done: 2, failed: 3 })

/** The tables, for whoever makes them beforehand: see `creationScript` of `varve/postgres`. */
export const JOB_TABLES: SqlTables = Object.freeze({
  part: 'jobs',
  version: 2,
  statements: Object.freeze([
    `CREATE TABLE IF NOT EXISTS $.job (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      key text COLLATE "C" NOT NULL UNIQUE,
      shard text COLLATE "C" NOT NULL,
      work bytea NOT NULL,
      state smallint NOT NULL DEFAULT 0,
      urgent boolean NOT NULL,
      priority double precision NOT NULL,
      memory_bytes bigint NOT NULL,
      labels text[] NOT NULL,
      spec bytea NOT NULL,
      stuck_ms double precision NOT NULL,
      tries integer NOT NULL DEFAULT 0,
      lease text COLLATE "C" UNIQUE,
      lease_until timestamptz,
      lease_progress double precision,
      lease_moved timestamptz,
      waiting_since timestamptz NOT NULL DEFAULT clock_timestamp(),
      wanted_until timestamptz NOT NULL,
      cancelled boolean NOT NULL DEFAULT false,
      progress double precision NOT NULL DEFAULT 0,
      answer bytea
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)`,
    `CREATE TABLE IF NOT EXISTS $.job_turn (shard text COLLATE "C" PRIMARY KEY, turn bigint NOT NULL) WITH (fillfactor = 50)`,
    `CREATE SEQUENCE IF NOT EXISTS $.job_turns`,
    `CREATE TABLE IF NOT EXISTS $.job_place (
      place text COLLATE "C" PRIMARY KEY,
      urgent_only boolean NOT NULL,
      memory_bytes bigint NOT NULL,
      labels text[] NOT NULL,
      until timestamptz NOT NULL
    ) WITH (fillfactor = 50)`,
    `CREATE TABLE IF NOT EXISTS $.job_failing (
      work bytea PRIMARY KEY,
      failures integer NOT NULL,
      until timestamptz NOT NULL
    )`,
  ]),
  // What was submitted is submitted again.
  removal: Object.freeze([
    'DROP TABLE IF EXISTS $.job, $.job_turn, $.job_place, $.job_failing',
    'DROP SEQUENCE IF EXISTS $.job_turns',
  ]),
})

export interface JobNames {
  readonly job: string
  readonly turn: string
  /** As an SQL text. */
  readonly turns: string
  readonly failing: string
  readonly place: string
}

export interface JobStatements {
  readonly submit: SqlStatement
  readonly pull: SqlStatement
  readonly renew: SqlStatement
  readonly finish: SqlStatement
  readonly want: SqlStatement
  readonly watch: SqlStatement
  readonly silence: SqlStatement
  readonly takeBack: SqlStatement
  readonly cancel: SqlStatement
  readonly announce: SqlStatement
  readonly forget: SqlStatement
  readonly sweep: SqlStatement
}

const NOW = 'clock_timestamp()'
/** No setting lasts for longer than an hour: what is further ahead was set before the server's clock was set back. */
const AHEAD = `${NOW} + interval '61 minutes'`

const isOver = (time: string): string => `(${time} < ${NOW} OR ${time} > ${AHEAD})`
const lasts = (time: string): string => `${time} BETWEEN ${NOW} AND ${AHEAD}`

/** Can be given to a worker. */
const FREE = `(state = 0 OR state = 1 AND ${isOver('lease_until')})`

export function jobStatements({ job, turn, turns, failing, place }: JobNames): JobStatements {
  return {
    submit: {
      name: 'varve-job-submit',
      text: `WITH quarantine AS (
          SELECT ceil(extract(epoch FROM until - ${NOW}) * 1000)::bigint AS left_ms FROM ${failing}
          WHERE work = ${digest('$3')} AND ${lasts('until')}
        ), inserted AS (
          INSERT INTO ${job} (key, shard, work, urgent, priority, memory_bytes, labels, spec, wanted_until, stuck_ms)
          SELECT $1, $2, ${digest('$3')}, $4::boolean, $5::double precision, $6::bigint, $7::text[], $8::bytea,
            ${NOW} + ${milliseconds('$9')}, $11::double precision
          WHERE NOT EXISTS (SELECT FROM quarantine)
          ON CONFLICT (key) DO NOTHING RETURNING pg_notify($10, '')
        )
        SELECT (SELECT left_ms FROM quarantine) AS left_ms, (SELECT count(*) FROM inserted) AS inserted`,
    },
    // A worker passes over what another one is just taking.
    pull: {
      name: 'varve-job-pull',
      text: `WITH running AS (
          SELECT shard, count(*) AS jobs FROM ${job} WHERE state = 1 AND ${lasts('lease_until')} GROUP BY shard
        ), chosen AS (
          SELECT id FROM ${job} AS j LEFT JOIN running USING (shard) LEFT JOIN ${turn} AS t USING (shard)
          WHERE ${FREE} AND NOT cancelled AND wanted_until > ${NOW} AND tries < $6::integer
            AND (urgent OR NOT $2::boolean) AND memory_bytes <= $3::bigint AND labels <@ $4::text[]
          ORDER BY urgent DESC, coalesce(running.jobs, 0), coalesce(t.turn, 0), priority, id
          LIMIT 1 FOR UPDATE OF j SKIP LOCKED
        ), taken AS (
          UPDATE ${job} AS j SET state = 1, tries = tries + 1, lease = $1, lease_until = ${NOW} + ${milliseconds('$5')},
            lease_progress = 0, lease_moved = ${NOW}
          FROM chosen WHERE j.id = chosen.id RETURNING j.shard, j.spec, j.tries
        ), turned AS (
          INSERT INTO ${turn} (shard, turn) SELECT shard, nextval(${turns}) FROM taken
          ON CONFLICT (shard) DO UPDATE SET turn = excluded.turn
        ), present AS (
          INSERT INTO ${place} (place, urgent_only, memory_bytes, labels, until) SELECT $7, $2::boolean, $3::bigint, $4::text[],
            ${NOW} + CASE WHEN EXISTS (SELECT FROM taken) THEN ${milliseconds('$5')} ELSE ${milliseconds('$8')} END
          ON CONFLICT (place) DO UPDATE SET until = excluded.until
        )
        SELECT spec, tries FROM taken`,
    },
    // The lease of one that has come no further for too long ends at once.
    renew: {
      name: 'varve-job-renew',
      text: `WITH renewed AS (
          UPDATE ${job} SET lease_until = ${NOW} + ${milliseconds('$2')},
            progress = greatest(progress, $3::double precision), lease_progress = greatest(lease_progress, $3::double precision),
            lease_moved = CASE WHEN $3::double precision > lease_progress THEN ${NOW} ELSE least(lease_moved, ${NOW}) END
          WHERE lease = $1 AND state = 1 AND NOT cancelled AND wanted_until > ${NOW}
            AND ($3::double precision > lease_progress OR lease_moved > ${NOW} - stuck_ms * interval '1 millisecond')
          RETURNING id
        ), stuck AS (
          UPDATE ${job} SET lease = NULL, lease_until = ${NOW}
          WHERE lease = $1 AND state = 1 AND $3::double precision <= lease_progress
            AND lease_moved <= ${NOW} - stuck_ms * interval '1 millisecond'
        ), present AS (
          UPDATE ${place} SET until = ${NOW} + ${milliseconds('$2')} FROM renewed WHERE place = $4
        )
        SELECT id FROM renewed`,
    },
    finish: {
      name: 'varve-job-finish',
      text: `WITH finished AS (
          UPDATE ${job} SET state = $2::smallint, answer = $3::bytea, lease = NULL, lease_until = NULL
          WHERE lease = $1 AND state = 1 RETURNING work, cancelled
        ), counted AS (
          ${countFailure(failing, `finished WHERE $2::smallint = ${STATE.failed} AND NOT cancelled AND $8::boolean`, 4)}
        ), uncounted AS (
          DELETE FROM ${failing} AS f USING finished WHERE f.work = finished.work AND $2::smallint = ${STATE.done}
        ), present AS (
          UPDATE ${place} SET until = ${NOW} + ${milliseconds('$10')} FROM finished WHERE place = $9
        )
        SELECT pg_notify($7, '') FROM finished`,
    },
    want: {
      name: 'varve-job-want',
      text: `UPDATE ${job} SET wanted_until = ${NOW} + ${milliseconds('$2')} WHERE key = ANY ($1::text[])`,
    },
    watch: {
      name: 'varve-job-watch',
      text: `SELECT key, state, progress, CASE WHEN state >= 2 THEN answer END AS answer,
          state = 1 AND ${isOver('lease_until')} AND (cancelled OR tries >= $2::integer) AS silent,
          ${FREE} AND ${isOver(`(greatest(waiting_since, lease_until) + ${milliseconds('$3')})`)}
            AND NOT EXISTS (
              SELECT FROM ${place} AS p WHERE ${lasts('p.until')} AND (j.urgent OR NOT p.urgent_only)
                AND j.memory_bytes <= p.memory_bytes AND j.labels <@ p.labels
            ) AS lonely,
          state = 1 AND ${isOver('lease_until')} AS lapsed
        FROM ${job} AS j WHERE key = ANY ($1::text[])`,
    },
    // Whoever answers now has lost the lease.
    silence: {
      name: 'varve-job-silence',
      text: `WITH silent AS (
          DELETE FROM ${job} WHERE key = $1 AND state = 1 AND ${isOver('lease_until')} AND (cancelled OR tries >= $2::integer)
          RETURNING work, cancelled
        ), counted AS (
          ${countFailure(failing, 'silent WHERE NOT cancelled', 3)}
        )
        SELECT cancelled FROM silent`,
    },
    takeBack: { name: 'varve-job-take-back', text: `DELETE FROM ${job} WHERE key = $1 AND ${FREE} RETURNING tries` },
    cancel: {
      name: 'varve-job-cancel',
      text: `UPDATE ${job} SET cancelled = true WHERE key = $1 AND state < 2 RETURNING pg_notify($2, '')`,
    },
    announce: { name: 'varve-job-announce', text: `SELECT pg_notify($1, '')` },
    forget: { name: 'varve-job-forget', text: `DELETE FROM ${job} WHERE key = ANY ($1::text[])` },
    // What nobody wants any more, unless somebody is still at it; and failures and places of long ago.
    sweep: {
      name: 'varve-job-sweep',
      text: `WITH unwanted AS (
          DELETE FROM ${job} WHERE ${isOver('wanted_until')} AND (state <> 1 OR ${isOver('lease_until')})
        ), gone AS (
          DELETE FROM ${place} WHERE until < ${NOW} - interval '1 day'
        )
        DELETE FROM ${failing} WHERE until < ${NOW} - interval '1 day'`,
    },
  }
}

/** One more failure of `work` in `rows`; from parameter `first` on: how many are allowed, the first and the longest time. */
function countFailure(failing: string, rows: string, first: number): string {
  const [allowed, shortest] = [`$${first}::integer`, milliseconds(`$${first + 1}`)]
  const longest = milliseconds(`$${first + 2}`)
  return `INSERT INTO ${failing} AS f (work, failures, until)
          SELECT work, 1, ${NOW} + CASE WHEN ${allowed} > 1 THEN interval '0' ELSE ${shortest} END FROM ${rows}
          ON CONFLICT (work) DO UPDATE SET failures = f.failures + 1, until = ${NOW} + CASE
            WHEN f.failures + 1 < ${allowed} THEN interval '0'
            ELSE least(${longest}, ${shortest} * power(2, least(30, f.failures + 1 - ${allowed}))) END`
}

function milliseconds(parameter: string): string {
  return `${parameter}::double precision * interval '1 millisecond'`
}

/** The names of a merge's inputs may be megabytes. */
function digest(parameter: string): string {
  return `sha256(convert_to(${parameter}::text, 'UTF8'))`
}
