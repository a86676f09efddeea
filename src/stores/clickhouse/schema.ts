import type { ClickHouseClient } from '@clickhouse/client';
import { RaybridgeError } from '../../errors.ts';
import { select } from './select.ts';

/**
 * Tables and their migrations. A database carries the version of its schema; a newer one than we
 * know is refused and left untouched, an older one is brought up to date, statement by statement.
 *
 * Three decisions hold everywhere:
 *
 * - **Partition and retention go by the time of receipt**, our own clock. A client with a wrong
 *   clock can neither escape retention nor scatter one write over many partitions.
 * - **Times are UInt64 nanoseconds**, as OTLP has them. A DateTime64 ends in 2262 and clients send
 *   what they like. Columns named `…_at` and `ts` show them to people; they are computed.
 * - **Everything may be written twice.** Rows of `spans` replace each other, and `traces` holds only
 *   aggregates that a second copy of a row does not change.
 */

interface Migration {
  readonly version: number;
  /** Each may run again after a crash between two of them. */
  readonly statements: readonly string[];
}

// `precedence` is the version of the write with its top bit set when the span has ended, so the
// engine's own merge keeps the right copy: an ended span before one in progress, then the later write.
const createSpans = `
  CREATE TABLE IF NOT EXISTS spans (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    parent_span_id FixedString(8) CODEC(ZSTD(1)),
    precedence UInt64 CODEC(Delta(8), ZSTD(1)),
    received_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    start_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    end_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    kind Int32 CODEC(ZSTD(1)),
    status_code Int32 CODEC(ZSTD(1)),
    status_message String CODEC(ZSTD(1)),
    dropped_attributes UInt32 CODEC(ZSTD(1)),
    dropped_events UInt32 CODEC(ZSTD(1)),
    dropped_links UInt32 CODEC(ZSTD(1)),
    attr_str Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attr_int Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
    attr_num Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    attr_bool Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
    attr_rest String CODEC(ZSTD(1)),
    event_ns Array(UInt64) CODEC(ZSTD(1)),
    event_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
    event_dropped_attributes Array(UInt32) CODEC(ZSTD(1)),
    event_attributes Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    event_rest Array(String) CODEC(ZSTD(1)),
    link_trace_id Array(FixedString(16)) CODEC(ZSTD(1)),
    link_span_id Array(FixedString(8)) CODEC(ZSTD(1)),
    link_trace_state Array(String) CODEC(ZSTD(1)),
    link_flags Array(UInt32) CODEC(ZSTD(1)),
    link_dropped_attributes Array(UInt32) CODEC(ZSTD(1)),
    link_attributes Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    link_rest Array(String) CODEC(ZSTD(1)),
    resource_attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource_rest LowCardinality(String) CODEC(ZSTD(1)),
    resource_dropped_attributes UInt32 CODEC(ZSTD(1)),
    resource_schema_url LowCardinality(String) CODEC(ZSTD(1)),
    resource_entities LowCardinality(String) CODEC(ZSTD(1)),
    scope_name LowCardinality(String) CODEC(ZSTD(1)),
    scope_version LowCardinality(String) CODEC(ZSTD(1)),
    scope_schema_url LowCardinality(String) CODEC(ZSTD(1)),
    scope_dropped_attributes UInt32 CODEC(ZSTD(1)),
    scope_rest LowCardinality(String) CODEC(ZSTD(1)),
    service String ALIAS resource_attributes['service.name'],
    ts DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(toInt64(least(start_ns, 9223372036854775807)), 'UTC'),
    duration_ns UInt64 ALIAS if(end_ns > start_ns, end_ns - start_ns, 0),
    received_at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(toInt64(received_ns), 'UTC'),
    INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
  )
  ENGINE = ReplacingMergeTree(precedence)
  PARTITION BY toDate(toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
  ORDER BY (intDiv(start_ns, 3600000000000), trace_id, span_id)
  TTL toDateTime(intDiv(received_ns, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})
  SETTINGS index_granularity = 2048, min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1`;

// One row a trace, hour and day of receipt; queries put the rows of a trace together. `start_ns` is
// the time by which a trace is listed, and `writes` counts the distinct versions that touched it.
const createTraces = `
  CREATE TABLE IF NOT EXISTS traces (
    hour UInt32 CODEC(Delta(4), ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    start_ns SimpleAggregateFunction(min, UInt64) CODEC(Delta(8), ZSTD(1)),
    end_ns SimpleAggregateFunction(max, UInt64) CODEC(Delta(8), ZSTD(1)),
    received_ns SimpleAggregateFunction(max, UInt64) CODEC(Delta(8), ZSTD(1)),
    writes AggregateFunction(uniq, UInt64) CODEC(ZSTD(1)),
    INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_end end_ns TYPE minmax GRANULARITY 1,
    INDEX ix_received received_ns TYPE minmax GRANULARITY 1
  )
  ENGINE = AggregatingMergeTree
  PARTITION BY toDate(toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
  ORDER BY (hour, trace_id)
  TTL toDateTime(intDiv(received_ns, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})
  SETTINGS index_granularity = 2048, min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1`;

// X-Ray lists a trace by the time in its id. Ids of W3C tracers hold random bits there, so that time
// counts only within a day of the span's start. The minimum over the spans is then the time in the id
// if the earliest span is within a day of it, else the earliest start: no copy or order changes it.
const createTracesView = `
  CREATE MATERIALIZED VIEW IF NOT EXISTS traces_of_spans TO traces AS
  SELECT
    toUInt32(intDiv(listed_ns, 3600000000000)) AS hour,
    trace_id,
    min(listed_ns) AS start_ns,
    max(ended_ns) AS end_ns,
    max(received) AS received_ns,
    uniqState(version) AS writes
  FROM (
    SELECT
      trace_id,
      toUInt64(reinterpretAsUInt32(reverse(substring(trace_id, 1, 4)))) * 1000000000 AS id_ns,
      if(id_ns <= start_ns + 86400000000000 AND start_ns <= id_ns + 86400000000000, id_ns, start_ns) AS listed_ns,
      greatest(start_ns, end_ns) AS ended_ns,
      received_ns AS received,
      bitAnd(precedence, 9223372036854775807) AS version
    FROM spans
  )
  GROUP BY hour, trace_id`;

const createState = `
  CREATE TABLE IF NOT EXISTS state (kind String, key String, value String, version UInt64)
  ENGINE = ReplacingMergeTree(version)
  ORDER BY (kind, key)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

// One row for each digest of a trace, a later one in place of the one before; see digests.ts. Rows of
// one minute lie together, and a trace that moves to another minute leaves a removed row behind.
const createDigests = `
  CREATE TABLE IF NOT EXISTS digests (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    minute UInt32 CODEC(Delta(4), ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    removed UInt8 CODEC(ZSTD(1)),
    start_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    end_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    received_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    revision UInt32 CODEC(ZSTD(1)),
    summary String CODEC(ZSTD(1)),
    fault UInt8 CODEC(ZSTD(1)),
    error UInt8 CODEC(ZSTD(1)),
    throttle UInt8 CODEC(ZSTD(1)),
    partial UInt8 CODEC(ZSTD(1)),
    inferred UInt8 CODEC(ZSTD(1)),
    duration Float64 CODEC(ZSTD(1)),
    response_time Array(Float64) CODEC(ZSTD(1)),
    http_status Array(Float64) CODEC(ZSTD(1)),
    http_url Array(String) CODEC(ZSTD(1)),
    http_method Array(LowCardinality(String)) CODEC(ZSTD(1)),
    http_user_agent Array(LowCardinality(String)) CODEC(ZSTD(1)),
    http_client_ip Array(String) CODEC(ZSTD(1)),
    users Array(String) CODEC(ZSTD(1)),
    availability_zones Array(LowCardinality(String)) CODEC(ZSTD(1)),
    instance_ids Array(LowCardinality(String)) CODEC(ZSTD(1)),
    resource_arns Array(LowCardinality(String)) CODEC(ZSTD(1)),
    account_ids Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ${serviceColumns('service')}
    ${serviceColumns('segment')}
    segment_flags Array(UInt8) CODEC(ZSTD(1)),
    segment_start_ns Array(UInt64) CODEC(ZSTD(1)),
    segment_end_ns Array(UInt64) CODEC(ZSTD(1)),
    segment_duration_ms Array(UInt64) CODEC(ZSTD(1)),
    ${serviceColumns('call_from')}
    ${serviceColumns('call_to')}
    call_flags Array(UInt8) CODEC(ZSTD(1)),
    call_start_ns Array(UInt64) CODEC(ZSTD(1)),
    call_end_ns Array(UInt64) CODEC(ZSTD(1)),
    call_annotation_call Array(UInt16) CODEC(ZSTD(1)),
    ${valueColumns('call_annotation')}
    attribute_segment Array(UInt16) CODEC(ZSTD(1)),
    ${valueColumns('attribute')}
    cause_kind Array(UInt8) CODEC(ZSTD(1)),
    cause_index Array(UInt16) CODEC(ZSTD(1)),
    cause_last Array(UInt8) CODEC(ZSTD(1)),
    cause_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
    cause_type Array(LowCardinality(String)) CODEC(ZSTD(1)),
    cause_message Array(String) CODEC(ZSTD(1)),
    cause_remote Array(UInt8) CODEC(ZSTD(1)),
    cause_inferred Array(UInt8) CODEC(ZSTD(1)),
    cause_coverage Array(Float64) CODEC(ZSTD(1)),
    causes Array(String) CODEC(ZSTD(1)),
    send_call Array(String) CODEC(ZSTD(1)),
    ${serviceColumns('send')}
    send_ns Array(UInt64) CODEC(ZSTD(1)),
    receive_trace Array(FixedString(16)) CODEC(ZSTD(1)),
    receive_call Array(String) CODEC(ZSTD(1)),
    receive_segment Array(String) CODEC(ZSTD(1)),
    ${serviceColumns('receive')}
    receive_ns Array(UInt64) CODEC(ZSTD(1)),
    ${serviceColumns('link_from')}
    ${serviceColumns('link_to')}
    link_sent_ns Array(UInt64) CODEC(ZSTD(1)),
    link_received_ns Array(UInt64) CODEC(ZSTD(1)),
    INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_receive receive_trace TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_start start_ns TYPE minmax GRANULARITY 1,
    INDEX ix_end end_ns TYPE minmax GRANULARITY 1,
    INDEX ix_received received_ns TYPE minmax GRANULARITY 1,
    INDEX ix_key arrayMap((k, v) -> concat(k, '=', v), attribute_key, attribute_text) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_keyword arrayMap((k, v) -> concat(k, '=', v), attribute_keyword, attribute_text) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_service service_name TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_user users TYPE bloom_filter(0.01) GRANULARITY 1
  )
  ENGINE = ReplacingMergeTree(version)
  PARTITION BY toDate(toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
  ORDER BY (minute, trace_id)
  TTL toDateTime(intDiv(received_ns, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})
  SETTINGS index_granularity = 1024, min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1`;

function serviceColumns(prefix: string): string {
  return ['name', 'type', 'account']
    .map((member) => `${prefix}_${member} Array(LowCardinality(String)) CODEC(ZSTD(1)),`)
    .join('\n    ');
}

function valueColumns(prefix: string): string {
  return `${prefix}_key Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ${prefix}_keyword Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ${prefix}_text Array(String) CODEC(ZSTD(1)),
    ${prefix}_number Array(Float64) CODEC(ZSTD(1)),
    ${prefix}_false Array(UInt8) CODEC(ZSTD(1)),`;
}

// The service graph of a minute or an hour, counted: a row for each node or edge, class of request and
// times. A period is counted anew as a whole, and `graph_periods` says which count is the one to read.
const createGraphCounts = `
  CREATE TABLE IF NOT EXISTS graph_counts (
    period UInt32 CODEC(ZSTD(1)),
    start UInt32 CODEC(Delta(4), ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    kind UInt8 CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    account LowCardinality(String) CODEC(ZSTD(1)),
    to_name LowCardinality(String) CODEC(ZSTD(1)),
    to_type LowCardinality(String) CODEC(ZSTD(1)),
    to_account LowCardinality(String) CODEC(ZSTD(1)),
    class UInt8 CODEC(ZSTD(1)),
    response_ms UInt64 CODEC(ZSTD(1)),
    duration_ms UInt64 CODEC(ZSTD(1)),
    flags UInt8 CODEC(ZSTD(1)),
    n UInt64 CODEC(ZSTD(1)),
    total_ns UInt64 CODEC(ZSTD(1)),
    start_ns UInt64 CODEC(ZSTD(1)),
    end_ns UInt64 CODEC(ZSTD(1))
  )
  ENGINE = MergeTree
  PARTITION BY toDate(toDateTime(intDiv(version, 1000000000), 'UTC'))
  ORDER BY (period, start, version, kind, name, to_name)
  TTL toDateTime(intDiv(version, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})
  SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1,
    fsync_part_directory = 1`;

const createGraphPeriods = `
  CREATE TABLE IF NOT EXISTS graph_periods (period UInt32, start UInt32, version UInt64)
  ENGINE = ReplacingMergeTree(version)
  PARTITION BY toDate(toDateTime(intDiv(version, 1000000000), 'UTC'))
  ORDER BY (period, start)
  TTL toDateTime(intDiv(version, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})
  SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1`;

// Which spans link to a trace is asked of all of them; few have a link.
const addLinkIndex = `
  ALTER TABLE spans ADD INDEX IF NOT EXISTS ix_link link_trace_id TYPE bloom_filter(0.001) GRANULARITY 1`;
const indexKeptLinks = 'ALTER TABLE spans MATERIALIZE INDEX ix_link';

/** In their order. */
export const migrations: readonly Migration[] = [
  { version: 1, statements: [createSpans, createTraces, createTracesView, createState] },
  { version: 2, statements: [createDigests, createGraphCounts, createGraphPeriods] },
  { version: 3, statements: [addLinkIndex, indexKeptLinks] },
];

export const createVersions = `
  CREATE TABLE IF NOT EXISTS schema_versions (version UInt32, applied_at DateTime('UTC') DEFAULT now())
  ENGINE = MergeTree
  ORDER BY version
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** Each table with a time to live, and the column that it counts from, in nanoseconds. */
const retained: readonly (readonly [table: string, column: string])[] = [
  ['spans', 'received_ns'],
  ['traces', 'received_ns'],
  ['digests', 'received_ns'],
  ['graph_counts', 'version'],
  ['graph_periods', 'version'],
];

const setRetention = retained.map(
  ([table, column]) =>
    `ALTER TABLE ${table} MODIFY TTL toDateTime(intDiv(${column}, 1000000000), 'UTC') + toIntervalSecond({retention:UInt32})`,
);

const selectRetention = `
  SELECT argMax(value, version)
  FROM state
  WHERE kind = 'clickhouse' AND key = 'retention'
  FORMAT RowBinary`;

const insertRetention = `
  INSERT INTO state (kind, key, value, version)
  SELECT 'clickhouse', 'retention', {wanted:String}, toUnixTimestamp64Nano(now64(9))`;

/** A statement may wait for one that another Raybridge runs on the same server. */
const migrationSettings = { max_execution_time: 300 };

/**
 * Brings the client's database to our schema and our retention.
 * @throws RaybridgeError DATA_TOO_NEW; whatever the client throws.
 */
export async function migrate(client: ClickHouseClient, retentionSeconds: number): Promise<void> {
  const query_params = { retention: retentionSeconds };
  const run = (query: string) => client.command({ query, query_params, clickhouse_settings: migrationSettings });

  await run(createVersions);
  const found = await schemaVersion(client);
  const known = migrations.at(-1)?.version ?? 0;
  if (found > known) {
    throw new RaybridgeError(
      'DATA_TOO_NEW',
      `The store has schema version ${found}; this version of Raybridge knows up to ${known}. Start the newer Raybridge again, or give this one another data directory or database.`,
    );
  }
  for (const { version, statements } of migrations.filter(({ version }) => version > found)) {
    for (const statement of statements) await run(statement);
    await client.command({
      query: 'INSERT INTO schema_versions (version) SELECT {version:UInt32}',
      query_params: { version },
    });
  }
  await applyRetention(client, retentionSeconds, run);
}

/** 0 in a new database. */
async function schemaVersion(client: ClickHouseClient): Promise<number> {
  let version = 0;
  await select(client, { query: 'SELECT max(version) FROM schema_versions FORMAT RowBinary' }, (row) => {
    version = row.uint32();
  });
  return version;
}

/** Changing a TTL makes the engine look at every part again, so it is done only when the wish has changed. */
async function applyRetention(
  client: ClickHouseClient,
  retentionSeconds: number,
  run: (query: string) => Promise<unknown>,
): Promise<void> {
  const wanted = String(retentionSeconds);
  let applied = '';
  await select(client, { query: selectRetention }, (row) => {
    applied = row.text();
  });
  if (applied === wanted) return;

  for (const statement of setRetention) await run(statement);
  await client.command({ query: insertRetention, query_params: { wanted } });
}
