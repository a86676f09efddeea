import { hostname } from 'node:os';
import type { AwsClient } from '../../aws/client.ts';
import type { AwsxrayConfig } from './config.ts';
import type { Failure } from './send.ts';

/** Counts what PutTelemetryRecords tells AWS about an agent, a record a minute (X-Ray API reference, "TelemetryRecord"). */
export interface TelemetryRecords {
  sent(documents: number): void;
  refused(documents: number): void;
  failed(failure: Failure): void;
  /** Sends the record of the time since the last one, when anything was sent at all. */
  report(): Promise<void>;
}

const timeoutMs = 10_000;
const failures: readonly Failure[] = ['4xx', '5xx', 'timeout', 'refused', 'unknown host', 'other'];

export function createTelemetryRecords(
  config: AwsxrayConfig,
  client: AwsClient,
  nowMs: () => number,
): TelemetryRecords {
  const { include_metadata: hasMetadata, ...named } = config.telemetry;
  const { env } = process;
  let sent = 0;
  let refused = 0;
  let hasStarted = false;
  let errors = new Map<Failure, number>();

  return {
    sent(documents) {
      sent += documents;
    },
    refused(documents) {
      refused += documents;
    },
    failed(failure) {
      errors.set(failure, (errors.get(failure) ?? 0) + 1);
    },
    async report() {
      hasStarted ||= sent > 0;
      if (!hasStarted) return;
      const [http4, http5, timeout, connection, host, other] = failures.map((failure) => errors.get(failure) ?? 0);
      const record = {
        Timestamp: nowMs() / 1000,
        SegmentsReceivedCount: sent + refused,
        SegmentsSentCount: sent,
        SegmentsSpilloverCount: 0,
        SegmentsRejectedCount: refused,
        BackendConnectionErrors: {
          TimeoutCount: timeout,
          ConnectionRefusedCount: connection,
          HTTPCode4XXCount: http4,
          HTTPCode5XXCount: http5,
          UnknownHostCount: host,
          OtherCount: other,
        },
      };
      [sent, refused, errors] = [0, 0, new Map()];
      const ours = (value: string | undefined) => (hasMetadata ? (value ?? '') : '');
      const body = {
        TelemetryRecords: [record],
        EC2InstanceId: named.instance_id || ours(env['AWS_INSTANCE_ID']),
        Hostname: named.hostname || ours(env['AWS_HOSTNAME'] ?? hostname()),
        ResourceARN: named.resource_arn || config.resource_arn,
      };
      await client.call({ path: '/TelemetryRecords', body: Buffer.from(JSON.stringify(body)), timeoutMs });
    },
  };
}
