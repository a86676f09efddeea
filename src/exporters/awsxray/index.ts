import { type AwsClient, createAwsClient } from '../../aws/client.ts';
import type { Context, Delivery, Exporter, ExporterFactory } from '../../pipeline/component.ts';
import { reportSending } from '../../pipeline/status.ts';
import { type AwsxrayConfig, configSchema } from './config.ts';
import { createDocuments, toPages } from './documents.ts';
import { createSendPage, type PageSending, type SendPage, toSending } from './send.ts';
import { createTelemetryRecords } from './telemetry-records.ts';
import { createWorkers } from './workers.ts';

/** Sends to AWS X-Ray, or to whatever speaks its API, by PutTraceSegments. */
export const awsxrayExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'awsxray',
  configSchema,
  create({ config, context }) {
    // The register has checked `config` with the schema above.
    return createAwsxrayExporter(config as AwsxrayConfig, context);
  },
};

/** Some ten pages of small documents. Receivers share this thread: at 2 MiB they waited for 76 ms at times. */
const gatherBytesMax = 512 * 1024;
/** Calls are dear and slow: within this time a page fills. A trace is seen in AWS some seconds later anyway. */
const gatherLingerMs = 200;
const reportIntervalMs = 60_000;

function createAwsxrayExporter(config: AwsxrayConfig, context: Context): Exporter {
  const { id, log, status } = context;
  const client = createAwsClient({
    service: 'xray',
    region: config.region,
    endpoint: config.endpoint,
    roleArn: config.role_arn,
    externalId: config.external_id,
    sessionName: 'xray-daemon',
    profile: config.profile,
    sharedCredentialsFile: config.shared_credentials_file[0],
    localMode: config.local_mode,
    imdsRetries: config.imds_retries,
    proxyAddress: config.proxy_address,
    verifyTls: !config.no_verify_ssl,
    caFile: config.certificate_file_path,
    connectionsMax: config.num_workers,
  });
  const nowMs = () => Number(context.nowNs() / 1_000_000n);
  const records = createTelemetryRecords(config, client, nowMs);
  const toDocuments = createDocuments(config);
  const sendPage = createSendPage({
    client,
    workers: createWorkers(config.num_workers, nowMs),
    timeoutMs: config.request_timeout_seconds * 1000,
    onBlocked: (reason) => status.fault(id, reason),
    onSent: records.sent,
    onFailure: records.failed,
  });
  const underway = new WeakMap<Delivery, readonly PageSending[]>();
  let reporting: NodeJS.Timeout | undefined;

  return {
    gather: { bytesMax: gatherBytesMax, lingerMs: gatherLingerMs },
    async start() {
      void describe(client, config).then((line) => reportSending(context, line));
      if (!config.telemetry.enabled) return;
      reporting = setInterval(() => {
        records
          .report()
          .catch((error: unknown) => log.debug({ err: error, component: id }, 'no telemetry record sent'));
      }, reportIntervalMs);
      reporting.unref();
    },
    async export(delivery) {
      let pages = underway.get(delivery);
      if (!pages) {
        pages = toPages(delivery.batches.flatMap(toDocuments)).map(toSending);
        underway.set(delivery, pages);
      }
      await sendAll(pages, sendPage, delivery.signal);
      const refused = pages.flatMap((page) => page.refused);
      records.refused(refused.length);
      return { refused };
    },
    async shutdown() {
      clearInterval(reporting);
      await client.close();
    },
  };
}

async function sendAll(pages: readonly PageSending[], send: SendPage, signal: AbortSignal): Promise<void> {
  const ends = await Promise.allSettled(pages.map((page) => send(page, signal)));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
}

async function describe(client: AwsClient, { role_arn: role, num_workers: workers }: AwsxrayConfig): Promise<string> {
  try {
    const [endpoint, { region, from }] = await Promise.all([client.endpoint(), client.region()]);
    return `sends to ${endpoint.origin}, region ${region} (from ${from}), ${role ? `role ${role}, ` : ''}${workers} workers`;
  } catch (error) {
    return `cannot send yet: ${error instanceof Error ? error.message : String(error)}`;
  }
}
